"""The page of one case, put together: what its reader may see, what stands beside it, and the form of the step he opened.

Handlers stand in desk_case.py (steps) and case_acts.py (parting, linking, recordings); all of them show this page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from channels.web.case_beside import Beside, beside_of
from channels.web.case_course import course_of
from channels.web.case_letter import Length, debt_of, filled, length_of, templates_of
from channels.web.case_match import earlier_of, joined_of, matches_of
from channels.web.case_parts import dispatch_of, evidence_of, pictures_of, sounds_of
from channels.web.desk_both import both_sides
from channels.web.desk_bus import watchers_of
from channels.web.desk_form import GROUP_WORDS, FormView, Trouble, form_view, is_same, opening_step
from channels.web.desk_frame import desk_page
from channels.web.desk_order import order_row
from channels.web.desk_photo import USAGE_OF_STEP
from channels.web.desk_reply import Draft, draft_of
from channels.web.desk_sight import sight_of
from channels.web.desk_timeline import Line
from channels.web.desk_view import CaseView, case_view
from channels.web.setting import gateway_of, signed_in
from intake.codes import parse_case_no
from intake.conversation_split import split_matters
from intake.errors import NotFound
from intake.gateway import CaseFile, Gateway
from intake.model import Actor
from intake.offers import Offer
from intake.permission import may
from intake.ports import Work
from intake.profile import SURE_MATCH
from intake.records import Contact
from intake.redaction import draft_of as redacted_draft
from intake.splitting import may_split
from intake.switchboard_contact import OPEN as CONTACTABLE

REPLY_STEPS = ("send_reply", "told_by_phone", "excuse_reply")
"""Steps that settle one debt; each debt links to them."""
EVIDENCE_STEPS = frozenset({"check", "checked", "close", "rework"})
"""Steps taken with an eye on the pictures; they stand beside the form."""
SAME_MATTER = "同一问题，反映人一并答复"


@dataclass(frozen=True, slots=True)
class Shown:
    """How the page came about: which form is open, what was typed, what went wrong. Empty for a plain look.

    `main_case` is the case to merge into, `template` the wording to start a reply from; `parts` are those of a parting.
    """

    step: str = ""
    debt: str = ""
    main_case: str = ""
    template: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)
    notice: str = ""
    held_version: int = 0
    revealed: tuple[Contact, ...] | None = None
    parts: tuple[tuple[str, str], ...] = ()
    part_photos: Mapping[str, int] = field(default_factory=dict)
    status: int = 200


async def read_view(gateway: Gateway, number: int, *, actor: Actor) -> tuple[CaseFile, CaseView]:
    """A case and what this person sees of it; raises NotFound for what he may not see."""
    file, view, _ = await read_all(gateway, number, actor)
    return file, view


async def read_all(gateway: Gateway, number: int, actor: Actor) -> tuple[CaseFile, CaseView, Beside]:
    """The same with what stands beside the case."""
    file = await gateway.case_file(number, actor)
    sight = sight_of(file.case, actor)
    beside = await gateway.store.read(lambda work: beside_of(work, file, sight))
    return file, case_view(file, actor, rules=gateway.rules, now=gateway.now(), outbox=beside.outbox), beside


def case_no_of(request: web.Request) -> int:
    """The number in the address; one that cannot be a number is told as not found."""
    number = parse_case_no(request.match_info["case_no"])
    if number is None:
        raise NotFound("没有找到这件案件。")
    return number


async def case_page(request: web.Request, shown: Shown) -> web.StreamResponse:
    """The page as it stands now."""
    gateway, actor = gateway_of(request), signed_in(request).actor
    file, view, beside = await read_all(gateway, case_no_of(request), actor)
    name = opening_step(file.offers, shown.step)
    typed = (shown.typed or await _about(gateway, file, shown, step=name)) if name == shown.step else {}
    form = await _form(gateway, file, name=name, typed=typed, trouble=shown.trouble)
    changes = _changes(view, shown.held_version)
    plain = await _form(gateway, file, name=name, typed={}, trouble=Trouble()) if changes else None
    present = {one.name: one.value for one in plain.fields} if plain else {}
    return await desk_page(
        request,
        "desk_case.html",
        status=shown.status,
        view=view,
        form=form,
        sides=both_sides(form, typed, present, changes),
        watchers=watchers_of(request, case_no_of(request)),
        takes_photos=name in USAGE_OF_STEP and may(actor, "add_photo"),
        groups=_groups(file.offers),
        reply_steps=tuple((o.step.name, o.step.label) for o in file.offers if o.step.name in REPLY_STEPS),
        trouble=shown.trouble,
        notice=shown.notice,
        changes=changes,
        lost=_lost(shown, name),
        revealed=shown.revealed,
        reason=shown.typed.get("reveal", ""),
        clocks=gateway.city.limits.explain(file.case, gateway.now()),
        **_beside(gateway, file, view, beside, actor),
        **_with_form(gateway, file, view, form, shown),
        matches=await matches_of(gateway, file.case, actor),
        offered=frozenset(offer.step.name for offer in file.offers),
        parts=shown.parts or _proposed_parts(gateway, file, actor),
        part_photos=shown.part_photos,
    )


def _beside(gateway: Gateway, file: CaseFile, view: CaseView, beside: Beside, actor: Actor) -> dict[str, object]:
    return {
        "course": course_of(file, view, beside, actor, units=gateway.rules.units),
        "pictures": pictures_of(view),
        "sounds": sounds_of(file, beside, actor, now=gateway.now()),
        "doubt": gateway.city.doubt_about(file.case.place) if view.lon is not None else "",
        "dispatch": dispatch_of(file.case, actor, gateway),
        "earlier": earlier_of(beside, actor, gateway),
        "joined": joined_of(beside, actor, gateway),
        "links": beside.links,
        "order": order_row(beside.order, gateway) if beside.order else None,
        "alerts": tuple(line for line in view.history if line.step == "alert"),
        "is_contactable": may(actor, "contact_citizen") and view.sight.reveal and file.case.state in CONTACTABLE,
    }


def _with_form(
    gateway: Gateway, file: CaseFile, view: CaseView, form: FormView | None, shown: Shown
) -> dict[str, object]:
    """What stands beside the open form: the evidence for a decision, length and templates of a reply."""
    step = form.step if form else ""
    values = {one.name: one.value for one in form.fields} if form else {}
    letter = values.get("text", "") if step == "send_reply" else values.get("reply_text", "")
    debt = debt_of(file, values.get("debt", "")) if step == "send_reply" else None
    length: Length | None = length_of(letter) if letter else None
    return {
        "evidence": evidence_of(step, file, view),
        "shows_pictures": step in EVIDENCE_STEPS and bool(view.photos),
        "length": length,
        "templates": templates_of(gateway.rules, debt, gateway.now()),
        "chosen_template": shown.template or shown.typed.get("template", ""),
    }


def _proposed_parts(gateway: Gateway, file: CaseFile, actor: Actor) -> tuple[tuple[str, str], ...]:
    """Text and place of the matters a report seems to hold, where it may be parted; empty otherwise."""
    case = file.case
    if not may_split(case, actor):
        return ()
    first, *others = split_matters(case.description) or (case.description,)
    return ((first, case.place.text), *((part, _place_in(gateway, part, case.place.text)) for part in others))


def _place_in(gateway: Gateway, part: str, whole: str) -> str:
    """The place a part names for itself; one it does not name is left to be asked, not taken from another matter."""
    if whole and whole in part:
        return whole
    found = gateway.city.gazetteer.find(part, limit=1)
    return part[found[0].start : found[0].end] if found and found[0].score >= SURE_MATCH else ""


async def _form(
    gateway: Gateway, file: CaseFile, *, name: str, typed: Mapping[str, str], trouble: Trouble
) -> FormView | None:
    offer = offer_of(file, name)
    if offer is None:
        return None

    def draft(work: Work) -> Draft | None:
        return draft_of(work, gateway.rules, case=file.case, step=offer.step, typed=typed)

    drafted = await gateway.store.read(draft) if offer.step.owes else None
    # A draft nobody changed follows what is typed; words of the operator's own stay.
    if is_same(typed.get("reply_text", ""), typed.get("shown_draft", "")):
        typed = {key: value for key, value in typed.items() if key != "reply_text"}
    if name == "dispatch":
        typed = {"forwarded_text": _forwarded(file)} | dict(typed)
    return form_view(offer, file.case, rules=gateway.rules, typed=typed, draft=drafted, trouble=trouble)


def _forwarded(file: CaseFile) -> str:
    """What the unit read before, or for a confidential case a draft made by leaving out; others read the report itself."""
    if file.case.forwarded_text or not file.case.confidential:
        return file.case.forwarded_text
    known = tuple(word for one in file.contacts.values() for word in (one.name, one.phone) if word)
    return redacted_draft(file.case.description, known=known)


async def _about(gateway: Gateway, file: CaseFile, shown: Shown, *, step: str) -> dict[str, str]:
    """A form opened from a debt names it and starts from its draft or a template; one from a likely repeat names that."""
    if step == "merge" and shown.main_case:
        return {"main_case": shown.main_case, "reason": SAME_MATTER}
    debt = debt_of(file, shown.debt) if step in REPLY_STEPS else None
    if debt is None:
        return {}
    if step != "send_reply":
        return {"debt": shown.debt}
    fitting = [name for name, _ in templates_of(gateway.rules, debt, gateway.now())]
    if shown.template in fitting:
        words = await gateway.store.read(lambda work: filled(work, gateway.rules, file.case, shown.template))
        return {"debt": shown.debt, "text": words}
    reply = file.replies.get(debt.debt_id)
    return {"debt": shown.debt, "text": (reply.text or reply.draft) if reply else ""}


def offer_of(file: CaseFile, step: str) -> Offer | None:
    return next((offer for offer in file.offers if offer.step.name == step), None)


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
    hidden = {"csrf", "version", "shown_class", "shown_draft", "reveal", "template"}
    return tuple((name, text) for name, text in shown.typed.items() if name not in hidden and text.strip())
