"""Taking in one message of any channel: journal, case, reporter, history, feed and tasks in one unit of work.

Nothing is acknowledged before the unit is durable. The raw message is kept whatever happens: if building the case
fails, the journal row commits alone with its number and is built again later. Filing (立案) is never done here.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime

from intake.burst import LOOKED_AT, alarm_of
from intake.errors import KeyReused, Refused
from intake.history import append_entry
from intake.model import (
    CITIZEN,
    Case,
    Inbound,
    Part,
    Photo,
    Place,
    Prediction,
    Role,
    Scored,
    Sound,
    State,
    Subclass,
    Urgency,
)
from intake.order_work import case_fields, order_of
from intake.ports import Work
from intake.records import Attachment, Contact, FeedEvent, JournalEntry, Reporter, Task, Timer
from intake.rules import Rules
from intake.timers import timers_of

CHANNELS_TO_SOURCE = {"web": "06", "phone": "02", "sms": "04", "wechat": "05", "telegram": "06", "upstream": "03"}
"""Source list 问题来源 (docs/process.md): which national source a channel counts as."""
COMPLAINT = "投诉"
RAW_FIELDS = tuple(f.name for f in fields(Inbound))
PLACE_FIELDS = tuple(f.name for f in fields(Place))


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in a text before it is stored: the classifier's proposal and words that mean danger."""

    prediction: Prediction = field(default_factory=Prediction)
    danger_words: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """What the sender is told. `repeated` when the same message had come before."""

    case_no: int
    state: State
    prediction: Prediction
    code_epoch: int = 0
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Talking:
    """A message that came in a talk: whose it is, and why it was taken for a new report."""

    contact: Contact | None = None
    reason: str = ""


def receive(
    work: Work, inbound: Inbound, judged: Judged, rules: Rules, *, case_no: int = 0, replayed: bool = False,
    talking: Talking = Talking(),
) -> Received:  # fmt: skip
    """Take in a message once; the same provider id again gives the first answer. Raises KeyReused for another body.

    `case_no` is a number the sender may know already; with `replayed` a message without a provider's id is looked for
    by that number, because it may have been stored when nobody heard of it.
    """
    if replayed and work.find(Case, case_no=case_no, limit=1):
        return Received(case_no, State.REPORTED, Prediction(), repeated=True)
    if inbound.provider_id and (seen := seen_before(work, inbound, told=case_no if replayed else 0)):
        if seen.case_no == case_no or not replayed:
            return seen
        # Its sender was given another number while the database could not be asked: that number must exist too.
        inbound = replace(inbound, provider_id=f"{inbound.provider_id}#{case_no}")
    case_no = case_no or work.new_case_no(inbound.received_at.astimezone(rules.zone).date())
    entry = JournalEntry(
        entry_id=work.new_id(),
        channel=inbound.channel,
        provider_id=inbound.provider_id or f"own:{case_no}",
        received_at=inbound.received_at,
        raw=raw_of(inbound),
        case_no=case_no,
        body_digest=inbound.body_digest,
        answer=json.dumps(_prediction_answer(judged.prediction)) if inbound.provider_id else "",
        reason=talking.reason,
    )
    records, error = _built(work, inbound, judged, rules, entry, talking.contact)
    if error:
        work.add(replace(entry, state="pending", error=error))
        return Received(case_no, State.REPORTED, Prediction())
    _store(work, replace(entry, state="built"), records)
    return Received(case_no, State.REPORTED, judged.prediction)


def build_pending(work: Work, entry_id: int, judge: Mapping[int, Judged], rules: Rules) -> bool:
    """Build the case of a journal row whose first building failed; False when it failed again."""
    entry = work.get(JournalEntry, entry_id, lock=True)
    if entry is None or entry.state != "pending":
        return True
    inbound = inbound_of(entry)
    records, error = _built(work, inbound, judge[entry_id], rules, entry)
    if error:
        work.change(entry, replace(entry, attempts=entry.attempts + 1, error=error))
        return False
    work.change(entry, replace(entry, state="built", attempts=entry.attempts + 1, error=""))
    _store(work, None, records)
    return True


def _built(
    work: Work, inbound: Inbound, judged: Judged, rules: Rules, entry: JournalEntry, contact: Contact | None = None
) -> tuple[list[object], str]:
    try:
        return case_records(work, inbound, judged, rules, entry, contact), ""
    except Refused:
        raise
    except Exception as error:
        # The report must not be lost to a fault of ours: its journal row commits, and the fault's name with it.
        return [], type(error).__name__


def _store(work: Work, entry: JournalEntry | None, records: list[object]) -> None:
    if entry is not None:
        work.add(entry)
    for record in records:
        if isinstance(record, FeedEvent):
            work.tell(record)
        else:
            work.add(record)


def seen_before(work: Work, inbound: Inbound, *, told: int = 0) -> Received | None:
    """What was answered when the same provider id came first; raises KeyReused for another body, unless its sender was
    `told` a number already."""
    found = work.find(JournalEntry, channel=inbound.channel, provider_id=inbound.provider_id, limit=1)
    if not found:
        return None
    entry = found[0]
    if entry.body_digest != inbound.body_digest and not told:
        raise KeyReused
    return Received(entry.case_no, State.REPORTED, _prediction_from(entry.answer), repeated=True)


