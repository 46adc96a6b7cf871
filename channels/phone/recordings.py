"""Recordings are fetched from Asterisk over ARI, never from a shared disk, and erased there once they are stored here."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
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
LEAST_BYTES = 45
"""A WAV file's header, and something."""
FETCH_S = 120
PAUSE_S = 10
EVERY_S = 2.0
PIECE = 64 * 1024
log = structlog.get_logger()


class NotFetched(Exception):
    """Why a recording is not here: a word for the record. `is_empty`: it never will be."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """Fetches what the switchboard wants, one at a time."""

    board: Board
    settings: PhoneSettings
    http: aiohttp.ClientSession

    async def run(self) -> None:
        while True:
            await self.fetch_wanted()
            await asyncio.sleep(EVERY_S)

    async def fetch_wanted(self) -> int:
        """How many were fetched."""
        done = 0
        for recording in await self.board.audio.wanted():
            done += await self._is_ripe(recording) and await self._fetch(recording)
        return done

    async def _is_ripe(self, recording: CallRecording) -> bool:
        """A second talk of a call is written behind the first, so talks are fetched when the call is over."""
        return recording.kind != "talk" or (await self.board.call(recording.call_id)).ended_at is not None

    async def _fetch(self, recording: CallRecording) -> bool:
        try:
            server, data = await self._found(recording)
            await self.board.audio.store(recording.token, data)
        except (NotFetched, aiohttp.ClientError, TimeoutError, IntakeError) as error:
            why = str(error) if isinstance(error, NotFetched) else type(error).__name__
            log.warning("phone.recording_not_fetched", call_id=recording.call_id, error=why)
            await self.board.audio.failed(recording.token, why)
            return False
        await self._erase(server, recording.ref)
        return True

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
        async with self.http.get(stored(server, ref) / "file", headers=_login(server), timeout=wait) as answer:
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
            async with self.http.delete(stored(server, ref), headers=_login(server), timeout=wait) as answer:
                gone = answer.status in (200, 204, 404)
        except (aiohttp.ClientError, TimeoutError):
            gone = False
        if not gone:
            log.warning("phone.recording_left_there", server=server.name)


def stored(server: Server, ref: str) -> URL:
    """The address of a stored recording. A slash in its name is written %2F, or Asterisk takes it for a path of its own."""
    return URL(f"{server.ari}/ari/recordings/stored/{quote(ref, safe='')}", encoded=True)


def _login(server: Server) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(server.ari_user, server.ari_secret)}
