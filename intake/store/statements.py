"""The statements of a table, compiled once and handed to the driver as they are.

They are asked thousands of times a minute, and what SQLAlchemy does for each execution of a statement object (cache key,
parameters, result processors) costs more than the embedded database takes to answer. Numbers, texts, bytes and booleans
go in as they are; coming back, SQLite's booleans are integers (mapping.py reads them).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: columns that equal a value, columns that are empty, a column above `after`, the order and how many.

    `order` names columns, parted by commas, descending with a minus before it; `lock` keeps the rows until the commit.
    """

    equal: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    after: str = ""
    order: str = ""
    limit: int = 0
    lock: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement in the driver's words, its parameters in the driver's order, and the values that are fixed."""

    words: str
    order: tuple[str, ...]
    fixed: Mapping[str, Any]

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> sa.CursorResult[Any]:
        """Execute with `values` for the parameters that are not fixed; KeyError for one that is missing."""
        fixed = self.fixed
        given = [values[name] if name in values else fixed[name] for name in self.order]
        return connection.exec_driver_sql(self.words, tuple(given))


def prepared(statement: sa.Executable, dialect: sa.Dialect) -> Prepared:
    """A statement without lists of changing length (IN) in the driver's words."""
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return Prepared(str(compiled), tuple(compiled.positiontup or ()), fixed)


class ForEach:
    """One statement run for each of many rows."""

    def __init__(self, statement: sa.Executable) -> None:
        self._statement = statement
        self._kept: dict[str, Prepared] = {}

    def run(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """`rows` by the statement's parameters."""
        dialect = connection.dialect
        if dialect.name not in self._kept:
            self._kept[dialect.name] = prepared(self._statement, dialect)
        one = self._kept[dialect.name]
        connection.exec_driver_sql(one.words, [tuple([row[name] for name in one.order]) for row in rows])


class Statements:
    """Of one table with the columns `key` as its key; `columns` are those that are read, in this order."""

    def __init__(self, table: sa.Table, *, key: Sequence[str], columns: Sequence[str]) -> None:
        self._table, self._key, self._columns = table, tuple(key), tuple(columns)
        self._kept: dict[object, Prepared] = {}

    def select(self, dialect: sa.Dialect, wanted: Wanted) -> Prepared:
        """Parameters: `w_<column>` for each of `wanted.equal`, and `after`."""
        return self._once((dialect.name, wanted), dialect, lambda: self._select(wanted))

    def insert(self, dialect: sa.Dialect) -> Prepared:
        """All columns in the order of the table."""
        return self._once((dialect.name, "insert"), dialect, lambda: sa.insert(self._table))

    def update(self, dialect: sa.Dialect, changed: Collection[str], where: Collection[str]) -> Prepared:
        """One row by its key and the columns in `where`. Parameters: `n_<column>` is a new value, `w_<column>` one to meet."""
        kept = (dialect.name, "update", *changed, "", *where)
        return self._once(kept, dialect, lambda: self._update(changed, where))

    def _once(self, kept: object, dialect: sa.Dialect, make: Callable[[], sa.Executable]) -> Prepared:
        if kept not in self._kept:
            self._kept[kept] = prepared(make(), dialect)
        return self._kept[kept]

    def _select(self, wanted: Wanted) -> sa.Select[Any]:
        columns = self._table.c
        statement = sa.select(*(columns[name] for name in self._columns))
        statement = statement.where(*(columns[name].is_(None) for name in wanted.empty))
        statement = statement.where(*(columns[name] == sa.bindparam(f"w_{name}") for name in wanted.equal))
        if wanted.after:
            statement = statement.where(columns[wanted.after] > sa.bindparam("after"))
        for name in wanted.order.split(",") if wanted.order else self._key:
            column = columns[name.removeprefix("-")]
            statement = statement.order_by(column.desc() if name.startswith("-") else column.asc())
        if wanted.limit:
            statement = statement.limit(wanted.limit)
        return statement.with_for_update() if wanted.lock else statement

    def _update(self, changed: Collection[str], where: Collection[str]) -> sa.Update:
        columns = self._table.c
        met = [columns[name] == sa.bindparam(f"w_{name}") for name in (*self._key, *where)]
        return sa.update(self._table).where(*met).values({name: sa.bindparam(f"n_{name}") for name in changed})
