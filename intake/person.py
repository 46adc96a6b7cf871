"""One person's rights over what is stored about him (个人信息保护法 arts 44–47): a copy of it, and its erasure.

A person is a telephone number in normal form; his contacts are found by the keyed hash. Each access is logged as a View
with its reason. What belongs to other reporters of a merged case is neither exported nor touched.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from intake.dialogue_record import Conversation
from intake.errors import BadInput, NotAllowed, NotFound, Refused
from intake.masking import mask_address, mask_name, mask_phone, mask_text
from intake.model import Actor, Case, Role
from intake.outbox import FAILED, WAITING
from intake.ports import Work
from intake.receive import inbound_of
from intake.records import (
    Attachment,
    Contact,
    Debt,
    JournalEntry,
    OutboxRow,
    Remark,
    Reply,
    Reporter,
    User,
    View,
)  # fmt: skip
from intake.replies import archive_if_settled, end_debt
from intake.retention import Erased, Masks, erase, erase_contact, note_erasure
from intake.traces import Traces, erase_traces, note_export, refuse_under_way, sounds_of_case, told
from intake.vault import Vault
from intake.workflow import ENDED, STATE_WORDS

MAY = frozenset({Role.ADMINISTRATOR, Role.SHIFT_LEADER})
SHORTEST_LITERAL = 2
NOTHING = Traces()
EXCUSE = "no_contact"
"""A reply that nobody can be told any more ends with this excuse (ledger.EXCUSE_WORDS); the reason is a remark."""


@dataclass(frozen=True, slots=True)
class Part:
    """A person's part in one case. `own`: it began with his report; otherwise his report was merged into it."""

    case: Case
    reporter: Reporter
    own: bool


def actor_for(work: Work, name: str) -> Actor:
    """The account in whose name a command acts; raises NotAllowed unless it may export and erase."""
    found = work.find(User, name=name, limit=1)
    if not found or found[0].disabled or found[0].role not in MAY:
        raise NotAllowed("只有管理员或值班长的有效账号可以导出或删除个人信息。")
    user = found[0]
    return Actor(user.user_id, user.name, user.role, user.unit)


def contacts_of(work: Work, vault: Vault, phone: str) -> list[Contact]:
    """Every contact with that number, given as telephone or as the address of a channel."""
    by_phone = work.find(Contact, phone_hash=vault.lookup_hash(phone, "phone"))
    by_address = work.find(Contact, address_hash=vault.lookup_hash(phone, "address"))
    found = {contact.contact_id: contact for contact in (*by_phone, *by_address)}
    return [found[number] for number in sorted(found)]


def number_of_case(work: Work, case_no: int) -> str:
    """The number of who reported a case, or his address on a channel that knows no numbers; raises NotFound."""
    reporters = [one for one in work.find(Reporter, case_no=case_no) if one.joined_from is None]
    contacts = [contact for one in reporters if (contact := work.get(Contact, one.contact_id))]
    found = next((contact.phone or contact.address for contact in contacts if contact.phone or contact.address), "")
    if not found:
        raise NotFound("没有这件案件，或其反映人没有留下联系方式。")
    return found


def waiting_of(work: Work, phone: str) -> list[JournalEntry]:
    """Messages of that number whose case is not built yet; they are few, so all are looked at."""
    entries = work.find(JournalEntry, state="pending")
    return [entry for entry in entries if phone in ((one := inbound_of(entry)).phone, one.address)]


def parts_of(work: Work, contacts: Iterable[Contact]) -> list[Part]:
    """The person's parts in cases, oldest case first."""
    parts = []
    for contact in contacts:
        for reporter in work.find(Reporter, contact_id=contact.contact_id):
            case = work.get(Case, reporter.case_no)
            if case is not None:
                parts.append(Part(case, reporter, own=reporter.joined_from is None))
    return sorted(parts, key=lambda part: (part.case.case_no, part.reporter.reporter_id))


