"""What falls due for a case, as rows: warnings of its limit, escalations, the centre's own stage limits, reviews.

Pure: `timers_of` says which timers a case in its present state should have; `FIRINGS` what each does when it fires.
usecases.py keeps the rows in step with the case, chores.py fires them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from intake.model import Case, Role, State
from intake.workflow import LIVE

UPSTREAM_OPEN = LIVE - {State.CLOSED}
"""States in which an order from above is still to be answered: whoever holds the case, its own deadline runs."""
STAGE_LIMITS: dict[State, timedelta] = {
    State.REPORTED: timedelta(minutes=10),
    State.ACCEPTED: timedelta(minutes=30),
    State.VERIFYING: timedelta(hours=2),
    State.FILED: timedelta(minutes=15),
    State.DONE: timedelta(hours=2),
    State.CHECKING: timedelta(hours=24),
}
"""Typical limits for the centre's own staff (docs/process.md, limits and clocks)."""
RUNNING = frozenset({State.DISPATCHED, State.HANDLING})
"""States in which a unit's clock runs."""


@dataclass(frozen=True, slots=True)
class Firing:
    """What a timer does: a word for the feed and the page, an automatic 催办 to the unit, a task for a post."""

    words: str
    urges: bool = False
    task: str = ""
    role: Role = Role.SHIFT_LEADER


FIRINGS: dict[str, Firing] = {
    "amber_half": Firing("时限过半"),
    "amber_late": Firing("时限将到", urges=True),
    "red": Firing("超期", urges=True, task="overdue"),
    "safe_red": Firing("排险超时", urges=True, task="overdue"),
    "upstream_late": Firing("上级时限将到", urges=True),
    "upstream_red": Firing("上级时限超期", urges=True, task="upstream_overdue"),
    "order_sign": Firing("上级签收时限已到", task="order_sign", role=Role.OPERATOR),
    "order_contact": Firing("先行联系时限已到", task="order_contact", role=Role.OPERATOR),
    "stage": Firing("环节超时", task="stage_late"),
    "review": Firing("挂账到期", task="review_suspension"),
}


def timers_of(case: Case) -> tuple[tuple[str, datetime], ...]:
    """Kind and moment of every timer the case should have now; of the unit's and the upstream limit the earlier warns first."""
    return (*_own_timers(case), *_upstream_timers(case), *_order_timers(case))


def _own_timers(case: Case) -> tuple[tuple[str, datetime], ...]:
    if case.state in RUNNING and case.due_at and case.clock_at:
        return _limit_timers(case, case.clock_at, case.due_at)
    if case.state is State.SUSPENDED and case.suspended_until_at:
        return (("review", case.suspended_until_at),)
    limit = STAGE_LIMITS.get(case.state)
    return (("stage", case.updated_at + limit),) if limit else ()


def _limit_timers(case: Case, start_at: datetime, due_at: datetime) -> tuple[tuple[str, datetime], ...]:
    length = due_at - start_at
    found = [("amber_half", start_at + length / 2), ("amber_late", start_at + length * 3 / 4), ("red", due_at)]
    if case.safe_due_at:
        found.append(("safe_red", case.safe_due_at))
    return tuple(found)


def _upstream_timers(case: Case) -> tuple[tuple[str, datetime], ...]:
    due_at = case.upstream_due_at
    if due_at is None or case.state not in UPSTREAM_OPEN:
        return ()
    # An order may reach us with little or nothing of its time left.
    late_at = case.received_at + max(due_at - case.received_at, timedelta()) * 3 / 4
    return (("upstream_late", late_at), ("upstream_red", due_at))


def _order_timers(case: Case) -> tuple[tuple[str, datetime], ...]:
    """What the source expects before the end: its order signed for, the citizen rung."""
    if case.state not in UPSTREAM_OPEN:
        return ()
    limits = (("order_sign", case.upstream_sign_due_at), ("order_contact", case.upstream_contact_due_at))
    return tuple((kind, at) for kind, at in limits if at is not None)


def needs_new_timers(before: Case | None, after: Case) -> bool:
    """True when the change moved what the timers hang on. A note or an urge leaves them alone."""
    if before is None:
        return True
    hangs_on = ("state", "due_at", "safe_due_at", "suspended_until_at", "clock_at", "upstream_due_at",
                "upstream_sign_due_at", "upstream_contact_due_at")
    return any(getattr(before, name) != getattr(after, name) for name in hangs_on)


def is_overdue(case: Case, now: datetime) -> bool:
    """Past its limit with the unit: still open, or fed back too late."""
    if case.due_at is None or case.state not in RUNNING | {State.DONE, State.CHECKING}:
        return False
    return (case.done_at or now) > case.due_at if case.state not in RUNNING else now > case.due_at
