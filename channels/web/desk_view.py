"""A case as one person sees it: the one view from which the case page and `GET /api/v1/cases/{case_no}/full` are made.

Pure. Masking and hiding happen here and nowhere later (rules in desk_sight.py): what is not in the view cannot be shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.web.desk_debt import DebtView, Owed, by_debt, debt_view
from channels.web.desk_row import CHANNEL_WORDS, CaseRow, case_row, words_for
from channels.web.desk_sight import Sight, sees_photo, sees_reporter, sight_of
from channels.web.desk_timeline import Line, person_words, timeline, unit_name
from intake.gateway import CaseFile
from intake.ledger import WISHES
from intake.masking import mask_name, mask_phone
from intake.model import Actor, Prediction, Role
from intake.offers import Offer
from intake.records import Attachment, Contact, OutboxRow, Remark, Reporter, Request, Task
from intake.rules import Rules
from intake.workflow import EVERY_UNIT, REQUEST_WORDS

NO_FORWARDED_TEXT = "（保密件，尚无转派描述，请与派遣员联系。）"
USAGE_WORDS = {"report": "上报照片", "verify": "核实照片", "before": "处置前", "after": "处置后", "check": "核查照片"}
REQUEST_STATES = {"pending": "待审", "granted": "同意", "refused": "驳回", "lapsed": "已失效"}
TASK_WORDS = {
    "emergency": "警情待知悉", "revisit": "待回访", "send_failed": "发送失败", "unknown_fate": "送达不明",
    "call_reply": "电话告知", "held_reply": "回复待发送", "overdue": "超期", "stage_late": "环节超时",
    "review_suspension": "挂账到期", "upstream_overdue": "上级时限超期", "callback": "待回拨", "message": "来信待看",
    "order_sign": "上级签收超时", "order_contact": "先行联系超时", "order_answer": "待回单", "order_push": "反馈推送失败",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suggested:
    """What the classifier proposed. `confidence` lies between 0 and 1."""

    kind: str
    subclass_code: str
    subclass: str
    confidence: float


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A picture. `taken_at`, `lon` and `lat` are restricted evidence and empty for most posts."""

    token: str
    usage: str
    usage_words: str
    width: int
    height: int
    added_at: datetime
    taken_at: datetime | None
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class ReporterView:
    """Who reported, masked. A confidential reporter shows nothing of himself."""

    name: str
    phone: str
    channel: str
    channel_words: str
    confidential: bool
    wants_reply: bool
    joined_from: str
    reply_by: str
    reply_by_words: str


@dataclass(frozen=True, slots=True)
class RequestView:
    """退单, 延期, 挂账 or 作废 asked beside the state."""

    kind: str
    label: str
    state: str
    state_words: str
    asked_by: str
    asked_at: datetime
    reason: str
    until_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    decision: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """Something a person must still do about the case."""

    kind: str
    label: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything one person sees of one case; `row` is its line in the queue."""

    row: CaseRow
    sight: Sight
    description: str
    forwarded_text: str
    request_type: str
    condition: str
    standard: str
    result: str
    round: int
    co_unit: str
    co_unit_name: str
    operator: str
    inspector: str
    main_case_no: str
    lon: float | None
    lat: float | None
    safe_due_at: datetime | None
    closed_at: datetime | None
    suspended_until_at: datetime | None
    rating: int
    danger_words: tuple[str, ...]
    abstained: bool
    suggestion: tuple[Suggested, ...]
    photos: tuple[PhotoView, ...]
    reporters: tuple[ReporterView, ...]
    history: tuple[Line, ...]
    requests: tuple[RequestView, ...]
    debts: tuple[DebtView, ...]
    tasks: tuple[TaskView, ...]
    offers: tuple[Offer, ...]


def case_view(
    file: CaseFile, actor: Actor, *, rules: Rules, now: datetime, outbox: Iterable[OutboxRow] = ()
) -> CaseView:
    """Build the view of one person; `outbox` are the messages of the case's replies."""
    case, sight = file.case, sight_of(file.case, actor, reporters=file.reporters)
    return CaseView(
        row=case_row(case, actor, rules=rules, now=now),
        sight=sight,
        description=_description(file, actor, sight=sight),
        forwarded_text=words_for(case.forwarded_text, actor),
        request_type=case.request_type,
        condition=case.condition,
        standard=case.standard,
        result=words_for(case.result, actor),
        round=case.round,
        co_unit=case.co_unit,
        co_unit_name=unit_name(case.co_unit, rules),
        operator=person_words(case.operator_id, Role.OPERATOR, staff=file.staff) if case.operator_id else "",
        inspector=person_words(case.inspector_id, Role.INSPECTOR, staff=file.staff) if case.inspector_id else "",
        main_case_no=str(case.main_case_no or ""),
        lon=case.place.lon,
        lat=case.place.lat,
        safe_due_at=case.safe_due_at,
        closed_at=case.closed_at,
        suspended_until_at=case.suspended_until_at,
        rating=case.rating if sight.ledger else 0,
        danger_words=case.danger_words,
        abstained=case.prediction.abstained,
        suggestion=_suggestion(case.prediction, rules) if sight.suggestion else (),
        photos=tuple(_photo(photo, sight) for photo in file.attachments if sees_photo(sight, photo)),
        reporters=tuple(_reporter(r, file.contacts) for r in file.reporters if sees_reporter(sight, actor, reporter=r)),
        history=timeline(file, actor, sight=sight, rules=rules),
        requests=tuple(
            _request(request, file, actor=actor) for request in file.requests if _sees_request(request, actor)
        ),
        debts=_debts(file, actor, outbox=outbox, now=now) if sight.ledger else (),
        tasks=_tasks(file.tasks) if sight.tasks else (),
        offers=file.offers,
    )


