"""The class table of digital city management (数字城管): categories, subclasses, conditions and limits, read from data/.

A subclass is always the pair (kind, subclass_code), because event and component codes overlap. The table is versioned
data: codes of the 2007/2013 frame lead, the 2013 and 2026 national codes come by the crosswalk. Nothing here decides
which class a text has (classifier/) or when a case is due (calendar.py).
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from intake.errors import UnknownSubclass
from intake.model import Kind, Subclass, Urgency

TAXONOMY_FOLDER = Path(__file__).resolve().parent.parent / "data" / "taxonomy"
VERSIONS = ("2007", "2013", "2026")
OUT_OF_SCOPE = "非城管事项"


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """One row of the class table. `limit_hours` is in working hours or natural hours as `limit_basis` says."""

    subclass: Subclass
    major_code: str
    major: str
    name: str
    definition: str
    terms: tuple[str, ...]
    limit_hours: float
    limit_basis: str
    urgency: Urgency
    unit_calendar: str
    optional: bool
    default_on: bool
    falls_back_to: Subclass | None
    retired_on: str
    successor: Subclass | None


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the limits table: what a condition (立案条件) allows, and what closes it."""

    subclass: Subclass
    condition: str
    limit_hours: float
    limit_basis: str
    close_when: str
    source: str
    active: bool
    clock: str
    urgency: Urgency


@dataclass(frozen=True, repr=False)
class Taxonomy:
    """All classes a city uses, with its optional classes switched on or falling back to a base class, and the `sources` of
    limits it puts first."""

    entries: Mapping[Subclass, ClassEntry]
    limits: Mapping[Subclass, tuple[Limit, ...]]
    crosswalk: Mapping[Subclass, Mapping[str, str]]
    optional_on: frozenset[Subclass] = field(default_factory=frozenset)
    sources: tuple[str, ...] = ()

    @cached_property
    def in_use(self) -> tuple[ClassEntry, ...]:
        """The classes an operator may choose, in table order; retired and switched-off ones are left out."""
        return tuple(e for e in self.entries.values() if not e.retired_on and self.is_on(e.subclass))

    def is_on(self, subclass: Subclass) -> bool:
        """Whether operators may choose it. An optional class that falls back to itself (其他) cannot be switched off."""
        entry = self.entries.get(subclass)
        if entry is None:
            return False
        return not entry.optional or subclass in self.optional_on or entry.falls_back_to == subclass

    def entry(self, subclass: Subclass) -> ClassEntry:
        """Return the row of a subclass that may be chosen; raises UnknownSubclass for any other."""
        entry = self.entries.get(subclass)
        if entry is None or entry.retired_on or not self.is_on(subclass):
            raise UnknownSubclass(str(subclass))
        return entry

    def effective(self, subclass: Subclass) -> Subclass:
        """Follow retirement and switched-off optional classes to the class that is used instead."""
        seen: set[Subclass] = set()
        while subclass not in seen and subclass in self.entries:
            seen.add(subclass)
            entry = self.entries[subclass]
            if entry.retired_on and entry.successor:
                subclass = entry.successor
            elif entry.optional and subclass not in self.optional_on and entry.falls_back_to:
                subclass = entry.falls_back_to
        return subclass

    def name(self, subclass: Subclass | None) -> str:
        """The Chinese name of any known subclass, also of retired ones; empty for None and unknown ones."""
        entry = self.entries.get(subclass) if subclass else None
        return entry.name if entry else ""

    def code_in(self, subclass: Subclass, version: str) -> str:
        """The code of a subclass in the national list `version`; empty where that list has none."""
        if version == "2007":
            return subclass.code
        return self.crosswalk.get(subclass, {}).get(version, "")

    def conditions(self, subclass: Subclass) -> tuple[str, ...]:
        """The active conditions of a class in table order, each once."""
        rows = self.limits.get(subclass, ())
        return tuple(dict.fromkeys(row.condition for row in rows if row.active))

    def urgency_of(self, subclass: Subclass, condition: str = "") -> Urgency:
        """The default urgency: the class's, or that of its condition where that is more urgent. Raises UnknownSubclass."""
        found = (self.entry(subclass).urgency, *(row.urgency for row in self.limits_for(subclass, condition)))
        return min(found, key=lambda urgency: urgency.rank)

    def limits_for(self, subclass: Subclass, condition: str) -> tuple[Limit, ...]:
        """The limits of a condition, one for each clock (disposal, or make_safe and repair): of the first of the city's
        `sources` that has the row, else the active one."""
        order = {source: place for place, source in enumerate(self.sources)}
        best: dict[str, Limit] = {}
        for row in self.limits.get(subclass, ()):
            if row.condition != condition:
                continue
            rank = (order.get(row.source, len(order)), not row.active)
            held = best.get(row.clock)
            if held is None or rank < (order.get(held.source, len(order)), not held.active):
                best[row.clock] = row
        return tuple(best[clock] for clock in ("disposal", "make_safe", "repair") if clock in best)


