"""What each single step guards and changes beside the state, one small function a step, found in the table EXTRAS.

Guards that need more than state and post stand here: a second person for voiding, a verification or its waiver, an
unexpired limit, the number of returns. steps.py calls these and adds what all steps have in common.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from intake import order as orders
from intake.errors import BadInput, IllegalMove, NotAllowed
from intake.model import Actor, Case, Role, State, Urgency
from intake.records import Debt, Reporter, Request
from intake.rules import Rules
from intake.workflow import ENDED, MAX_RETURNS, REQUEST_WORDS, Step

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a step may need to know beside the case: pending requests, debts, reporters, the main case of a merge."""

    requests: tuple[Request, ...] = ()
    debts: tuple[Debt, ...] = ()
    reporters: tuple[Reporter, ...] = ()
    main: Case | None = None

    def pending(self, kind: str) -> Request | None:
        return next((r for r in self.requests if r.kind == kind and r.state == "pending"), None)


@dataclass(frozen=True, slots=True)
class Doing:
    """One step being carried out."""

    step: Step
    case: Case
    values: Values
    actor: Actor
    now: datetime
    facts: Facts
    rules: Rules

    def said(self, name: str) -> str:
        return str(self.values.get(name, ""))

    def due_of(self, changes: Mapping[str, object]) -> dict[str, object]:
        """`changes` with the due times that follow from them: real once the clock runs, projected before."""
        due = self.rules.due(replace(self.case, **changes), self.now)  # type: ignore[arg-type]
        times = (due.due_at, due.provisional, due.safe_due_at) if due else (None, False, None)
        return dict(changes) | dict(zip(("due_at", "due_provisional", "safe_due_at"), times, strict=True))

    def pause(self, start_at: datetime, end_at: datetime | None) -> tuple[str, ...]:
        """The case's pauses with one more; `end_at` is None while it lasts."""
        return (*self.case.pauses, f"{start_at.isoformat()}/{end_at.isoformat() if end_at else ''}")


@dataclass(frozen=True, slots=True)
class Extra:
    """What a step's own rule adds to the general part of a change."""

    changes: Mapping[str, object] = field(default_factory=dict)
    refs: Mapping[str, object] = field(default_factory=dict)
    new_request: tuple[str, datetime | None] | None = None
    decided: tuple[Request, str] | None = None
    excuse_open: str = ""
    reopened_debts: tuple[Debt, ...] = ()
    owes_progress: bool = False
    closes_tasks: tuple[str, ...] = ()


CLOCK_STOPPED: dict[str, object] = {"clock_at": None, "pauses": (), "extended_until_at": None}
"""No unit's clock runs: the due time is a projection from now."""


def no_extra(_doing: Doing, _before: Case) -> Extra:
    """Most steps change nothing but the state and what was filled in."""
    return Extra()


def _accept(doing: Doing, before: Case) -> Extra:
    _guard_urgency(doing, before)
    return Extra({"operator_id": before.operator_id or doing.actor.user_id} | _classed(doing, before))


def _classed(doing: Doing, before: Case) -> dict[str, object]:
    """A new class or condition brings its default urgency (never lowering it), a new class its condition and proposed unit."""
    case = doing.case
    if case.subclass is None:
        return {}
    default = doing.rules.taxonomy.urgency_of(case.subclass, doing.said("condition"))
    is_ruled = "urgency" in doing.values and doing.actor.role is Role.SHIFT_LEADER
    urgency = case.urgency if is_ruled else min(case.urgency, default, key=lambda u: u.rank)
    changes: dict[str, object] = {"urgency": urgency}
    if case.subclass != before.subclass and case.condition == before.condition:
        changes["condition"] = ""
    if before.dispatched_at is None:
        assigned = doing.rules.route(replace(case, urgency=urgency), doing.now)
        changes |= {"unit": assigned.unit, "co_unit": assigned.co_unit, "routing_rule": assigned.rule}
    return changes


def _guard_urgency(doing: Doing, before: Case) -> None:
    """Lower than the class's default or than what the report's own danger words set: the shift leader's word only."""
    if "urgency" not in doing.values or doing.actor.role is Role.SHIFT_LEADER:
        return
    subclass = doing.case.subclass
    default = doing.rules.taxonomy.entry(subclass).urgency if subclass else before.urgency
    floor = min(default.rank, before.urgency.rank if before.danger_words else default.rank)
    if Urgency(doing.said("urgency")).rank > floor:
        raise NotAllowed("低于默认紧急程度须由值班长调整。")


def _file(doing: Doing, before: Case) -> Extra:
    _guard_urgency(doing, before)
    if before.verified != "exists" and "waive_verify" not in doing.values:
        raise BadInput("waive_verify", "尚未核实属实，请填写“免核实理由”，或先派核实。")
    changes = _classed(doing, before) | {"condition": doing.values["condition"]} | CLOCK_STOPPED
    return Extra(doing.due_of(changes))


