"""Which unit a class and place goes to: an ordered table of rules, the first that fits decides and is recorded.

The rules are the city's data (routing.toml, explained in the profile's README). Pure; units themselves stand in
profile.py.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from intake.errors import Misconfigured
from intake.model import Place, Subclass
from intake.rules import Assignment


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """One row. `units` maps the beginning of a grid code to a unit; codes and prefixes are subclass codes."""

    name: str
    unit: str = ""
    co_unit: str = ""
    kind: str = ""
    codes: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    area: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    redirect: bool = False

    def unit_for(self, subclass: Subclass | None, place: Place) -> str:
        """The unit this rule names, or an empty text when it does not fit."""
        if self.kind and (subclass is None or subclass.kind.value != self.kind):
            return ""
        if (self.codes or self.prefixes) and not self._names(subclass):
            return ""
        if self.area and not place.grid_code.startswith(self.area):
            return ""
        nearest = (unit for prefix, unit in self.units.items() if place.grid_code.startswith(prefix))
        return self.unit or next(nearest, "")

    def _names(self, subclass: Subclass | None) -> bool:
        return subclass is not None and (subclass.code in self.codes or subclass.code.startswith(self.prefixes or ("?",)))


def route(rules: Sequence[RoutingRule], subclass: Subclass | None, place: Place) -> Assignment:
    """The assignment by the first rule that fits; the last rule of a table fits everything."""
    for rule in rules:
        if unit := rule.unit_for(subclass, place):
            return Assignment(unit=unit, rule=rule.name, co_unit=rule.co_unit)
    return Assignment(unit="", rule="")


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
    if not rules or not rules[-1].unit_for(None, Place()):
        raise Misconfigured("派遣规则表的最后一条必须适用于所有情形。")
    return rules


def _rule(row: Mapping[str, object]) -> RoutingRule:
    lists = {"codes": frozenset, "prefixes": tuple}
    values = {name: lists[name](value) if name in lists else value for name, value in row.items()}
    try:
        return RoutingRule(**values)  # type: ignore[arg-type]
    except TypeError:
        raise Misconfigured(f"派遣规则“{row.get('name', '')}”有未知的键。") from None
