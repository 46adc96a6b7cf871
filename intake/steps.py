"""Carrying out one step on a case: pure, from the case and what is known about it to everything that changes.

The tables of workflow.py say who may and what is asked; effects.py holds what is particular to each step; here stands
what all steps share: columns, times, remarks, what history may refer to.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from intake.effects import EXTRAS, Doing, Values, no_extra
from intake.model import Case, Subclass, Urgency
from intake.order_effects import ORDER_EXTRAS
from intake.records import Debt, Request
from intake.workflow import ENDED, Step

CASE_FIELDS = {
    "subclass": "subclass", "condition": "condition", "place": "place", "description": "description", "unit": "unit",
    "co_unit": "co_unit", "forwarded_text": "forwarded_text", "result": "result", "standard": "standard",
    "check_method": "check_method", "check_result": "check_result", "inspector": "inspector_id",
    "operator": "operator_id", "verify_result": "verified",
}  # fmt: skip
"""Fields that become a column of the case as they are."""
REMARK_FIELDS = ("opinion", "reason", "basis", "answer", "result", "text", "body", "way", "person", "forwarded_text")
"""Words typed by people; they are kept as remarks and history refers to them by number."""
STAMPS = {"accept": "accepted_at", "file": "filed_at", "dispatch": "dispatched_at", "take": "taken_at",
          "feedback": "done_at", "close": "closed_at", "settle": "closed_at"}  # fmt: skip
CODED_NAMES = frozenset({
    "condition", "unit", "co_unit", "urgency", "waive_verify", "verify_result", "check_method", "check_result",
    "decision", "standard", "call_result", "excuse", "revisit_result", "satisfaction",
})  # fmt: skip
"""Texts that are codes from a table and no words of a person: these may stand in history."""
SHORT_NUMBER = re.compile(r"1[0-9]{2,4}|9[0-9]{4}")
EVERY_EXTRA = EXTRAS | ORDER_EXTRAS


@dataclass(frozen=True, slots=True)
class Change:
    """Everything a step brings about, still unstored. `refs` go into history: codes, ids and counts only."""

    case: Case
    refs: Mapping[str, object] = field(default_factory=dict)
    remarks: tuple[tuple[str, str], ...] = ()
    new_request: tuple[str, datetime | None] | None = None
    decided: tuple[Request, str] | None = None
    excused: tuple[tuple[Debt, str], ...] = ()
    reopened_debts: tuple[Debt, ...] = ()
    owes_progress: bool = False
    closes_tasks: tuple[str, ...] = ()


def take_step(doing: Doing) -> Change:
    """Carry out a step that workflow.check_step allowed; raises Refused when a finer guard forbids it."""
    step, case, now = doing.step, doing.case, doing.now
    target = step.target or case.state
    changes: dict[str, object] = {
        CASE_FIELDS[name]: value for name, value in doing.values.items() if name in CASE_FIELDS and _sets(step, name)
    }
    changes |= {"state": target, "updated_at": now}
    if step.name in STAMPS:
        changes[STAMPS[step.name]] = now
    if "urgency" in doing.values:
        changes["urgency"] = Urgency(doing.said("urgency"))
    after = replace(case, **changes)  # type: ignore[arg-type]
    extra = EVERY_EXTRA.get(step.name, no_extra)(replace(doing, case=after), case)
    after = replace(after, **extra.changes)  # type: ignore[arg-type]
    ended_at = now if after.state in ENDED else None
    after = replace(after, version=case.version + 1, ended_at=ended_at)
    open_debts = tuple(debt for debt in doing.facts.debts if not debt.end)
    return Change(
        case=after,
        refs={**_coded(doing.values), **extra.refs},
        remarks=tuple((k, doing.said(k)) for k in REMARK_FIELDS if k in doing.values and not _is_coded(step, k)),
        new_request=extra.new_request,
        decided=extra.decided,
        excused=tuple((debt, extra.excuse_open) for debt in open_debts) if extra.excuse_open else (),
        reopened_debts=extra.reopened_debts,
        owes_progress=extra.owes_progress and doing.rules.progress_replies,
        closes_tasks=extra.closes_tasks,
    )


def _sets(step: Step, name: str) -> bool:
    return not (step.name == "alert" and name == "unit")


def _is_coded(step: Step, name: str) -> bool:
    return any(f.name == name and f.type == "choice" for f in step.fields)


def _coded(values: Values) -> dict[str, object]:
    """The parts of what was given that are codes and no words: these may stand in history."""
    kept: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Subclass):
            kept[name] = str(value)
        elif isinstance(value, datetime):
            kept[name] = value.isoformat()
        elif isinstance(value, bool | int) or name in CODED_NAMES or _is_hotline(name, value):
            kept[name] = value
    return kept


def _is_hotline(name: str, value: object) -> bool:
    """Whether it is the short number of another body (12333): a code, and what the classifier learns from."""
    return name == "other" and SHORT_NUMBER.fullmatch(str(value)) is not None
