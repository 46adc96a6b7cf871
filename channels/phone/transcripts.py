"""Draft transcripts of messages: one after the other, by a worker process at low priority, whenever one is waiting.

What waits are rows of the switchboard's recordings, so a restart loses none; the audio is only read. A message that cannot
be recognised after some tries is marked as done without words: a person listens to it anyway.
"""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from channels.phone.pack_worker import PackWorker, WorkerFailed
from channels.phone.speech_pack.pack import pack_at
from intake.errors import IntakeError, NotFound

EVERY_S = 15.0
MOST_TRIES = 3
SLOWEST = 6.0
"""Seconds of work for a second of speech on a machine that is busy with calls."""
LEAST_S = 120.0
MOST_BYTES = 20 << 20
"""Twenty minutes of 16-bit sound at 8 kHz. A message has three; the worker reads the first ten of a longer one."""
log = structlog.get_logger()


class Recorded(Protocol):
    """What is needed of a recording's row (intake.call.CallRecording)."""

    @property
    def token(self) -> str: ...
    @property
    def duration_ms(self) -> int: ...


class Recordings(Protocol):
    """The switchboard's recordings (intake.switchboard_audio.Audio)."""

    async def untranscribed(self) -> Sequence[Recorded]: ...
    async def read(self, token: str, *, most: int | None = None) -> bytes: ...
    async def transcribe(self, token: str, text: str, *, confidence: float = 0.0) -> object: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """What a machine heard; `confidence` 0..1. Never the original."""

    text: str
    confidence: float


class Listener(Protocol):
    """Sound (WAV or A-law) to a draft; a city's own service may take its place. Raises WorkerFailed."""

    async def hear(self, audio: bytes, *, seconds: float) -> Draft: ...


@dataclass(frozen=True, slots=True)
class PackListener:
    """The speech pack's recogniser."""

    worker: PackWorker

    async def hear(self, audio: bytes, *, seconds: float) -> Draft:
        question = {"audio": base64.b64encode(audio[:MOST_BYTES]).decode()}
        answer = await self.worker.ask(question, timeout_s=LEAST_S + SLOWEST * seconds)
        return Draft(str(answer["text"]), float(answer["confidence"]))


class Transcripts:
    """The loop. `mend` puts listed place names where something sounds like them."""

    def __init__(self, recordings: Recordings, listener: Listener, mend: Callable[[str], str]) -> None:
        self._recordings, self._listener, self._mend = recordings, listener, mend
        self._tries: Counter[str] = Counter()

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(EVERY_S)

    async def round(self) -> int:
        """Draft everything that waits; returns how many are done with now."""
        done = 0
        for recording in await self._recordings.untranscribed():
            done += await self._draft(recording)
        return done

    async def _draft(self, recording: Recorded) -> bool:
        try:
            audio = await self._recordings.read(recording.token, most=MOST_BYTES)
            draft = await self._listener.hear(audio, seconds=recording.duration_ms / 1000)
        except NotFound:
            draft = Draft("", 0.0)
        except WorkerFailed as error:
            self._tries[recording.token] += 1
            log.warning("transcript.failed", tries=self._tries[recording.token], error=str(error)[:100])
            if self._tries[recording.token] < MOST_TRIES:
                return False
            draft = Draft("", 0.0)
        return await self._keep(recording.token, draft)

    async def _keep(self, token: str, draft: Draft) -> bool:
        text = await asyncio.to_thread(self._mend, draft.text) if draft.text else ""
        try:
            await self._recordings.transcribe(token, text, confidence=draft.confidence)
        except IntakeError as error:
            log.warning("transcript.not_kept", error=type(error).__name__)
            return False
        self._tries.pop(token, None)
        log.info("transcript.drafted", chars=len(text), confidence=round(draft.confidence, 2))
        return True


@asynccontextmanager
async def open_transcripts(
    folder: Path | None, recordings: Recordings, mend: Callable[[str], str]
) -> AsyncIterator[Transcripts | None]:
    """The loop with its worker process, not yet running; None without the pack: messages then wait for it."""
    pack = pack_at(folder)
    if not pack.is_installed():
        yield None
        return
    async with PackWorker(pack, "recognition") as worker:
        yield Transcripts(recordings, PackListener(worker), mend)
