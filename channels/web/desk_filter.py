"""What a person asks of the queue, read from a query string, and what of it he may see. Page and API read alike.

Pure. The question itself is answered by the store (intake.queue).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.web.desk_row import UNIT_STATES
from channels.web.desk_tabs import BY_NAME, Tab
from channels.web.json_body import field_name
from intake.errors import BadInput, UnknownSubclass
from intake.model import Actor, Role, State, Subclass
from intake.permission import CENTRE
from intake.queue import PAGE, PAGE_MAX, QueueFilter
from intake.timers import RUNNING
from intake.workflow import EVERY_UNIT, LIVE

MAX_CHARS = 64
NAMES = ("tab", "state", "channel", "subclass", "unit", "district", "urgent", "overdue", "mine", "text", "after", "limit")
SEARCHES_ALL = CENTRE | {Role.AUDITOR}
"""Posts that search every word of a case; others must not guess by searching what they may not read."""
NO_TAB = Tab("", "", frozenset(), ())
TRUTHS = {"": False, "0": False, "false": False, "1": True, "true": True, "on": True}


@dataclass(frozen=True, slots=True)
class Wish:
    """A queue as asked for. `tab` is a tab of work (desk_tabs.py), `after` the key of the page before."""

    tab: str = ""
    states: tuple[State, ...] = ()
    channel: str = ""
    subclass: str = ""
    unit: str = ""
    district: str = ""
    urgent: bool = False
    overdue: bool = False
    mine: bool = False
    text: str = ""
    after: str = ""
    limit: int = PAGE


def wish_from(query: Iterable[tuple[str, str]]) -> Wish:
    """Read a query string; `state` may be named several times or with commas. Raises BadInput naming the parameter."""
    given: dict[str, list[str]] = {}
    for name, value in query:
        if name not in NAMES:
            raise BadInput(field_name((name,)), "没有这个筛选项。")
        if len(value) > MAX_CHARS * 4 or not value.isprintable():
            raise BadInput(name, "筛选内容太长，或含有不能显示的字符。")
        given.setdefault(name, []).append(value.strip())
    last = {name: values[-1] for name, values in given.items()}
    if last.get("tab") and last["tab"] not in BY_NAME:
        raise BadInput("tab", "没有这个标签。")
    return Wish(
        tab=last.get("tab", ""),
        states=_states(",".join(given.get("state", ()))),
        channel=last.get("channel", ""),
        subclass=last.get("subclass", ""),
        unit=last.get("unit", ""),
        district=last.get("district", ""),
        urgent=_truth("urgent", last),
        overdue=_truth("overdue", last),
        mine=_truth("mine", last),
        text=last.get("text", "")[:MAX_CHARS],
        after=last.get("after", ""),
        limit=_limit(last["limit"]) if "limit" in last else PAGE,
    )


def _states(words: str) -> tuple[State, ...]:
    try:
        return tuple(dict.fromkeys(State(word.strip()) for word in words.split(",") if word.strip()))
    except ValueError:
        raise BadInput("state", "没有这个状态。") from None


def _truth(name: str, given: Mapping[str, str]) -> bool:
    word = given.get(name, "").lower()
    if word not in TRUTHS:
        raise BadInput(name, "只能是 1 或 0。")
    return TRUTHS[word]


def _limit(word: str) -> int:
    if not (word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= PAGE_MAX):
        raise BadInput("limit", f"每页 1 至 {PAGE_MAX} 件。")
    return int(word)


def filter_of(wish: Wish, actor: Actor, *, now: datetime) -> QueueFilter | None:
    """The wish within the viewer's bounds; None when nothing can match it."""
    tab = _tab(wish, actor)
    states = set(wish.states) & set(tab.states) if wish.states and tab.states else set(wish.states or tab.states)
    if wish.overdue:
        states = states & RUNNING if states else set(RUNNING)
    if actor.role is Role.UNIT:
        states = (
            states & UNIT_STATES if states or wish.overdue else set(UNIT_STATES if wish.text else UNIT_STATES & LIVE)
        )
    if not states and (wish.states or wish.overdue):
        return None
    if tab.channel and wish.channel not in ("", tab.channel):
        return None
    return QueueFilter(
        states=tuple(sorted(states)),
        channel=tab.channel or wish.channel,
        subclass=_subclass(wish.subclass),
        unit=wish.unit,
        district=wish.district,
        urgent=wish.urgent,
        overdue_at=now if wish.overdue else None,
        operator_id=actor.user_id if wish.mine or tab.mine else 0,
        text=wish.text,
        needs=tab.needs,
        searches="all" if actor.role in SEARCHES_ALL else "masked",
        visible_unit=_bound(actor),
    )


def _tab(wish: Wish, actor: Actor) -> Tab:
    """The tab asked for, as far as the post has it."""
    found = BY_NAME.get(wish.tab)
    return found if found and actor.role in found.roles else NO_TAB


def _bound(actor: Actor) -> str:
    """The unit a person is held to; a unit's account without a unit sees nothing, a hall account (`*`) every unit's."""
    if actor.role is not Role.UNIT or actor.unit == EVERY_UNIT:
        return ""
    return actor.unit or "-"


def _subclass(text: str) -> Subclass | None:
    try:
        return Subclass.parse(text) if text else None
    except ValueError:
        raise UnknownSubclass from None


def counters_for(wish: Wish, actor: Actor) -> str:
    """Which kept counters belong to a wish: the unit's own, mine, a unit's, a channel's, else all of them.

    Counters are kept along one line only; a wish with several filters is counted by the first of these.
    """
    if bound := _bound(actor):
        return f"unit:{bound}:"
    if wish.mine:
        return f"operator:{actor.user_id}:"
    if wish.unit:
        return f"unit:{wish.unit}:"
    return f"channel:{wish.channel}:" if wish.channel else ""


def visible_counts(counts: Mapping[State, int], actor: Actor) -> dict[State, int]:
    """A unit is told of the states in which it may have cases."""
    return {state: n for state, n in counts.items() if actor.role is not Role.UNIT or state in UNIT_STATES}
