"""Recordings are fetched from Asterisk over ARI, never from a shared disk, and erased there once they are stored here."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp
import structlog
from yarl import URL

from channels.phone import PhoneSettings, Server
from channels.phone.board import Board
from intake.call import CallRecording
from intake.errors import IntakeError

MAX_BYTES = 160 * 1024 * 1024
"""Two and a half hours at 16 KB a second; what is longer stays on Asterisk and is told."""
WAV_HEADER = 44
LEAST_BYTES = WAV_HEADER + 1
"""A WAV file's header, and something."""
FETCH_S = 120
PAUSE_S = 10
EVERY_S = 2.0
PATIENCE = 5
"""Attempts after which a file that was never closed (Asterisk crashed) is taken as it is."""
PIECE = 64 * 1024
REST_S, LONGEST_REST_S = 2.0, 900.0
"""Between two attempts at one recording, doubled each time: the switchboard gives up after twenty, which is half a day."""
log = structlog.get_logger()


class NotFetched(Exception):
    """Why a recording is not here: a word for the record. `is_empty`: it never will be."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """Fetches what the switchboard wants, one at a time. `rests`: until when (of `now_s`) a recording is left in peace."""

    board: Board
    settings: PhoneSettings
    http: aiohttp.ClientSession
    now_s: Callable[[], float] = time.monotonic
    rests: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            await self.fetch_wanted()
            await asyncio.sleep(EVERY_S)

    async def fetch_wanted(self) -> int:
        """How many were fetched."""
        done = 0
        wanted = await self.board.audio.wanted()
        for token in self.rests.keys() - {recording.token for recording in wanted}:
            del self.rests[token]
        for recording in wanted:
            done += await self._is_ripe(recording) and await self._fetch(recording)
        return done

    async def _is_ripe(self, recording: CallRecording) -> bool:
        """When the call is over: until then its caller may want to hear his message, and a second talk is written behind the
        first."""
        if self.rests.get(recording.token, 0.0) > self.now_s():
            return False
        return (await self.board.call(recording.call_id)).ended_at is not None

    async def _fetch(self, recording: CallRecording) -> bool:
        try:
            server, data = await self._found(recording)
            if recording.attempts < PATIENCE and is_unfinished(data):
                raise NotFetched("unfinished")
            await self.board.audio.store(recording.token, data)
        except NotFetched as error:
            await self._note_failure(recording, str(error))
            return False
        except (aiohttp.ClientError, TimeoutError, IntakeError) as error:
            # Asterisk or the database is away: no reason ever to give this recording up.
            log.warning("phone.recording_not_fetched", call_id=recording.call_id, error=type(error).__name__)
            self.rests[recording.token] = self.now_s() + PAUSE_S
            return False
        self.rests.pop(recording.token, None)
        await self._erase(server, recording.ref)
        if recording.kind == "message":
            await self._erase_earlier(server, recording)
        return True

    async def _note_failure(self, recording: CallRecording, why: str) -> None:
        log.warning("phone.recording_not_fetched", call_id=recording.call_id, error=why)
        await self.board.audio.failed(recording.token, why)
        self.rests[recording.token] = self.now_s() + min(REST_S * 2**recording.attempts, LONGEST_REST_S)

    async def _erase_earlier(self, server: Server, recording: CallRecording) -> None:
        """Takes that the caller has replaced by another are nobody's any more."""
        stem = recording.ref.rpartition("-")[0]
        if not stem.startswith("message/"):
            return
        kept = {other.ref for other in await self.board.audio.wanted()}
        for name in await self._stored_names(server):
            if name.rpartition("-")[0] == stem and name not in kept:
                await self._erase(server, name)

    async def _stored_names(self, server: Server) -> list[str]:
        wait = aiohttp.ClientTimeout(total=PAUSE_S)
        try:
            async with self.http.get(URL(f"{server.ari}/ari/recordings/stored"), headers=login(server), timeout=wait) as answer:
                rows = await answer.json() if answer.status == 200 else []
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return []
        return [str(row.get("name", "")) for row in rows] if isinstance(rows, list) else []

    async def _found(self, recording: CallRecording) -> tuple[Server, bytes]:
        """The recording and where it stands; calls that we placed may stand on any of them."""
        named = self.settings.server(recording.server)
        *others, last = [named] if named else self.settings.servers
        for server in others:
            with suppress(NotFetched):
                return server, await self._audio(server, recording.ref)
        return last, await self._audio(last, recording.ref)

    async def _audio(self, server: Server, ref: str) -> bytes:
        """The whole file; raises NotFetched, aiohttp.ClientError, TimeoutError."""
        wait = aiohttp.ClientTimeout(total=FETCH_S, sock_read=PAUSE_S)
        async with self.http.get(stored(server, ref) / "file", headers=login(server), timeout=wait) as answer:
            if answer.status != 200:
                raise NotFetched(f"http {answer.status}")
            if (answer.content_length or 0) > MAX_BYTES:
                raise NotFetched("too long")
            data = bytearray()
            async for piece in answer.content.iter_chunked(PIECE):
                data += piece
                if len(data) > MAX_BYTES:
                    raise NotFetched("too long")
        if len(data) < LEAST_BYTES or not data.startswith(b"RIFF"):
            raise NotFetched("empty" if len(data) < LEAST_BYTES else "no audio")
        return bytes(data)

    async def _erase(self, server: Server, ref: str) -> None:
        wait = aiohttp.ClientTimeout(total=PAUSE_S)
        try:
            async with self.http.delete(stored(server, ref), headers=login(server), timeout=wait) as answer:
                gone = answer.status in (200, 204, 404)
        except (aiohttp.ClientError, TimeoutError):
            gone = False
        if not gone:
            log.warning("phone.recording_left_there", server=server.name)


def is_unfinished(wav: bytes) -> bool:
    """Whether Asterisk has still to close the file: the length in its header is written last."""
    return WAV_HEADER + int.from_bytes(wav[WAV_HEADER - 4 : WAV_HEADER], "little") < len(wav)


def stored(server: Server, ref: str) -> URL:
    """The address of a stored recording. A slash in its name is written %2F, or Asterisk takes it for a path of its own."""
    return URL(f"{server.ari}/ari/recordings/stored/{quote(ref, safe='')}", encoded=True)


def login(server: Server) -> dict[str, str]:
    """The header that ARI asks for."""
    return {"Authorization": aiohttp.encode_basic_auth(server.ari_user, server.ari_secret)}
