"""The shapes of the staff API as types, and the answers made from the views that the pages show too.

Answers are plain dicts built from the desk's views; the types describe them in the OpenAPI document, and a test reads
every answer back through them, so that the two cannot part.
"""

from datetime import datetime

from channels.web.api_staff_parts import (
    HistoryLine,
    Move,
    Photo,
    Row,
    debt_told,
    line_told,
    move_told,
    photo_told,
    row_told,
)
from channels.web.desk_debt import DebtView
from channels.web.desk_queue import Found
from channels.web.desk_view import CaseView, ReporterView, RequestView, Suggested
from channels.web.json_body import Body, Field
from intake.model import Case
from intake.records import Contact
from intake.workflow import STATE_WORDS


class QueuePage(Body):
    """One page of the queue. `next` goes into `after` for the following page; null on the last."""

    cases: list[Row]
    next: str | None
    counts: dict[str, int] = Field(description="各状态的案件数，按本人可见范围")


class Prediction(Body):
    """What the classifier proposed when the report came."""

    abstained: bool
    top: list[Suggested]


class Reply(Body):
    """The wording of one debt: the draft, and what was sent."""

    debt_id: int
    kind: str
    draft: str
    text: str
    route: str
    sent_at: datetime | None


class OpenTask(Body):
    kind: str
    label: str
    opened_at: datetime


class FullCase(Row):
    """Everything the reader may see of a case. `description` is the forwarded text for a unit in a confidential case."""

    description: str
    forwarded_text: str
    request_type: str
    condition: str
    standard: str
    result: str
    round: int
    lon: float | None
    lat: float | None
    co_unit: str
    operator: str
    inspector: str
    main_case_no: str
    safe_due_at: datetime | None = Field(description="排险时限")
    closed_at: datetime | None
    suspended_until_at: datetime | None
    rating: int
    danger_words: list[str]
    prediction: Prediction | None
    attachments: list[Photo]
    reporters: list[ReporterView]
    may_reveal: bool
    history: list[HistoryLine]
    requests: list[RequestView]
    debts: list[DebtView]
    replies: list[Reply]
    tasks: list[OpenTask]
    moves: list[Move]


class MoveTaken(Body):
    """The case after a step, and what may be done next."""

    case_no: str
    state: str
    version: int
    state_words: str
    moves: list[Move]


class LedgerPage(Body):
    """Debts by number. `next` goes into `after` for the following page; null on the last."""

    debts: list[DebtView]
    next: int | None


class RevealedContact(Body):
    name: str
    phone: str
    address: str


class Revealed(Body):
    """Who reported; the look is written down with who, when and why."""

    case_no: str
    contacts: list[RevealedContact]


def queue_told(found: Found) -> dict[str, object]:
    counts = {state.value: n for state, n in found.counts.items()}
    # As they are: orjson reads frozen dataclasses ten times faster than they are copied into dictionaries.
    return {"cases": found.rows, "next": found.next or None, "counts": counts}


def full_told(view: CaseView) -> dict[str, object]:
    """A case as FullCase describes it."""
    return row_told(view.row) | {
        "description": view.description,
        "forwarded_text": view.forwarded_text,
        "request_type": view.request_type,
        "condition": view.condition,
        "standard": view.standard,
        "result": view.result,
        "round": view.round,
        "lon": view.lon,
        "lat": view.lat,
        "co_unit": view.co_unit,
        "operator": view.operator,
        "inspector": view.inspector,
        "main_case_no": view.main_case_no,
        "safe_due_at": view.safe_due_at,
        "closed_at": view.closed_at,
        "suspended_until_at": view.suspended_until_at,
        "rating": view.rating,
        "danger_words": list(view.danger_words),
        "prediction": _prediction(view),
        "attachments": [photo_told(photo) for photo in view.photos],
        "reporters": list(view.reporters),
        "may_reveal": view.sight.reveal,
        "history": [line_told(line) for line in view.history],
        "requests": list(view.requests),
        "debts": [debt_told(debt) for debt in view.debts],
        "replies": [_reply(debt) for debt in view.debts],
        "tasks": list(view.tasks),
        "moves": [move_told(offer) for offer in view.offers],
    }


def _prediction(view: CaseView) -> dict[str, object] | None:
    return {"abstained": view.abstained, "top": list(view.suggestion)} if view.sight.suggestion else None


def _reply(debt: DebtView) -> dict[str, object]:
    return {"debt_id": debt.debt_id, "kind": debt.kind, "draft": debt.draft, "text": debt.text, "route": debt.route,
            "sent_at": debt.sent_at}  # fmt: skip


def taken_told(case: Case, view: CaseView | None) -> dict[str, object]:
    """The answer to a step; no view when the case is out of the person's sight after it."""
    return {
        "case_no": str(case.case_no),
        "state": case.state.value,
        "version": case.version,
        "state_words": STATE_WORDS[case.state],
        "moves": [move_told(offer) for offer in view.offers] if view else [],
    }


def ledger_told(debts: list[DebtView], following: int | None) -> dict[str, object]:
    return {"debts": [debt_told(debt) for debt in debts], "next": following}


def revealed_told(case_no: int, contacts: list[Contact]) -> dict[str, object]:
    found = [{"name": one.name, "phone": one.phone, "address": one.address} for one in contacts]
    return {"case_no": str(case_no), "contacts": found}