def load_taxonomy(
    folder: Path = TAXONOMY_FOLDER, *, optional_on: Iterable[str] | None = None, sources: Iterable[str] = ()
) -> Taxonomy:
    """Read the class table. `optional_on` lists the optional classes of a city; None takes the table's own defaults. Raises
    UnknownSubclass, and ValueError for a source that the table of limits does not have."""
    entries = {entry.subclass: entry for entry in map(_entry_from_row, _rows(folder / "classes.csv"))}
    limits: dict[Subclass, list[Limit]] = {}
    for limit in map(_limit_from_row, _rows(folder / "limits.csv")):
        limits.setdefault(limit.subclass, []).append(limit)
    if absent := set(sources) - {row.source for rows in limits.values() for row in rows}:
        raise ValueError(f"limits.sources {', '.join(sorted(absent))}")
    crosswalk = {
        Subclass(Kind(row["kind"]), row["code"]): {"2013": row["gb2013_code"], "2026": row["gb2026_code"]}
        for row in _rows(folder / "crosswalk.csv")
    }
    if optional_on is None:
        switched_on = frozenset(e.subclass for e in entries.values() if e.optional and e.default_on)
    else:
        switched_on = frozenset(Subclass.parse(text) for text in optional_on)
        unknown = switched_on - entries.keys()
        if unknown:
            raise UnknownSubclass(", ".join(sorted(map(str, unknown))))
    return Taxonomy(entries, {key: tuple(rows) for key, rows in limits.items()}, crosswalk, switched_on, tuple(sources))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _entry_from_row(row: Mapping[str, str]) -> ClassEntry:
    return ClassEntry(
        subclass=Subclass(Kind(row["kind"]), row["code"]),
        major_code=row["major_code"],
        major=row["major"],
        name=row["name"],
        definition=row["definition"],
        terms=tuple(term for term in row["terms"].split("|") if term),
        limit_hours=float(row["limit_hours"]),
        limit_basis=row["limit_basis"],
        urgency=Urgency(row["urgency"]),
        unit_calendar=row["unit_calendar"],
        optional=row["optional"] == "yes",
        default_on=row["default_on"] == "yes",
        falls_back_to=Subclass.parse(row["falls_back_to"]) if row["falls_back_to"] else None,
        retired_on=row["retired_on"],
        successor=Subclass.parse(row["successor"]) if row["successor"] else None,
    )


def _limit_from_row(row: Mapping[str, str]) -> Limit:
    return Limit(
        subclass=Subclass(Kind(row["kind"]), row["code"]),
        condition=row["condition"],
        limit_hours=float(row["limit_hours"]),
        limit_basis=row["limit_basis"],
        close_when=row["close_when"],
        source=row["source"],
        active=row["active"] == "yes",
        clock=row["clock"],
        urgency=Urgency(row["urgency"]),
    )
