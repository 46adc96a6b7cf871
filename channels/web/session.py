"""Who asks: the session cookie of the desk's pages or a bearer token, the right to ask, and the guard against forgery.

`require` stands before every handler that staff use. Looking a session up costs one read of a few hundred microseconds
(measured on SQLite), so nothing is cached and a revoked token or an ended session is refused with the next request.
"""

import hmac
from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import quote, urlsplit

from aiohttp import web

from channels.web.form import MULTIPART, URLENCODED, Form, read_form
from channels.web.setting import SIGNED_IN, gateway_of, setting_of
from intake import permission, signin
from intake.codes import digest_of
from intake.errors import NotAllowed, NotSignedIn
from intake.signin import SignedIn

COOKIE = "intake_session"
CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"
SIGN_IN, PASSWORD, DESK = "/desk/sign-in", "/desk/password", "/desk"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM = web.RequestKey("form", Form)
FORGED = "页面已失效，请刷新后重新提交。"
MUST_CHANGE = "请先修改一次性密码。"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def require(act: str, *, before_change: bool = False) -> Callable[[Answer], Answer]:
    """Let a handler answer only staff who may do `act` (permission.ALLOWED); request[SIGNED_IN] tells it who asks.

    `before_change` opens a page to somebody whose one-time password is still to be changed. Pages send strangers to
    the sign-in page; the API refuses them with NotSignedIn.
    """

    def guard(answer: Answer) -> Answer:
        @wraps(answer)
        async def guarded(request: web.Request) -> web.StreamResponse:
            person = await who_asks(request)
            if person is None:
                raise _to_sign_in(request)
            request[SIGNED_IN] = person
            if person.must_change and not before_change:
                raise _to_password(request)
            permission.demand(person.actor, act)
            await _refuse_forged(request, person)
            return await answer(request)

        return guarded

    return guard


async def who_asks(request: web.Request) -> SignedIn | None:
    """The person behind a request. A request that bears a token is judged by the token alone."""
    store = gateway_of(request).store
    bearer = request.headers.get("Authorization", "")
    if bearer:
        scheme, _, token = bearer.partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or not token.isascii():
            return None
        return await store.read(lambda work: signin.who_has_token(work, token.strip()))
    secret = request.cookies.get(COOKIE, "")
    if not secret or not secret.isascii():
        return None
    return await store.read(lambda work: signin.who_has_session(work, secret))


def is_api(request: web.Request) -> bool:
    return request.path.startswith("/api/")


def _to_sign_in(request: web.Request) -> Exception:
    if is_api(request):
        return NotSignedIn()
    if request.method in SAFE_METHODS and request.path != DESK:
        return web.HTTPSeeOther(f"{SIGN_IN}?next={quote(request.path)}")
    return web.HTTPSeeOther(SIGN_IN)


def _to_password(request: web.Request) -> Exception:
    return NotAllowed(MUST_CHANGE) if is_api(request) else web.HTTPSeeOther(PASSWORD)


async def _refuse_forged(request: web.Request, person: SignedIn) -> None:
    """A browser sends its cookie by itself, so an unsafe request must also prove that one of our pages made it."""
    if request.method in SAFE_METHODS or not person.session_hash:
        return
    refuse_foreign(request)
    given = request.headers.get(CSRF_HEADER, "")
    if not given and request.content_type in (URLENCODED, MULTIPART):
        given = (await form_of(request)).get(CSRF_FIELD)
    # Bytes that are no UTF-8 come as lone surrogates, which encode only this way.
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), person.csrf.encode()):
        raise NotAllowed(FORGED)


async def form_of(request: web.Request) -> Form:
    """The form of a request, read once: the guard looks for its CSRF field before the page reads the rest."""
    if FORM not in request:
        request[FORM] = await read_form(request)
    return request[FORM]


def refuse_foreign(request: web.Request) -> None:
    """Refuse what a browser says comes from another site's page.

    Origin counts only where Sec-Fetch-Site is missing, and `null` is let through to the CSRF check: under our own
    Referrer-Policy no-referrer browsers write `Origin: null` on our own forms (Fetch standard, 3.2).
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise NotAllowed(FORGED)
        return
    origin = request.headers.get("Origin", "null")
    if origin == "null":
        return
    ours = {request.host, urlsplit(setting_of(request).public_url).netloc}
    if urlsplit(origin).netloc not in ours:
        raise NotAllowed(FORGED)


async def open_for(request: web.Request, name: str, *, password: str, response: web.Response) -> None:
    """Sign somebody in on this browser: a new session always, and the one it had before is ended."""
    gateway = gateway_of(request)
    secret = await gateway.sign_in(name, password)
    await end(request)
    response.set_cookie(
        COOKIE, secret, path="/", httponly=True, samesite="Lax", secure=setting_of(request).secure_cookies
    )


async def end(request: web.Request) -> None:
    """End the session of this browser, if it has one."""
    secret = request.cookies.get(COOKIE, "")
    if secret and secret.isascii():
        await gateway_of(request).store.write(lambda work: signin.close_session(work, digest_of(secret)))


def forget(response: web.Response) -> None:
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax")
