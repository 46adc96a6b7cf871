"""The queue: tabs by state with kept counters, filters, one page of cases at a time. The page and what the API shares."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from aiohttp import web

from channels.web import desk_ledger, desk_task
from channels.web.desk_filter import Wish, counters_for, filter_of, visible_counts, wish_from
from channels.web.desk_form import Choices, class_choices
from channels.web.desk_frame import desk_page
from channels.web.desk_row import CHANNEL_WORDS, UNIT_STATES, CaseRow, case_row
from channels.web.session import require
from channels.web.setting import gateway_of, signed_in
from intake.gateway import Gateway
from intake.model import Actor, Role, State
from intake.ports import Work
from intake.profile import City
from intake.queue import QueuePage
from intake.usecases import may_see
from intake.workflow import LIVE, STATE_WORDS

EMPTY = QueuePage((), "")


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the queue as one person sees it. `next` is the key of the following page, empty on the last."""

    rows: tuple[CaseRow, ...]
    next: str
    counts: Mapping[State, int]


@dataclass(frozen=True, slots=True)
class Tab:
    """A state to look at, with how many cases are in it."""

    label: str
    href: str
    count: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """What the filter form offers to choose from."""

    channels: tuple[tuple[str, str], ...]
    units: tuple[tuple[str, str], ...]
    districts: tuple[str, ...]
    classes: tuple[Choices, ...]
    is_open: bool


async def find_cases(gateway: Gateway, wish: Wish, *, actor: Actor) -> Found:
    """Answer a wish within the viewer's bounds."""
    now = gateway.now()
    wanted = filter_of(wish, actor, now=now)

    def ask(work: Work) -> tuple[QueuePage, dict[State, int]]:
        found = work.queue(wanted, after=wish.after, limit=wish.limit) if wanted else EMPTY
        return found, work.counts(counters_for(wish, actor))

    found, counts = await gateway.store.read(ask)
    shown = (case for case in found.cases if may_see(case, actor))
    rows = tuple(case_row(case, actor, rules=gateway.rules, now=now) for case in shown)
    return Found(rows, found.next, visible_counts(counts, actor))


@require("see_queue")
async def show_queue(request: web.Request) -> web.StreamResponse:
    gateway, actor = gateway_of(request), signed_in(request).actor
    query = [(name, value) for name, value in request.query.items() if name != "done"]
    wish = wish_from(query)
    found = await find_cases(gateway, wish, actor=actor)
    return await desk_page(
        request,
        "desk_queue.html",
        wish=wish,
        rows=found.rows,
        tabs=tabs_of(wish, found.counts, actor=actor),
        filters=filters_of(gateway.city, wish, actor=actor),
        first=f"?{query_of(replace(wish, after=''))}" if wish.after else "",
        following=f"?{query_of(replace(wish, after=found.next))}" if found.next else "",
        now=gateway.now(),
    )


def tabs_of(wish: Wish, counts: Mapping[State, int], *, actor: Actor) -> tuple[Tab, ...]:
    """Everything in work first, then each live state."""
    live = [state for state in State if state in LIVE and (actor.role is not Role.UNIT or state in UNIT_STATES)]
    whole = Tab("全部在办", f"?{query_of(replace(wish, states=(), after=''))}", sum(counts[state] for state in live),
                not wish.states)  # fmt: skip
    return whole, *(
        Tab(STATE_WORDS[state], f"?{query_of(replace(wish, states=(state,), after=''))}", counts[state],
            wish.states == (state,))
        for state in live
    )  # fmt: skip


def filters_of(city: City, wish: Wish, *, actor: Actor) -> Filters:
    set_ones = (wish.channel, wish.subclass, wish.unit, wish.district)
    return Filters(
        channels=tuple(CHANNEL_WORDS.items()),
        units=() if actor.role is Role.UNIT else tuple((unit.id, unit.name) for unit in city.units.values()),
        districts=tuple(area.name for area in city.areas.areas["district"].values()),
        classes=class_choices(city.taxonomy),
        is_open=any(set_ones),
    )


def query_of(wish: Wish) -> str:
    """The query string of a wish, for links; what is not set is left out."""
    pairs: list[tuple[str, str]] = [("state", state.value) for state in wish.states]
    pairs += [(name, getattr(wish, name)) for name in ("channel", "subclass", "unit", "district", "text", "after")]
    pairs += [(name, "1") for name in ("urgent", "overdue", "mine") if getattr(wish, name)]
    return urlencode([(name, value) for name, value in pairs if value])


ROUTES: list[web.RouteDef] = [web.get("/desk", show_queue), *desk_ledger.ROUTES, *desk_task.ROUTES]
