"""Firing the timers of cases: a line in history by the system, the feed, an automatic 催办, a task for the shift leader.

Lines of the system that change nothing a person decided on (HARMLESS) do not make his open page stale.
"""

from dataclasses import replace
from datetime import datetime

from intake.history import append_entry
from intake.model import SYSTEM, Case, State
from intake.ports import Work
from intake.records import Task, Timer
from intake.replies import event_of
from intake.timers import FIRINGS, RUNNING, UPSTREAM_OPEN, needs_new_timers, timers_of
from intake.workflow import ENDED


def fire_due(work: Work, *, limit: int = 100) -> int:
    """Fire every timer whose time has come, at most `limit`; returns how many."""
    timers = work.due_timers(limit=limit)
    for timer in timers:
        work.change(timer, replace(timer, fired_at=work.now))
        case = work.get(Case, timer.case_no, lock=True)
        if case is not None and case.state not in ENDED:
            _fire(work, case, timer)
    return len(timers)


def _fire(work: Work, case: Case, timer: Timer) -> None:
    firing = FIRINGS[timer.kind]
    urged = case.urge_count + firing.urges
    after = replace(case, version=case.version + 1, updated_at=work.now, urge_count=urged)
    refs = {"kind": timer.kind, "urged": firing.urges}
    after, line = append_entry(case.state, after, step="alarm", actor=SYSTEM, at=work.now, refs=refs)
    work.add(line)
    work.change(case, after)
    work.tell(event_of(after, timer.kind, work))
    if firing.task:
        work.add(Task(work.new_id(), firing.task, case.case_no, work.now, firing.role))


def keep_timers(work: Work, before: Case | None, after: Case) -> None:
    """Replace the open timers of a case by those it should have after a change, and close tasks they opened.

    A timer that fired already does not come again because the state changed: only a new moment makes it new, and a stage has
    one as long as it lasts.
    """
    if not needs_new_timers(before, after):
        return
    fired, stage_at = set(), None
    if before is not None:
        stage_at = _stage_at(work, after) if before.state is after.state else None
        work.remove(Timer, case_no=after.case_no, fired_at=None)
        for task in work.find(Task, case_no=after.case_no, state="open"):
            if task.kind in STATE_TASKS and before.state is not after.state and after.state not in STATE_TASKS[task.kind]:
                done = replace(task, state="done", closed_at=work.now, outcome=after.state.value)
                work.change(task, done)
        fired = {(timer.kind, timer.due_at) for timer in work.find(Timer, case_no=after.case_no)}
    moments = ((kind, stage_at if kind == "stage" and stage_at else at) for kind, at in timers_of(after))
    work.add(*(Timer(work.new_id(), after.case_no, kind, at) for kind, at in moments if (kind, at) not in fired))


def _stage_at(work: Work, case: Case) -> datetime | None:
    """When the stage a case is in ends: it counts from its beginning, whatever is corrected meanwhile."""
    return max((timer.due_at for timer in work.find(Timer, case_no=case.case_no) if timer.kind == "stage"), default=None)


STATE_TASKS: dict[str, frozenset[State]] = {
    "overdue": RUNNING, "upstream_overdue": UPSTREAM_OPEN, "stage_late": frozenset(), "review_suspension": frozenset(),
}  # fmt: skip
"""Tasks that the next change of state answers by itself, unless it leads to one of these states."""
HARMLESS = frozenset({"alarm", "recompute"})
