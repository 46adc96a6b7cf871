"""Free text as something Asterisk can play: synthesised here, fetched by Asterisk over HTTP from channels/web/speech.py.

Without the speech pack, or without an address at which Asterisk reaches us, free text is left out (NoSpeech); what is owed
in full is then not said at all (sounds.py).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import structlog

from channels.phone.pack_worker import PackWorker
from channels.phone.prompt_files import ENDING
from channels.phone.speech_pack.pack import pack_at
from channels.phone.synthesis import WAIT_S, PackEngine, Speaker

PATH = "/speech/"
log = structlog.get_logger()


class SoundOf(Protocol):
    """What the driver needs: a name Asterisk can play, or None when the words must be left out. `is_there`: whether asking
    again later may help."""

    is_there: bool

    async def sound_of(self, text: str, *, wait_s: float = WAIT_S) -> str | None: ...


class NoSpeech:
    """Nothing can be synthesised."""

    is_there = False

    async def sound_of(self, text: str, *, wait_s: float = WAIT_S) -> str | None:
        return None


class Speech:
    """Synthesised words by address. `base_url` is where Asterisk reaches the gateway."""

    is_there = True

    def __init__(self, speaker: Speaker, base_url: str) -> None:
        self.speaker, self._base = speaker, base_url.rstrip("/") + PATH

    async def sound_of(self, text: str, *, wait_s: float = WAIT_S) -> str | None:
        """Never raises and never waits longer than `wait_s`."""
        spoken = await self.speaker.speak(text, wait_s=wait_s)
        return f"{self._base}{spoken.name}{ENDING}" if spoken else None

    def audio(self, name: str) -> bytes | None:
        """What is played under a name; None when it was never made or has made room for others."""
        spoken = self.speaker.kept(name)
        return spoken.audio if spoken else None


@asynccontextmanager
async def open_speech(folder: Path | None, base_url: str, key_of: Callable[[str], str]) -> AsyncIterator[Speech | NoSpeech]:
    """The speech of this gateway, with its worker process as long as the context lasts.

    `key_of` names a text so that nobody can guess it (a keyed hash): the address is the only right to hear it.
    """
    pack = pack_at(folder)
    if not base_url or not pack.is_installed():
        log.info("speech.left_out", pack=pack.is_installed(), address=bool(base_url))
        yield NoSpeech()
        return
    async with PackWorker(pack, "synthesis") as worker:
        speaker = Speaker(PackEngine(worker), key_of)
        # The models are read now rather than while the first caller waits.
        speaker.prepare(["您好"])
        try:
            yield Speech(speaker, base_url)
        finally:
            await speaker.stop()
