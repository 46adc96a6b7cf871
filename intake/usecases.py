"""Every change to a case, as synchronous functions of a unit of work: load, check, step, store, tell.

Pages, the JSON API, commands and channels all come through here: same tables, same rules, no back door. Taking a
message in is receive.py's, paying replies replies.py's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from intake import ledger, order_work, outbox, replies
from intake.alarms import HARMLESS, keep_timers
from intake.codes import parse_case_no
from intake.effects import Doing, Facts
from intake.errors import BadInput, NotAllowed, NotFound, StaleVersion
from intake.fields import Reading, read_fields
from intake.history import append_entry
from intake.merging import join, part
from intake.model import CITIZEN, Actor, Case, ReplyKind, Role, State, Urgency
from intake.nuisance import mark_reporters
from intake.permission import demand
from intake.ports import Work
from intake.records import Contact, Debt, HistoryEntry, OutboxRow, Remark, Reply, Reporter, Request, Task, User, View
from intake.rules import Rules
from intake.steps import Change, take_step
from intake.workflow import REQUEST_SOURCES, Step, acts_for, check_step

WEIGHING = frozenset({"accept", "file", "reclassify", "set_urgency"})
"""Steps at which somebody weighs how urgent a case is."""
REMARK_KINDS_TOLD = {"reject": "reason", "redirect": "body"}


@dataclass(frozen=True, slots=True)
class Command:
    """A step somebody wants to take. `version` is what he saw; None where no page was shown (citizens, system)."""

    case_no: int
    step: str
    actor: Actor
    version: int | None = None
    fields: Mapping[str, object] = field(default_factory=dict)


def perform(work: Work, command: Command, rules: Rules) -> Case:
    """Take a step; returns the case after it. Raises Refused (and changes nothing) when it may not be."""
    _lock_in_order(work, command)
    case = load_case(work, command.case_no, command.actor, lock=True)
    step = check_step(case, command.step, command.actor)
    refuse_stale(work, case, command.version)
    debts = tuple(work.find(Debt, case_no=case.case_no))
    open_ones = tuple(debt for debt in debts if ledger.is_open(debt))
    reading = Reading(case, rules, staff=tuple(work.find(User)), debts=open_ones)
    values = read_fields(step, command.fields, reading)
    facts = Facts(
        requests=tuple(work.find(Request, case_no=case.case_no)),
        debts=debts,
        reporters=tuple(work.find(Reporter, case_no=case.case_no)),
        main=_main_case(work, case, step, values),
    )
    change = take_step(Doing(step, case, values, command.actor, work.now, facts, rules))
    return _store(work, rules, step, case, change, facts, values, command.actor)


def _lock_in_order(work: Work, command: Command) -> None:
    """Two merges of the same two cases in opposite directions must not wait for each other: lower number first."""
    other = parse_case_no(str(command.fields.get("main_case", ""))) if command.step == "merge" else None
    if other is not None and other < command.case_no:
        work.get(Case, other, lock=True)


def load_case(work: Work, case_no: int, actor: Actor, *, lock: bool = False) -> Case:
    """A case this person may see; what he may not see is told as not found."""
    case = work.get(Case, case_no, lock=lock)
    if case is None or not may_see(case, actor):
        raise NotFound("没有找到这件案件。")
    return case


def may_see(case: Case, actor: Actor) -> bool:
    """Units see the cases dispatched to them; everybody else at work here sees all (hotline rules, Privacy)."""
    if actor.role is not Role.UNIT:
        return True
    return acts_for(actor, case) and case.dispatched_at is not None


def refuse_stale(work: Work, case: Case, version: int | None) -> None:
    """Raise StaleVersion when somebody changed the case since `version` was shown; harmless lines do not count."""
    if version is None or version == case.version:
        return
    later = [line for line in work.find(HistoryEntry, case_no=case.case_no) if line.seq > version]
    if later and all(line.step in HARMLESS for line in later):
        return
    changes = tuple(
        {"step": line.step, "at": line.at.isoformat(), "actor_id": line.actor_id, "from": line.from_state,
         "to": line.to_state}
        for line in later
    )  # fmt: skip
    raise StaleVersion(current_version=case.version, changes=changes)


def _main_case(work: Work, case: Case, step: Step, values: Mapping[str, object]) -> Case | None:
    number = {"merge": values.get("main_case"), "unmerge": case.main_case_no}.get(step.name)
    return work.get(Case, cast("int", number), lock=True) if number else None


def _store(work: Work, rules: Rules, step: Step, before: Case, change: Change, facts: Facts,
           values: Mapping[str, object], actor: Actor) -> Case:  # fmt: skip
    remarks = tuple(
        Remark(work.new_id(), before.case_no, work.now, kind, text, actor.user_id, actor.role, actor.unit)
        for kind, text in change.remarks
    )
    refs = dict(change.refs)
    if remarks:
        refs["remarks"] = [remark.remark_id for remark in remarks]
    after, line = append_entry(before.state, change.case, step=step.name, actor=actor, at=work.now, refs=refs)
    work.add(line, *remarks)
    work.change(before, after)
    keep_timers(work, before, after)
    work.tell(replies.event_of(after, step.name, work))
    _store_requests(work, change, after, remarks, actor)
    _lapse_requests(work, before, after, facts, change)
    for debt, excuse in change.excused:
        replies.end_debt(work, debt, "excused", actor=actor, excuse=excuse)
    replies.reopen_debts(work, change.reopened_debts)
    for task in work.find(Task, case_no=before.case_no, state="open"):
        if task.kind in change.closes_tasks:
            replies.close_task(work, task, actor, outcome=step.name)
    _owe(work, rules, step, after, change, facts, values, actor)
    _tell_leader(work, step, after, actor)
    AFTERWARDS.get(step.name, _nothing_more)(work, rules, after, facts, values, actor)
    order_work.after_step(work, step.name, before, after, values)
    return replies.archive_if_settled(work, after.case_no) or after


def _tell_leader(work: Work, step: Step, case: Case, actor: Actor) -> None:
    """An emergency by its class, its condition or an operator's word reaches the shift leader until he acknowledges it. Danger
    in the report's own words rang when it came (receive.py), once for many reports of one event."""
    known = case.danger_words or actor.role is Role.SHIFT_LEADER or case.urgency is not Urgency.EMERGENCY
    if step.name in WEIGHING and not known and not work.find(Task, case_no=case.case_no, kind="emergency", limit=1):
        work.add(Task(work.new_id(), "emergency", case.case_no, work.now, Role.SHIFT_LEADER))


