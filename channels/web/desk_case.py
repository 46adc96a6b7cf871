"""Acts on the page of one case: looking at it, taking a step, seeing who reported. The page itself is case_page.py's."""

from collections.abc import Mapping

from aiohttp import web

from channels.web.case_page import Shown, case_no_of, case_page, offer_of
from channels.web.desk_form import Trouble, fields_of, wants_other_conditions
from channels.web.desk_photo import perform_with_photos
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.errors import BadInput, IllegalMove, NotAllowed, Refused, StaleVersion
from intake.text import normalise
from intake.usecases import Command

CHOOSE_AGAIN = "问题类别已改，请按新类别选择立案条件。"
PREVIEWED = "已按填写的内容更新，尚未提交。"
RETEMPLATED = "已换用所选模板，尚未发送。"


@require("see_case")
async def show_case(request: web.Request) -> web.StreamResponse:
    """The page; the address may open a form: a step, and with it a debt, a template or the case to merge into."""
    asked = request.query
    opened = Shown(asked.get("step", ""), debt=asked.get("debt", ""), main_case=asked.get("main_case", ""),
                   template=asked.get("template", ""))  # fmt: skip
    return await case_page(request, opened)


@require("see_case")
async def take_step(request: web.Request) -> web.StreamResponse:
    """Take the step of a form, or show the form again: for a preview, for new conditions, for what is wrong with it."""
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    step, form = request.match_info["step"], await form_of(request)
    typed = form.fields
    if "retemplate" in typed:
        chosen = Shown(step, debt=typed.get("debt", ""), template=typed.get("template", ""), notice=RETEMPLATED)
        return await case_page(request, chosen)
    if "preview" in typed:
        return await case_page(request, Shown(step, typed=typed, notice=PREVIEWED))
    file = await gateway.case_file(number, actor)
    offer = offer_of(file, step)
    if offer and wants_other_conditions(offer, typed, shown_class=typed.get("shown_class", ""),
                                        taxonomy=gateway.rules.taxonomy):  # fmt: skip
        return await case_page(request, Shown(step, typed=typed, trouble=Trouble(CHOOSE_AGAIN, "condition"), status=422))
    fields = fields_of(offer, file.case, typed=typed, shown_draft=typed.get("shown_draft", "")) if offer else {}
    held = _version(typed)
    try:
        await perform_with_photos(request, Command(number, step, actor, held, fields), uploads=form.photos)
    except StaleVersion as error:
        return await case_page(request, _refused(step, typed, error=error, held=held, status=409))
    except BadInput as error:
        return await case_page(request, _refused(step, typed, error=error, held=0, status=422))
    except (IllegalMove, NotAllowed) as error:
        status = 409 if isinstance(error, IllegalMove) else 403
        return await case_page(request, _refused(step, typed, error=error, held=held, status=status))
    raise web.HTTPSeeOther(f"/desk/cases/{number}?done={step}#main")


@require("reveal_contact")
async def reveal(request: web.Request) -> web.StreamResponse:
    """Show who reported, once, after a reason was given; it is written down who looked and why."""
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    reason = normalise((await form_of(request)).get("reason"))
    try:
        contacts = await gateway.reveal(number, actor, reason=reason)
    except BadInput as error:
        return await case_page(
            request, Shown(typed={"reveal": reason}, trouble=Trouble(error.message, "reveal"), status=422)
        )
    return await case_page(request, Shown(revealed=tuple(contacts)))


def _refused(step: str, typed: Mapping[str, str], *, error: Refused, held: int, status: int) -> Shown:
    """The same form again with what was typed; `held` is the version to tell changes from."""
    field = error.field if isinstance(error, BadInput) else ""
    return Shown(step, typed=typed, trouble=Trouble(error.message, field), held_version=held, status=status)


def _version(typed: Mapping[str, str]) -> int:
    """The version the form was made for; without one it counts as stale."""
    word = typed.get("version", "")
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0


ROUTES: list[web.RouteDef] = [
    web.get("/desk/cases/{case_no}", show_case),
    web.post("/desk/cases/{case_no}/steps/{step}", take_step),
    web.post("/desk/cases/{case_no}/reveal", reveal),
]