def _dispatch(doing: Doing, before: Case) -> Extra:
    if before.confidential and not doing.said("forwarded_text"):
        raise BadInput("forwarded_text", "保密件须由受理员另写“转派描述”，责任单位只看到这段文字。")
    clean = {"taken_at": None, "done_at": None, "check_method": "", "check_result": "", "result": ""}
    rule = before.routing_rule if before.unit == doing.case.unit else "manual"
    start = CLOCK_STOPPED | {"clock_at": doing.now}
    return Extra(doing.due_of(clean | {"routing_rule": rule} | start), {"rule": rule})


def _withdraw(doing: Doing, _before: Case) -> Extra:
    return Extra(doing.due_of({"dispatched_at": None} | CLOCK_STOPPED))


def _close(doing: Doing, before: Case) -> Extra:
    if before.check_result == "fail":
        raise IllegalMove("close", before.state, "核查未通过，请返工。")
    if doing.case.check_result != "pass":
        raise BadInput("check_result", "还没有通过的核查结果，请先记录核查反馈。")
    return Extra({"close_kind": "normal"})


def _rework(doing: Doing, before: Case) -> Extra:
    again = {"rework_count": before.rework_count + 1, "done_at": None, "check_result": ""}
    clock = CLOCK_STOPPED | {"clock_at": doing.now}
    if doing.rules.rework_goes_on and before.done_at:
        clock = {"pauses": doing.pause(before.done_at, doing.now)}
    return Extra(doing.due_of(again | clock), {"rework": before.rework_count + 1})


def _settle(doing: Doing, before: Case) -> Extra:
    return Extra(_classed(doing, before) | {"close_kind": "self_settled"})


def _reopen(doing: Doing, before: Case) -> Extra:
    if before.state is State.ARCHIVED:
        if before.reopen_count:
            raise IllegalMove("reopen", before.state, "已归档案件只能重新办理一次。")
        if before.closed_at and doing.now - before.closed_at > timedelta(days=doing.rules.reopen_days):
            raise IllegalMove("reopen", before.state, f"已超过 {doing.rules.reopen_days} 天，不能重新办理。")
    blank = {"result": "", "standard": "", "check_method": "", "check_result": "", "close_kind": "", "rating": 0,
             "dispatched_at": None, "taken_at": None, "done_at": None, "closed_at": None,
             "upstream_state": orders.again(before)}  # fmt: skip
    counts = {"round": before.round + 1, "reopen_count": before.reopen_count + 1, "filed_at": doing.now}
    return Extra(doing.due_of(blank | counts | CLOCK_STOPPED), {"round": before.round + 1}, excuse_open="reopened",
                 closes_tasks=("order_answer",))  # fmt: skip


def _review(_doing: Doing, before: Case) -> Extra:
    # A round of its own, so that a second refusal is owed again.
    changes = {"round": before.round + 1, "upstream_state": orders.again(before)}
    return Extra(changes, {"round": before.round + 1}, excuse_open="reviewed", closes_tasks=("order_answer",))


def _merge(doing: Doing, before: Case) -> Extra:
    main = doing.facts.main
    if main is None or main.case_no == before.case_no:
        raise BadInput("main_case", "没有这个受理编号，请核对。")
    if main.state in ENDED or main.state is State.CLOSED:
        raise BadInput("main_case", "并入的案件已经结束，不能并单。")
    changes = {"main_case_no": main.case_no, "state_before": before.state.value}
    return Extra(changes, {"main_case": main.case_no}, excuse_open="merged")


def _unmerge(doing: Doing, before: Case) -> Extra:
    if doing.facts.main is not None and doing.facts.main.state is State.MERGED:
        raise IllegalMove("unmerge", before.state, "并入的案件已再并入别的案件，请先撤销它的并单。")
    back = State(before.state_before)
    again = tuple(debt for debt in doing.facts.debts if debt.excuse == "merged")
    refs = {"main_case": before.main_case_no}
    changes = {"state": back, "main_case_no": None, "state_before": "", "upstream_state": orders.again(before)}
    return Extra(changes, refs, reopened_debts=again, closes_tasks=("order_answer",))


def _void(doing: Doing, before: Case) -> Extra:
    asked = doing.facts.pending("void")
    if asked is None:
        raise IllegalMove("void", before.state, "作废须先由另一人提出申请。")
    if asked.asked_by == doing.actor.user_id:
        raise NotAllowed("作废须由另一人确认。")
    return Extra(decided=(asked, "granted"), excuse_open="voided")


