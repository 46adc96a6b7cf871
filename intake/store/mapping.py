"""Frozen records to rows and back, derived from the records' own annotations.

Each annotation has one codec: how many columns it takes, how it is written and read. Moments are integers of
microseconds since 1970 UTC: exact, ordered and the same in both databases.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar, get_type_hints

import sqlalchemy as sa

from intake.call import LineState
from intake.model import Kind, Place, Prediction, ReplyKind, Role, Scored, State, Subclass, Urgency
from intake.store.statements import Statements
from intake.vault import Vault

T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


def from_micros(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)


@dataclass(frozen=True, slots=True)
class Codec:
    """How one annotation is stored: name suffix and type of each column, writing and reading."""

    columns: "tuple[ColumnSpec, ...]"
    write: Callable[[Any], tuple[Any, ...]] | None = None
    read: Callable[[Sequence[Any]], Any] | None = None


def _plain(kind: sa.types.TypeEngine[Any], *, null: bool = False) -> Codec:
    return Codec((("", kind, null),))


def _enum(enum: type[StrEnum]) -> Codec:
    return Codec((("", sa.Text(), False),), lambda value: (str(value),), lambda row: enum(row[0]))


_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> Codec:
    def dump(value: Any) -> tuple[str]:
        return (_dump(write(value)),)

    return Codec((("", sa.Text(), False),), dump, lambda row: read(json.loads(row[0])))


def _moment(*, null: bool) -> Codec:
    return Codec((("", sa.BigInteger(), null),), lambda value: (to_micros(value),), lambda row: from_micros(row[0]))


ColumnSpec = tuple[str, sa.types.TypeEngine[Any], bool]
PLACE_COLUMNS: tuple[ColumnSpec, ...] = (
    ("place_text", sa.Text(), False), ("lon", sa.Double(), True), ("lat", sa.Double(), True),
    ("given_lon", sa.Double(), True), ("given_lat", sa.Double(), True), ("coord_sys", sa.Text(), False),
    ("grid_code", sa.Text(), False), ("community", sa.Text(), False), ("street", sa.Text(), False),
    ("district", sa.Text(), False),
)  # fmt: skip


def _place_row(place: Place) -> tuple[Any, ...]:
    return (place.text, place.lon, place.lat, place.given_lon, place.given_lat, place.coord_sys, place.grid_code,
            place.community, place.street, place.district)  # fmt: skip


def _prediction_value(prediction: Prediction) -> dict[str, Any]:
    top = [[s.subclass.kind, s.subclass.code, round(s.confidence, 4)] for s in prediction.top]
    return {"top": top, "abstained": prediction.abstained, "out_of_scope": prediction.out_of_scope,
            "redirect": prediction.redirect, "model_version": prediction.model_version}  # fmt: skip


def _prediction_from(value: dict[str, Any]) -> Prediction:
    top = tuple(Scored(Subclass(Kind(kind), code), confidence) for kind, code, confidence in value.pop("top", ()))
    return Prediction(top=top, **value)


CODECS: dict[Any, Codec] = {
    int: _plain(sa.BigInteger()),
    int | None: _plain(sa.BigInteger(), null=True),
    float | None: _plain(sa.Double(), null=True),
    str: _plain(sa.Text()),
    bool: Codec((("", sa.Boolean(), False),), None, lambda row: bool(row[0])),
    bytes: _plain(sa.LargeBinary()),
    datetime: _moment(null=False),
    datetime | None: _moment(null=True),
    State: _enum(State),
    Role: _enum(Role),
    Urgency: _enum(Urgency),
    ReplyKind: _enum(ReplyKind),
    LineState: _enum(LineState),
    tuple[str, ...]: _json(list, tuple),
    Mapping[str, object]: _json(dict, dict),
    Prediction: _json(_prediction_value, _prediction_from),
    Place: Codec(PLACE_COLUMNS, _place_row, lambda row: Place(*row)),
    Subclass
    | None: Codec(
        (("kind", sa.Text(), False), ("subclass_code", sa.Text(), False)),
        lambda value: (value.kind.value, value.code) if value else ("", ""),
        lambda row: Subclass(Kind(row[0]), row[1]) if row[0] else None,
    ),
}
COMPOUND = (Place, Subclass | None)


class RecordTable(Generic[T]):
    """One record type and its table. `sealed` names columns that hold fields encrypted together."""

    def __init__(
        self, record: type[T], name: str, metadata: sa.MetaData, *, key: Sequence[str],
        derived: Mapping[str, tuple[sa.types.TypeEngine[Any], Callable[[T, Vault], Any]]] | None = None,
        sealed: Mapping[str, Sequence[str]] | None = None,
        references: Mapping[str, str] | None = None, extra: Iterable[sa.schema.SchemaItem] = (),
        added: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.record, self.key, self.name = record, tuple(key), name
        self.derived, self.sealed = dict(derived or {}), dict(sealed or {})
        hidden = {field for group in self.sealed.values() for field in group}
        hints = get_type_hints(record)
        self.plan: list[tuple[str, tuple[str, ...], Codec]] = []
        columns: list[sa.Column[Any]] = []
        for item in fields(record):  # type: ignore[arg-type]
            if item.name in hidden:
                continue
            codec = CODECS[hints[item.name]]
            names = tuple(suffix if hints[item.name] in COMPOUND else item.name for suffix, _, _ in codec.columns)
            self.plan.append((item.name, names, codec))
            for column, (_, kind, null) in zip(names, codec.columns, strict=True):
                target = (references or {}).get(column)
                constraint = (sa.ForeignKey(target),) if target else ()
                options: dict[str, Any] = {"primary_key": True, "autoincrement": False} if column in key else {}
                columns.append(sa.Column(column, kind, *constraint, nullable=null, **options))
        columns += [sa.Column(column, sa.LargeBinary(), nullable=False) for column in self.sealed]
        # A derived column that came after the first release is empty in older rows.
        columns += [sa.Column(column, kind, nullable=column in added) for column, (kind, _) in self.derived.items()]
        self.table = sa.Table(name, metadata, *columns, *extra)
        plain = [(name, names[0]) for name, names, codec in self.plan if codec.write is None]
        self._plain_columns = [column for _, column in plain]
        # One call in C for all plain fields; a loop over fifty of them is felt at a thousand reports a second.
        self._plain_values = attrgetter(*(name for name, _ in plain), "__class__")
        self._written = [(name, names, codec.write) for name, names, codec in self.plan if codec.write is not None]
        coded = [column for _, names, _ in self._written for column in names]
        order = [*self._plain_columns, *coded, *self.sealed, *self.derived]
        self._in_table_order: Callable[[list[Any]], tuple[Any, ...]] = itemgetter(*map(order.index, self.table.c.keys()))
        self._written_key = tuple(entry for entry in self.plan if entry[0] in self.key)
        self.columns = [column for _, names, _ in self.plan for column in names] + list(self.sealed)
        self.statements = Statements(self.table, key=self.key, columns=self.columns)

    def values(self, record: T, vault: Vault) -> tuple[Any, ...]:
        """All columns of a record in the order of the table, sealed and derived ones included."""
        found = list(self._plain_values(record))
        found.pop()
        for name, _, write in self._written:
            found += write(getattr(record, name))
        for column, group in self.sealed.items():
            found.append(self._seal([getattr(record, field) for field in group], column, vault))
        for _, make in self.derived.values():
            found.append(make(record, vault))
        return self._in_table_order(found)

    def insert_statement(self, dialect: sa.Dialect) -> str:
        """The INSERT for `values`, compiled once: what SQLAlchemy does for each row of each execution is a tenth of all
        that a report costs, and numbers, texts, booleans and bytes go in as they are."""
        return self.statements.insert(dialect).words

    def row(self, record: T, vault: Vault) -> dict[str, Any]:
        """The same by name of column."""
        return dict(zip(self.table.c.keys(), self.values(record, vault), strict=True))

    def changes(self, before: T, after: T, vault: Vault) -> dict[str, Any]:
        """The columns in which a record differs from what it was, with their new values."""
        found: dict[str, Any] = {}
        for name, names, codec in self.plan:
            value = getattr(after, name)
            if value != getattr(before, name):
                found |= zip(names, codec.write(value) if codec.write else (value,), strict=True)
        for column, group in self.sealed.items():
            if any(getattr(after, field) != getattr(before, field) for field in group):
                found[column] = self._seal([getattr(after, field) for field in group], column, vault)
        for column, (_, make) in self.derived.items():
            if (value := make(after, vault)) != make(before, vault):
                found[column] = value
        return found

    def update(self, connection: sa.Connection, before: T, changed: Mapping[str, Any], *, where: Mapping[str, Any]) -> int:
        """Write columns of the row that `before` stands in, if its columns in `where` still have these values; how many
        rows that was."""
        values = {f"n_{name}": value for name, value in changed.items()} | {f"w_{name}": value for name, value in where.items()}
        for name, _, codec in self._written_key:
            value = getattr(before, name)
            values[f"w_{name}"] = codec.write(value)[0] if codec.write else value
        return self.statements.update(connection.dialect, changed, where).run(connection, values).rowcount

    def record_from(self, row: Sequence[Any], vault: Vault) -> T:
        """Build a record from a row selected as `self.columns`."""
        values: dict[str, Any] = {}
        place = 0
        for name, names, codec in self.plan:
            part = row[place : place + len(names)]
            place += len(names)
            values[name] = part[0] if codec.read is None else codec.read(part)
        for column, group in self.sealed.items():
            texts = self._unseal(row[place], column, vault)
            # A row of an earlier version lacks the fields that were added to its group since: at its end, and empty.
            values |= zip(group, texts + [""] * (len(group) - len(texts)), strict=True)
            place += 1
        return self.record(**values)

    def _seal(self, texts: list[str], column: str, vault: Vault) -> bytes:
        if not any(texts):
            return b""
        plain = _dump(texts).encode("utf-8", "surrogatepass")
        return vault.seal(plain, f"{self.name}.{column}")

    def _unseal(self, sealed: bytes, column: str, vault: Vault) -> list[str]:
        return json.loads(vault.unseal(sealed, f"{self.name}.{column}")) if sealed else []
