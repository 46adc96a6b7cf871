"""The course of a case (办理经过): every step, message, receipt, call, picture and look at personal data, in one order.

Pure. The steps come from desk_timeline.py; here they are put among everything else that happened.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.web.case_beside import Beside
from channels.web.desk_debt import OUTBOX_WORDS, ROUTE_WORDS, outcome_words
from channels.web.desk_order import NEWS_WORDS
from channels.web.desk_row import words_for
from channels.web.desk_timeline import Line, Said, person_words, step_label
from channels.web.desk_view import CaseView
from intake import outbox
from intake.call import PURPOSES, RESULTS, SUMMARIES
from intake.gateway import CaseFile
from intake.ledger import REPLY_WORDS
from intake.model import Actor, Role
from intake.permission import may
from intake.records import DeliveryRow, OutboxRow
from intake.rules import Unit

LOOKS = {"contact": "查看联系方式", "recording": "听录音", "export": "导出个人信息", "call": "拨打反映人"}
GOOD, BAD, OPEN = "granted", "late", "pending"
BADGE_OF = {outbox.DELIVERED: GOOD, outbox.FAILED: BAD, outbox.UNKNOWN: BAD, outbox.WAITING: OPEN, outbox.CLAIMED: OPEN}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `kind`: step, message, receipt, call, photo, look, news; `badge` is a word with its class."""

    at: datetime
    kind: str
    title: str
    who: str = ""
    post: str = ""
    badge: str = ""
    badge_class: str = ""
    details: tuple[tuple[str, str], ...] = ()
    said: tuple[Said, ...] = ()


def course_of(
    file: CaseFile, view: CaseView, beside: Beside, actor: Actor, *, units: Mapping[str, Unit]
) -> tuple[Entry, ...]:
    """Everything this person reads of the case, newest first."""
    found = [*(_step(line) for line in view.history), *_photos(view)]
    if view.sight.ledger:
        found += [*_messages(file, beside, actor), *_receipts(file, beside), *_news(beside)]
    if may(actor, "hear_recording"):
        found += [*_calls(file, beside), *_told(file, beside, units), *_looks(file, beside)]
    # Turned round after sorting, so that of one moment the last written stands first.
    return tuple(sorted(found, key=lambda entry: entry.at)[::-1])


def _step(line: Line) -> Entry:
    return Entry(
        at=line.at,
        kind="step",
        title=line.label,
        who=line.actor,
        post=line.role_words if line.actor != line.role_words else "",
        badge=line.to_words if line.from_words != line.to_words else "",
        badge_class="is-state",
        details=line.details,
        said=line.remarks,
    )


def _photos(view: CaseView) -> Iterator[Entry]:
    groups: dict[tuple[datetime, str], int] = {}
    for photo in view.photos:
        key = (photo.added_at, photo.usage_words)
        groups[key] = groups.get(key, 0) + 1
    for (at, words), count in groups.items():
        yield Entry(at, "photo", f"{words} {count} 张")


def _messages(file: CaseFile, beside: Beside, actor: Actor) -> Iterator[Entry]:
    for row in beside.outbox:
        words = ROUTE_WORDS.get(row.channel, row.channel)
        details = []
        if row.attempts > 1:
            details.append(("次数", f"第 {row.attempts} 次"))
        if row.outcome and row.state != outbox.DELIVERED:
            details.append(("原因", outcome_words(row.outcome)))
        yield Entry(
            row.sent_at or row.created_at, "message", f"{words} · {_label_of(file, row)}",
            badge=OUTBOX_WORDS.get(row.state, row.state), badge_class=BADGE_OF.get(row.state, ""), details=tuple(details),
            said=(Said("text", "", words_for(_text_of(file, row), actor)),),
        )  # fmt: skip


def _label_of(file: CaseFile, row: OutboxRow) -> str:
    debt = next((debt for debt in file.debts if debt.debt_id == row.debt_id), None)
    return REPLY_WORDS[debt.kind] if debt else "自动回复"


def _text_of(file: CaseFile, row: OutboxRow) -> str:
    reply = file.replies.get(row.debt_id)
    return row.words or (reply.text if reply else "")


def _receipts(file: CaseFile, beside: Beside) -> Iterator[Entry]:
    rows = {row.outbox_id: row for row in beside.outbox}
    for report in beside.deliveries:
        words = _label_of(file, rows[report.outbox_id]) if report.outbox_id in rows else ""
        code = (("回执码", report.code),) if report.code else ()
        yield Entry(report.at, "receipt", f"回执 · {words}", badge=_fate(report),
                    badge_class=BADGE_OF.get(report.outcome, ""), details=code)  # fmt: skip


def _fate(report: DeliveryRow) -> str:
    return OUTBOX_WORDS.get(report.outcome) or outcome_words(report.outcome)


def _news(beside: Beside) -> Iterator[Entry]:
    for news in beside.order.news if beside.order else ():
        failed = (("原因", news.outcome),) if news.outcome else ()
        yield Entry(news.at, "news", f"告知上级 · {step_label(news.kind)}", badge=NEWS_WORDS.get(news.state, news.state),
                    badge_class={"failed": BAD, "sent": GOOD}.get(news.state, OPEN), details=failed)  # fmt: skip


def _calls(file: CaseFile, beside: Beside) -> Iterator[Entry]:
    for call in beside.calls:
        who = person_words(call.operator_id, Role.OPERATOR, staff=file.staff) if call.operator_id else ""
        told = [("小结", SUMMARIES.get(call.summary, "")), ("结果", RESULTS.get(call.result, "")), ("备注", call.note)]
        if call.answered_at and call.ended_at:
            told.append(("通话", length_words(int((call.ended_at - call.answered_at).total_seconds() * 1000))))
        details = tuple((label, words) for label, words in told if words)
        yield Entry(call.started_at, "call", PURPOSES.get(call.purpose, call.purpose), who=who,
                    badge="接通" if call.was_served else "未接通", details=details)  # fmt: skip


def _told(file: CaseFile, beside: Beside, units: Mapping[str, Unit]) -> Iterator[Entry]:
    """Who was told of a danger by telephone before any filing (先通知后补单)."""
    for told in beside.told:
        unit = units.get(told.target.removeprefix("unit:"))
        details = (("对象", unit.name if unit else told.target), ("接听人", told.person), ("结果", RESULTS.get(told.result, "")))
        who = person_words(told.by, Role.OPERATOR, staff=file.staff) if told.by else ""
        yield Entry(told.at, "call", "电话先通知", who=who, details=tuple(pair for pair in details if pair[1]))


def _looks(file: CaseFile, beside: Beside) -> Iterator[Entry]:
    for look in beside.views:
        reason = file.remarks.get(look.reason_id)
        who = person_words(look.user_id, Role.OPERATOR, staff=file.staff)
        said = (Said("reveal", "理由", reason.text),) if reason else ()
        yield Entry(look.at, "look", LOOKS.get(look.what, "查看个人信息"), who=who, said=said)


def length_words(duration_ms: int) -> str:
    """1 分 05 秒."""
    minutes, seconds = divmod(round(duration_ms / 1000), 60)
    return f"{minutes} 分 {seconds:02d} 秒" if minutes else f"{seconds} 秒"


