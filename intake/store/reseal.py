"""Sealing stored rows anew after a rotation of keys, a bounded number in each unit of work, beside a running gateway.

A row that somebody else changes meanwhile is left to him: he seals with the new key as soon as he knows it, and the
next pass finds what is still under an old one.
"""

from typing import Any

import sqlalchemy as sa

from intake.store.mapping import RecordTable
from intake.store.tables import TABLES
from intake.store.work import Work

SEALED_KINDS: tuple[type, ...] = tuple(kind for kind, table in TABLES.items() if table.sealed)
"""Records with sealed columns; each has a key of one number."""


def reseal_some(work: Work, kind: type, *, after: int, limit: int) -> tuple[int, int]:
    """Seal at most `limit` rows beyond the key `after` anew; returns the last key looked at (0 at the end) and how many
    rows were written."""
    work.flush_rows()
    work.wrote = True
    mapped = TABLES[kind]
    table, key = mapped.table, mapped.table.c[mapped.key[0]]
    columns = [table.c[name] for name in mapped.sealed]
    statement = (
        sa.select(key, *columns).where(key > after, _is_old(work, columns)).order_by(key).limit(limit)
        .with_for_update(skip_locked=True)
    )  # fmt: skip
    rows = work.connection.execute(statement).all()
    written = sum(_reseal_row(work, mapped, row) for row in rows)
    return (int(rows[-1][0]) if len(rows) == limit else 0), written


def count_old(work: Work, kind: type) -> int:
    """How many rows of a kind hold a value that is not sealed with the key in use."""
    mapped = TABLES[kind]
    columns = [mapped.table.c[name] for name in mapped.sealed]
    statement = sa.select(sa.func.count()).select_from(mapped.table).where(_is_old(work, columns))
    return int(work.connection.execute(statement).scalar_one())


def _is_old(work: Work, columns: list[sa.Column[Any]]) -> sa.ColumnElement[bool]:
    head = work.vault.sealing_head
    return sa.or_(*(sa.and_(sa.func.length(c) > 0, sa.func.substr(c, 1, len(head)) != head) for c in columns))


def _reseal_row(work: Work, mapped: RecordTable[Any], row: sa.Row[Any]) -> int:
    table, key = mapped.table, mapped.table.c[mapped.key[0]]
    old: dict[str, bytes] = dict(zip(mapped.sealed, row[1:], strict=True))
    new = {
        column: work.vault.seal(work.vault.unseal(value, f"{mapped.name}.{column}"), f"{mapped.name}.{column}")
        for column, value in old.items() if value
    }  # fmt: skip
    unchanged = [table.c[column] == old[column] for column in new]
    return work.connection.execute(sa.update(table).where(key == row[0], *unchanged).values(new)).rowcount
