"""Recordings: sealed files below the media folder, bound to call and case, played back only with a reason, logged.

The exchange keeps a recording until it is fetched (channels/phone/recordings.py); here are the debts of fetching, the
sealed copy, and a machine's draft of the words, which never takes the place of the recording.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from intake.call import Call, CallRecording, Playback
from intake.errors import BadInput, NotAllowed, NotFound
from intake.gateway import Gateway
from intake.history import append_entry
from intake.model import SYSTEM, Actor, Case, Role, State, Urgency
from intake.permission import demand
from intake.person import log_access
from intake.ports import Work
from intake.receive import Judged
from intake.records import Attachment, Reporter, Task
from intake.replies import event_of
from intake.sealed_sound import SoundWriter, parts
from intake.sounds import path_of
from intake.usecases import load_case

MAX_BYTES = 256 * 1024 * 1024
"""Four and a half hours of 8 kHz telephone sound."""
MAX_ATTEMPTS = 20
MAX_TRANSCRIPT_CHARS = 2000
DRAFT = "机器转写（草稿，以录音为准）："
PAGE = 50


class Audio:
    """The sealed recordings of one gateway."""

    def __init__(self, gateway: Gateway, media: Path) -> None:
        self._gateway, self._store, self._media = gateway, gateway.store, media

    async def wanted(self) -> list[CallRecording]:
        """Recordings that the exchange still holds, oldest first."""
        return await self._store.read(lambda work: work.recordings_due("fetch", most=PAGE, attempts=MAX_ATTEMPTS))

    async def failed(self, token: str, why: str) -> None:
        """Fetching failed; after MAX_ATTEMPTS a person must look (doctor)."""

        def unit(work: Work) -> None:
            held = recording_of(work, token)
            work.change(held, replace(held, attempts=held.attempts + 1, error=why[:60]))

        await self._store.write(unit)

    async def store(self, token: str, data: bytes, *, mime: str = "audio/wav") -> CallRecording:
        """Keep a sound that is in memory; see `take`."""

        async def whole() -> AsyncIterator[bytes]:
            yield data

        return await self.take(token, whole(), mime=mime)

    async def take(self, token: str, pieces: AsyncIterator[bytes], *, mime: str = "audio/wav") -> CallRecording:
        """Keep a sound sealed as its pieces come; it is on the disk when this returns. Raises BadInput for a sound other than
        announced, and what `pieces` raises: nothing is kept then."""
        held = await self._store.read(lambda work: recording_of(work, token))
        writer = await asyncio.to_thread(SoundWriter, self._gateway.vault, path_of(self._media, token), purpose_of(token))
        try:
            async for piece in pieces:
                await asyncio.to_thread(writer.add, piece)
                if writer.size > MAX_BYTES:
                    break
            if not 0 < writer.size <= MAX_BYTES:
                raise BadInput("data", "录音是空的或过长。")
            if held.sha256 and held.stored_at is None and held.sha256 != writer.sha256:
                raise BadInput("sha256", "录音与登记的校验值不符。")
            await asyncio.to_thread(writer.finish)
        finally:
            writer.discard()

        def unit(work: Work) -> CallRecording:
            now_held = recording_of(work, token)
            after = work.change(now_held, replace(now_held, sha256=writer.sha256, size=writer.size, mime=mime,
                                                  stored_at=work.now, error=""))  # fmt: skip
            show_in_case(work, after)
            return after

        return await self._store.write(unit)

    async def read(self, token: str, *, most: int | None = None) -> bytes:
        """The sound (its first `most` bytes) for the machine that drafts its words; people come through `open`. Raises
        NotFound."""
        return b"".join([part async for part in self.part(token, stop=most)])

    async def part(self, token: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The sound from byte `start` to before `stop`, about a megabyte at a time. Raises NotFound."""
        held = await self._store.read(lambda work: recording_of(work, token))
        if held.stored_at is None or not held.size:
            raise NotFound("录音还没有取回，或已按期限删除。")
        reading = parts(self._gateway.vault, path_of(self._media, token), purpose_of(token), start=start,
                        stop=min(held.size, held.size if stop is None else stop))  # fmt: skip
        while True:
            try:
                part = await asyncio.to_thread(next, reading, None)
            except OSError as error:
                raise NotFound("录音文件不在。") from error
            if part is None:
                return
            yield part

    async def open(self, token: str, actor: Actor, *, reason: str) -> tuple[CallRecording, bytes]:
        """Listen to a recording; see `unlock`."""
        return await self.unlock(token, actor, reason=reason), await self.read(token)

    async def unlock(self, token: str, actor: Actor, *, reason: str) -> CallRecording:
        """Who listens, when and why is written down before anything is heard; confidential ones open to the shift leader."""

        def unit(work: Work) -> CallRecording:
            held = recording_of(work, token)
            refuse_unheard(work, held, actor)
            if len(reason.strip()) < 2:
                raise BadInput("reason", "请写明听录音的理由。")
            work.add(Playback(work.new_id(), held.recording_id, held.call_id, actor.user_id, work.now, reason.strip()[:200]))
            if held.case_no:
                log_access(work, held.case_no, actor, what="recording", reason=reason)
            return held

        return await self._store.write(unit)

    async def untranscribed(self) -> list[CallRecording]:
        """Messages that are here and have no draft yet, oldest first."""
        return await self._store.read(lambda work: work.recordings_due("draft", most=PAGE))

    async def transcribe(self, token: str, text: str, *, confidence: float = 0.0) -> CallRecording:
        """Keep a machine's draft; an unread report takes it into its description, and danger in it is told at once."""
        words = text.strip()[:MAX_TRANSCRIPT_CHARS]
        judged = self._gateway.judge(words) if words else Judged()

        def unit(work: Work) -> CallRecording:
            held = recording_of(work, token)
            percent = round(100 * min(1.0, max(0.0, confidence)))
            after = work.change(held, replace(held, transcript=words, confidence_pct=percent, transcribed_at=work.now))
            if words and held.case_no:
                _suggest(work, held.case_no, words, judged)
            return after

        return await self._store.write(unit)

    async def show_late(self) -> int:
        """Recordings whose case stood in the spool when they were stored; returns how many came to their case now."""

        def unit(work: Work) -> int:
            done = 0
            for held in work.find(CallRecording, order="-recording_id", limit=PAGE):
                shown = work.get(Attachment, held.token) if held.case_no and held.size else None
                late = held.case_no and held.size and held.erased_at is None and (shown is None or shown.size != held.size)
                if late:
                    show_in_case(work, held)
                    done += 1
            return done

        return await self._store.write(unit)


