"""The page of one case: everything its reader may see, and a form for each step he may take."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from channels.web.desk_form import (
    GROUP_WORDS,
    FormView,
    Trouble,
    fields_of,
    form_view,
    is_same,
    opening_step,
    wants_other_conditions,
)
from channels.web.desk_frame import desk_page
from channels.web.desk_photo import USAGE_OF_STEP, perform_with_photos
from channels.web.desk_reply import Draft, draft_of
from channels.web.desk_sight import sight_of
from channels.web.desk_timeline import Line
from channels.web.desk_view import CaseView, case_view
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.codes import parse_case_no
from intake.errors import BadInput, IllegalMove, NotAllowed, NotFound, Refused, StaleVersion
from intake.gateway import CaseFile, Gateway
from intake.model import Actor
from intake.offers import Offer
from intake.permission import may
from intake.ports import Work
from intake.records import Contact, OutboxRow
from intake.text import normalise
from intake.usecases import Command

CHOOSE_AGAIN = "问题类别已改，请按新类别选择立案条件。"
REPLY_STEPS = ("send_reply", "told_by_phone", "excuse_reply")
"""Steps that settle one debt; each debt links to them."""
PREVIEWED = "已按填写的内容更新，尚未提交。"


@dataclass(frozen=True, slots=True)
class Shown:
    """How the page came about: which form is open, what was typed, what went wrong. Empty for a plain look."""

    step: str = ""
    debt: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)
    notice: str = ""
    held_version: int = 0
    revealed: tuple[Contact, ...] | None = None
    status: int = 200


async def read_view(gateway: Gateway, number: int, *, actor: Actor) -> tuple[CaseFile, CaseView]:
    """A case and what this person sees of it; raises NotFound for what he may not see."""
    file = await gateway.case_file(number, actor)
    outbox: list[OutboxRow] = []
    if sight_of(file.case, actor).ledger:
        outbox = await gateway.store.read(lambda work: work.find(OutboxRow, case_no=number))
    return file, case_view(file, actor, rules=gateway.rules, now=gateway.now(), outbox=outbox)


def case_no_of(request: web.Request) -> int:
    """The number in the address; one that cannot be a number is told as not found."""
    number = parse_case_no(request.match_info["case_no"])
    if number is None:
        raise NotFound("没有找到这件案件。")
    return number


@require("see_case")
async def show_case(request: web.Request) -> web.StreamResponse:
    return await _page(request, Shown(step=request.query.get("step", ""), debt=request.query.get("debt", "")))


@require("see_case")
async def take_step(request: web.Request) -> web.StreamResponse:
    """Take the step of a form, or show the form again: for a preview, for new conditions, for what is wrong with it."""
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    step, form = request.match_info["step"], await form_of(request)
    typed = form.fields
    if "preview" in typed:
        return await _page(request, Shown(step, typed=typed, notice=PREVIEWED))
    file = await gateway.case_file(number, actor)
    offer = _offer(file, step)
    if offer and wants_other_conditions(offer, typed, shown_class=typed.get("shown_class", ""),
                                        taxonomy=gateway.rules.taxonomy):  # fmt: skip
        return await _page(request, Shown(step, typed=typed, trouble=Trouble(CHOOSE_AGAIN, "condition"), status=422))
    fields = fields_of(offer, file.case, typed=typed, shown_draft=typed.get("shown_draft", "")) if offer else {}
    held = _version(typed)
    try:
        await perform_with_photos(request, Command(number, step, actor, held, fields), uploads=form.photos)
    except StaleVersion as error:
        return await _page(request, _refused(step, typed, error=error, held=held, status=409))
    except BadInput as error:
        return await _page(request, _refused(step, typed, error=error, held=0, status=422))
    except (IllegalMove, NotAllowed) as error:
        status = 409 if isinstance(error, IllegalMove) else 403
        return await _page(request, _refused(step, typed, error=error, held=held, status=status))
    raise web.HTTPSeeOther(f"/desk/cases/{number}?done={step}#main")


@require("reveal_contact")
async def reveal(request: web.Request) -> web.StreamResponse:
    """Show who reported, once, after a reason was given; it is written down who looked and why."""
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    reason = normalise((await form_of(request)).get("reason"))
    try:
        contacts = await gateway.reveal(number, actor, reason=reason)
    except BadInput as error:
        return await _page(
            request, Shown(typed={"reveal": reason}, trouble=Trouble(error.message, "reveal"), status=422)
        )
    return await _page(request, Shown(revealed=tuple(contacts)))


def _refused(step: str, typed: Mapping[str, str], *, error: Refused, held: int, status: int) -> Shown:
    """The same form again with what was typed; `held` is the version to tell changes from."""
    field = error.field if isinstance(error, BadInput) else ""
    return Shown(step, typed=typed, trouble=Trouble(error.message, field), held_version=held, status=status)


def _offer(file: CaseFile, step: str) -> Offer | None:
    return next((offer for offer in file.offers if offer.step.name == step), None)


def _version(typed: Mapping[str, str]) -> int:
    """The version the form was made for; without one it counts as stale."""
    word = typed.get("version", "")
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0


async def _page(request: web.Request, shown: Shown) -> web.StreamResponse:
    gateway, actor = gateway_of(request), signed_in(request).actor
    file, view = await read_view(gateway, case_no_of(request), actor=actor)
    name = opening_step(file.offers, shown.step)
    typed = (shown.typed or _about(view, shown.debt, step=name)) if name == shown.step else {}
    return await desk_page(
        request,
        "desk_case.html",
        status=shown.status,
        view=view,
        form=await _form(gateway, file, name=name, typed=typed, trouble=shown.trouble),
        takes_photos=name in USAGE_OF_STEP and may(actor, "add_photo"),
        groups=_groups(file.offers),
        reply_steps=tuple((o.step.name, o.step.label) for o in file.offers if o.step.name in REPLY_STEPS),
        trouble=shown.trouble,
        notice=shown.notice,
        changes=_changes(view, shown.held_version),
        lost=_lost(shown, name),
        revealed=shown.revealed,
        reason=shown.typed.get("reveal", ""),
        clocks=gateway.city.limits.explain(file.case, gateway.now()) if file.case.filed_at else (),
    )


async def _form(
    gateway: Gateway, file: CaseFile, *, name: str, typed: Mapping[str, str], trouble: Trouble
) -> FormView | None:
    offer = _offer(file, name)
    if offer is None:
        return None

    def draft(work: Work) -> Draft | None:
        return draft_of(work, gateway.rules, case=file.case, step=offer.step, typed=typed)

    drafted = await gateway.store.read(draft) if offer.step.owes else None
    # A draft nobody changed follows what is typed; words of the operator's own stay.
    if is_same(typed.get("reply_text", ""), typed.get("shown_draft", "")):
        typed = {key: value for key, value in typed.items() if key != "reply_text"}
    return form_view(offer, file.case, rules=gateway.rules, typed=typed, draft=drafted, trouble=trouble)


def _about(view: CaseView, debt_id: str, *, step: str) -> dict[str, str]:
    """A form opened from a debt names it, and starts from its draft."""
    debt = next((debt for debt in view.debts if str(debt.debt_id) == debt_id and debt.is_open), None)
    if debt is None or step not in REPLY_STEPS:
        return {}
    return {"debt": debt_id} | ({"text": debt.draft} if step == "send_reply" else {})


def _groups(offers: tuple[Offer, ...]) -> tuple[tuple[str, tuple[Offer, ...]], ...]:
    """Steps under the headings of the page, in table order."""
    found = ((words, tuple(o for o in offers if o.step.group is group)) for group, words in GROUP_WORDS.items())
    return tuple((words, some) for words, some in found if some)


def _changes(view: CaseView, held_version: int) -> tuple[Line, ...]:
    """What happened since the version a form was made for; a case has one line of history for each version."""
    return tuple(line for line in view.history if line.seq > held_version) if held_version else ()


def _lost(shown: Shown, opened: str) -> tuple[tuple[str, str], ...]:
    """Words typed in a form that is offered no longer; shown so that they can be copied."""
    if shown.step == opened:
        return ()
    hidden = {"csrf", "version", "shown_class", "shown_draft", "reveal"}
    return tuple((name, text) for name, text in shown.typed.items() if name not in hidden and text.strip())


ROUTES: list[web.RouteDef] = [
    web.get("/desk/cases/{case_no}", show_case),
    web.post("/desk/cases/{case_no}/steps/{step}", take_step),
    web.post("/desk/cases/{case_no}/reveal", reveal),
]
