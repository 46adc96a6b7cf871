"""What happened around a spot lately, for the call screen: cases of the same unit grid or community, newest first."""

from datetime import datetime

import sqlalchemy as sa

from intake.model import Case, Place
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
