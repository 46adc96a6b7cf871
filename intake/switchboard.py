"""The switchboard: what the telephone's driver tells the gateway of a call, from ringing to its outcome.

Thin: acts of the flow are answered in switchboard_acts.py, lines, recordings, call-backs, outgoing calls and marks have
their own modules and hang here under those names. Every method is durable on return, in the database or on the disk.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from intake import transfer
from intake.call import Call, CallRecording, LineState, OperatorLine, Told
from intake.call_spool import CallSpool
from intake.callback_desk import Callbacks
from intake.caller import caller_of
from intake.errors import Unavailable
from intake.gateway import Gateway
from intake.model import Actor
from intake.phone_profile import EmergencyContact, PhoneBook
from intake.ports import Work
from intake.switchboard_acts import STALE, Acts
from intake.switchboard_audio import Audio
from intake.switchboard_contact import Contacts
from intake.switchboard_end import Ends
from intake.switchboard_facts import Facts
from intake.switchboard_lines import Lines, free_lines_of, line_at, set_line, tell_call, wrap_up
from intake.switchboard_live import LiveCalls, Surroundings
from intake.switchboard_marks import Marks
from intake.switchboard_out import TO_CITIZENS, Outgoing
from intake.switchboard_parts import Exchange, Parts
from intake.switchboard_report import Reports
from intake.switchboard_summary import CallerView, Summaries, stored_call
from intake.switchboard_transfer import Transfers
from intake.telephony import CallEnd, Found, Ring, Telephony
from intake.transfer import let_go, taken
from intake.voice_reply import VoiceSender

SWEEP_EVERY_S = 2.0


class Switchboard:
    """One for each gateway. `connect` gives it the exchange, without which calls are only kept, not made."""

    def __init__(self, gateway: Gateway, *, media: Path, spool: Path) -> None:
        self.gateway, self.book = gateway, PhoneBook(gateway.city)
        self._spool = CallSpool(spool, gateway.vault)
        calls = LiveCalls(Surroundings(gateway.store, gateway.vault, self.book, gateway.rules), self._spool)
        self.parts = Parts(gateway, self.book, calls, Exchange())
        self._calls = calls
        self._reports = Reports(self.parts)
        self.audio = Audio(gateway, media)
        self.lines, self.marks, self.outgoing = Lines(self.parts), Marks(self.parts), Outgoing(self.parts)
        self.contacts = Contacts(self.parts, self.outgoing)
        self.callbacks = Callbacks(self.parts)
        self.summaries, self.transfers = Summaries(self.parts), Transfers(self.parts)
        self._acts, self._facts = Acts(self.parts, self._reports), Facts(self.parts)
        self._ends = Ends(self.parts, self._reports, self.callbacks)
        self.lines.take_turn = self.callbacks.turn
        self.voice = VoiceSender(self.parts)

    def open(self) -> int:
        """Read what an earlier run left on the disk; returns how many calls wait there."""
        return self._spool.open()

    def connect(self, telephony: Telephony | None) -> None:
        """Give the switchboard its exchange."""
        self.parts.exchange.telephony = telephony

    @property
    def telephony(self) -> Telephony | None:
        return self.parts.exchange.telephony

    # A call comes in

    async def ring(self, ring: Ring) -> Call:
        """A call has come; the same leg again gives the same call."""
        caller = caller_of(ring.caller, ring.name, area_code=self.gateway.city.area_code)
        return await self._calls.begin(Call(
            self.gateway.store.next_id(), "in", ring.server, ring.leg_id, ring.line, ring.at, flow=ring.flow,
            caller=caller.number, caller_kind=caller.kind, name=caller.name,
        ))  # fmt: skip

    async def facts(self, call_id: int) -> dict[str, str]:
        """What the flow of this call is told at its start."""
        return await self._facts.of(await self._calls.get(call_id))

    def greeting_of(self, line: str) -> str:
        return self.book.greeting(line)

    def duty(self) -> EmergencyContact | None:
        return self.book.duty()

    def notices(self) -> list[str]:
        """The temporary notices in force or soon to be."""
        return self.book.notices(self.gateway.now())

    async def keep_position(self, call_id: int, position: str) -> None:
        """Where the flow stands; sealed, because it holds what was keyed."""
        await self._calls.change(call_id, lambda call: replace(call, position=position))

    async def position_of(self, call_id: int) -> str | None:
        return (await self._calls.get(call_id)).position or None

    async def ask(self, call_id: int, act: str, values: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        """The answer to an act of the flow; never raises, because every flow knows what to do about `failed`."""
        return await self._acts.answer(call_id, act, values)

    # Waiting and talking

    async def queue_of(self, call_id: int) -> str:
        """The queue a caller is to wait in: everybody's, or that of a skill."""
        return await self._facts.queue_of(await self._calls.get(call_id))

    async def queued(self, call_id: int, queue: str) -> Call:
        """He waits in a queue; whoever comes back to it keeps his place."""
        now = self.gateway.now()

        def waits(call: Call) -> Call:
            return replace(transfer.queued(call, queue), queued_at=call.queued_at or now)

        return await self._calls.change(call_id, waits)

    async def ringing(self, call_id: int, extension: str) -> None:
        """An operator's telephone rings: his screen is told before he picks up."""

        def also(work: Work, call: Call) -> None:
            line = line_at(work, extension)
            if line is not None and line.state in (LineState.READY, LineState.RINGING):
                set_line(work, line, LineState.RINGING, call_id=call_id)
                tell_call(work, "ringing", call_id, line.user_id, LineState.RINGING)
            elif line is not None and line.call_id == call_id and line.state is LineState.WRAP_UP:
                # The citizen he gave on comes back to him; he writes about that call still, and stays out of the queue.
                tell_call(work, "ringing", call_id, line.user_id, LineState.WRAP_UP)

        await self._calls.change(call_id, lambda call: call, also=also)

    async def not_answered(self, call_id: int, extension: str) -> None:
        """His telephone stopped ringing and nobody picked up there."""

        def also(work: Work, call: Call) -> None:
            line = line_at(work, extension)
            if line is not None and line.state is LineState.RINGING and line.call_id == call_id:
                set_line(work, line, LineState.READY)

        await self._calls.change(call_id, lambda call: call, also=also)

    async def answered(self, call_id: int, extension: str) -> Call:
        """Somebody talks with the citizen. What his number was owed is settled (switchboard_live)."""
        now, operator = self.gateway.now(), await self._operator_at(extension)

        def talking(call: Call) -> Call:
            # Who placed a call has to say what came of it, whoever else the citizen speaks with.
            whose = call.operator_id if call.purpose in TO_CITIZENS else operator or call.operator_id
            return replace(taken(call), answered_at=call.answered_at or now, left_at=None, extension=extension, operator_id=whose)

        def also(work: Work, call: Call) -> None:
            line = line_at(work, extension)
            if line is not None:
                set_line(work, line, LineState.TALKING, call_id=call_id)
                tell_call(work, "answered", call_id, line.user_id, LineState.TALKING)
            free_lines_of(work, call_id, but=line.user_id if line else 0)

        before = await self._calls.get(call_id)
        call = await self._calls.change(call_id, talking, also=also)
        if before.queued_at and not before.answered_at:
            self.callbacks.note_taken()
        return call

    async def _operator_at(self, extension: str) -> int:
        try:
            line = await self.gateway.store.read(lambda work: line_at(work, extension))
        except Exception:  # who it was is found again from the extension; the talk must be written down now
            return 0
        return line.user_id if line else 0

    async def left(self, call_id: int, who: str) -> Call:
        """The talk is over; `who` ended it: operator or citizen. The operator goes over to 话后整理."""
        now, wrapped = self.gateway.now(), list[OperatorLine]()

        def gone(call: Call) -> Call:
            return replace(let_go(call) if who == "operator" else call, left_at=call.left_at or now)

        def also(work: Work, call: Call) -> None:
            wrapped[:] = wrap_up(work, call_id)
            for line in wrapped:
                tell_call(work, "ended", call_id, line.user_id, LineState.WRAP_UP)

        call = await self._calls.change(call_id, gone, also=also)
        for line in wrapped:
            await self.parts.exchange.tell(lambda port, at=line.extension: port.pause(at, "wrap_up"))  # type: ignore[misc]
        return call

    async def rang(self, call_id: int, result: str) -> Call:
        """What came of another telephone that was rung for the citizen: answered, busy, no_answer or refused."""
        return await self.transfers.rang(call_id, result)

    # Recordings

    async def recorded(
        self, call_id: int, name: str, ref: str, seconds: float, *, kind: str = "message", sha256: str = ""
    ) -> CallRecording:
        """A message or talk has been recorded at the exchange. A second take of the same name replaces the first."""
        return await self._reports.register(call_id, name, ref, seconds, kind=kind, sha256=sha256)

    # The end

    async def finish(self, call_id: int, end: CallEnd) -> Call:
        """The flow is over: whatever was said becomes a report, whatever is owed is written down. Harmless to repeat."""
        return await self._ends.finish(call_id, end)

    async def hung_up(self, call_id: int, at: datetime, cause: str = "") -> Call:
        """The citizen's leg is gone. The flow's own end comes by `finish`, or by `sweep` when nobody drives it any more."""

        def also(work: Work, call: Call) -> None:
            free_lines_of(work, call_id)
            if call.answered_at is None:
                wrap_up(work, call_id)

        call = await self._calls.change(
            call_id, lambda call: replace(call, ended_at=call.ended_at or at, cause=call.cause or cause[:40]), also=also
        )
        return await self.left(call_id, "citizen") if call.answered_at and not call.left_at else call

    async def gone(self, call_id: int, at: datetime) -> Call:
        """The roster finds no leg of a call any more: it ends now as if the citizen had hung up then."""
        await self.hung_up(call_id, at, "gone")
        return await self._ends.resolve(call_id)

    async def found(self, found: Found) -> Call:
        """A call of the time the gateway was away; idempotent by server and leg."""
        call = await self.ring(Ring(found.server, found.leg_id, found.line, found.caller, found.started_at, found.name))
        if call.end:
            return call
        operator = await self._operator_at(found.extension) if found.extension else 0
        await self._calls.change(call.call_id, lambda c: replace(
            c, queued_at=c.queued_at or found.queued_at, answered_at=c.answered_at or found.answered_at,
            left_at=c.left_at or (found.ended_at if found.answered_at else None), ended_at=c.ended_at or found.ended_at,
            extension=c.extension or found.extension, operator_id=c.operator_id or operator, cause=c.cause or "found",
        ))  # fmt: skip
        return await self._ends.resolve(call.call_id)

    # Looking

    async def call(self, call_id: int) -> Call:
        """The call as stored. Raises NotFound."""
        return await self.gateway.store.read(lambda work: stored_call(work, call_id))

    async def live(self) -> list[Call]:
        """Calls without an end, of all gateways."""
        return await self.gateway.store.read(lambda work: work.live_calls())

    async def recent(self, number: str, *, limit: int = 10) -> list[Call]:
        """The last calls with a number, newest first."""
        caller = caller_of(number, "", area_code=self.gateway.city.area_code)
        return await self.summaries.recent(caller.number, limit=limit)

    async def caller_view(self, call_id: int, actor: Actor) -> CallerView:
        return await self.summaries.caller_view(call_id, actor)

    async def sum_up(self, call_id: int, actor: Actor, *, summary: str, case_no: int = 0, note: str = "") -> Call:
        return await self.summaries.sum_up(call_id, actor, summary=summary, case_no=case_no, note=note)

    async def emergency(
        self, call_id: int, target: str, actor: Actor, *, person: str = "", result: str = "told"
    ) -> Told:
        return await self.summaries.emergency(call_id, target, actor, person=person, result=result)

    async def unsummed(self, user_id: int) -> list[Call]:
        return await self.summaries.unsummed(user_id)

    # Upkeep

    async def sweep(self) -> int:
        """What must happen without anybody asking; returns how many things were done."""
        done = await self._calls.replay()
        done += await self.lines.end_long_wrap_ups()
        for call in await self.live():
            if self.gateway.now() - call.started_at > STALE and call.purpose != "in":
                await self.gone(call.call_id, self.gateway.now())
                done += 1
        return done + await self._ends.resolve_forgotten() + await self.audio.show_late()

    async def run(self) -> None:
        """Go round until cancelled; everything it waits for is a row or a file."""
        while True:
            with suppress(Unavailable):  # an outage is logged where it is met first (switchboard_live)
                await self.sweep()
            await asyncio.sleep(SWEEP_EVERY_S)
