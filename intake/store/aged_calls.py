"""Calls that ended long ago and still hold a number, a name or a sound: what a retention run has to look at."""

from datetime import datetime

import sqlalchemy as sa

from intake.call import Call, CallRecording
from intake.store.mapping import to_micros
from intake.store.tables import TABLES

CALLS, SOUNDS = TABLES[Call].table.c, TABLES[CallRecording].table.c


def aged_calls(connection: sa.Connection, *, before: datetime, after: int, limit: int) -> list[int]:
    """Calls beyond `after`, in order, that ended before a time and hold something personal."""
    sound = sa.exists().where(SOUNDS.call_id == CALLS.call_id, SOUNDS.erased_at.is_(None))
    statement = (
        sa.select(CALLS.call_id)
        .where(CALLS.call_id > after, CALLS.ended_at < to_micros(before))
        .where(sa.or_(sa.func.length(CALLS.sealed) > 0, sa.func.length(CALLS.sealed_position) > 0, sound))
        .order_by(CALLS.call_id)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())
