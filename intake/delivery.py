"""Units of work about outgoing messages: claim, sent, failed, delivered, never confirmed, unknown after a crash.

Each ends in one of two ways: the debt is settled, or the next route is opened, at the last an operator's task. A message
whose fate is unknown is never sent again by itself.
"""


from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from intake import ledger, outbox, replies
from intake.dialogue_record import RATINGS, Conversation, choices_of
from intake.errors import SendError
from intake.model import SYSTEM, DeliveryReport, Receipt, ReplyKind, Role
from intake.ports import Work
from intake.records import Contact, Debt, DeliveryRow, OutboxRow, Reply, Reporter, Task
from intake.rules import Rules


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message this gateway alone may send now. `subject` and `choices` as in Outbound."""

    row: OutboxRow
    text: str
    address: str
    subject: str = ""
    choices: tuple[str, ...] = ()


def claim(work: Work, *, owner: str, limit: int) -> list[Claimed]:
    """Take messages whose time has come."""
    claimed = []
    for row in work.due_messages(limit=limit):
        debt = work.get(Debt, row.debt_id) if row.debt_id else None
        if debt is not None and not ledger.is_open(debt):
            work.change(row, replace(row, state=outbox.FAILED, outcome="withdrawn"))
            continue
        taken = work.change(row, replace(row, state=outbox.CLAIMED, claimed_by=owner, claimed_at=work.now,
                                         attempts=row.attempts + 1))  # fmt: skip
        claimed.append(with_words(work, taken))
    return claimed


def with_words(work: Work, row: OutboxRow) -> Claimed:
    """A message's row with its text and where it goes."""
    reply, contact = work.get(Reply, row.reply_id), work.get(Contact, row.contact_id)
    address = (contact.phone if row.channel in ledger.BY_NUMBER else contact.address) if contact else ""
    text = row.words or (reply.text if reply else "")
    if row.channel == "sms":
        return Claimed(row, text, address)
    debt = work.get(Debt, row.debt_id) if row.debt_id else None
    if debt is not None:
        return Claimed(row, text, address, ledger.REPLY_WORDS[debt.kind], RATINGS if debt.kind is ReplyKind.CLOSING else ())
    talks = work.find(Conversation, contact_id=row.contact_id, channel=row.channel, limit=1)
    return Claimed(row, text, address, choices=choices_of(talks[0]) if talks else ())


def record_sent(work: Work, row: OutboxRow, receipt: Receipt, rules: Rules | None = None) -> None:
    """The provider took it; some confirm delivery at once, and the word of some overtakes our own note. Without `rules`
    an early word that it failed is left to the 72 hours."""
    sent = replace(row, state=outbox.SENT, provider_id=receipt.provider_id, sent_at=work.now, outcome="")
    work.change(row, sent)
    if receipt.provider_id and not receipt.delivered:
        _one_by_one(work, row.channel, receipt.provider_id)
    early = work.find(DeliveryRow, outbox_id=0, channel=row.channel, provider_id=receipt.provider_id)
    if receipt.delivered or any(report.outcome == "delivered" for report in early):
        _delivered(work, sent)
    elif rules and (refused := next((report for report in early if report.outcome == "failed"), None)):
        _not_delivered(work, sent, refused.code, rules)


def record_failure(work: Work, row: OutboxRow, error: SendError, rules: Rules) -> None:
    """Try again later, take the next route, or put an unknown fate before an operator."""
    verdict = outbox.after_failure(error.outcome, attempts=row.attempts, now=work.now, retry_after_s=error.retry_after_s)
    if verdict.next_at is not None:
        work.change(row, replace(row, state=outbox.WAITING, next_at=verdict.next_at, outcome=error.outcome,
                                 claimed_by="", claimed_at=None))  # fmt: skip
        return
    if verdict.unsure:
        record_unknown(work, row)
        return
    if outbox.FAILURES[error.outcome].opts_out and (contact := work.get(Contact, row.contact_id)):
        work.change(contact, replace(contact, opted_out_at=work.now))
    given_up = work.change(row, replace(row, state=outbox.FAILED, outcome=error.outcome))
    next_route(work, given_up, rules)


