"""Provisional due times made real: when a year's holidays are loaded, cases whose limit reached into it are counted anew.

Which cases wait is store/provisional.py's to say; here stands what happens to one. Ended cases stay as they were judged.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from intake.alarms import keep_timers
from intake.history import append_entry
from intake.model import SYSTEM, Case, State
from intake.ports import Store, Work
from intake.replies import event_of
from intake.rules import Rules
from intake.workflow import ENDED

PAGE = 100
Waiting = Callable[[int, int], Awaitable[list[int]]]
"""Numbers of live cases with a provisional due time, above a number, at most so many, in order."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a round did: `moved` got another due time, `confirmed` kept theirs, `waiting` still lack the year."""

    moved: int = 0
    confirmed: int = 0
    waiting: int = 0


async def recompute_all(store: Store, waiting: Waiting, rules: Rules) -> Recomputed:
    """Count every provisional due time anew, a page of cases in each unit of work."""
    done, last = Recomputed(), 0
    while numbers := await waiting(last, PAGE):
        last = numbers[-1]
        page = await store.write(lambda work, n=numbers: [recompute(work, number, rules) for number in n])  # type: ignore[misc]
        done = Recomputed(
            done.moved + page.count("moved"), done.confirmed + page.count("confirmed"), done.waiting + page.count("waiting")
        )
    return done


def recompute(work: Work, case_no: int, rules: Rules) -> str:
    """One case: `moved`, `confirmed`, `waiting` (the year is still missing), or `left` (ended, suspended, settled).

    The unit's clock counts from where it started; without one the due time is a projection from now, as always.
    """
    case = work.get(Case, case_no, lock=True)
    if case is None or not case.due_provisional or case.state in ENDED or case.state is State.SUSPENDED:
        return "left"  # a suspended case is counted anew when it is resumed
    due = rules.due(case, work.now)
    if due is None or due.provisional:
        return "waiting"
    _store(work, case, replace(case, due_at=due.due_at, due_provisional=False, safe_due_at=due.safe_due_at))
    return "confirmed" if due.due_at == case.due_at else "moved"


def _store(work: Work, before: Case, after: Case) -> None:
    after = replace(after, version=before.version + 1, updated_at=work.now)
    moments = {"due_at": after.due_at, "due_was": before.due_at}
    refs = {name: at.isoformat() for name, at in moments.items() if at}
    after, line = append_entry(before.state, after, step="recompute", actor=SYSTEM, at=work.now, refs=refs)
    work.add(line)
    work.change(before, after)
    keep_timers(work, before, after)
    work.tell(event_of(after, "recompute", work))
