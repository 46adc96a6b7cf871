"""Scripted staff: the ordinary way of a case from a report to the archive, each step with the minutes it usually takes.

Made-up people of the posts the tables ask for; the steps go through the product's own rules. Used to make stored cases
(seed.py) and to replay a year (year.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from intake.fields import Reading, standards_of
from intake.model import Actor, Case, Outbound, Receipt, Role, Subclass
from intake.rules import Rules
from intake.usecases import Command

UNPLACED, UNCLASSED = "位置待核实", Subclass.parse("event:0102")
RESULTS = ("现场已处理完毕", "已清理干净并冲洗地面", "已更换损坏部件，恢复正常", "已劝离并对当事人进行教育")


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of the way: who takes it, how many minutes after the one before, with which fields."""

    step: str
    role: Role
    minutes: float
    fields: Callable[[Case, Rules], Mapping[str, object]]


def _given(**fields: object) -> Callable[[Case, Rules], Mapping[str, object]]:
    return lambda _case, _rules: fields


def _accept(case: Case, _rules: Rules) -> Mapping[str, object]:
    return {"subclass": str(case.subclass or UNCLASSED), "place": case.place.text or UNPLACED}


def _file(case: Case, rules: Rules) -> Mapping[str, object]:
    assert case.subclass is not None
    return {"condition": rules.taxonomy.conditions(case.subclass)[0], "waive_verify": "clear_evidence"}


def _dispatch(case: Case, _rules: Rules) -> Mapping[str, object]:
    return {} if case.unit else {"unit": "cityadmin"}


def _feedback(case: Case, _rules: Rules) -> Mapping[str, object]:
    return {"result": RESULTS[case.case_no % len(RESULTS)]}


def _close(case: Case, rules: Rules) -> Mapping[str, object]:
    return {"standard": standards_of(Reading(case, rules))[0]}


WAY: tuple[Turn, ...] = (
    Turn("accept", Role.OPERATOR, 4, _accept),
    Turn("file", Role.OPERATOR, 6, _file),
    Turn("dispatch", Role.DISPATCHER, 5, _dispatch),
    Turn("take", Role.UNIT, 20, _given()),
    Turn("feedback", Role.UNIT, 90, _feedback),
    Turn("check", Role.OPERATOR, 15, _given(check_method="photo")),
    Turn("checked", Role.INSPECTOR, 30, _given(check_result="pass")),
    Turn("close", Role.OPERATOR, 10, _close),
)
NAMES = {role: Actor(0, "模拟", role) for role in Role}


def command(turn: Turn, case: Case, rules: Rules) -> Command:
    """The step as its person would send it."""
    actor = NAMES[turn.role]
    if turn.role is Role.UNIT:
        actor = replace(actor, unit=case.unit)
    return Command(case.case_no, turn.step, actor, fields=turn.fields(case, rules))


class Delivers:
    """A provider that takes every message and confirms it at once."""

    kind = "sms"
    can_look_up = False

    def __init__(self) -> None:
        self.count = 0

    async def send(self, outbound: Outbound) -> Receipt:
        self.count += 1
        return Receipt(outbound.ref, delivered=True)

    async def find(self, _outbound: Outbound) -> Receipt | None:
        return None