def record_unknown(work: Work, row: OutboxRow) -> None:
    """Nobody knows whether it went out: never sent again by itself; where a reply is owed, an operator's task at once."""
    work.change(row, replace(row, state=outbox.UNKNOWN, outcome="unknown"))
    if not row.debt_id:
        return
    work.add(Task(work.new_id(), "unknown_fate", row.case_no, work.now, Role.OPERATOR, debt_id=row.debt_id,
                  outbox_id=row.outbox_id))  # fmt: skip


def record_delivery(work: Work, report: DeliveryReport, rules: Rules) -> bool:
    """A provider's delivery report; kept even when late, repeated or contradictory. False when no message is known."""
    if not report.provider_id:
        return False
    _one_by_one(work, report.channel, report.provider_id)
    found = work.find(OutboxRow, channel=report.channel, provider_id=report.provider_id, limit=1)
    # A report may overtake our own note that the message was sent; it is kept and applied then (record_sent).
    number = found[0].outbox_id if found else 0
    work.add(DeliveryRow(work.new_id(), number, report.at, report.outcome, report.code, report.channel, report.provider_id))
    if not found:
        return False
    row = found[0]
    if report.outcome == "delivered" and row.state in (outbox.SENT, outbox.UNKNOWN, outbox.FAILED):
        _delivered(work, row)
    elif report.outcome == "failed" and row.state == outbox.SENT:
        _not_delivered(work, row, report.code, rules)
    return True


def give_up_waiting(work: Work, rules: Rules) -> int:
    """Messages without a receipt for 72 hours take the next route."""
    late = work.messages_in(outbox.SENT, before=work.now - ledger.RECEIPT_WAIT, column="sent_at")
    for row in late:
        next_route(work, work.change(row, replace(row, state=outbox.FAILED, outcome="no_receipt")), rules)
    return len(late)


def orphans(work: Work, *, dead_before: datetime, owner_prefix: str, owner: str) -> list[OutboxRow]:
    """Claims that nobody will settle: of an earlier run of this very gateway, or older than any send can take (a gateway
    that died, or one whose word about the outcome was lost)."""
    claimed = work.messages_in(outbox.CLAIMED, before=work.now + outbox.CLAIM_LENGTH, column="claimed_at")
    return [
        row for row in claimed
        if (row.claimed_by != owner and row.claimed_by.startswith(owner_prefix))
        or (row.claimed_at is not None and row.claimed_at < dead_before)
    ]  # fmt: skip


def next_route(work: Work, row: OutboxRow, rules: Rules) -> None:
    """Open the next rung of the reporter's ladder for a debt that is still open."""
    debt = work.get(Debt, row.debt_id, lock=True)
    reply = work.get(Reply, row.reply_id)
    reporter = work.get(Reporter, debt.reporter_id) if debt else None
    if debt is None or reply is None or reporter is None or not ledger.is_open(debt):
        return
    tried = [r.channel for r in work.find(OutboxRow, case_no=row.case_no) if r.debt_id == row.debt_id]
    replies.send(work, rules, debt, reply, reporter, text=reply.text, actor=SYSTEM, tried=tried)


def _not_delivered(work: Work, row: OutboxRow, code: str, rules: Rules) -> None:
    next_route(work, work.change(row, replace(row, state=outbox.FAILED, outcome=code or "failed")), rules)


def _one_by_one(work: Work, channel: str, provider_id: str) -> None:
    """Our note that a message was sent and its report may be written at the same moment, and then neither would see the
    other; this takes a row of the message's own, so that they go one after the other."""
    work.count_try(f"sent:{channel}:{provider_id}", window=timedelta(days=1))


def _delivered(work: Work, row: OutboxRow) -> None:
    work.change(row, replace(row, state=outbox.DELIVERED))
    debt = work.get(Debt, row.debt_id, lock=True)
    if debt is not None and ledger.is_open(debt):
        replies.end_debt(work, debt, "delivered", actor=SYSTEM)
        replies.archive_if_settled(work, row.case_no)