def _description(file: CaseFile, actor: Actor, *, sight: Sight) -> str:
    if sight.redacted:
        return words_for(file.case.forwarded_text, actor) or NO_FORWARDED_TEXT
    return words_for(file.case.description, actor)


def _suggestion(prediction: Prediction, rules: Rules) -> tuple[Suggested, ...]:
    return tuple(
        Suggested(s.subclass.kind.value, s.subclass.code, rules.taxonomy.name(s.subclass), round(s.confidence, 4))
        for s in prediction.top
    )


def _photo(photo: Attachment, sight: Sight) -> PhotoView:
    shown = sight.evidence_place
    return PhotoView(
        token=photo.token,
        usage=photo.usage,
        usage_words=USAGE_WORDS.get(photo.usage, photo.usage),
        width=photo.width,
        height=photo.height,
        added_at=photo.added_at,
        taken_at=photo.taken_at if shown else None,
        lon=photo.lon if shown else None,
        lat=photo.lat if shown else None,
    )


def _reporter(reporter: Reporter, contacts: Mapping[int, Contact]) -> ReporterView:
    contact = None if reporter.confidential else contacts.get(reporter.contact_id)
    return ReporterView(
        name=mask_name(contact.name) if contact else "",
        phone=mask_phone(contact.phone) if contact else "",
        channel=reporter.channel,
        channel_words=CHANNEL_WORDS.get(reporter.channel, reporter.channel),
        confidential=reporter.confidential,
        wants_reply=reporter.wants_reply,
        joined_from=str(reporter.joined_from or ""),
        reply_by=reporter.reply_by,
        reply_by_words=WISHES.get(reporter.reply_by, ""),
    )


def _sees_request(request: Request, actor: Actor) -> bool:
    """A unit sees what it asked itself, not what others asked about the case."""
    return actor.role is not Role.UNIT or actor.unit in (request.unit, EVERY_UNIT)


def _request(request: Request, file: CaseFile, *, actor: Actor) -> RequestView:
    return RequestView(
        kind=request.kind,
        label=REQUEST_WORDS[request.kind],
        state=request.state,
        state_words=REQUEST_STATES[request.state],
        asked_by=person_words(request.asked_by, Role.UNIT, staff=file.staff),
        asked_at=request.asked_at,
        reason=_remark_words(file.remarks.get(request.reason_id), actor),
        until_at=request.until_at,
        decided_by=person_words(request.decided_by, Role.DISPATCHER, staff=file.staff) if request.decided_by else "",
        decided_at=request.decided_at,
        decision=_remark_words(file.remarks.get(request.decision_id), actor),
    )


def _remark_words(remark: Remark | None, actor: Actor) -> str:
    return words_for(remark.text, actor) if remark else ""


def _debts(file: CaseFile, actor: Actor, *, outbox: Iterable[OutboxRow], now: datetime) -> tuple[DebtView, ...]:
    rows = by_debt(outbox)
    owed = (Owed(d, file.replies.get(d.debt_id), file.tasks, rows.get(d.debt_id, ())) for d in file.debts)
    return tuple(debt_view(one, actor, now=now) for one in owed)


def _tasks(tasks: Sequence[Task]) -> tuple[TaskView, ...]:
    open_ones = (task for task in tasks if task.state == "open")
    return tuple(TaskView(task.kind, TASK_WORDS.get(task.kind, task.kind), task.opened_at) for task in open_ones)
