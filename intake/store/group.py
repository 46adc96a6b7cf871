"""Many units of work in one durable commit: the disk is asked once for all that wait.

A unit that raises before anything was written is taken back alone. If the group itself fails (a constraint, a stale
write, the disk), it is rolled back and each unit is done again alone, so that one bad unit never harms its neighbours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from intake.store.work import Work

Unit = Callable[[Work], Any]
MAX_GROUP = 128


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
            if work.wrote:
                raise GroupSpoiledError from error
            work.rewind(mark)
            outcomes.append(Outcome(error=error))
        work.wrote = work.wrote or wrote
    work.finish()
    return outcomes


def commit_group(connection: sa.Connection, make_work: Callable[[sa.Connection], Work], units: Sequence[Unit]) -> tuple[list[Outcome], bool]:  # fmt: skip
    """Commit units together, or each alone when together fails. Returns the outcomes and whether the feed grew."""
    try:
        return _attempt(connection, make_work, units)
    except Exception:
        connection.rollback()
        if len(units) == 1:
            return _alone(connection, make_work, units[0])
    outcomes, told = [], False
    for unit in units:
        one, grew = _alone(connection, make_work, unit)
        outcomes += one
        told = told or grew
    return outcomes, told


def _attempt(connection: sa.Connection, make_work: Callable[[sa.Connection], Work], units: Sequence[Unit]) -> tuple[list[Outcome], bool]:  # fmt: skip
    work = make_work(connection)
    outcomes = run_group(work, units)
    told = work.wrote
    connection.commit()
    work.run_after_commit()
    return outcomes, told


def _alone(connection: sa.Connection, make_work: Callable[[sa.Connection], Work], unit: Unit) -> tuple[list[Outcome], bool]:  # fmt: skip
    try:
        return _attempt(connection, make_work, [unit])
    except GroupSpoiledError as spoiled:
        connection.rollback()
        return [Outcome(error=spoiled.__cause__)], False
    except Exception as error:
        connection.rollback()
        return [Outcome(error=error)], False
