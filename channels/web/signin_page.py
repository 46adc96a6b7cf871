"""Signing in and out at the desk, and changing one's password."""

from aiohttp import web

from channels.web.desk_frame import desk_page
from channels.web.rate import count_use
from channels.web.render import page
from channels.web.session import (
    DESK,
    PASSWORD,
    SIGN_IN,
    end,
    forget,
    form_of,
    open_for,
    refuse_foreign,
    require,
    who_asks,
)
from channels.web.setting import gateway_of, signed_in
from intake.errors import BadInput, NotSignedIn, TooMany
from intake.password import weakness_of
from intake.text import normalise

MAX_NAME_CHARS = 64


async def show_sign_in(request: web.Request) -> web.StreamResponse:
    """The form; somebody signed in already goes on to the desk."""
    if await who_asks(request):
        raise web.HTTPSeeOther(DESK)
    return _form(request, wanted=_way(request.query.get("next", "")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Open a session; every kind of mismatch reads alike."""
    refuse_foreign(request)
    form = await form_of(request)
    name, wanted = normalise(form.get("name")).strip()[:MAX_NAME_CHARS], _way(form.get("next"))
    response = web.Response(status=303, headers={"Location": wanted})
    try:
        count_use(request, "sign_in")
        await open_for(request, name, password=form.get("password"), response=response)
    except NotSignedIn as error:
        return _form(request, wanted=wanted, name=name, error=error.message, status=401)
    except TooMany as error:
        answer = _form(request, wanted=wanted, name=name, error=error.message, status=429)
        answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer
    return response


def _form(request: web.Request, *, wanted: str, name: str = "", error: str = "", status: int = 200) -> web.Response:
    return page(request, "signin.html", status=status, wanted=wanted, name=name, error=error)


def _way(wanted: str) -> str:
    """Where to go after signing in: a page of the desk, never another site's."""
    is_ours = wanted == DESK or wanted.startswith(f"{DESK}/")
    return wanted if is_ours and wanted.isprintable() and "\\" not in wanted else DESK


@require("see_queue", before_change=True)
async def sign_out(request: web.Request) -> web.StreamResponse:
    await end(request)
    response = web.Response(status=303, headers={"Location": SIGN_IN})
    forget(response)
    return response


@require("see_queue", before_change=True)
async def show_password(request: web.Request) -> web.StreamResponse:
    return await desk_page(request, "desk_password.html", field="", error="")


@require("see_queue", before_change=True)
async def change_password(request: web.Request) -> web.StreamResponse:
    """Store a new password; every session of the person ends and this browser gets a new one."""
    person, form = signed_in(request), await form_of(request)
    old, new, again = form.get("old"), form.get("new"), form.get("again")
    response = web.Response(status=303, headers={"Location": f"{DESK}?done=password"})
    try:
        _check_new(old, new, again=again)
        count_use(request, "sign_in")
        await gateway_of(request).change_password(person.actor.user_id, old, new)
        await open_for(request, person.actor.name, password=new, response=response)
    except BadInput as error:
        return await desk_page(request, "desk_password.html", status=422, field=error.field, error=error.message)
    except NotSignedIn as error:
        return await desk_page(request, "desk_password.html", status=422, field="old", error=error.message)
    return response


def _check_new(old: str, new: str, *, again: str) -> None:
    if weakness := weakness_of(new):
        raise BadInput("new", weakness)
    if new == old:
        raise BadInput("new", "新密码不能与原密码相同。")
    if new != again:
        raise BadInput("again", "两次输入的新密码不一致。")


ROUTES: list[web.RouteDef] = [
    web.get(SIGN_IN, show_sign_in),
    web.post(SIGN_IN, sign_in),
    web.post("/desk/sign-out", sign_out),
    web.get(PASSWORD, show_password),
    web.post(PASSWORD, change_password),
]
