"""The words of a reply before they go out: their length, the parts they make, and other templates to start from.

Pure but for reading the case a template is filled from. Sending, routes and receipts are intake.replies' and the outbox's.
"""

from dataclasses import dataclass
from datetime import datetime

from intake.gateway import CaseFile
from intake.model import Case
from intake.ports import Work
from intake.records import Debt
from intake.replies import MAX_PARTS, draft_for
from intake.rules import Rules
from intake.text import sms_parts, ucs2_units


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text is: UCS-2 units and short messages. `too_long` past what may be sent at all."""

    units: int
    parts: int

    @property
    def too_long(self) -> bool:
        return self.parts > MAX_PARTS

    @property
    def words(self) -> str:
        told = "一条短信" if self.parts == 1 else f"{self.parts} 条短信"
        return f"{self.units} 字，{told}" + (f"，最多 {MAX_PARTS} 条，请缩短" if self.too_long else "")


def length_of(text: str) -> Length:
    return Length(ucs2_units(text), len(sms_parts(text)) if text else 0)


def templates_of(rules: Rules, debt: Debt | None, now: datetime) -> tuple[tuple[str, str], ...]:
    """Templates in force that fit a debt, as (id, first words): those of its kind, and the one it was drafted from first."""
    if debt is None:
        return ()
    today = now.astimezone(rules.zone).date()
    fitting = [one for one in rules.wording.templates
               if one.since <= today and (debt.kind.value == one.kind or one.id == debt.template)]  # fmt: skip
    latest = {one.id: one for one in sorted(fitting, key=lambda one: (one.since, int(one.version)))}
    ordered = sorted(latest.values(), key=lambda one: one.id != debt.template)
    return tuple((one.id, f"{one.id} v{one.version} {one.text.partition('】')[2][:16]}…") for one in ordered)


def filled(work: Work, rules: Rules, case: Case, template: str) -> str:
    """A template with the facts of the case; what only a step could say stays as a gap to be filled by hand."""
    gaps = {name: f"〔{words}〕" for name, words in GAPS.items()}
    _, text = draft_for(work, rules, case, template, gaps | ({"result": case.result} if case.result else {"result": "〔结果〕"}))
    return text


GAPS = {"reason": "原因", "body": "承办单位", "other": "对方电话", "way": "建议途径"}


def debt_of(file: CaseFile, debt_id: str) -> Debt | None:
    return next((one for one in file.debts if str(one.debt_id) == debt_id and not one.end), None)