def export_person(
    work: Work, contacts: Sequence[Contact], *, phone: str, actor: Actor, reason: str, traces: Traces = NOTHING
) -> dict[str, object]:
    """Everything stored about the person, as plain values for JSON; logs the access to each case and call."""
    parts = parts_of(work, contacts)
    exported = [_case_value(work, part) for part in parts]
    for case_no in dict.fromkeys(part.case.case_no for part in parts):
        log_access(work, case_no, actor, what="export", reason=reason)
    note_export(work, traces, actor, reason=reason)
    return {
        "phone": phone,
        "made_at": work.now.isoformat(),
        "contacts": [
            {"channel": c.channel, "name": c.name, "phone": c.phone, "address": c.address,
             "created_at": c.created_at.isoformat(), "opted_out": c.opted_out_at is not None}
            for c in contacts
        ],
        "cases": exported,
        "answers": [{"at": row.created_at.isoformat(), "text": row.words} for contact in contacts
                    for row in work.find(OutboxRow, contact_id=contact.contact_id) if row.words],
        "waiting": [json.loads(entry.raw) for entry in waiting_of(work, phone)],
        **told(traces),
    }  # fmt: skip


def log_access(work: Work, case_no: int, actor: Actor, *, what: str, reason: str) -> None:
    """A View with the reason as a remark; raises BadInput for no reason at all."""
    if len(reason.strip()) < SHORTEST_LITERAL:
        raise BadInput("reason", "请写明理由。")
    remark = _reason(work, case_no, actor, kind="reveal", reason=reason)
    work.add(remark, View(work.new_id(), case_no, actor.user_id, work.now, what, remark.remark_id))


def _reason(work: Work, case_no: int, actor: Actor, *, kind: str, reason: str) -> Remark:
    text = reason.strip()[:200]
    return Remark(work.new_id(), case_no, work.now, kind, text, actor.user_id, actor.role, actor.unit)


def _case_value(work: Work, part: Part) -> dict[str, object]:
    case = part.case
    value: dict[str, object] = {
        "case_no": case.case_no,
        "state": STATE_WORDS[case.state],
        "part": "own" if part.own else "merged",
        "replies": _replies(work, part.reporter),
    }
    if part.own:
        entry = work.get(JournalEntry, part.reporter.entry_id) if part.reporter.entry_id else None
        value |= {
            "received_at": case.received_at.isoformat(),
            "channel": case.channel,
            "description": case.description,
            "place": case.place.text,
            "coordinates": [case.place.given_lon or case.place.lon, case.place.given_lat or case.place.lat],
            "confidential": case.confidential,
            "message": json.loads(entry.raw) if entry and entry.raw else None,
            "added": [{"at": r.at.isoformat(), "text": r.text} for r in work.find(Remark, case_no=case.case_no)
                      if r.actor_role is Role.CITIZEN],
            "photos": _photos(work, case.case_no),
            "recordings": sounds_of_case(work, case.case_no),
            "seen_by": _views(work, case.case_no),
        }  # fmt: skip
    return value


def _replies(work: Work, reporter: Reporter) -> list[dict[str, object]]:
    debts = {debt.debt_id: debt for debt in work.find(Debt, case_no=reporter.case_no, reporter_id=reporter.reporter_id)}
    return [
        {"kind": debts[r.debt_id].kind.value, "text": r.text, "route": r.route, "end": debts[r.debt_id].end,
         "sent_at": r.sent_at.isoformat() if r.sent_at else None}
        for r in work.find(Reply, case_no=reporter.case_no) if r.debt_id in debts
    ]  # fmt: skip


def _photos(work: Work, case_no: int) -> list[dict[str, object]]:
    return [
        {"mime": one.mime, "added_at": one.added_at.isoformat(), "lon": one.lon, "lat": one.lat, "token": one.token,
         "taken_at": one.taken_at.isoformat() if one.taken_at else None}
        for one in work.find(Attachment, case_no=case_no, usage="report")
    ]  # fmt: skip


def _views(work: Work, case_no: int) -> list[dict[str, object]]:
    """Who looked, by post: the person may know that, staff's names are not his data."""
    roles = {user.user_id: user.role.value for user in work.find(User)}
    return [{"at": view.at.isoformat(), "what": view.what, "role": roles.get(view.user_id, "")}
            for view in work.find(View, case_no=case_no)]  # fmt: skip