def purpose_of(token: str) -> str:
    """What a recording is sealed for: the file of one does not open as another's."""
    return f"audio:{token}"


def recording_of(work: Work, token: str) -> CallRecording:
    """A recording by its unguessable name; raises NotFound."""
    found = work.find(CallRecording, token=token, limit=1)
    if not found:
        raise NotFound("没有这段录音。")
    return found[0]


def refuse_unheard(work: Work, held: CallRecording, actor: Actor) -> None:
    """Raise unless this person may listen: the centre, and of a confidential case the shift leader only."""
    demand(actor, "hear_recording")
    if not held.case_no:
        return
    case = load_case(work, held.case_no, actor)
    secret = case.confidential or any(r.confidential for r in work.find(Reporter, case_no=case.case_no))
    if secret and actor.role is not Role.SHIFT_LEADER:
        raise NotAllowed("保密件的录音须由值班长收听。")


def bind_recordings(work: Work, call: Call) -> None:
    """The recordings of a call belong to its case from now on."""
    for held in work.find(CallRecording, call_id=call.call_id):
        show_in_case(work, held if held.case_no else work.change(held, replace(held, case_no=call.case_no)))


def show_in_case(work: Work, held: CallRecording) -> None:
    """A recording is an attachment of its case like a photo, so that retention and export find it there. A case that
    still waits in the spool gets it later (Switchboard.sweep)."""
    if not held.case_no or work.get(Case, held.case_no) is None:
        return
    shown = work.get(Attachment, held.token)
    if shown is None:
        work.add(Attachment(held.token, held.case_no, "recording", held.sha256, held.mime, 0, 0, held.size, held.made_at))
    elif held.erased_at is None and shown.size != held.size:
        work.change(shown, replace(shown, sha256=held.sha256, mime=held.mime, size=held.size))


def _suggest(work: Work, case_no: int, words: str, judged: Judged) -> None:
    """The draft and what the classifier makes of it, as long as nobody has looked at the case."""
    case = work.get(Case, case_no, lock=True)
    if case is None or case.state is not State.REPORTED or DRAFT in case.description:
        return
    danger = judged.danger_words and not case.danger_words
    after = replace(
        case, description=f"{case.description}\n{DRAFT}{words}", version=case.version + 1, updated_at=work.now,
        prediction=judged.prediction if case.prediction.abstained else case.prediction,
        danger_words=case.danger_words or judged.danger_words,
        urgency=Urgency.EMERGENCY if danger else case.urgency,
    )  # fmt: skip
    after, line = append_entry(case.state, after, step="transcribe", actor=SYSTEM, at=work.now, refs={"chars": len(words)})
    work.add(line)
    work.change(case, after)
    work.tell(event_of(after, "transcribe", work))
    if danger:
        work.add(Task(work.new_id(), "emergency", case_no, work.now, Role.SHIFT_LEADER))
