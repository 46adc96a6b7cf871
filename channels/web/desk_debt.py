"""A reply debt (待回复) as staff see it: what is owed, where its reply stands, what was sent and what came back.

Pure. Used by the case page, the ledger and the JSON API alike. Which debts exist is decided by intake.ledger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.web.desk_row import CHANNEL_WORDS, words_for
from intake import outbox
from intake.ledger import CALL, END_WORDS, EXCUSE_WORDS, PAGE, REPLY_WORDS, is_overdue
from intake.model import Actor
from intake.records import Debt, OutboxRow, Reply, Task

ROUTE_WORDS = {PAGE: "查询页公布", CALL: "电话告知", "wechat_template": "微信通知"} | CHANNEL_WORDS
STATE_OF_TASK = {"send_failed": "failed", "unknown_fate": "unknown", "call_reply": "to_call", "held_reply": "held"}
STATE_WORDS = {
    "open": "待回复", "held": "待发送", "to_call": "待电话告知", "sending": "发送中", "sent": "已发出，等回执",
    "failed": "发送失败", "unknown": "送达不明",
} | END_WORDS  # fmt: skip
OUTBOX_WORDS = {
    outbox.WAITING: "等待发送", outbox.CLAIMED: "发送中", outbox.SENT: "已发出", outbox.DELIVERED: "已送达",
    outbox.FAILED: "未送达", outbox.UNKNOWN: "送达不明",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sending:
    """One attempt to bring a reply to its reader by one route, with what the provider said."""

    route: str
    route_words: str
    state: str
    state_words: str
    attempts: int
    outcome: str
    outcome_words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DebtView:
    """One debt with its reply. `state` is a word of STATE_WORDS; `text` is what was sent, `draft` what was proposed."""

    debt_id: int
    case_no: str
    kind: str
    label: str
    round: int
    owed_at: datetime
    due_at: datetime
    overdue: bool
    is_open: bool
    state: str
    state_words: str
    excuse: str
    ended_at: datetime | None
    template: str
    draft: str
    text: str
    edited: bool
    route: str
    route_words: str
    sent_at: datetime | None
    sendings: tuple[Sending, ...]


@dataclass(frozen=True, slots=True)
class Owed:
    """A debt with everything stored about it."""

    debt: Debt
    reply: Reply | None
    tasks: Sequence[Task] = ()
    outbox: Sequence[OutboxRow] = ()


def debt_view(owed: Owed, actor: Actor, *, now: datetime) -> DebtView:
    debt, reply = owed.debt, owed.reply
    state = debt_state(owed)
    route = reply.route if reply else ""
    sent_at = reply.sent_at if reply else None
    return DebtView(
        debt_id=debt.debt_id,
        case_no=str(debt.case_no),
        kind=debt.kind.value,
        label=REPLY_WORDS[debt.kind],
        round=debt.round,
        owed_at=debt.owed_at,
        due_at=debt.due_at,
        overdue=is_overdue(debt, sent_at=sent_at, now=now),
        is_open=not debt.end,
        state=state,
        state_words=STATE_WORDS[state],
        excuse=EXCUSE_WORDS.get(debt.excuse, debt.excuse),
        ended_at=debt.ended_at,
        template=f"{reply.template} v{reply.template_version}" if reply else debt.template,
        draft=words_for(reply.draft, actor) if reply else "",
        text=words_for(reply.text, actor) if reply else "",
        edited=bool(reply and reply.edited_by),
        route=route,
        route_words=ROUTE_WORDS.get(route, route),
        sent_at=sent_at,
        sendings=tuple(_sending(row) for row in owed.outbox),
    )


def debt_state(owed: Owed) -> str:
    """Where a debt stands: how it ended, else the task that hangs on it, else what became of its message."""
    if owed.debt.end:
        return owed.debt.end
    kinds = {task.kind for task in owed.tasks if task.debt_id == owed.debt.debt_id and task.state == "open"}
    hanging = next((state for kind, state in STATE_OF_TASK.items() if kind in kinds), "")
    if hanging:
        return hanging
    if any(row.state in (outbox.WAITING, outbox.CLAIMED) for row in owed.outbox):
        return "sending"
    return "sent" if owed.reply and owed.reply.sent_at else "open"


def _sending(row: OutboxRow) -> Sending:
    return Sending(
        route=row.channel,
        route_words=ROUTE_WORDS.get(row.channel, row.channel),
        state=row.state,
        state_words=OUTBOX_WORDS.get(row.state, row.state),
        attempts=row.attempts,
        outcome=row.outcome,
        outcome_words=outcome_words(row.outcome),
        at=row.sent_at or row.created_at,
    )


def outcome_words(outcome: str) -> str:
    """Our own names in words; a provider's code stays as it is."""
    known = {"no_receipt": "72 小时没有回执", "failed": "对方未收到", "user block": "对方拒收", "system failed": "微信未能送达"}
    return outbox.FAILURES[outcome].words if outcome in outbox.FAILURES else known.get(outcome, outcome)


def by_debt(rows: Iterable[OutboxRow]) -> dict[int, tuple[OutboxRow, ...]]:
    """Outbox rows of a case sorted to their debts."""
    sorted_rows: dict[int, tuple[OutboxRow, ...]] = {}
    for row in rows:
        sorted_rows[row.debt_id] = (*sorted_rows.get(row.debt_id, ()), row)
    return sorted_rows
