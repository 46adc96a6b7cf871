"""The automatic voice reply as a channel of the courier, and what becomes of it. Off by default, never for confidential
cases, because a machine's call sounds like fraud and anybody may pick up (docs/process.md).

Only a key is proof that a person listened. A machine, silence or no answer is tried again by the city's rule and then
handed on to the next route, which is an operator.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from intake import delivery, outbox
from intake.call import Call
from intake.callback import RINGABLE, not_before
from intake.caller import caller_of
from intake.errors import Refused, SendError, Unavailable
from intake.model import Case, DeliveryReport, Outbound, Receipt, ReplyKind
from intake.phone_profile import VoiceRules
from intake.ports import Work
from intake.records import Debt, OutboxRow, Reply, Reporter
from intake.rules import Rules
from intake.switchboard_parts import Parts
from intake.telephony import NoVoice
from intake.usecases import rate

KIND = "phone"
HEARD = frozenset({"answered", "served", "unserved"})
"""Ends of the flow before which a key was pressed."""
_FOR_READERS = re.compile(r"【[^】]*】|https?://[!-~]+|[^。！？；]*满意[^。！？；]*回复[“「]?[1１][^。！？；]*[。！？；]?")
"""Our signature, addresses, and which digit to send back."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A voice reply that may be said, with its row."""

    row: OutboxRow
    words: str = ""
    refusal: str = ""


class VoiceSender:
    """Rings citizens with their replies. `send` returns when the exchange has accepted the call; the rest comes later."""

    kind = KIND
    can_look_up = True

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def send(self, outbound: Outbound) -> Receipt:
        """Raises SendError with an outcome of outbox.FAILURES."""
        gateway, rules, now = self._parts.gateway, self._parts.book.rules().voice, self._parts.gateway.now()
        if not rules.enabled:
            raise SendError("no_channel")
        later = not_before(now, rules.quiet, gateway.city.zone)
        if later > now:
            raise SendError("throttled", retry_after_s=(later - now).total_seconds())
        planned = await gateway.store.read(lambda work: plan(work, outbound.ref))
        if planned.refusal:
            raise SendError(planned.refusal)
        caller = caller_of(outbound.address, "", area_code=gateway.city.area_code)
        if caller.kind not in RINGABLE:
            raise SendError("bad_address")
        await self._prepare(planned)
        call = Call(
            gateway.store.next_id(), "voice", "", f"out:{gateway.store.next_id()}", "", now, flow="reply_by_voice",
            caller=caller.number, caller_kind=caller.kind, case_no=planned.row.case_no, debt_id=planned.row.debt_id,
            ref=outbound.ref,
        )  # fmt: skip
        await self._parts.calls.begin(call)
        try:
            await self._parts.exchange.required().reply_by_voice(self._parts.dialled(caller.number), call_id=call.call_id)
        except (Unavailable, Refused) as error:
            await self._parts.calls.change(call.call_id, lambda c: replace(c, ended_at=now, end="cannot_dial", summary="out"))
            raise SendError("unavailable" if isinstance(error, Unavailable) else "refused") from error
        return Receipt(str(call.call_id))

    async def _prepare(self, planned: Planned) -> None:
        """A reply is said in full or not at all, so it is made before a call is written down and anybody rung."""
        try:
            await self._parts.exchange.required().prepare_reply(planned.words, case_no=planned.row.case_no)
        except NoVoice as error:
            raise SendError("no_voice") from error
        except Unavailable as error:
            raise SendError("unavailable") from error

    async def find(self, outbound: Outbound) -> Receipt | None:
        """The call of a message whose fate is unknown after a crash: our own row was written before anybody was rung."""
        calls = await self._parts.gateway.store.read(lambda work: work.find(Call, ref=outbound.ref, order="-call_id", limit=1))
        return Receipt(str(calls[0].call_id)) if calls and calls[0].end != "cannot_dial" else None


def plan(work: Work, ref: str) -> Planned:
    """Look once more before ringing: the case may have become confidential since the reply was queued."""
    row = row_of(work, ref)
    debt = work.get(Debt, row.debt_id) if row else None
    case, reporter = (work.get(Case, debt.case_no), work.get(Reporter, debt.reporter_id)) if debt else (None, None)
    if row is None or case is None or reporter is None:
        raise SendError("refused")
    confidential = case.confidential or reporter.confidential
    return Planned(row, words_in(work, row), "refused" if confidential else "")


def words_of(work: Work, call: Call) -> str:
    """What the machine says."""
    row = row_of(work, call.ref)
    return words_in(work, row) if row else ""


def words_in(work: Work, row: OutboxRow) -> str:
    reply = work.get(Reply, row.reply_id)
    return for_the_ear(reply.text, case_no=row.case_no) if reply else ""


def for_the_ear(text: str, *, case_no: int) -> str:
    """A reply written for the eye as it is said, behind its number: without signature, addresses and digits to send back."""
    said = _FOR_READERS.sub("", text).strip()
    return re.sub(rf"^(?:受理)?编号{case_no}[：:，,]?", "", said).strip()


def row_of(work: Work, ref: str) -> OutboxRow | None:
    return work.get(OutboxRow, int(ref[1:])) if ref[1:].isdigit() else None


def answer_by_key(work: Work, call: Call, rules: Rules, *, satisfied: bool) -> None:
    """1 满意 or 2 不满意 on the telephone: the reply was heard, and a closing reply is rated by it."""
    _heard(work, call, rules)
    debt = work.get(Debt, call.debt_id)
    if debt is None or debt.kind is not ReplyKind.CLOSING:
        return
    try:
        rate(work, debt.case_no, satisfied=satisfied)
    except Refused:
        return  # rated already, or reopened meanwhile; that he listened stands all the same


def voice_ended(work: Work, call: Call, end: str, *, rules: Rules, voice: VoiceRules) -> None:
    """What came of a voice call: heard, to be tried again, or given up and handed on."""
    if end in HEARD:
        _heard(work, call, rules)
        return
    row = row_of(work, call.ref)
    if row is None or row.state not in (outbox.SENT, outbox.CLAIMED):
        return
    rung = len([one for one in work.find(Call, ref=call.ref) if one.end != "cannot_dial"])
    at = _next_try(rung, work.now, voice=voice, zone=rules.zone)
    if at is None:
        failed = work.change(row, replace(row, state=outbox.FAILED, outcome=end))
        delivery.next_route(work, failed, rules)
    else:
        work.change(row, replace(row, state=outbox.WAITING, next_at=at, outcome=end, claimed_by="", claimed_at=None))


def _next_try(rung: int, now: datetime, *, voice: VoiceRules, zone: tzinfo) -> datetime | None:
    if rung >= voice.attempts:
        return None
    return not_before(now + voice.gaps[min(rung, len(voice.gaps)) - 1], voice.quiet, zone)


def _heard(work: Work, call: Call, rules: Rules) -> None:
    row = row_of(work, call.ref)
    if row is not None and row.state not in (outbox.DELIVERED, outbox.WAITING):
        number = str(call.call_id)
        known = row if row.provider_id == number else work.change(row, replace(row, provider_id=number, state=outbox.SENT))
        delivery.record_delivery(work, DeliveryReport(KIND, known.provider_id, "delivered", work.now), rules)
