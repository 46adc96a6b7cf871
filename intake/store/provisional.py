"""Live cases whose due time waits for the holidays of a year that is not loaded yet, by their own small index."""

import sqlalchemy as sa

from intake.store.tables import cases

CASES = cases.table.c


def provisional_numbers(connection: sa.Connection, after: int, limit: int) -> list[int]:
    """Case numbers above `after`, in order."""
    # The condition stands as text, word for word as in the index: a bound value would keep SQLite from using it.
    statement = (
        sa.select(CASES.case_no)
        .where(sa.text("due_provisional"), CASES.live.is_(sa.true()), CASES.case_no > after)
        .order_by(CASES.case_no)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())
