"""What choosing a class would mean: its conditions, the limits of the one chosen, when it would be due, whose matter it is.

Pure. The same rules decide later, at filing and dispatching; here they are only shown while somebody is still typing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from intake.model import Case, Place, State, Subclass, Urgency
from intake.rules import Due, Rules
from intake.taxonomy import ClassEntry, Limit

BASIS_WORDS = {"natural": "自然"}
CLOCK_WORDS = {"disposal": "处置", "make_safe": "排险", "repair": "修复"}


@dataclass(frozen=True, slots=True)
class Outlook:
    """`condition` is the one chosen, or the only one; `due` is from now, as if filed and dispatched at once."""

    entry: ClassEntry
    urgency: Urgency
    conditions: tuple[str, ...]
    condition: str
    limits: tuple[str, ...]
    due: Due | None
    unit_name: str
    rule: str


def outlook(rules: Rules, subclass: Subclass, *, condition: str, place: Place, now: datetime) -> Outlook:
    """Raises UnknownSubclass for a class that cannot be chosen here."""
    entry = rules.taxonomy.entry(subclass)
    conditions = rules.taxonomy.conditions(subclass)
    chosen = condition if condition in conditions else conditions[0] if len(conditions) == 1 else ""
    limits = rules.taxonomy.limits_for(subclass, chosen) if chosen else ()
    urgency = rules.taxonomy.urgency_of(subclass, chosen)
    case = Case(case_no=0, version=1, state=State.FILED, round=1, channel="phone", received_at=now, updated_at=now,
                description="", urgency=urgency, subclass=subclass, condition=chosen, place=place)  # fmt: skip
    assigned = rules.route(case, now)
    unit = rules.units.get(assigned.unit)
    return Outlook(
        entry=entry,
        urgency=urgency,
        conditions=conditions,
        condition=chosen,
        limits=tuple(limit_words(limit) for limit in limits),
        due=rules.due(replace(case, unit=assigned.unit), now) if chosen else None,
        unit_name=unit.name if unit else "",
        rule=assigned.rule,
    )


def limit_words(limit: Limit) -> str:
    """处置 4 工作小时; 修复 24 自然小时."""
    hours = f"{limit.limit_hours:g}"
    return f"{CLOCK_WORDS.get(limit.clock, limit.clock)} {hours} {BASIS_WORDS.get(limit.limit_basis, '工作')}小时"
