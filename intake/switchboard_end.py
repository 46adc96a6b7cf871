"""How calls end: what was said becomes a report, what is owed is written down, every call gets its outcome.

A call whose flow nobody drives to its end any more (the gateway was killed, the roster found no leg) is ended here from
what is stored of it, by the same rules.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from intake.call import HUNG_UP, LOST, Call, CallRecording
from intake.call_spool import Owing
from intake.callback import RINGABLE, leaving_of, reason_owed
from intake.callback_desk import Callbacks
from intake.nuisance import standing
from intake.ports import Work
from intake.switchboard_parts import Parts
from intake.switchboard_report import Reports
from intake.telephony import CallEnd, Take
from intake.transfer import ended
from intake.voice_reply import voice_ended

FORGOTTEN_AFTER = timedelta(seconds=60)
"""A driver that is alive ends a call within seconds of its hang-up."""
SUMMARY_OF_END = {"status_told": "self_served", "callback_requested": "callback", "message_left": "message"}
RATING = "rating"
"""The flow a citizen comes to when the operator who rang him hangs up; in a call that comes in it is part of the hotline."""
MAX_AT_ONCE = 50
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kept:
    """A take as the stored position names it."""

    name: str
    ref: str
    seconds: float
    saved: bool = False


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The end of a call that its flow did not live to tell (CallEnd by shape)."""

    flow: str
    end: str
    how: str = LOST
    answers: Mapping[str, str] = field(default_factory=dict)
    recordings: tuple[Take, ...] = ()
    taken_in: bool = False
    call_back: bool = False
    queued: bool = False
    served: bool = False


class Ends:
    """Ends calls."""

    def __init__(self, parts: Parts, reports: Reports, callbacks: Callbacks) -> None:
        self._parts, self._reports, self._callbacks = parts, reports, callbacks

    async def finish(self, call_id: int, end: CallEnd) -> Call:
        """End a call; one that has ended already is given back as it is."""
        call = await self._parts.calls.get(call_id)
        if end.flow == RATING and call.purpose != "in":
            return await self._end_rating(call_id)
        if call.end:
            return call
        await self._register(call_id, end)
        if call.purpose == "callback":
            await self._callbacks.ended(call, end.end)
        elif call.purpose == "voice":
            await self._end_voice(call, end)
        else:
            await self._end_incoming(call, end)
        after = (await self._parts.calls.file(call_id)).call
        self._parts.calls.forget(call_id)
        return after

    async def _end_rating(self, call_id: int) -> Call:
        """The citizen's last word after a call of ours: how that call ended is told by what the operator did."""
        after = await self._parts.calls.change(call_id, lambda c: replace(c, position=""))
        self._parts.calls.forget(call_id)
        return after

    async def _register(self, call_id: int, end: CallEnd) -> None:
        """Takes nobody told us of while they were made."""
        known = {one.ref for one in (await self._parts.calls.file(call_id)).recordings}
        for take in end.recordings:
            if take.ref and take.ref not in known:
                await self._reports.register(call_id, take.name, take.ref, take.seconds)

    async def _end_incoming(self, call: Call, end: CallEnd) -> None:
        reported = await self._take_in(call, end)
        now = self._parts.gateway.now()
        giving = "" if end.served else call.giving
        served = replace(call, answered_at=call.answered_at or (now if end.served else None), giving=giving)
        rules = self._parts.book.rules().callbacks
        complete = reported and end.end == "message_unsaved"
        leaving = leaving_of(
            served, end=end.end, asked=end.call_back and not complete, at=call.ended_at or now,
            marked=await self._is_marked(call), reported=reported,
        )  # fmt: skip
        reason = reason_owed(leaving, rules) if call.purpose == "in" else ""
        owing = [Owing(call.caller, reason, call.queued_at or now)] if reason else []
        keyed = "" if reported else _keyed(end.answers)

        def close(held: Call) -> Call:
            talked = replace(held, answered_at=served.answered_at, giving=giving)
            summary = held.summary or _summary(talked, end, reason)
            return replace(ended(held, "given_up"), ended_at=held.ended_at or now, end=end.end or HUNG_UP, how=end.how,
                           position="", note=held.note or keyed, summary=summary,
                           result=held.result or _result(held))  # fmt: skip

        await self._parts.calls.change(call.call_id, close, owing=owing)

    async def _take_in(self, call: Call, end: CallEnd) -> bool:
        """Whether something of this call stands in a report: takes that no act saved, or keys of a caller nobody can ring."""
        unsaved = [take.ref for take in end.recordings if not take.saved and take.seconds > 0 and take.ref]
        if unsaved:
            await self._reports.save(call.call_id, refs=unsaved)
        elif end.taken_in and end.answers and call.caller_kind not in RINGABLE:
            await self._reports.save(call.call_id, refs=(), keyed=_keyed(end.answers))
        else:
            return bool((await self._parts.calls.get(call.call_id)).case_no)
        return True

    async def _is_marked(self, call: Call) -> bool:
        hashed = self._parts.number_hash(call.caller)
        try:
            return bool(hashed and await self._parts.gateway.store.read(lambda work: standing(work, hashed)))
        except Exception as error:
            # While the database cannot be asked a call-back may be owed to anybody; marks are looked at again before dialling.
            log.warning("phone.mark_unchecked", error=type(error).__name__)
            return False

    async def _end_voice(self, call: Call, end: CallEnd) -> None:
        rules, voice, now = self._parts.gateway.rules, self._parts.book.rules().voice, self._parts.gateway.now()
        await self._parts.calls.change(
            call.call_id,
            lambda c: replace(c, ended_at=c.ended_at or now, end=end.end, how=end.how, summary="out", position="",
                              result=c.result or "unreached"),
            also=lambda work, c: voice_ended(work, c, end.end, rules=rules, voice=voice),
        )  # fmt: skip

    async def resolve(self, call_id: int) -> Call:
        """End a call from what is stored of it."""
        file = await self._parts.calls.file(call_id)
        return await self.finish(call_id, rebuilt(file.call, file.recordings))

    async def resolve_forgotten(self) -> int:
        """End calls whose caller is long gone and whose flow nobody drives."""

        def question(work: Work) -> list[int]:
            ended = work.find(Call, end="", live=False, order="call_id", limit=MAX_AT_ONCE)
            return [one.call_id for one in ended if _since(one, work.now) >= FORGOTTEN_AFTER]

        forgotten = await self._parts.gateway.store.read(question)
        for call_id in forgotten:
            await self.resolve(call_id)
        return len(forgotten)


