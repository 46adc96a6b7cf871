"""Claiming outgoing messages and timers: each row by one gateway only, several gateways side by side."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from intake.records import OutboxRow, Timer
from intake.store.mapping import to_micros
from intake.store.tables import TABLES
from intake.vault import Vault

OUTBOX, TIMERS = TABLES[OutboxRow], TABLES[Timer]


def due_rows(connection: sa.Connection, vault: Vault, *, limit: int, now: datetime) -> list[OutboxRow]:
    """Waiting rows whose time has come, locked; rows another gateway holds are passed over (SKIP LOCKED). What one
    contact is told keeps its order: a row waits for those before it on the same channel."""
    column, before = OUTBOX.table.c, OUTBOX.table.alias("before").c
    earlier = sa.exists().where(
        before.contact_id == column.contact_id, before.channel == column.channel, before.outbox_id < column.outbox_id,
        before.state.in_(("waiting", "claimed")),
    )  # fmt: skip
    statement = (
        sa.select(*(column[name] for name in OUTBOX.columns))
        .where(column.state == "waiting", column.next_at <= to_micros(now), ~earlier)
        .order_by(column.next_at, column.outbox_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [OUTBOX.record_from(row, vault) for row in connection.execute(statement)]


def hurry(connection: sa.Connection, channel: str, *, outcomes: Sequence[str], now: datetime) -> int:
    """Let rows that were put off for one of these reasons be due now; returns how many."""
    column = OUTBOX.table.c
    put_off = (column.state == "waiting", column.channel == channel, column.outcome.in_(outcomes))
    statement = sa.update(OUTBOX.table).where(*put_off, column.next_at > to_micros(now)).values(next_at=to_micros(now))
    return connection.execute(statement).rowcount


def due_timers(connection: sa.Connection, vault: Vault, *, limit: int, now: datetime) -> list[Timer]:
    """Timers that have not fired and whose time has come, locked; those another gateway holds are passed over."""
    column = TIMERS.table.c
    statement = (
        sa.select(*(column[name] for name in TIMERS.columns))
        .where(column.fired_at.is_(None), column.due_at <= to_micros(now))
        .order_by(column.due_at, column.timer_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [TIMERS.record_from(row, vault) for row in connection.execute(statement)]


def rows_in(connection: sa.Connection, vault: Vault, state: str, *, before: datetime, column: str) -> list[OutboxRow]:
    """Rows of a state whose `column` moment lies before `before`: claims of the dead, receipts that never came."""
    moment = OUTBOX.table.c[column]
    statement = (
        sa.select(*(OUTBOX.table.c[name] for name in OUTBOX.columns))
        .where(OUTBOX.table.c.state == state, moment < to_micros(before))
        .order_by(OUTBOX.table.c.outbox_id)
        .limit(200)
        .with_for_update(skip_locked=True)
    )
    return [OUTBOX.record_from(row, vault) for row in connection.execute(statement)]
