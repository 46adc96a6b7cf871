"""Orders from above (上级工单: 12345, 110, the mayor's box): what is kept of one beside its case, and what goes back.

An order is a case like any other, with the source's own number and limits beside ours; its acts (签收, 先行联系, 延期,
退回上级, 回单) are steps of workflow.py. Pure. Storing stands in order_work.py, sending back in order_push.py.
Source: docs/process.md, orders from above.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from intake.model import Case

NEW, SIGNED, RETURNED, ANSWERED = "new", "signed", "returned", "answered"
STATE_WORDS = {NEW: "待签收", SIGNED: "已签收", RETURNED: "已退回上级", ANSWERED: "已回单"}
OPEN = frozenset({NEW, SIGNED})
FITS: dict[str, frozenset[str]] = {
    "sign_order": frozenset({NEW}),
    "contact_order": OPEN,
    "extend_order": OPEN,
    "order_extended": OPEN,
    "return_order": OPEN,
    "answer_order": OPEN,
    "order_rated": frozenset({RETURNED, ANSWERED}),
}
"""In which states of the order each of its steps may be taken; the states of the case stand in workflow.py."""
ORDER_STEPS = tuple(FITS)
NEWS_STEPS = frozenset({"sign_order", "contact_order", "extend_order", "return_order", "answer_order", "file", "reopen"})
"""Steps the source is told of."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order beside its case. `number` is the source's own, unique for each source. Moments are aware UTC; `contact_result`
    is a call result (reached, unreached, declined), `satisfaction` the source's word, never ours."""

    order_id: int
    source: str
    number: str
    case_no: int
    received_at: datetime
    sign_due_at: datetime | None = None
    contact_due_at: datetime | None = None
    finish_due_at: datetime | None = None
    signed_at: datetime | None = None
    contacted_at: datetime | None = None
    contact_result: str = ""
    extension_at: datetime | None = None
    returned_at: datetime | None = None
    answered_at: datetime | None = None
    satisfaction: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """Something a source is to be told: picked up by it, or pushed to it. `body` holds words of ours and codes, nobody's name
    or number. `state`: held (no address: it waits to be picked up), waiting, sending, sent, failed."""

    news_id: int
    order_id: int
    source: str
    kind: str
    at: datetime
    body: Mapping[str, object] = field(default_factory=dict)
    state: str = "held"
    attempts: int = 0
    next_at: datetime | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class SheetHeld:
    """An uploaded list between its preview and the word to take it in: one for each person, sealed, replaced by his next."""

    user_id: int
    source: str
    at: datetime
    lines: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends orders. `code` is the national 问题来源; `replies` says who answers the citizen: `us` or `source`. The hours
    stand in where an order brings no limit of its own; 0: none."""

    key: str
    name: str
    code: str = "12"
    replies: str = "us"
    sign_h: float = 0
    contact_h: float = 0
    finish_h: float = 0

    def __post_init__(self) -> None:
        if self.replies not in ("us", "source"):
            raise ValueError(f"{self.key}: replies is us or source")


def is_fit(step: str, case: Case) -> bool:
    """Whether an order's step may be taken on this case; false for a case that is no order."""
    return case.upstream_state in FITS[step]


def again(case: Case) -> str:
    """The state of the order when its case begins another round: what was answered is to be answered anew."""
    return SIGNED if case.upstream_state == ANSWERED else case.upstream_state