def _ask(doing: Doing, before: Case) -> Extra:
    kind = doing.step.name.removeprefix("ask_")
    if doing.facts.pending(kind):
        raise IllegalMove(doing.step.name, before.state, f"已有一件{REQUEST_WORDS[kind]}申请待审。")
    until = cast("datetime | None", doing.values.get("until"))
    floor = max(doing.now, before.due_at or doing.now) if kind == "extension" else doing.now
    if until is not None and until <= floor:
        raise BadInput("until", "期限须晚于现在和原定时限。")
    if kind == "extension" and before.due_at and doing.now > before.due_at:
        raise IllegalMove(doing.step.name, before.state, "已超期，延期须在到期前申请。")
    return Extra(new_request=(kind, until), refs={"request": kind})


def _decide(doing: Doing, before: Case) -> Extra:
    kind = doing.step.name.removeprefix("decide_")
    asked = doing.facts.pending(kind)
    if asked is None:
        raise IllegalMove(doing.step.name, before.state, f"没有待审的{REQUEST_WORDS[kind]}申请。")
    if kind == "return" and before.return_count >= MAX_RETURNS and doing.actor.role is not Role.SHIFT_LEADER:
        raise NotAllowed("已退单两次，由值班长裁定。")
    if doing.values["decision"] == "refuse":
        # While a return was being decided the unit's clock did not run.
        paused = {"pauses": doing.pause(asked.asked_at, doing.now)} if kind == "return" and before.clock_at else {}
        return Extra(doing.due_of(paused) if paused else {}, decided=(asked, "refused"))
    changes = GRANTS[kind](doing, before, asked)
    return Extra(changes, decided=(asked, "granted"), owes_progress=kind in ("extension", "suspension"))


def _grant_return(doing: Doing, before: Case, _asked: Request) -> dict[str, object]:
    back = {"state": State.FILED, "return_count": before.return_count + 1, "dispatched_at": None, "taken_at": None}
    return doing.due_of(back | CLOCK_STOPPED)


def _grant_extension(doing: Doing, before: Case, asked: Request) -> dict[str, object]:
    return doing.due_of({"extended_until_at": asked.until_at, "extension_count": before.extension_count + 1})


def _grant_suspension(doing: Doing, _before: Case, asked: Request) -> dict[str, object]:
    return {"state": State.SUSPENDED, "due_at": asked.until_at, "safe_due_at": None,
            "pauses": doing.pause(doing.now, None), "suspended_until_at": asked.until_at}  # fmt: skip


def _resume(doing: Doing, before: Case) -> Extra:
    ended = tuple(f"{text}{doing.now.isoformat()}" if text.endswith("/") else text for text in before.pauses)
    return Extra(doing.due_of({"suspended_until_at": None, "pauses": ended}))


def _reclassify(doing: Doing, before: Case) -> Extra:
    changes = _classed(doing, before) | {"condition": doing.values["condition"]}
    return Extra(doing.due_of(changes) if before.filed_at else changes, {"was": str(before.subclass or "")})


def _set_urgency(doing: Doing, before: Case) -> Extra:
    _guard_urgency(doing, before)
    return Extra(refs={"was": before.urgency.value})


def _urge(_doing: Doing, before: Case) -> Extra:
    return Extra({"urge_count": before.urge_count + 1}, {"urges": before.urge_count + 1})


def _acknowledge(doing: Doing, _before: Case) -> Extra:
    return Extra({"acknowledged_at": doing.now}, closes_tasks=("emergency",))


def _note(_doing: Doing, _before: Case) -> Extra:
    return Extra(closes_tasks=("message", "order_push"))


def _revisited(_doing: Doing, _before: Case) -> Extra:
    return Extra(closes_tasks=("revisit",))


def _rotate_code(_doing: Doing, before: Case) -> Extra:
    return Extra({"code_epoch": before.code_epoch + 1})


def _flag(*, supervised: bool) -> Callable[[Doing, Case], Extra]:
    return lambda _doing, _before: Extra({"supervised": supervised})


GRANTS: dict[str, Callable[[Doing, Case, Request], dict[str, object]]] = {
    "return": _grant_return, "extension": _grant_extension, "suspension": _grant_suspension,
}  # fmt: skip
EXTRAS: dict[str, Callable[[Doing, Case], Extra]] = {
    "accept": _accept, "file": _file, "dispatch": _dispatch, "withdraw": _withdraw, "close": _close,
    "check": lambda _doing, _before: Extra({"check_result": ""}),
    "rework": _rework, "settle": _settle, "reopen": _reopen, "review": _review, "merge": _merge, "unmerge": _unmerge,
    "void": _void, "resume": _resume, "reclassify": _reclassify, "set_urgency": _set_urgency, "urge": _urge,
    "acknowledge": _acknowledge, "note": _note, "revisited": _revisited, "rotate_code": _rotate_code,
    "supervise": _flag(supervised=True), "unsupervise": _flag(supervised=False),
    **{f"ask_{kind}": _ask for kind in REQUEST_WORDS}, **{f"decide_{kind}": _decide for kind in GRANTS},
}  # fmt: skip