def case_records(
    work: Work, inbound: Inbound, judged: Judged, rules: Rules, entry: JournalEntry, known: Contact | None = None
) -> list[object]:
    """Everything a new report consists of, in the order it is stored; the last is the feed's event. `known` is a contact
    that is stored already."""
    contact = known or _contact(work, inbound)
    case = _case(inbound, judged, rules, case_no=entry.case_no)
    source = inbound.order.get("code") or CHANNELS_TO_SOURCE.get(inbound.channel, "99")
    refs: dict[str, object] = {"entry": entry.entry_id, "source": source}
    if judged.prediction.best:
        refs["proposed"] = str(judged.prediction.best.subclass)
    rung = alarm_of(case, ringing(work)) if judged.danger_words else 0
    if rung:
        refs["alarm_of"] = rung
    case, line = append_entry(None, case, step="receive", actor=CITIZEN, at=inbound.received_at, refs=refs)
    reporter = Reporter(
        reporter_id=work.new_id(), case_no=case.case_no, channel=inbound.channel, joined_at=inbound.received_at,
        contact_id=contact.contact_id if contact else 0, entry_id=entry.entry_id, wants_reply=inbound.wants_reply,
        confidential=inbound.confidential, reply_by=inbound.reply_by,
    )  # fmt: skip
    attachments = [attachment_of(photo, case.case_no, usage="report", at=inbound.received_at) for photo in inbound.photos]
    alarm = Task(work.new_id(), "emergency", case.case_no, inbound.received_at, Role.SHIFT_LEADER)
    tasks = [alarm] if judged.danger_words and not rung else []
    timers = [Timer(work.new_id(), case.case_no, kind, at) for kind, at in timers_of(case)]
    event = FeedEvent(case.case_no, inbound.received_at, "receive", case.state.value, 1, case.unit, case.urgency.value,
                      case.co_unit)  # fmt: skip
    order = order_of(work, case, inbound.order)
    return [*([contact] if contact and not known else []), case, reporter, line, *order, *attachments, *tasks, *timers, event]


def ringing(work: Work) -> list[Case]:
    """The latest cases with an alarm of their own, acknowledged or not, newest first."""
    alarms = [task for state in ("open", "done")
              for task in work.find(Task, kind="emergency", state=state, order="-task_id", limit=LOOKED_AT)]  # fmt: skip
    latest = sorted(alarms, key=lambda task: task.task_id, reverse=True)[:LOOKED_AT]
    cases = (work.get(Case, task.case_no) for task in latest)
    return [case for case in cases if case is not None]


def _contact(work: Work, inbound: Inbound) -> Contact | None:
    if inbound.anonymous or not (inbound.phone or inbound.name or inbound.address):
        return None
    return Contact(work.new_id(), inbound.channel, inbound.received_at, inbound.address, inbound.name, inbound.phone)


def _case(inbound: Inbound, judged: Judged, rules: Rules, *, case_no: int) -> Case:
    best = judged.prediction.best
    subclass = rules.taxonomy.effective(best.subclass) if best else None
    default = rules.taxonomy.entry(subclass).urgency if subclass else Urgency.ROUTINE
    case = Case(
        case_no=case_no,
        version=1,
        state=State.REPORTED,
        round=1,
        channel=inbound.channel,
        received_at=inbound.received_at,
        updated_at=inbound.received_at,
        description=inbound.text,
        request_type=inbound.request_type or COMPLAINT,
        urgency=Urgency.EMERGENCY if judged.danger_words else default,
        subclass=subclass,
        place=inbound.place,
        confidential=inbound.confidential,
        prediction=judged.prediction,
        danger_words=judged.danger_words,
        **case_fields(inbound.order),  # type: ignore[arg-type]
    )
    assigned = rules.route(case, inbound.received_at)
    return replace(case, unit=assigned.unit, co_unit=assigned.co_unit, routing_rule=assigned.rule)


def attachment_of(photo: Photo, case_no: int, *, usage: str, at: datetime, by: int = 0) -> Attachment:
    """Bind a stored picture to its case. `usage` is report, verify, before, after or check (附件用途)."""
    return Attachment(
        token=photo.token, case_no=case_no, usage=usage, sha256=photo.sha256, mime=photo.mime, width=photo.width,
        height=photo.height, size=photo.size, added_at=at, added_by=by, taken_at=photo.taken_at, lon=photo.lon,
        lat=photo.lat,
    )  # fmt: skip


def raw_of(inbound: Inbound) -> str:
    """The message as JSON, to be sealed in the journal."""
    value = {name: getattr(inbound, name) for name in RAW_FIELDS}
    value["place"] = {name: getattr(inbound.place, name) for name in PLACE_FIELDS}
    value["photos"] = [asdict(photo) for photo in inbound.photos]
    value["sounds"] = [asdict(sound) for sound in inbound.sounds]
    value["part"] = asdict(inbound.part) if inbound.part else None
    return json.dumps(value, ensure_ascii=False, default=datetime.isoformat)


def inbound_of(entry: JournalEntry) -> Inbound:
    """Read a journal row back."""
    value = json.loads(entry.raw)
    photos = tuple(Photo(**photo | {"taken_at": _moment(photo["taken_at"])}) for photo in value["photos"])
    place = Place(**value["place"])
    part = value.get("part")
    read = {"photos": photos, "place": place, "part": Part(**part) if part else None}
    read |= {name: tuple(value.get(name, ())) for name in ("media", "voices")}
    read["sounds"] = tuple(Sound(**sound) for sound in value.get("sounds", ()))
    return Inbound(**value | read | {"received_at": entry.received_at})


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _prediction_answer(prediction: Prediction) -> list[object]:
    best = prediction.best
    return [str(best.subclass), best.confidence] if best else []


def _prediction_from(answer: str) -> Prediction:
    value = json.loads(answer or "[]")
    if not value:
        return Prediction()
    return Prediction(top=(Scored(Subclass.parse(value[0]), value[1]),), abstained=False)