def _store_requests(work: Work, change: Change, case: Case, remarks: tuple[Remark, ...], actor: Actor) -> None:
    reason_id = next((remark.remark_id for remark in remarks if remark.kind == "reason"), 0)
    if change.new_request:
        kind, until_at = change.new_request
        work.add(Request(work.new_id(), case.case_no, kind, "pending", actor.user_id, work.now, actor.unit, reason_id,
                         until_at))  # fmt: skip
    if change.decided:
        asked, decision = change.decided
        work.change(asked, replace(asked, state=decision, decided_by=actor.user_id, decided_at=work.now,
                                   decision_id=reason_id))  # fmt: skip


def _lapse_requests(work: Work, before: Case, after: Case, facts: Facts, change: Change) -> None:
    """A request whose ground is gone (another state, another unit) is closed undecided, so that nobody grants it later."""
    for asked in facts.requests:
        decided = change.decided is not None and change.decided[0].request_id == asked.request_id
        moved = asked.kind != "void" and before.unit != after.unit
        if asked.state == "pending" and not decided and (moved or after.state not in REQUEST_SOURCES[asked.kind]):
            work.change(asked, replace(asked, state="lapsed", decided_at=work.now))


def _owe(work: Work, rules: Rules, step: Step, case: Case, change: Change, facts: Facts,
         values: Mapping[str, object], actor: Actor) -> None:  # fmt: skip
    wish = replies.Wish(
        text=str(values.get("reply_text", "")), hold=bool(values.get("hold_reply")), slots=told_slots(step, values)
    )
    if step.name == "merge":
        return
    reporters = tuple(r for r in facts.reporters if r.left_at is None)
    owed = ledger.owed_by(step, case, reporters=reporters, debts=facts.debts)
    if change.owes_progress:
        number = sum(1 for debt in facts.debts if debt.kind is ReplyKind.PROGRESS)
        template = "progress_suspended" if case.state is State.SUSPENDED else "progress"
        # Progress may be told several times in a round; the debt's round counts them, so that each stays one debt.
        owed += tuple(ledger.Owed(r.reporter_id, ReplyKind.PROGRESS, number + 1, template) for r in reporters)
    replies.open_debts(work, rules, case, owed, actor=actor, wish=wish)


def told_slots(step: Step, values: Mapping[str, object]) -> dict[str, str]:
    """What a reply says from the step's own fields: the reason in the citizen's words, who takes over, which way."""
    slots = {name: str(values[name]) for name in ("body", "other", "way", "result") if name in values}
    for given in step.fields:
        if given.type == "choice" and given.name in ("reason", "told_reason"):
            # Only words from a table are told; what colleagues write to each other stays among them.
            slots["reason"] = dict(given.choices).get(str(values.get(given.name)), given.choices[0][1])
    return slots


def _nothing_more(work: Work, rules: Rules, case: Case, facts: Facts, values: Mapping[str, object], actor: Actor) -> None:
    return None


