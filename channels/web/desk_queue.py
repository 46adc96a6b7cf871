"""The live queue: tabs of work with kept counters, filters, saved views, one page of cases at a time.

`/desk` is the whole page, `/desk/rows` its changing part, fetched again when something happened. The API shares
`find_cases`. Taking and handing over stand in desk_hand.py, the words of a row in desk_row.py and desk_left.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from channels.web import desk_day, desk_ledger, desk_task
from channels.web.desk_bus import watchers_of
from channels.web.desk_callback import callbacks_of
from channels.web.desk_filter import Wish, counters_for, filter_of, visible_counts, wish_from
from channels.web.desk_frame import desk_page
from channels.web.desk_left import Left, left_of
from channels.web.desk_row import CHANNEL_WORDS, CaseRow, case_row
from channels.web.desk_tabs import counters_of, states_for, tabs_for
from channels.web.render import page, part
from channels.web.session import require
from channels.web.setting import gateway_of, signed_in
from intake.desk_record import SavedView
from intake.gateway import Gateway
from intake.model import Actor, Case, Role, State
from intake.phone import parse_phone
from intake.ports import Work
from intake.profile import City
from intake.queue import QueuePage
from intake.records import User
from intake.saved import saved_of
from intake.usecases import may_see
from intake.workflow import STATE_WORDS, STEPS

EMPTY = QueuePage((), "")
WHOLE_NUMBER_DIGITS = 7
TAB_KEYS = "1234567890-="


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the queue as one person sees it. `next` is the key of the following page, empty on the last."""

    rows: tuple[CaseRow, ...]
    next: str
    counts: Mapping[State, int]
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the page: the case, its time left, who works on it, who has it open; whether it may be taken."""

    row: CaseRow
    left: Left
    operator: str
    is_mine: bool
    may_take: bool
    watchers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TabView:
    """A tab with how many cases it has; `key` is the key that opens it."""

    label: str
    href: str
    count: int
    is_current: bool
    key: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the filter form offers to choose from."""

    states: tuple[tuple[str, str], ...]
    channels: tuple[tuple[str, str], ...]
    units: tuple[tuple[str, str], ...]
    districts: tuple[str, ...]
    is_open: bool


async def find_cases(gateway: Gateway, wish: Wish, *, actor: Actor) -> Found:
    """Answer a wish within the viewer's bounds."""
    now = gateway.now()
    wanted = filter_of(wish, actor, now=now)
    if wanted and wish.text:
        wanted = replace(wanted, phone=_whole_number(wish.text, gateway.city.area_code))

    def ask(work: Work) -> tuple[QueuePage, dict[State, int]]:
        found = work.queue(wanted, after=wish.after, limit=wish.limit) if wanted else EMPTY
        return found, work.counts(counters_for(wish, actor))

    found, counts = await gateway.store.read(ask)
    shown = tuple(case for case in found.cases if may_see(case, actor))
    rows = tuple(case_row(case, actor, rules=gateway.rules, now=now) for case in shown)
    return Found(rows, found.next, visible_counts(counts, actor), shown)


def _whole_number(text: str, area_code: str) -> str:
    """The telephone number typed in a search, in normal form; empty when it is none."""
    if sum(char.isdigit() for char in text) < WHOLE_NUMBER_DIGITS:
        return ""
    phone = parse_phone(text, area_code=area_code)
    return phone.e164 if phone and phone.kind in ("mobile", "landline", "foreign") else ""


@require("see_queue")
async def show_queue(request: web.Request) -> web.StreamResponse:
    gateway, actor = gateway_of(request), signed_in(request).actor
    wish = wish_from(_asked(request))
    start = desk_day.midnight(gateway.now(), gateway.city.zone)

    def ask(work: Work) -> tuple[dict[str, int], list[SavedView]]:
        return work.done_by(actor.user_id, start), saved_of(work, actor)

    done, saved = await gateway.store.read(ask)
    return await desk_page(
        request,
        "desk_queue.html",
        wish=wish,
        query=query_of(wish),
        queue=part(request, "desk_rows.html", **await _changing(request, wish)),
        filters=filters_of(gateway.city, wish, actor=actor),
        figures=desk_day.figures(done, actor),
        saved=saved,
    )


@require("see_queue")
async def show_rows(request: web.Request) -> web.StreamResponse:
    """The changing part alone: tabs, rows, paging."""
    return page(request, "desk_rows.html", **await _changing(request, wish_from(_asked(request))))


