"""Trying a draft routing table over past cases: what would go elsewhere, and which rules sent what came back.

Granted returns (退单同意) are the evidence against the rule that had named the unit. Pure; the command prints it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from intake.model import Case
from intake.records import HistoryEntry
from intake.routing import RoutingRule, matter_of, route


@dataclass(frozen=True, slots=True)
class Moved:
    """Cases of one kind that a draft would send elsewhere."""

    rule: str
    from_unit: str
    to_unit: str
    count: int
    example: int


@dataclass(frozen=True, slots=True)
class Against:
    """How often what a rule sent came back, of how many it sent."""

    rule: str
    unit: str
    sent: int
    returned: int


def moved_by(draft: Sequence[RoutingRule], cases: Iterable[Case], zone: tzinfo) -> list[Moved]:
    """What would change, most frequent first. Cases without a class or unit are left out."""
    counts: Counter[tuple[str, str, str]] = Counter()
    example: dict[tuple[str, str, str], int] = {}
    for case in cases:
        if case.subclass is None or not case.unit:
            continue
        found = route(draft, matter_of(case, (case.filed_at or case.received_at).astimezone(zone)))
        if found.unit != case.unit:
            key = (found.rule, case.unit, found.unit)
            counts[key] += 1
            example.setdefault(key, case.case_no)
    return [Moved(*key, count=count, example=example[key]) for key, count in counts.most_common()]


def evidence(histories: Iterable[Sequence[HistoryEntry]]) -> list[Against]:
    """Every rule whose dispatches were returned with consent, worst first."""
    sent: Counter[tuple[str, str]] = Counter()
    returned: Counter[tuple[str, str]] = Counter()
    for lines in histories:
        last: tuple[str, str] | None = None
        for line in lines:
            if line.step == "dispatch":
                last = (str(line.refs.get("rule", "")), line.unit)
                sent[last] += 1
            elif line.step == "decide_return" and line.refs.get("decision") == "grant" and last:
                returned[last] += 1
    found = [Against(rule, unit, sent[rule, unit], count) for (rule, unit), count in returned.items()]
    return sorted(found, key=lambda one: (-one.returned / one.sent, -one.returned, one.rule))
