"""Paying reply debts: opening them, drafting, choosing the route, ending them, and archiving when all are settled.

Everything here runs inside the unit of work of the step that caused it, so a reply can never be owed and forgotten.
Sending itself is outbox.py's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from intake import ledger
from intake.errors import BadInput
from intake.history import append_entry
from intake.model import SYSTEM, Actor, Case, Place, Role, State
from intake.ports import Work
from intake.records import Contact, Debt, FeedEvent, OutboxRow, Reply, Reporter, Task
from intake.rules import Rules
from intake.text import sms_parts
from intake.wording import Template

OUTBOX_WAITING = "waiting"
MAX_PARTS = 3
REPLY_TASKS = ("call_reply", "held_reply", "unknown_fate", "send_failed")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person who took the step wants said: his own words, or the draft, now or held back."""

    text: str = ""
    hold: bool = False
    slots: Mapping[str, str] | None = None


def open_debts(work: Work, rules: Rules, case: Case, owed: Iterable[ledger.Owed], *, actor: Actor, wish: Wish) -> None:
    """Open debts with a draft each, and send them unless they are held back."""
    reporters = {r.reporter_id: r for r in work.find(Reporter, case_no=case.case_no)}
    for one in owed:
        debt = Debt(work.new_id(), case.case_no, one.reporter_id, one.kind, one.round, work.now,
                    work.now + rules.reply_due, one.template)  # fmt: skip
        template, draft = draft_for(work, rules, case, one.template, wish.slots or {})
        reply = Reply(work.new_id(), debt.debt_id, case.case_no, template.id, template.version, draft)
        work.add(debt, reply)
        if wish.hold:
            work.add(Task(work.new_id(), "held_reply", case.case_no, work.now, Role.OPERATOR, debt_id=debt.debt_id))
        else:
            send(work, rules, debt, reply, reporters[one.reporter_id], text=wish.text or draft, actor=actor)


def draft_for(work: Work, rules: Rules, case: Case, template_id: str, slots: Mapping[str, str]) -> tuple[Template, str]:
    """The draft of a reply from the city's wording and the facts of the case."""
    template = rules.wording.template(template_id, on=work.now.astimezone(rules.zone).date())
    return template, rules.wording.fill(template, case_slots(case, rules) | dict(slots))


def case_slots(case: Case, rules: Rules) -> dict[str, str]:
    """The facts of a case a reply may name."""
    date = case.due_at.astimezone(rules.zone) if case.due_at else None
    return {
        "place": place_words(case.place),
        "subclass": rules.taxonomy.name(case.subclass),
        "no": str(case.main_case_no or case.case_no),
        "result": case.result,
        "date": f"{date.month}月{date.day}日" if date else "近期",
    }


def place_words(place: Place) -> str:
    """What a citizen is told of the place: his own words, or else the community found by the point."""
    return place.text or place.community or place.street


def send(work: Work, rules: Rules, debt: Debt, reply: Reply, reporter: Reporter, *, text: str, actor: Actor,
         tried: Sequence[str] = ()) -> None:  # fmt: skip
    """Give a reply its final words and its route: the status page, a channel, or a person's telephone call."""
    contact = work.get(Contact, reporter.contact_id) if reporter.contact_id else None
    reachable = contact is not None and contact.opted_out_at is None
    route = ledger.route_for(
        reporter,
        has_phone=bool(contact and contact.phone),
        has_address=reachable and bool(contact and contact.address),
        offered=_offered(work, rules, debt, reporter, contact.phone) if reachable and contact else (),
        tried=tried,
    )
    refuse_unfit(text)
    close_reply_tasks(work, debt, actor, outcome=route)
    edited = actor.user_id if text != reply.draft else 0
    worded = work.change(reply, replace(reply, text=text, edited_by=edited, route=route, sent_at=work.now))
    if route == ledger.PAGE:
        end_debt(work, debt, "published", actor=actor)
    elif route == ledger.SOURCE:
        end_debt(work, debt, "upstream", actor=actor)
    elif route == ledger.CALL:
        work.change(worded, replace(worded, sent_at=None))
        work.add(Task(work.new_id(), "call_reply", debt.case_no, work.now, Role.OPERATOR, debt_id=debt.debt_id))
    else:
        work.add(OutboxRow(work.new_id(), reply.reply_id, debt.debt_id, debt.case_no, reporter.contact_id, route,
                           OUTBOX_WAITING, work.now, work.now))  # fmt: skip


def _offered(work: Work, rules: Rules, debt: Debt, reporter: Reporter, number: str) -> frozenset[str]:
    case = work.get(Case, debt.case_no)
    confidential = reporter.confidential or case is None or case.confidential
    return ledger.offered_to(rules.offered, number=number, confidential=confidential)


def refuse_unfit(text: str) -> None:
    """A reply is at most three short messages (hotline rules, section 2) and has no gap left from a preview."""
    if len(sms_parts(text)) > MAX_PARTS:
        raise BadInput("reply_text", f"回复超过 {MAX_PARTS} 条短信的长度，请缩短。")
    if "〔" in text:
        raise BadInput("reply_text", "回复里还有没填的〔〕，请补全。")


def end_debt(work: Work, debt: Debt, end: str, *, actor: Actor, excuse: str = "") -> None:
    """End a debt (delivered, published, upstream, excused) and whatever task hung on it."""
    ended = replace(debt, end=end, ended_at=work.now, ended_by=actor.user_id, excuse=excuse)
    work.change(debt, ended)
    close_reply_tasks(work, debt, actor, outcome=end)
    for row in work.find(OutboxRow, case_no=debt.case_no, state=OUTBOX_WAITING):
        if row.debt_id == debt.debt_id:
            work.change(row, replace(row, state="failed", outcome="withdrawn"))


def close_reply_tasks(work: Work, debt: Debt, actor: Actor, *, outcome: str) -> None:
    """What hung on a debt is done with, because it ended or took another way."""
    for task in work.find(Task, case_no=debt.case_no, state="open"):
        if task.debt_id == debt.debt_id and task.kind in REPLY_TASKS:
            close_task(work, task, actor, outcome=outcome)


def close_task(work: Work, task: Task, actor: Actor, *, outcome: str) -> None:
    work.change(task, replace(task, state="done", closed_at=work.now, closed_by=actor.user_id, outcome=outcome))


def archive_if_settled(work: Work, case_no: int) -> Case | None:
    """The system move `archive`: a closed case whose replies are all settled. Returns the case when it was archived."""
    case = work.get(Case, case_no, lock=True)
    if case is None or case.state is not State.CLOSED:
        return None
    if not ledger.may_archive(case, work.find(Debt, case_no=case_no)):
        return None
    after = replace(case, state=State.ARCHIVED, version=case.version + 1, updated_at=work.now, ended_at=work.now)
    after, line = append_entry(case.state, after, step="archive", actor=SYSTEM, at=work.now, refs={})
    work.add(line)
    work.change(case, after)
    work.tell(event_of(after, "archive", work))
    return after


def event_of(case: Case, step: str, work: Work) -> FeedEvent:
    """The feed's line for a change of a case."""
    return FeedEvent(case.case_no, work.now, step, case.state.value, case.version, case.unit, case.urgency.value, case.co_unit)


def reopen_debts(work: Work, debts: Iterable[Debt]) -> None:
    """Debts that a merge had excused are owed again after it is undone."""
    for debt in debts:
        again = work.change(debt, replace(debt, end="", ended_at=None, ended_by=0, excuse=""))
        work.add(Task(work.new_id(), "held_reply", debt.case_no, work.now, Role.OPERATOR, debt_id=again.debt_id))


