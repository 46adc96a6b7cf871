"""Reply debts as the ledger lists them: open ones by what falls due first, paged by key."""

from datetime import datetime

import sqlalchemy as sa

from intake.records import Debt
from intake.store.mapping import to_micros
from intake.store.tables import TABLES
from intake.vault import Vault

DEBTS = TABLES[Debt]


def open_debts(
    connection: sa.Connection, vault: Vault, *, due_before: datetime | None = None, after: int = 0, by_due: bool = False,
    offset: int = 0, limit: int = 100,
) -> list[Debt]:  # fmt: skip
    """Open debts, after a debt_id in number order, or by due time from an offset."""
    column = DEBTS.table.c
    statement = sa.select(*(column[name] for name in DEBTS.columns)).where(column.end == "", column.debt_id > after)
    if due_before is not None:
        statement = statement.where(column.due_at < to_micros(due_before))
    order = (column.due_at, column.debt_id) if by_due else (column.debt_id,)
    rows = connection.execute(statement.order_by(*order).offset(offset).limit(limit))
    return [DEBTS.record_from(row, vault) for row in rows]
