"""Calls that are going on: each change written down at once, in the database or, while that is away, on the disk.

A change is a function of the call, done once on the copy in memory and once on the stored row, so that what a colleague
changes meanwhile (来电小结) is not overwritten. What waits on the disk is brought in as soon as the database is back.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from intake import callback_work
from intake.call import Call, CallRecording, Told
from intake.call_spool import CallFile, CallSpool, Owing
from intake.errors import NotFound, Unavailable
from intake.phone_profile import PhoneBook
from intake.ports import Store, Work
from intake.rules import Rules
from intake.switchboard_audio import bind_recordings
from intake.vault import Vault

WRITE_TIMEOUT_S = 2.0
"""A caller hears nothing meanwhile."""
REST_S = 2.0
OTHERS_OWN = ("summary", "summed_by", "note", "case_no", "result", "rating")
"""Columns that people change beside the call; the copy in memory fills them only where they are empty."""
Change = Callable[[Call], Call]
Also = Callable[[Work, Call], None]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What calls are kept with."""

    store: Store
    vault: Vault
    book: PhoneBook
    rules: Rules


class LiveCalls:
    """The calls of this gateway in memory, each as the file it would be spooled as."""

    def __init__(self, around: Surroundings, spool: CallSpool) -> None:
        self._around, self._spool = around, spool
        self._files: dict[int, CallFile] = {}
        self._rest_until = 0.0
        self._down = False

    def number_hash(self, number: str) -> str:
        return self._around.vault.lookup_hash(number, "phone")

    async def begin(self, call: Call) -> Call:
        """Write a new call down; the same leg again gives the call it has already."""
        same = [f.call for f in self._files.values() if (f.call.server, f.call.leg_id) == (call.server, call.leg_id)]
        if same:
            return same[0]

        def unit(work: Work) -> Call:
            found = work.find(Call, server=call.server, leg_id=call.leg_id, limit=1)
            if not found:
                work.add(call)
            return found[0] if found else call

        file = CallFile(call)
        self._files[call.call_id] = file
        stored = await self._write(file, unit)
        if stored is not None and stored.call_id != call.call_id:
            del self._files[call.call_id]
            return stored
        return call

    async def get(self, call_id: int) -> Call:
        """The call as it is stored, else as we remember it. Raises NotFound."""
        return (await self.file(call_id)).call

    async def file(self, call_id: int) -> CallFile:
        held = self._files.get(call_id) or self._spool.get(call_id)
        if held is not None:
            return held

        def question(work: Work) -> CallFile | None:
            call = work.get(Call, call_id)
            return CallFile(call, tuple(work.find(CallRecording, call_id=call_id))) if call else None

        file = await self._around.store.read(question)
        if file is None:
            raise NotFound("没有这个电话。")
        return self._files.setdefault(call_id, file) if not file.call.is_over else file

    async def change(self, call_id: int, change: Change, *, also: Also | None = None, owing: Sequence[Owing] = ()) -> Call:
        """Change a call, with whatever belongs to the same unit of work; durable on return."""
        held = await self.file(call_id)
        file = replace(held, call=change(held.call), owing=(*held.owing, *owing))
        self._files[call_id] = file

        def unit(work: Work) -> Call:
            stored = work.get(Call, call_id, lock=True)
            waits = stored is None or self._spool.get(call_id) is not None
            after = self._stored(work, file) if waits or stored is None else work.change(stored, change(stored))
            if also is not None:
                also(work, after)
            self._consequences(work, after, file.owing if waits else owing)
            return after

        return await self._write(file, unit) or file.call

    async def keep_recording(self, recording: CallRecording) -> CallRecording:
        """Write a recording of a call down; one of the same name is replaced (a second take)."""
        held = await self.file(recording.call_id)
        others = tuple(one for one in held.recordings if one.name != recording.name)
        file = replace(held, recordings=(*others, recording))
        self._files[recording.call_id] = file

        await self._write(file, lambda work: self._bring_in(work, file))
        return recording

    def forget(self, call_id: int) -> None:
        """A call that is over need not be remembered: it is in the database or on the disk."""
        self._files.pop(call_id, None)

    def recall(self, call: Call) -> None:
        """Put a call that was stored by a unit of work of its own beside the others."""
        self._files[call.call_id] = CallFile(call)

    async def replay(self) -> int:
        """Bring spooled calls into the database, oldest first; returns how many."""
        done = 0
        for file in self._spool.waiting():
            try:
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    await self._around.store.write(lambda work, file=file: self._bring_in(work, file))  # type: ignore[misc]
            except (Unavailable, TimeoutError):
                self._note_outage()
                return done
            await asyncio.to_thread(self._spool.remove, file)
            done += 1
        if self._down and not len(self._spool):
            self._down = False
            log.warning("phone.database_up", calls=done)
        return done

    async def _write(self, file: CallFile, unit: Callable[[Work], Call]) -> Call | None:
        """Run the unit; None when the call went to the disk instead. Raises Unavailable when both fail."""
        if time.monotonic() >= self._rest_until:
            try:
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    return await self._around.store.write(unit)
            except (Unavailable, TimeoutError):
                self._note_outage()
        try:
            await asyncio.to_thread(self._spool.put, self._files.get(file.call.call_id, file))
        except OSError as error:
            log.critical("phone.spool_failed", error=type(error).__name__)
            raise Unavailable from error
        return None

    def _note_outage(self) -> None:
        self._rest_until = time.monotonic() + REST_S
        if not self._down:
            self._down = True
            log.error("phone.database_down")

    def _bring_in(self, work: Work, file: CallFile) -> Call:
        """A call with its recordings and debts, whatever of it is stored already. Harmless to repeat."""
        call = self._stored(work, file)
        if call.case_no:
            bind_recordings(work, call)
        self._consequences(work, call, file.owing)
        return call

    def _stored(self, work: Work, file: CallFile) -> Call:
        call = self._merged(work, file.call)
        for recording in file.recordings:
            held = work.find(CallRecording, call_id=recording.call_id, name=recording.name, limit=1)
            if not held:
                work.add(recording)
            elif held[0].made_at <= recording.made_at and held[0].stored_at is None and held[0] != recording:
                work.change(held[0], replace(recording, recording_id=held[0].recording_id))
        return call

    def _merged(self, work: Work, call: Call) -> Call:
        stored = work.get(Call, call.call_id, lock=True)
        if stored is None:
            work.add(call)
            return call
        kept = {name: getattr(stored, name) for name in OTHERS_OWN if getattr(stored, name)}
        return work.change(stored, replace(call, **kept))

    def _consequences(self, work: Work, call: Call, owing: Sequence[Owing]) -> None:
        """What follows from a call: who is served is owed nothing any more, who was not may be owed a call."""
        if call.purpose == "in" and call.answered_at is not None:
            callback_work.settle(work, self.number_hash(call.caller), before=call.answered_at)
        if call.emergency_at is not None and not work.find(Told, call_id=call.call_id, limit=1):
            # Written here as well, because the danger was told of while the database was away.
            target = call.emergency_to or "duty"
            work.add(Told(work.new_id(), call.call_id, target, call.emergency_at, call.operator_id))
        for one in owing:
            number_hash, rules = self.number_hash(one.number), self._around.book.rules().callbacks
            callback_work.owe(work, call, one, number_hash=number_hash, rules=rules, zone=self._around.rules.zone)
