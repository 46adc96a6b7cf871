"""The tabs of the queue: what each shows, for whom, and which kept counters add up to its number.

Pure. Tabs of work stand first (待受理, 我的, 待补 …); posts without them see the states alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from channels.web.desk_row import UNIT_STATES
from intake.model import Actor, Role, State
from intake.permission import CENTRE
from intake.workflow import COMMAND, HALL, LIVE, STATE_WORDS


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of work. `needs` are names of intake.queue; `counts` are counters, `{me}` standing for the person."""

    name: str
    label: str
    roles: frozenset[Role]
    counts: tuple[str, ...]
    states: tuple[State, ...] = ()
    needs: tuple[str, ...] = ()
    channel: str = ""
    mine: bool = False


def _over_live(prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}:state:{state.value}" for state in State if state in LIVE)


def _by_state(name: str, state: State, roles: frozenset[Role]) -> Tab:
    return Tab(name, STATE_WORDS[state], roles, (f"state:{state.value}",), states=(state,))


def _by_need(name: str, label: str, roles: frozenset[Role], *needs: str) -> Tab:
    return Tab(name, label, roles, needs, needs=needs)


TABS: tuple[Tab, ...] = (
    _by_state("new", State.REPORTED, CENTRE),
    Tab("mine", "我的", HALL, _over_live("operator:{me}"), mine=True),
    _by_need("lacking", "待补", CENTRE, "lacking"),
    _by_need("revisit", "待回访", CENTRE, "task:revisit"),
    Tab("callback", "待回拨", CENTRE, ("task:callback", "callback"), needs=("task:callback",)),
    _by_need("reply", "待回复", CENTRE, "debt"),
    _by_need("failed", "发送失败", CENTRE, "task:send_failed", "task:unknown_fate"),
    Tab("upstream", "上级工单", HALL, _over_live("channel:upstream"), channel="upstream"),
    _by_state("filed", State.FILED, COMMAND),
    _by_need("return", "退单待审", HALL, "request:return"),
    _by_state("done", State.DONE, CENTRE),
    _by_need("suspended", "挂账到期", HALL, "task:review_suspension"),
)
BY_NAME: Mapping[str, Tab] = {tab.name: tab for tab in TABS}


def tabs_for(actor: Actor) -> tuple[Tab, ...]:
    """The tabs of a post, in table order."""
    return tuple(tab for tab in TABS if actor.role in tab.roles)


def counters_of(tab: Tab, actor: Actor) -> tuple[str, ...]:
    """Names of the counters that add up to a tab's number for this person."""
    return tuple(name.format(me=actor.user_id) for name in tab.counts)


def states_for(actor: Actor) -> tuple[State, ...]:
    """The live states a post may look at."""
    return tuple(s for s in State if s in LIVE and (actor.role is not Role.UNIT or s in UNIT_STATES))
