"""When personal data has served, and erasing it: rows stay as tombstones, their personal columns empty, words masked.

The periods are the city's (retention.toml). History is never touched but grows by one line that says what was erased,
so it stays whole and verifies. Finding the cases is the store's (store/aged.py), deleting picture files the command's.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from intake import outbox
from intake.call import CallRecording, forgotten
from intake.dialogue_record import Conversation
from intake.errors import Misconfigured
from intake.history import append_entry
from intake.masking import mask_address, mask_text
from intake.model import SYSTEM, Actor, Case
from intake.order import News, Order
from intake.ports import Work
from intake.records import Attachment, Contact, Debt, JournalEntry, OutboxRow, Remark, Reply, Reporter, Task
from intake.replies import event_of
from intake.workflow import ENDED

KINDS = ("contacts", "messages", "photos", "recordings")
KIND_WORDS = {"contacts": "联系方式", "messages": "原始消息与文字中的个人信息", "photos": "照片", "recordings": "录音"}
UNSATISFIED = 2
NEWS_WORDS = frozenset({"text", "reason", "basis"})
"""What of the news to a source was typed by people; the rest are codes, moments and names of files."""
LOG_FLOOR_DAYS = 183
"""网络安全法 art. 21: network logs at least six months."""


@dataclass(frozen=True, slots=True)
class Masks:
    """How words and places of a case lose what is personal in them."""

    words: Callable[[str], str]
    place: Callable[[str], str]


AFTER_END = Masks(mask_text, lambda place: mask_address(mask_text(place)))
"""For a case that has ended: everything that looks personal; a place only down to the building."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Days after the end of a case for each kind; a disputed case waits at least `disputed`."""

    days: Mapping[str, int]
    disputed: int
    kept: Mapping[str, int]

    def ended_before(self, kind: str, now: datetime) -> datetime:
        """Cases that ended earlier have outlived the period of a kind."""
        return now - timedelta(days=self.days[kind])

    def disputed_before(self, kind: str, now: datetime) -> datetime:
        return now - timedelta(days=max(self.days[kind], self.disputed))


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of one case. `files` are tokens of pictures or recordings to be deleted after the commit."""

    case_no: int
    counts: Mapping[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def load_periods(path: Path, *, reopen_days: int) -> Periods:
    """Read retention.toml; raises Misconfigured naming what is missing or shorter than a case may be reopened."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
        days = {kind: int(value["days"][kind]) for kind in KINDS}
        periods = Periods(days, int(value["disputed"]["days"]), {k: int(v) for k, v in value["kept"].items()})
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise Misconfigured(f"保存期限 {path.name} 无法读取：{type(error).__name__} {error}") from error
    for kind, length in days.items():
        if length <= reopen_days:
            raise Misconfigured(f"保存期限 {kind} 须长于可重新办理的 {reopen_days} 天。")
    if periods.kept.get("logs", 0) < LOG_FLOOR_DAYS:
        raise Misconfigured(f"网络日志至少保存 {LOG_FLOOR_DAYS} 天（网络安全法第二十一条）。")
    return periods


def is_disputed(case: Case) -> bool:
    """The citizen was not satisfied, or the case was handled again."""
    return case.rating == UNSATISFIED or case.reopen_count > 0


def is_at_rest(work: Work, case: Case) -> bool:
    """Ended, nothing owed to anybody and nothing left for a person to do."""
    if case.state not in ENDED or case.ended_at is None:
        return False
    owed = work.find(Debt, case_no=case.case_no, end="", limit=1)
    to_do = work.find(Task, case_no=case.case_no, state="open", limit=1)
    return not owed and not to_do


def has_served(work: Work, case: Case, kind: str, periods: Periods) -> bool:
    """Whether the period of a kind is over for a case and for every other case the same person stands in."""
    return all(
        is_at_rest(work, one) and one.ended_at is not None
        and one.ended_at < (periods.disputed_before if is_disputed(one) else periods.ended_before)(kind, work.now)
        for one in _kin(work, case)
    )  # fmt: skip


def _kin(work: Work, case: Case) -> list[Case]:
    """The case, those it was merged into, and all others its reporters stand in."""
    numbers, waiting = {case.case_no}, [case.case_no]
    while waiting:
        number = waiting.pop()
        held = work.get(Case, number)
        found = {held.main_case_no} if held and held.main_case_no else set()
        for reporter in work.find(Reporter, case_no=number):
            found |= {reporter.joined_from} if reporter.joined_from else set()
            if reporter.contact_id:
                found |= {other.case_no for other in work.find(Reporter, contact_id=reporter.contact_id)}
        new = {one for one in found if one is not None} - numbers
        numbers |= new
        waiting += new
    cases = (work.get(Case, number) for number in sorted(numbers))
    return [one for one in cases if one is not None]


def erase_served(work: Work, case_no: int, kinds: Iterable[str], periods: Periods) -> Erased:
    """Erase those kinds of a case that have served; looks again under the case's lock, whatever was found before."""
    case = work.get(Case, case_no, lock=True)
    if case is None:
        return Erased(case_no)
    served = [kind for kind in kinds if has_served(work, case, kind, periods)]
    erased = erase(work, case, served, masks=AFTER_END)
    if erased.counts:
        note_erasure(work, case_no, erased.counts, actor=SYSTEM, refs={"why": "retention"})
    return erased