def erase_person(
    work: Work, contacts: Sequence[Contact], *, phone: str, actor: Actor, reason: str, also_open: bool,
    traces: Traces = NOTHING,
) -> list[Erased]:  # fmt: skip
    """Erase the person from every case, and his calls; these come last, as of case 0. Raises Refused while a case is open
    (unless `also_open`), he talks, or a report of his is not built yet, and changes nothing then."""
    if len(reason.strip()) < SHORTEST_LITERAL:
        raise BadInput("reason", "请写明理由。")
    if waiting_of(work, phone):
        raise Refused("该号码还有尚未建案的反映，请稍后再试。")
    refuse_under_way(traces)
    parts = parts_of(work, contacts)
    live = sorted({part.case.case_no for part in parts if part.case.state not in ENDED})
    if live and not also_open:
        numbers = "、".join(map(str, live))
        raise Refused(f"还有 {len(live)} 件在办：{numbers}。删除后无法再回复；确需一并删除请加 --also-open。")
    literal = masker(contacts)
    done = [_erase_part(work, part, literal, actor=actor, reason=reason) for part in parts]
    for contact in contacts:
        _erase_talk(work, contact)
        erase_contact(work, contact.contact_id)
    rest = erase_traces(work, traces)
    return [*done, rest] if rest.counts else done


def _erase_talk(work: Work, contact: Contact) -> None:
    """What stands outside cases: where his talk stood, and every answer he got or is about to get."""
    work.remove(Conversation, contact_id=contact.contact_id)
    for row in work.find(OutboxRow, contact_id=contact.contact_id):
        waiting = row.state == WAITING
        work.change(row, replace(row, words="", state=FAILED if waiting else row.state,
                                 outcome="erased" if waiting else row.outcome))  # fmt: skip


def _erase_part(work: Work, part: Part, literal: Callable[[str], str], *, actor: Actor, reason: str) -> Erased:
    case = work.get(Case, part.case.case_no, lock=True) or part.case
    # What an open case is about (a plate, a shop's number) is still needed to handle it; only he himself disappears.
    whole = part.own and case.state in ENDED
    kinds = ("messages", "recordings") if part.own else ("messages",)
    thorough = Masks(lambda text: mask_text(literal(text)), lambda place: mask_address(mask_text(literal(place))))
    erased = erase(work, case, kinds, masks=thorough if whole else Masks(literal, literal))
    counts = dict(erased.counts) | {"contacts": int(erase_contact(work, part.reporter.contact_id))}
    counts["excused"] = _excuse_debts(work, part.reporter, actor)
    remark = _reason(work, case.case_no, actor, kind="reason", reason=reason)
    work.add(remark)
    counts = {kind: n for kind, n in counts.items() if n}
    note_erasure(work, case.case_no, counts, actor=actor, refs={"why": "person", "remarks": [remark.remark_id]})
    archive_if_settled(work, case.case_no)
    return replace(erased, counts=counts)


def _excuse_debts(work: Work, reporter: Reporter, actor: Actor) -> int:
    """End what is owed to somebody who can no longer be told, and call back what has not been sent."""
    debts = work.find(Debt, case_no=reporter.case_no, reporter_id=reporter.reporter_id, end="")
    numbers = {debt.debt_id for debt in debts}
    for row in work.find(OutboxRow, case_no=reporter.case_no, state=WAITING):
        if row.debt_id in numbers:
            work.change(row, replace(row, state=FAILED, outcome="erased"))
    for debt in debts:
        end_debt(work, debt, "excused", actor=actor, excuse=EXCUSE)
    return len(debts)


def masker(contacts: Iterable[Contact]) -> Callable[[str], str]:
    """Replaces the person's own name, number and address by their masks wherever they stand in a text."""
    masks: dict[str, str] = {}
    for contact in contacts:
        digits = contact.phone.removeprefix("+86")
        masks |= {contact.name: mask_name(contact.name), contact.phone: mask_phone(contact.phone),
                  digits: mask_phone(digits), contact.address: "****"}  # fmt: skip
    known = sorted((word for word in masks if len(word) >= SHORTEST_LITERAL), key=len, reverse=True)

    def masked(text: str) -> str:
        for word in known:
            text = text.replace(word, masks[word])
        return text

    return masked
