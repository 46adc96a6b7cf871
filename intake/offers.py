"""What a person is offered on a case: the steps he could take now, each with its fields, choices and present values.

The same list feeds the operator's page and `GET /api/v1/cases/{case_no}/full`, so neither can offer what the other
refuses. A step is offered only when its finer guards would not refuse it at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from intake.effects import Facts
from intake.fields import Reading, conditions_of, present_value, standards_of
from intake.ledger import REPLY_WORDS, is_open
from intake.model import Actor, Case, Role, Subclass
from intake.order import ORDER_STEPS, is_fit
from intake.taxonomy import Taxonomy
from intake.workflow import MAX_RETURNS, Field, Step, steps_open_to


@dataclass(frozen=True, slots=True)
class Asked:
    """A field as it is asked of this person now. `value` is what the case already answers."""

    name: str
    label: str
    type: str
    required: bool
    choices: tuple[tuple[str, str], ...]
    value: str
    max_chars: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A step that may be taken now."""

    step: Step
    fields: tuple[Asked, ...]


def offers(case: Case, actor: Actor, facts: Facts, reading: Reading) -> tuple[Offer, ...]:
    """Every step open to this person, in the order of the tables."""
    fitting = (step for step in steps_open_to(case, actor) if _guard(step.name)(case, actor, facts))
    return tuple(Offer(step, tuple(_asked(step, given, reading) for given in step.fields)) for step in fitting)


def _asked(step: Step, given: Field, reading: Reading) -> Asked:
    value = present_value(given, reading)
    required = given.required or (given.name == "waive_verify" and reading.case.verified != "exists")
    if given.name == "forwarded_text":
        required = reading.case.confidential
    return Asked(given.name, given.label, given.type, required and value is None, _choices(given, reading),
                 _words(value), given.max_chars)  # fmt: skip


def _choices(given: Field, reading: Reading) -> tuple[tuple[str, str], ...]:
    rules = reading.rules
    match given.type:
        case "subclass":
            return subclass_choices(rules.taxonomy)
        case "condition":
            return tuple((text, text) for text in conditions_of(reading))
        case "standard":
            return tuple((text, text) for text in standards_of(reading))
        case "unit":
            return tuple((unit.id, unit.name) for unit in rules.units.values())
        case "user":
            wanted = {"inspector": (Role.INSPECTOR,), "operator": (Role.OPERATOR, Role.SHIFT_LEADER)}[given.name]
            return tuple((user.name, user.display_name) for user in reading.staff if user.role in wanted)
        case "debt":
            return tuple((str(debt.debt_id), REPLY_WORDS[debt.kind]) for debt in reading.debts if is_open(debt))
    if given.name == "excuse" and reading.reachable:
        return tuple((value, words) for value, words in given.choices if value != "no_contact")
    return given.choices


def subclass_choices(taxonomy: Taxonomy) -> tuple[tuple[str, str], ...]:
    return tuple((str(entry.subclass), entry.name) for entry in taxonomy.in_use)


def _words(value: object | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Subclass | str):
        return str(value)
    return str(getattr(value, "text", value))


Guard = Callable[[Case, Actor, Facts], bool]


def _pending(kind: str, *, wanted: bool) -> Guard:
    return lambda _case, _actor, facts: (facts.pending(kind) is not None) == wanted


def _second_person(_case: Case, actor: Actor, facts: Facts) -> bool:
    asked = facts.pending("void")
    return asked is not None and asked.asked_by != actor.user_id


def _may_rule(case: Case, actor: Actor, facts: Facts) -> bool:
    ruled = case.return_count < MAX_RETURNS or actor.role is Role.SHIFT_LEADER
    return ruled and facts.pending("return") is not None


def _owes(_case: Case, _actor: Actor, facts: Facts) -> bool:
    return any(is_open(debt) for debt in facts.debts)


def _always(_case: Case, _actor: Actor, _facts: Facts) -> bool:
    return True


def _guard(name: str) -> Guard:
    return GUARDS.get(name, _always)


def _order_fits(name: str) -> Guard:
    return lambda case, _actor, _facts: is_fit(name, case)


GUARDS: dict[str, Guard] = {
    **{name: _order_fits(name) for name in ORDER_STEPS},
    "close": lambda case, _actor, _facts: case.check_result != "fail",
    "void": _second_person,
    "decide_return": _may_rule,
    "decide_extension": _pending("extension", wanted=True),
    "decide_suspension": _pending("suspension", wanted=True),
    "ask_return": _pending("return", wanted=False),
    "ask_extension": _pending("extension", wanted=False),
    "ask_suspension": _pending("suspension", wanted=False),
    "ask_void": _pending("void", wanted=False),
    "send_reply": _owes,
    "told_by_phone": _owes,
    "excuse_reply": _owes,
    "acknowledge": lambda case, _actor, _facts: bool(case.danger_words) and case.acknowledged_at is None,
    "supervise": lambda case, _actor, _facts: not case.supervised,
    "unsupervise": lambda case, _actor, _facts: case.supervised,
    "reopen": lambda case, _actor, _facts: case.state.value == "closed" or case.reopen_count == 0,
}