def erase(work: Work, case: Case, kinds: Sequence[str], *, masks: Masks) -> Erased:
    """Erase kinds of personal data of a case, whatever its state; writes no history by itself. Counts hold what was."""
    reporters = work.find(Reporter, case_no=case.case_no)
    counts: dict[str, int] = {}
    files: list[str] = []
    if "contacts" in kinds:
        counts["contacts"] = sum(erase_contact(work, one.contact_id) for one in reporters)
    if "messages" in kinds:
        counts["messages"] = sum(erase_message(work, one.entry_id, case.case_no) for one in reporters)
        counts["answers"] = erase_answers(work, work.find(OutboxRow, case_no=case.case_no))
        counts["words"] = mask_words(work, case.case_no, masks=masks)
    for kind, family in (("photos", "image/"), ("recordings", "audio/")):
        if kind in kinds:
            gone = _erase_media(work, case.case_no, family)
            counts[kind] = len(gone)
            files += gone
    return Erased(case.case_no, {kind: n for kind, n in counts.items() if n}, tuple(files))


def erase_contact(work: Work, contact_id: int) -> bool:
    """Empty the personal fields of a contact; the row stays. False when there was nothing left to erase."""
    contact = work.get(Contact, contact_id, lock=True) if contact_id else None
    if contact is None or not (contact.address or contact.name or contact.phone):
        return False
    work.change(contact, replace(contact, address="", name="", phone=""))
    return True


def erase_message(work: Work, entry_id: int, case_no: int) -> bool:
    """Empty a raw message of a case; its provider's id stays, so that a late repeat is still recognised. A main case
    leaves the messages of what was merged into it to those cases, whose words go with them."""
    entry = work.get(JournalEntry, entry_id, lock=True) if entry_id else None
    if entry is None or not entry.raw or entry.state != "built" or entry.case_no != case_no:
        return False
    work.change(entry, replace(entry, raw=""))
    return True


def erase_answers(work: Work, rows: Iterable[OutboxRow]) -> int:
    """Empty the words of automatic answers that are not on their way any more; replies are worded in their Reply."""
    said = [row for row in rows if row.words and row.state not in (outbox.WAITING, outbox.CLAIMED)]
    for row in said:
        work.change(row, replace(row, words=""))
    return len(said)


def erase_stranger(work: Work, contact_id: int) -> bool:
    """Erase somebody who wrote but never stood in a case, with where his talk stood and what he was answered."""
    if work.find(Reporter, contact_id=contact_id, limit=1):
        return False
    work.remove(Conversation, contact_id=contact_id)
    erase_answers(work, work.find(OutboxRow, contact_id=contact_id))
    return erase_contact(work, contact_id)


def mask_words(work: Work, case_no: int, *, masks: Masks) -> int:
    """Mask what is personal in everything written about a case; returns how many texts changed. Search follows."""
    count, masked = 0, masks.words
    case = work.get(Case, case_no, lock=True)
    if case is not None:
        place = replace(case.place, text=masks.place(case.place.text))
        after = replace(case, description=masked(case.description), forwarded_text=masked(case.forwarded_text),
                        result=masked(case.result), place=place)  # fmt: skip
        if after != case:
            work.change(case, after)
            count += 1
    for remark in work.find(Remark, case_no=case_no):
        if (text := masked(remark.text)) != remark.text:
            work.change(remark, replace(remark, text=text))
            count += 1
    for order in work.find(Order, case_no=case_no):
        for news in work.find(News, order_id=order.order_id):
            body = {name: masked(value) if isinstance(value, str) and name in NEWS_WORDS else value
                    for name, value in news.body.items()}  # fmt: skip
            if body != news.body:
                work.change(news, replace(news, body=body))
                count += 1
    for reply in work.find(Reply, case_no=case_no):
        after_reply = replace(reply, draft=masked(reply.draft), text=masked(reply.text))
        if after_reply != reply:
            work.change(reply, after_reply)
            count += 1
    return count


def _erase_media(work: Work, case_no: int, family: str) -> list[str]:
    gone = []
    for one in work.find(Attachment, case_no=case_no):
        if one.mime.startswith(family) and one.size:
            work.change(one, replace(one, size=0, sha256="", taken_at=None, lon=None, lat=None))
            gone.append(one.token)
            for recording in work.find(CallRecording, token=one.token):
                work.change(recording, forgotten(recording, work.now))
    return gone


def note_erasure(
    work: Work, case_no: int, counts: Mapping[str, int], *, actor: Actor, refs: Mapping[str, object]
) -> None:
    """One line in history: that personal data was erased, how much, by whom and why; no word of what it was."""
    case = work.get(Case, case_no, lock=True)
    if case is None:
        return
    after = replace(case, version=case.version + 1, updated_at=work.now)
    after, line = append_entry(case.state, after, step="erase", actor=actor, at=work.now, refs={**counts, **refs})
    work.add(line)
    work.change(case, after)
    work.tell(event_of(after, "erase", work))


def delete_files(media: Path, tokens: Iterable[str]) -> int:
    """Delete pictures and thumbnails (or recordings) below the media folder; returns how many files were there."""
    found = [path for token in tokens for path in (media / token[:2]).glob(f"{token}.*")]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
