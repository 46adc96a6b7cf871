"""Counted tries (query codes, passwords) in time windows, shared by all gateways and kept over a restart."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from intake.store.mapping import EPOCH
from intake.store.tables import tries

ADD = sa.text(
    "INSERT INTO tries (name, window_at, n) VALUES (:name, :window_at, 1) "
    "ON CONFLICT (name, window_at) DO UPDATE SET n = tries.n + 1 RETURNING n"
)


def count_try(connection: sa.Connection, name: str, *, now: datetime, window: timedelta) -> int:
    """Count one more try under `name` (a hash, never an address) and return how many the window holds."""
    return int(connection.execute(ADD, {"name": name, "window_at": _window(now, window)}).scalar_one())


def tries_so_far(connection: sa.Connection, name: str, *, now: datetime, window: timedelta) -> int:
    where = (tries.c.name == name, tries.c.window_at == _window(now, window))
    return int(connection.execute(sa.select(tries.c.n).where(*where)).scalar() or 0)


def forget_tries(connection: sa.Connection, *, before: datetime) -> None:
    connection.execute(sa.delete(tries).where(tries.c.window_at < (before - EPOCH) // timedelta(seconds=1)))


def _window(now: datetime, window: timedelta) -> int:
    seconds = int(window.total_seconds())
    return (now - EPOCH) // timedelta(seconds=1) // seconds * seconds
