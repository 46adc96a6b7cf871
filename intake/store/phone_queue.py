"""Who is on the telephone, who waits for an operator, and how long operators talked lately.

Every caller is told his place, so only columns are read for it: whole calls have to be unsealed, and with hundreds of callers
each would pay for all the others.
"""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from intake.call import Call, CallBack, Waits
from intake.store.mapping import from_micros, to_micros
from intake.store.tables import TABLES
from intake.vault import Vault

CALLS, CALLBACKS = TABLES[Call], TABLES[CallBack]
C, B = CALLS.table.c, CALLBACKS.table.c
# The condition of the partial index, written out: behind a parameter it would not be seen.
WAITING = (
    sa.select(C.call_id, C.queued_at, C.queue, C.answered_at)
    .where(sa.text("live"), C.queued_at.is_not(None), C.started_at > sa.bindparam("since"))
    .where(sa.or_(C.answered_at.is_(None), C.left_at.is_not(None)))
    .order_by(C.queued_at, C.call_id)
)
LAST = sa.select(C.answered_at, C.left_at).order_by(C.call_id.desc()).limit(sa.bindparam("most"))
WHOLE = sa.select(*(C[name] for name in CALLS.columns))
ONE, LIVE = WHOLE.where(C.call_id == sa.bindparam("call_id")), WHOLE.where(sa.text("live")).order_by(C.call_id)

DUE = (
    sa.select(*(B[name] for name in CALLBACKS.columns))
    .where(B.state == "owed", B.next_at <= sa.bindparam("now"))
    .order_by(B.place_at, B.callback_id)
    .limit(sa.bindparam("most"))
)


def live_calls(connection: sa.Connection, vault: Vault) -> list[Call]:
    """Calls without an end, of all gateways: a few, however many there were before."""
    return [CALLS.record_from(row, vault) for row in connection.execute(LIVE)]


def callers_waiting(connection: sa.Connection, vault: Vault, *, since: datetime) -> list[Waits]:
    """Citizens whose call began after a moment and whom nobody serves, in the order of their places. Somebody who was talked
    with waits again when he was given to a telephone that nobody picked up."""

    def found() -> Iterator[Waits]:
        for row in connection.execute(WAITING, {"since": to_micros(since)}).all():
            place = from_micros(row.queued_at)
            if place and (row.answered_at is None or not _was_served(connection, vault, row.call_id)):
                yield Waits(row.call_id, place, row.queue)

    return list(found())


def _was_served(connection: sa.Connection, vault: Vault, call_id: int) -> bool:
    row = connection.execute(ONE, {"call_id": call_id}).one()
    call: Call = CALLS.record_from(row, vault)
    return call.was_served


def callbacks_due(connection: sa.Connection, vault: Vault, *, now: datetime, most: int) -> list[CallBack]:
    """Call-backs that are owed and whose time has come, the longest waiting first."""
    rows = connection.execute(DUE, {"now": to_micros(now), "most": most})
    return [CALLBACKS.record_from(row, vault) for row in rows]


def last_talks_s(connection: sa.Connection, *, most: int) -> list[float]:
    """Seconds of the talks among the last `most` calls."""
    rows = connection.execute(LAST, {"most": most})
    return [(row.left_at - row.answered_at) / 1e6 for row in rows if row.answered_at is not None and row.left_at is not None]