def _asked(request: web.Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query.items() if name != "done"]


async def _changing(request: web.Request, wish: Wish) -> dict[str, Any]:
    gateway, actor = gateway_of(request), signed_in(request).actor
    found = await find_cases(gateway, wish, actor=actor)
    return {
        "wish": wish,
        "query": query_of(wish),
        "lines": await _lines(request, found),
        "tabs": await _tabs(gateway, wish, found.counts, actor=actor),
        "callbacks": await callbacks_of(gateway) if wish.tab == "callback" and wish.tab in _names(actor) else (),
        "first": f"?{query_of(replace(wish, after=''))}" if wish.after else "",
        "following": f"?{query_of(replace(wish, after=found.next))}" if found.next else "",
        "now": gateway.now(),
    }


def _names(actor: Actor) -> tuple[str, ...]:
    return tuple(tab.name for tab in tabs_for(actor))


async def _lines(request: web.Request, found: Found) -> tuple[Line, ...]:
    gateway, actor = gateway_of(request), signed_in(request).actor
    now, people = gateway.now(), {case.operator_id for case in found.cases if case.operator_id}

    def ask(work: Work) -> dict[int, str]:
        users = (work.get(User, number) for number in sorted(people))
        return {user.user_id: user.display_name for user in users if user}

    names = await gateway.store.read(ask) if people else {}
    return tuple(
        Line(
            row=row,
            left=left_of(case, now),
            operator=names.get(case.operator_id, ""),
            is_mine=case.operator_id == actor.user_id,
            may_take=case.operator_id != actor.user_id and _may_take(case, actor),
            watchers=watchers_of(request, case.case_no),
        )
        for row, case in zip(found.rows, found.cases, strict=True)
    )


def _may_take(case: Case, actor: Actor) -> bool:
    step = STEPS["transfer"]
    return actor.role in step.roles and case.state in step.sources


async def _tabs(
    gateway: Gateway, wish: Wish, counts: Mapping[State, int], *, actor: Actor
) -> tuple[tuple[TabView, ...], ...]:
    """Tabs of work, where the post has any, and behind them the states."""
    mine = tabs_for(actor)
    kept = await gateway.store.read(lambda work: work.kept([name for tab in mine for name in counters_of(tab, actor)]))
    total = sum(counts[state] for state in states_for(actor))
    work = tuple(
        TabView(tab.label, f"?{urlencode({'tab': tab.name})}", sum(kept[name] for name in counters_of(tab, actor)),
                wish.tab == tab.name, key)
        for tab, key in zip(mine, TAB_KEYS, strict=False)
    )  # fmt: skip
    whole = TabView("全部在办", _state_link(wish, ()), total, not wish.states and not wish.tab)
    states = tuple(
        TabView(STATE_WORDS[state], _state_link(wish, (state,)), counts[state], wish.states == (state,))
        for state in states_for(actor)
        if not work or (counts[state] and all(tab.states != (state,) for tab in mine))
    )
    return (work, (whole, *states)) if work else ((whole, *states),)


def _state_link(wish: Wish, states: tuple[State, ...]) -> str:
    return f"?{query_of(replace(wish, tab='', states=states, after=''))}"


def filters_of(city: City, wish: Wish, *, actor: Actor) -> Filters:
    set_ones = (wish.channel, wish.subclass, wish.unit, wish.district)
    return Filters(
        states=tuple((state.value, STATE_WORDS[state]) for state in states_for(actor)),
        channels=tuple(CHANNEL_WORDS.items()),
        units=() if actor.role is Role.UNIT else tuple((unit.id, unit.name) for unit in city.units.values()),
        districts=tuple(area.name for area in city.areas.areas["district"].values()),
        is_open=any(set_ones),
    )


def query_of(wish: Wish) -> str:
    """The query string of a wish, for links; what is not set is left out."""
    pairs: list[tuple[str, str]] = [("tab", wish.tab), *(("state", state.value) for state in wish.states)]
    pairs += [(name, getattr(wish, name)) for name in ("channel", "subclass", "unit", "district", "text", "after")]
    pairs += [(name, "1") for name in ("urgent", "overdue", "mine") if getattr(wish, name)]
    return urlencode([(name, value) for name, value in pairs if value])


ROUTES: list[web.RouteDef] = [
    web.get("/desk", show_queue),
    web.get("/desk/rows", show_rows),
    *desk_ledger.ROUTES,
    *desk_task.ROUTES,
]
