"""What is stored beside the case: people, messages, history, requests, debts, replies, tasks, users, views.

Each record has one table in store/tables.py with a column for each field. Personal data stands in rows of its own
(Contact, JournalEntry), sealed, so that it can be erased while history stays whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from intake.model import ReplyKind, Role


@dataclass(frozen=True, slots=True)
class Contact:
    """Who wrote or called. Personal: stored sealed, in a row of its own that can be erased."""

    contact_id: int
    channel: str
    created_at: datetime
    address: str = ""
    name: str = ""
    phone: str = ""
    opted_out_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reporter:
    """A contact's part in a case, after a merge in the main case (`joined_from`). `reply_by`: as he wished (ledger.WISHES)."""

    reporter_id: int
    case_no: int
    channel: str
    joined_at: datetime
    contact_id: int = 0
    entry_id: int = 0
    wants_reply: bool = False
    confidential: bool = False
    joined_from: int | None = None
    left_at: datetime | None = None
    reply_by: str = ""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A raw message, sealed like its `answer`. `state`: pending, built, or said: it made no report (`reason`, matching.py)."""

    entry_id: int
    channel: str
    provider_id: str
    received_at: datetime
    raw: str
    state: str = "built"
    case_no: int = 0
    body_digest: str = ""
    answer: str = ""
    attempts: int = 0
    error: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the flow record, never changed. References only: `refs` holds ids, codes and counts, no words."""

    case_no: int
    seq: int
    at: datetime
    step: str
    actor_id: int
    actor_role: Role
    from_state: str
    to_state: str
    round: int
    unit: str = ""
    refs: Mapping[str, object] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Words typed about a case (reason, opinion, result, note, what the citizen added). May hold personal text."""

    remark_id: int
    case_no: int
    at: datetime
    kind: str
    text: str
    actor_id: int
    actor_role: Role
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """退单, 延期, 挂账 or 作废 asked beside the state; nothing changes until it is decided."""

    request_id: int
    case_no: int
    kind: str
    state: str
    asked_by: int
    asked_at: datetime
    unit: str = ""
    reason_id: int = 0
    until_at: datetime | None = None
    decided_by: int = 0
    decided_at: datetime | None = None
    decision_id: int = 0


@dataclass(frozen=True, slots=True)
class Debt:
    """A reply owed: (case, reporter, kind, round). Open while `end` is empty."""

    debt_id: int
    case_no: int
    reporter_id: int
    kind: ReplyKind
    round: int
    owed_at: datetime
    due_at: datetime
    template: str = ""
    end: str = ""
    ended_at: datetime | None = None
    ended_by: int = 0
    excuse: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The wording for a debt: draft from a template, and what was sent in the end. One for each debt."""

    reply_id: int
    debt_id: int
    case_no: int
    template: str
    template_version: str
    draft: str
    text: str = ""
    edited_by: int = 0
    sent_at: datetime | None = None
    route: str = ""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message on its way by one route (outbox.py). A reply owed is worded in its Reply; an automatic answer owes
    nothing: it has its own sealed `words`, no reply, no debt (0), and may have no case (0)."""

    outbox_id: int
    reply_id: int
    debt_id: int
    case_no: int
    contact_id: int
    channel: str
    state: str
    created_at: datetime
    next_at: datetime
    attempts: int = 0
    claimed_by: str = ""
    claimed_at: datetime | None = None
    provider_id: str = ""
    outcome: str = ""
    sent_at: datetime | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery report as it came, kept even when it contradicts an earlier one."""

    report_id: int
    outbox_id: int
    at: datetime
    outcome: str
    code: str = ""
    channel: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Something a person must do: answer by phone, look at an unknown fate, revisit, acknowledge an emergency."""

    task_id: int
    kind: str
    case_no: int
    opened_at: datetime
    role: Role
    debt_id: int = 0
    outbox_id: int = 0
    state: str = "open"
    user_id: int = 0
    closed_at: datetime | None = None
    closed_by: int = 0
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Timer:
    """Something that falls due for a case: a warning, an escalation, a review. A row, so that a restart loses none."""

    timer_id: int
    case_no: int
    kind: str
    due_at: datetime
    fired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A photo of a case. `token` is its unguessable address; where and when it was taken is restricted evidence."""

    token: str
    case_no: int
    usage: str
    sha256: str
    mime: str
    width: int
    height: int
    size: int
    added_at: datetime
    added_by: int = 0
    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who works here. `password_hash` is argon2; a one-time password must be changed at first sign-in."""

    user_id: int
    name: str
    display_name: str
    role: Role
    created_at: datetime
    unit: str = ""
    password_hash: str = ""
    must_change: bool = False
    disabled: bool = False
    failed_count: int = 0
    locked_until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. The cookie holds the secret; only its hash is stored."""

    session_hash: str
    user_id: int
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token that acts as its user; only the hash is stored."""

    token_id: int
    user_id: int
    token_hash: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class View:
    """Somebody looked at personal data: who, when, what and why."""

    view_id: int
    case_no: int
    user_id: int
    at: datetime
    what: str
    reason_id: int


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """A committed change, as listeners hear it. `feed_id` follows commit order; 0 until stored."""

    case_no: int
    at: datetime
    step: str
    state: str
    version: int
    unit: str = ""
    urgency: str = ""
    co_unit: str = ""
    feed_id: int = 0
