"""What travels through the system: cases, predictions, people who act, as frozen values; messages stand in message.py
and are offered here too.

The other stored records stand in records.py. Stored enum values are whole lower-case words. Nothing here decides
anything: moves stand in workflow.py, debts in ledger.py.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from intake.message import DeliveryReport as DeliveryReport
from intake.message import Inbound as Inbound
from intake.message import Outbound as Outbound
from intake.message import Part as Part
from intake.message import Photo as Photo
from intake.message import Place as Place
from intake.message import Receipt as Receipt
from intake.message import Sound as Sound


class Kind(StrEnum):
    """问题类型: an act or state harming order (事件), or a fault of a registered facility (部件)."""

    EVENT = "event"
    COMPONENT = "component"


@dataclass(frozen=True, slots=True, order=True)
class Subclass:
    """小类, always as a pair, because 70 codes occur in both kinds. Written `event:0101`."""

    kind: Kind
    code: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.code}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `event:0101`; raises ValueError for anything else."""
        kind, _, code = text.partition(":")
        if not code:
            raise ValueError("a subclass is written kind:code")
        return cls(Kind(kind), code)


class Urgency(StrEnum):
    """紧急程度 (process.md §6)."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    ROUTINE = "routine"

    @property
    def rank(self) -> int:
        """0 is the most urgent; used for ordering the queue."""
        return _URGENCY_ORDER[self]


_URGENCY_ORDER = {Urgency.EMERGENCY: 0, Urgency.URGENT: 1, Urgency.ROUTINE: 2}


class State(StrEnum):
    """The states of a case (process.md §4)."""

    REPORTED = "reported"
    ACCEPTED = "accepted"
    VERIFYING = "verifying"
    FILED = "filed"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    DONE = "done"
    CHECKING = "checking"
    CLOSED = "closed"
    ARCHIVED = "archived"
    ANSWERED = "answered"
    REDIRECTED = "redirected"
    REJECTED = "rejected"
    MERGED = "merged"
    VOID = "void"


class Role(StrEnum):
    """The posts (process.md §3). `system` and `citizen` act too but never sign in; `source` is the system of whoever sends
    orders from above, which comes with a token and speaks of its own orders only."""

    OPERATOR = "operator"
    SHIFT_LEADER = "shift_leader"
    DISPATCHER = "dispatcher"
    INSPECTOR = "inspector"
    UNIT = "unit"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SOURCE = "source"
    SYSTEM = "system"
    CITIZEN = "citizen"


class ReplyKind(StrEnum):
    """What may be owed to a reporter (process.md §4, "Which replies are owed")."""

    FILING = "filing"
    CLOSING = "closing"
    REFUSAL = "refusal"
    REDIRECT = "redirect"
    PROGRESS = "progress"
    VOID = "void"


class DebtEnd(StrEnum):
    """How a reply debt may end: delivered, published, 由来源方答复, 免予回复."""

    DELIVERED = "delivered"
    PUBLISHED = "published"
    UPSTREAM = "upstream"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class Scored:
    """A subclass with the probability the classifier gives it, 0..1."""

    subclass: Subclass
    confidence: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the classifier proposes. `top` holds at most five, best first; with `abstained` nothing is proposed."""

    top: tuple[Scored, ...] = ()
    abstained: bool = True
    out_of_scope: bool = False
    redirect: str = ""
    model_version: str = ""

    @property
    def best(self) -> Scored | None:
        """The proposed subclass, or None when the classifier abstained."""
        return self.top[0] if self.top and not self.abstained else None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. System and citizen acts have user_id 0."""

    user_id: int
    name: str
    role: Role
    unit: str = ""


SYSTEM = Actor(0, "系统", Role.SYSTEM)
CITIZEN = Actor(0, "市民", Role.CITIZEN)


@dataclass(frozen=True, slots=True)
class Case:
    """The unit of work. `version` grows by one with each change; a stale write is refused.

    `case_no` is the 受理编号, digits only: yymmdd and a daily sequence of at least five digits. `clock_at` is when the
    unit's clock started (None while the due time is only projected); `pauses` are stretches that do not count, written
    start/end in ISO form, the last with an empty end while it lasts; `safe_due_at` is the make-safe clock's end;
    `upstream_due_at` is the limit an upstream order brought with it, which no pause or extension of ours moves.
    """

    case_no: int
    version: int
    state: State
    round: int
    channel: str
    received_at: datetime
    updated_at: datetime
    description: str
    urgency: Urgency = Urgency.ROUTINE
    subclass: Subclass | None = None
    class_version: str = "2007"
    condition: str = ""
    request_type: str = "投诉"
    place: Place = field(default_factory=Place)
    unit: str = ""
    co_unit: str = ""
    routing_rule: str = ""
    operator_id: int = 0
    inspector_id: int = 0
    confidential: bool = False
    forwarded_text: str = ""
    prediction: Prediction = field(default_factory=Prediction)
    danger_words: tuple[str, ...] = ()
    acknowledged_at: datetime | None = None
    verified: str = ""
    check_method: str = ""
    check_result: str = ""
    result: str = ""
    standard: str = ""
    close_kind: str = ""
    main_case_no: int | None = None
    state_before: str = ""
    upstream_no: str = ""
    accepted_at: datetime | None = None
    filed_at: datetime | None = None
    dispatched_at: datetime | None = None
    taken_at: datetime | None = None
    done_at: datetime | None = None
    closed_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    due_provisional: bool = False
    safe_due_at: datetime | None = None
    clock_at: datetime | None = None
    pauses: tuple[str, ...] = ()
    extended_until_at: datetime | None = None
    suspended_until_at: datetime | None = None
    supervised: bool = False
    urge_count: int = 0
    rework_count: int = 0
    return_count: int = 0
    extension_count: int = 0
    reopen_count: int = 0
    rating: int = 0
    code_epoch: int = 0
    history_length: int = 0
    history_digest: str = ""
    upstream_due_at: datetime | None = None
    upstream_source: str = ""
    upstream_state: str = ""
    upstream_sign_due_at: datetime | None = None
    upstream_contact_due_at: datetime | None = None
