"""What one person did since a moment: steps from the flow record and calls that ended, counted by the database."""

from datetime import datetime

import sqlalchemy as sa

from intake.desk_record import CallSummary
from intake.records import HistoryEntry
from intake.store.mapping import to_micros
from intake.store.tables import TABLES

CALLS = "calls"


def done_by(connection: sa.Connection, user_id: int, since: datetime) -> dict[str, int]:
    """Steps by name, and under `calls` the calls that ended."""
    history, calls = TABLES[HistoryEntry].table.c, TABLES[CallSummary].table.c
    count, start = sa.func.count(), to_micros(since)
    # Written out for the partial index: a condition with a parameter alone would not be seen to fit it.
    mine = sa.and_(sa.text("actor_id > 0"), history.actor_id == user_id, history.at >= start)
    rows = connection.execute(sa.select(history.step, count.label("n")).where(mine).group_by(history.step))
    found: dict[str, int] = {row.step: row.n for row in rows}
    ended = sa.select(count).where(calls.user_id == user_id, calls.at >= start)
    return found | {CALLS: connection.execute(ended).scalar_one()}
