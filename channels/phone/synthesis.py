"""Words to sound while a caller waits: never longer than a bounded time, kept for the next who hears the same.

The engine is a small port, so that a city's own service can take its place. How Asterisk comes by the sound is speech.py's.
"""

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import structlog

from channels.phone.pack_worker import PackWorker, WorkerFailed
from channels.phone.prompt_files import RATE_HZ

WAIT_S = 2.5
"""What a caller waits for words; after that they are left out, and the next caller has them."""
ENGINE_S = 30.0
MOST_CHARS = 200
"""As ivr.speech.LONGEST: nobody listens to more."""
MOST_BYTES = 8 << 20
"""A quarter of an hour of speech: the places and answers of a day."""
MOST_WAITING = 20
"""Texts being made at once; beyond that a caller does without."""
log = structlog.get_logger()


class Engine(Protocol):
    """Text to A-law at 8 kHz, at the level of the recorded prompts. Raises WorkerFailed."""

    async def say(self, text: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class PackEngine:
    """The speech pack's synthesiser."""

    worker: PackWorker
    voice: str = ""

    async def say(self, text: str, speed: float = 1.0, *, before: str = "", after: str = "") -> bytes:
        """`before` and `after`: what the text is cut out of."""
        asked = {"text": text, "voice": self.voice, "speed": speed, "before": before, "after": after}
        answer = await self.worker.ask(asked, timeout_s=ENGINE_S)
        return base64.b64decode(answer["audio"])


@dataclass(frozen=True, slots=True)
class Spoken:
    """`name` is unguessable where `key_of` is keyed; `audio` A-law at 8 kHz."""

    name: str
    audio: bytes

    @property
    def seconds(self) -> float:
        return len(self.audio) / RATE_HZ


class Speaker:
    """Speaks texts through an engine and keeps what was said, the oldest going first.

    Kept in memory only: what is told to citizens must not lie about on a disk.
    """

    def __init__(self, engine: Engine, key_of: Callable[[str], str], *, most_bytes: int = MOST_BYTES) -> None:
        self._engine, self._key_of, self._most_bytes = engine, key_of, most_bytes
        self._kept: OrderedDict[str, Spoken] = OrderedDict()
        self._size = 0
        self._making: dict[str, asyncio.Task[Spoken | None]] = {}

    async def speak(self, text: str, *, wait_s: float = WAIT_S) -> Spoken | None:
        """The sound of a text; None when there is nothing to say, no engine answers, or it is not ready in time."""
        clean = text.strip()[:MOST_CHARS]
        task = self._begin(clean) if clean else None
        if task is None:
            return self.kept(self._key_of(clean)) if clean else None
        done, _ = await asyncio.wait([task], timeout=wait_s)
        return task.result() if task in done and not task.cancelled() else None

    def prepare(self, texts: Iterable[str]) -> None:
        """Begin on texts that will soon be wanted."""
        for text in texts:
            if clean := text.strip()[:MOST_CHARS]:
                self._begin(clean)

    def kept(self, name: str) -> Spoken | None:
        """What was made under a name and is still there."""
        if name not in self._kept:
            return None
        self._kept.move_to_end(name)
        return self._kept[name]

    async def stop(self) -> None:
        """Drop what is being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, clean: str) -> "asyncio.Task[Spoken | None] | None":
        """The task that makes a text, the same for all who want it; None when it is kept, or too much is being made."""
        name = self._key_of(clean)
        if name in self._kept:
            return None
        if name not in self._making:
            if len(self._making) >= MOST_WAITING:
                log.warning("speech.too_many_texts")
                return None
            task = self._making[name] = asyncio.create_task(self._make(name, clean))
            task.add_done_callback(lambda _: self._making.pop(name, None))
        return self._making[name]

    async def _make(self, name: str, clean: str) -> Spoken | None:
        try:
            audio = await self._engine.say(clean)
        except WorkerFailed as error:
            log.warning("speech.failed", error=str(error)[:100])
            return None
        if not audio:
            return None
        spoken = Spoken(name, audio)
        self._keep(spoken)
        return spoken

    def _keep(self, spoken: Spoken) -> None:
        self._kept[spoken.name] = spoken
        self._size += len(spoken.audio)
        while self._size > self._most_bytes and len(self._kept) > 1:
            self._size -= len(self._kept.popitem(last=False)[1].audio)
