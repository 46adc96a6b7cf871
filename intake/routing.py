"""Which unit a matter goes to: an ordered table of rules, the first that fits decides and is recorded with the case.

A rule may look at class, condition, area, urgency and the hour. The rules are the city's data (routing.toml, explained
in the profile's README); trying a draft table over past cases stands in routing_trial.py. Pure.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any

from intake.errors import Misconfigured
from intake.model import Case, Place, Subclass, Urgency
from intake.rules import Assignment


@dataclass(frozen=True, slots=True)
class Matter:
    """What the rules look at. `at` is the local time that decides about hours."""

    subclass: Subclass | None
    place: Place
    condition: str = ""
    urgency: Urgency = Urgency.ROUTINE
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """One row. `units` maps the beginning of a grid code to a unit; codes and prefixes are subclass codes; `hours` are
    local spans from (included) to (excluded), over midnight when the end is smaller."""

    name: str
    unit: str = ""
    co_unit: str = ""
    kind: str = ""
    codes: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    conditions: frozenset[str] = frozenset()
    urgencies: frozenset[str] = frozenset()
    hours: tuple[tuple[time, time], ...] = ()
    area: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    redirect: bool = False

    def unit_for(self, matter: Matter) -> str:
        """The unit this rule names, or an empty text when it does not fit."""
        if not (self._fits_class(matter.subclass) and self._fits_case(matter)):
            return ""
        grid = matter.place.grid_code
        return self.unit or next((unit for prefix, unit in self.units.items() if grid.startswith(prefix)), "")

    def _fits_class(self, subclass: Subclass | None) -> bool:
        if self.kind and (subclass is None or subclass.kind.value != self.kind):
            return False
        if not (self.codes or self.prefixes):
            return True
        return subclass is not None and (subclass.code in self.codes or subclass.code.startswith(self.prefixes or ("?",)))

    def _fits_case(self, matter: Matter) -> bool:
        return (
            (not self.area or matter.place.grid_code.startswith(self.area))
            and (not self.conditions or matter.condition in self.conditions)
            and (not self.urgencies or matter.urgency.value in self.urgencies)
            and (not self.hours or (matter.at is not None and any(_within(matter.at.time(), span) for span in self.hours)))
        )


def _within(moment: time, span: tuple[time, time]) -> bool:
    start, end = span
    return start <= moment < end if start < end else moment >= start or moment < end


def route(rules: Sequence[RoutingRule], matter: Matter) -> Assignment:
    """The assignment by the first rule that fits; the last rule of a table fits everything."""
    for rule in rules:
        if unit := rule.unit_for(matter):
            return Assignment(unit=unit, rule=rule.name, co_unit=rule.co_unit)
    return Assignment(unit="", rule="")


def matter_of(case: Case, at: datetime | None = None) -> Matter:
    return Matter(case.subclass, case.place, case.condition, case.urgency, at)


def load_rules(path: Path, units: Collection[str]) -> tuple[RoutingRule, ...]:
    """Read routing.toml. A rule that names an unknown unit, a doubled name or a missing fall-back is refused."""
    with path.open("rb") as stream:
        rows = tomllib.load(stream).get("rules", [])
    rules = tuple(_rule(row) for row in rows)
    names = [rule.name for rule in rules]
    for rule in rules:
        named = {rule.unit, rule.co_unit, *rule.units.values()} - {""}
        if unknown := named - set(units):
            raise Misconfigured(f"派遣规则“{rule.name}”写了不存在的单位：{'、'.join(sorted(unknown))}")
        if names.count(rule.name) > 1:
            raise Misconfigured(f"派遣规则“{rule.name}”重名。")
    if not rules or not rules[-1].unit_for(Matter(None, Place())):
        raise Misconfigured("派遣规则表的最后一条必须适用于所有情形。")
    return rules


READERS: dict[str, Any] = {
    "codes": frozenset,
    "prefixes": tuple,
    "conditions": frozenset,
    "urgencies": lambda values: frozenset(Urgency(value).value for value in values),
    "hours": lambda spans: tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in spans),
}


def _rule(row: Mapping[str, Any]) -> RoutingRule:
    try:
        return RoutingRule(**{name: READERS.get(name, lambda value: value)(value) for name, value in row.items()})
    except (TypeError, ValueError):
        raise Misconfigured(f"派遣规则“{row.get('name', '')}”有未知的键，或时段、紧急程度写得不对。") from None