def _send_reply(work: Work, rules: Rules, case: Case, facts: Facts, values: Mapping[str, object], actor: Actor) -> None:
    debt, reply = _debt_and_reply(work, values)
    under_way = [row for row in work.find(OutboxRow, case_no=case.case_no) if row.debt_id == debt.debt_id
                 and row.state in (outbox.WAITING, outbox.CLAIMED, outbox.SENT)]  # fmt: skip
    if under_way:
        raise BadInput("debt", "这条回复已经发出，正在等待送达结果。")
    reporter = work.get(Reporter, debt.reporter_id)
    if reporter is None:
        raise NotFound
    replies.send(work, rules, debt, reply, reporter, text=str(values["text"]), actor=actor)


def _told_by_phone(work: Work, rules: Rules, case: Case, facts: Facts, values: Mapping[str, object], actor: Actor) -> None:
    debt, reply = _debt_and_reply(work, values)
    if values["call_result"] != "reached":
        return
    work.change(reply, replace(reply, text=reply.text or reply.draft, route=ledger.CALL, sent_at=work.now))
    replies.end_debt(work, debt, "delivered", actor=actor)


def _excuse_reply(work: Work, rules: Rules, case: Case, facts: Facts, values: Mapping[str, object], actor: Actor) -> None:
    debt, _ = _debt_and_reply(work, values)
    _refuse_excuse(work, case, debt, str(values["excuse"]))
    replies.end_debt(work, debt, "excused", actor=actor, excuse=str(values["excuse"]))


def _refuse_excuse(work: Work, case: Case, debt: Debt, excuse: str) -> None:
    """An excuse must be true: no way to reach him, or a person did try by telephone."""
    reporter = work.get(Reporter, debt.reporter_id)
    contact = work.get(Contact, reporter.contact_id) if reporter and reporter.contact_id else None
    if excuse == "no_contact" and contact is not None and (contact.phone or contact.address):
        raise BadInput("excuse", "反映人留有联系方式，不能以此为由。")
    calls = work.find(HistoryEntry, case_no=case.case_no, step="told_by_phone")
    if excuse == "every_route_failed" and not any(line.refs.get("debt") == debt.debt_id for line in calls):
        raise BadInput("excuse", "请先电话联系并记录结果，再以此为由。")


def _debt_and_reply(work: Work, values: Mapping[str, object]) -> tuple[Debt, Reply]:
    debt = work.get(Debt, cast("int", values["debt"]), lock=True)
    found = work.find(Reply, debt_id=values["debt"], limit=1)
    if debt is None or not found:
        raise NotFound
    return debt, found[0]


AFTERWARDS = {
    "merge": join, "unmerge": part, "send_reply": _send_reply, "told_by_phone": _told_by_phone,
    "excuse_reply": _excuse_reply, "mark_nuisance": mark_reporters,
}  # fmt: skip


def rate(work: Work, case_no: int, *, satisfied: bool) -> Case:
    """The citizen's word after closing, once a round: 1 满意, 2 不满意; 2 opens a revisit task (待回访)."""
    case = work.get(Case, case_no, lock=True)
    if case is None:
        raise NotFound
    if case.state not in (State.CLOSED, State.ARCHIVED):
        raise BadInput("rating", "结案后才能评价。")
    if case.rating:
        raise BadInput("rating", "您已经评价过，谢谢。")
    rating = 1 if satisfied else 2
    after = replace(case, rating=rating, version=case.version + 1, updated_at=work.now)
    after, line = append_entry(case.state, after, step="rate", actor=CITIZEN, at=work.now, refs={"rating": rating})
    work.add(line)
    work.change(case, after)
    work.tell(replies.event_of(after, "rate", work))
    if not satisfied:
        work.add(Task(work.new_id(), "revisit", case_no, work.now, Role.OPERATOR))
    return after


def reveal_contact(work: Work, case_no: int, actor: Actor, *, reason: str) -> list[Contact]:
    """Show who reported: an act with who, when and why. Confidential cases open to the shift leader only."""
    demand(actor, "reveal_contact")
    case = load_case(work, case_no, actor)
    reporters = [r for r in work.find(Reporter, case_no=case_no) if r.left_at is None]
    confidential = case.confidential or any(r.confidential for r in reporters)
    if confidential and actor.role is not Role.SHIFT_LEADER:
        raise NotAllowed("保密件须由值班长查看。")
    if len(reason.strip()) < 2:
        raise BadInput("reason", "请写明查看理由。")
    remark = Remark(work.new_id(), case_no, work.now, "reveal", reason.strip()[:200], actor.user_id, actor.role, actor.unit)
    work.add(remark, View(work.new_id(), case_no, actor.user_id, work.now, "contact", remark.remark_id))
    found = (work.get(Contact, reporter.contact_id) for reporter in reporters if reporter.contact_id)
    return [contact for contact in found if contact is not None]