def rebuilt(call: Call, recordings: tuple[CallRecording, ...]) -> Rebuilt:
    """What is known of the end of a call from its row, its stored position and its recordings."""
    position = _position(call.position)
    takes = [Kept(one["name"], one["ref"], one["seconds"], one["saved"]) for one in position.get("recordings", ())]
    named = {take.ref for take in takes}
    takes += [Kept(one.name, one.ref, one.duration_ms / 1000, saved=bool(one.case_no)) for one in recordings
              if one.kind == "message" and one.ref not in named]  # fmt: skip
    settled, served = str(position.get("settled", "")), call.was_served or (bool(position.get("served")) and not call.giving)
    pending = bool(position.get("pending")) or any(not take.saved for take in takes)
    known = position.get("known", {})
    failed = {"callback": "not_confirmed", "voice": "cut_short"}.get(call.purpose, "abandoned")
    return Rebuilt(
        flow=call.flow, end="served" if served else settled or failed,
        answers={name: str(known[name]) for name in position.get("answered", ()) if name in known and "code" not in name},
        recordings=tuple(takes), taken_in=pending and not settled, call_back=pending and not settled and not served,
        queued=call.queued_at is not None, served=served,
    )  # fmt: skip


def _position(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _since(call: Call, now: datetime) -> timedelta:
    return now - (call.ended_at or now)


def _keyed(answers: Mapping[str, str]) -> str:
    return "，".join(answers.values())[:200]


def _result(call: Call) -> str:
    """Of a call we placed that nobody answered; whether one who answered was reached or declined only people know."""
    return "unreached" if call.purpose != "in" and call.answered_at is None else ""


def _summary(call: Call, end: CallEnd, reason: str) -> str:
    """The outcome that needs no person; empty where an operator talked and owes his 来电小结."""
    if call.purpose != "in":
        return "out"
    if call.operator_id and call.was_served:
        return ""
    if call.emergency_at is not None and call.was_served:
        return "transferred"
    if reason:
        return "abandoned" if reason == "abandoned" else "unserved"
    if call.was_served:
        return ""
    return SUMMARY_OF_END.get(end.end, "gave_up")
