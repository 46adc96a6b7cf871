"""Many units of work in one durable commit: the disk is asked once for all that wait.

A unit that raises before anything was written is taken back alone. If the group itself fails (a constraint, a stale
write, the disk), it is rolled back and each unit is done again alone, so that one bad unit never harms its neighbours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from intake.store.faults import is_collision, is_outage
from intake.store.work import Work

Unit = Callable[[Work], Any]
MakeWork = Callable[[sa.Connection], Work]
Committed = tuple[list["Outcome"], bool]
"""Outcomes in the order of the units, and whether anything was written."""
MAX_GROUP = 128
MAX_ATTEMPTS = 4
"""How often a unit is tried that collided with another gateway (deadlock, serialisation)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one unit returned or raised."""

    value: Any = None
    error: BaseException | None = None


class GroupSpoiledError(Exception):
    """A unit failed after something was written; the group cannot be committed."""


def run_group(work: Work, units: Sequence[Unit]) -> list[Outcome]:
    """Run units one after another on one transaction; raises when the group must be redone one by one."""
    outcomes = []
    for unit in units:
        mark, wrote = work.mark(), work.wrote
        work.wrote = False
        try:
            outcomes.append(Outcome(unit(work)))
        except Exception as error:
            if work.wrote or isinstance(error, sa.exc.SQLAlchemyError):
                raise GroupSpoiledError from error
            work.rewind(mark)
            outcomes.append(Outcome(error=error))
        work.wrote = work.wrote or wrote
    work.finish()
    return outcomes


def commit_group(connection: sa.Connection, make_work: MakeWork, units: Sequence[Unit]) -> Committed:
    """Commit units together, or each alone when together fails."""
    try:
        return _attempt(connection, make_work, units)
    except Exception as error:
        connection.rollback()
        cause = error.__cause__ if isinstance(error, GroupSpoiledError) and error.__cause__ else error
        if is_outage(cause):
            # The database is away: asking it again for each unit alone would only keep the senders waiting.
            return [Outcome(error=cause)] * len(units), False
    outcomes: list[Outcome] = []
    wrote = False
    for unit in units:
        one, grew = _alone(connection, make_work, unit)
        outcomes += one
        wrote = wrote or grew
    return outcomes, wrote


def _attempt(connection: sa.Connection, make_work: MakeWork, units: Sequence[Unit]) -> Committed:
    work = make_work(connection)
    outcomes = run_group(work, units)
    connection.commit()
    work.run_after_commit()
    return outcomes, work.wrote


def _alone(connection: sa.Connection, make_work: MakeWork, unit: Unit) -> Committed:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return _attempt(connection, make_work, [unit])
        except Exception as error:
            connection.rollback()
            cause = error.__cause__ if isinstance(error, GroupSpoiledError) and error.__cause__ else error
            if attempt == MAX_ATTEMPTS or not is_collision(cause):
                return [Outcome(error=cause)], False
    raise AssertionError("unreachable")
