"""The panels of the call screen, made from a draft and what is typed: who calls, classes, what a class means, places, spot.

`/desk/calls/{draft_id}/panel/{name}` gives one panel anew while somebody types; the page itself is made of the same. All
that is typed comes in the body of a POST, so that none of it stands in an address or a log.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from channels.web.call_fields import Typed, place_of, typed_from
from channels.web.call_view import Brief, Suggestion, brief_of, caller_view, place_view, suggestions
from channels.web.desk_phone import board_of
from channels.web.number import number_in
from channels.web.render import page
from channels.web.session import form_of, require
from channels.web.setting import GATEWAY, gateway_of, signed_in
from intake.call import Mark
from intake.caller_past import caller_past
from intake.class_search import hints_by_words
from intake.desk_record import Draft, Notice
from intake.drafts import draft_of
from intake.errors import BadInput, NotFound, UnknownSubclass
from intake.gateway import Gateway
from intake.knowledge import Knowledge, load_knowledge
from intake.model import Place, Subclass
from intake.notices import fits, notices_now
from intake.outlook import Outlook, outlook
from intake.phone import parse_phone
from intake.ports import Work
from intake.workflow import ENDED

SPOT_SPAN = timedelta(days=30)
MOST_PLACES = 6
FEWEST_CHARS = 2
KNOWLEDGE = web.AppKey("knowledge", Knowledge)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a panel is made from: the request, the draft and the fields as they stand in the form now."""

    request: web.Request
    draft: Draft
    typed: Mapping[str, str]

    @property
    def gateway(self) -> Gateway:
        return gateway_of(self.request)

    @property
    def place(self) -> Place:
        return self.gateway.city.locate(place_of(self.typed))


def set_up(app: web.Application) -> None:
    """Read the knowledge base once, so that a fault in it is told at the start."""
    app[KNOWLEDGE] = load_knowledge(app[GATEWAY].city.folder)


async def caller_panel(asking: Asking) -> dict[str, Any]:
    """Who calls, as his number tells, with what every operator should know of the number."""
    gateway, number = asking.gateway, _number(asking)
    past = await gateway.store.read(lambda work: caller_past(work, gateway.vault, number))
    marks: tuple[Mark, ...] = ()
    board = board_of(asking.request)
    if board is not None and asking.draft.call_id:
        marks = tuple(await board.marks.of_call(asking.draft.call_id))
    words = tuple(f"骚扰标记：{mark.reason}" for mark in marks)
    return {"caller": caller_view(past, number, rules=gateway.rules, now=gateway.now(), marks=words)}


def _number(asking: Asking) -> str:
    """The number typed, as far as it is one already, else the caller's."""
    phone = parse_phone(asking.typed.get("phone", ""), area_code=asking.gateway.city.area_code)
    return phone.e164 if phone else asking.draft.caller


async def suggest_panel(asking: Asking) -> dict[str, Any]:
    """Classes on the keys 1 to 3 with the words that led to them; danger first of all."""
    gateway, text = asking.gateway, asking.typed.get("what", "")
    found: tuple[Suggestion, ...] = ()
    danger: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    if text:
        judged = gateway.judge(text)
        danger, calls = judged.danger_words, judged.calls
        hints = gateway.hints(text) or hints_by_words(gateway.city.taxonomy, text)
        found = suggestions(hints[:3], gateway.city.taxonomy)
    return {"suggested": found, "danger": danger, "danger_calls": calls}


async def outlook_panel(asking: Asking) -> dict[str, Any]:
    """What the chosen class means at the place: conditions, limits, when it would be due, whose it is."""
    gateway, chosen = asking.gateway, asking.typed.get("subclass", "")
    found: Outlook | None = None
    try:
        if chosen:
            found = outlook(gateway.rules, Subclass.parse(chosen), condition=asking.typed.get("condition", ""),
                            place=asking.place, now=gateway.now())  # fmt: skip
    except (ValueError, UnknownSubclass):
        found = None
    return {"outlook": found}


async def places_panel(asking: Asking) -> dict[str, Any]:
    """Candidates for the place as typed, and where the chosen one lies."""
    gateway, text = asking.gateway, asking.typed.get("place", "")
    place = asking.place
    is_open = len(text) >= FEWEST_CHARS and place.lon is None
    matches = gateway.city.gazetteer.find(text, limit=MOST_PLACES) if is_open else []
    return {"places": tuple(place_view(match, text) for match in matches), "located": place,
            "doubt": gateway.city.doubt_about(place)}  # fmt: skip


async def spot_panel(asking: Asking) -> dict[str, Any]:
    """The last thirty days at this spot, and the notices in force there."""
    gateway, place = asking.gateway, asking.place
    since = gateway.now() - SPOT_SPAN

    def ask(work: Work) -> tuple[tuple[Brief, ...], tuple[Notice, ...]]:
        near = work.cases_near(place, since=since)
        briefs = (brief_of(c, rules=gateway.rules, now=gateway.now(), is_open=c.state not in ENDED) for c in near)
        return tuple(briefs), tuple(one for one in notices_now(work) if fits(one, place))

    near, notices = await gateway.store.read(ask)
    return {"near": near, "notices": notices, "located": place}


async def aid_panel(asking: Asking) -> dict[str, Any]:
    """Answers that fit the question, or else the caller's words."""
    knowledge = asking.request.app[KNOWLEDGE]
    asked = asking.typed.get("question") or asking.typed.get("what", "")
    return {"articles": knowledge.search(asked), "asked": asked}


Panel = Callable[[Asking], Awaitable[dict[str, Any]]]
PANELS: Mapping[str, Panel] = {
    "caller": caller_panel, "suggest": suggest_panel, "outlook": outlook_panel, "places": places_panel,
    "spot": spot_panel, "aid": aid_panel,
}  # fmt: skip


async def panel_values(asking: Asking) -> dict[str, Any]:
    """Everything all panels show."""
    values: dict[str, Any] = {"typed": Typed(asking.typed), "draft": asking.draft}
    for make in PANELS.values():
        values |= await make(asking)
    return values


@require("take_calls")
async def show_panel(request: web.Request) -> web.StreamResponse:
    """One panel for the fields as they stand in the form now; nothing is stored."""
    make = PANELS.get(request.match_info["name"])
    if make is None:
        raise NotFound
    form, draft = await form_of(request), await read_draft(request)
    asking = Asking(request, draft, typed_from(form.fields))
    values: dict[str, Any] = {"typed": asking.typed, "draft": draft} | await make(asking)
    return page(request, f"call_{request.match_info['name']}.html", **values)


async def read_draft(request: web.Request) -> Draft:
    """The draft in the address, if it is this person's."""
    number, actor = number_in(request, "draft_id", missing=BadInput("draft", "没有这份草稿。")), signed_in(request).actor
    return await gateway_of(request).store.read(lambda work: draft_of(work, actor, number))


ROUTES: list[web.RouteDef] = [web.post("/desk/calls/{draft_id}/panel/{name}", show_panel)]
