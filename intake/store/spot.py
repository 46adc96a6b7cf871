"""What happened in a unit grid, newest first: lately, for the call screen; before a case and of its class, for its page."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from intake.model import Case, Place, State
from intake.store.mapping import to_micros
from intake.store.tables import TABLES
from intake.vault import Vault

CASES = TABLES[Case]
MOST = 8


def cases_near(connection: sa.Connection, vault: Vault, place: Place, *, since: datetime, limit: int = MOST) -> list[Case]:
    """Cases received since a moment in the grid of `place`; nothing for a place without a grid."""
    if not place.grid_code:
        return []
    columns = CASES.table.c
    statement = sa.select(*(columns[name] for name in CASES.columns))
    statement = statement.where(columns.grid_code == place.grid_code, columns.received_at >= to_micros(since))
    rows = connection.execute(statement.order_by(columns.received_at.desc()).limit(limit))
    return [CASES.record_from(row, vault) for row in rows]


def cases_before(
    connection: sa.Connection, vault: Vault, case: Case, *, states: Collection[State], limit: int
) -> list[Case]:
    """Cases of the class and the grid of `case`, received no later and now in one of `states`, itself perhaps among them."""
    if case.subclass is None or not case.place.grid_code:
        return []
    columns = CASES.table.c
    statement = sa.select(*(columns[name] for name in CASES.columns))
    statement = statement.where(
        columns.grid_code == case.place.grid_code, columns.kind == case.subclass.kind.value,
        columns.subclass_code == case.subclass.code, columns.received_at <= to_micros(case.received_at),
        columns.state.in_(sorted(state.value for state in states)),
    )  # fmt: skip
    rows = connection.execute(statement.order_by(columns.received_at.desc()).limit(limit))
    return [CASES.record_from(row, vault) for row in rows]
