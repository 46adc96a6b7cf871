"""Recordings are fetched from Asterisk over ARI, never from a shared disk, and erased there once they are stored here."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp
import structlog
from yarl import URL

from channels.phone import PhoneSettings, Server
from channels.phone.board import Board
from intake.call import CallRecording
from intake.errors import IntakeError, Refused

MAX_BYTES = 160 * 1024 * 1024
"""Two and a half hours at 16 KB a second; what is longer stays on Asterisk and is told."""
RIFF, WAV_HEADER = b"RIFF", 44
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
REFUSED_REST_S = 60.0
"""Between two attempts at a server that refuses our password, whatever waits there: more would look like an attack."""
log = structlog.get_logger()


class NotFetched(Exception):
    """Why a recording is not here: a word for the record. `is_empty`: it never will be."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """Fetches what the switchboard wants, one at a time. `rests`: until when (of `now_s`) a recording is left in peace;
    `refused`: until when a server is, that does not take our password."""

    board: Board
    settings: PhoneSettings
    http: aiohttp.ClientSession
    now_s: Callable[[], float] = time.monotonic
    rests: dict[str, float] = field(default_factory=dict)
    refused: dict[str, float] = field(default_factory=dict)

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
            server = await self._taken(recording)
        except NotFetched as error:
            await self._note_failure(recording, str(error))
            return False
        except Refused:
            # A person has to mend the password (doctor names it); until then nothing is given up.
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

    async def _taken(self, recording: CallRecording) -> Server:
        """Take the recording from where it stands; calls that we placed may stand on any of them. Raises what `_take` raises: of
        several servers that did not give it, that one of them could not be asked (it may stand there)."""
        named = self.settings.server(recording.server)
        not_there, not_asked = NotFetched("no server"), list[Exception]()
        for server in [named] if named else self.settings.servers:
            try:
                await self._take(server, recording)
            except NotFetched as error:
                not_there = error
            except (Refused, aiohttp.ClientError, TimeoutError) as error:
                not_asked.append(error)
            else:
                return server
        raise not_asked[0] if not_asked else not_there

    async def _take(self, server: Server, recording: CallRecording) -> None:
        """The whole file, sealed as it comes; raises NotFetched, aiohttp.ClientError, TimeoutError, intake.errors."""
        if self.refused.get(server.name, 0.0) > self.now_s():
            raise Refused
        wait = aiohttp.ClientTimeout(total=FETCH_S, sock_read=PAUSE_S)
        async with self.http.get(stored(server, recording.ref) / "file", headers=login(server), timeout=wait) as answer:
            self._note_login(server, refused=answer.status in (401, 403))
            if answer.status != 200:
                raise NotFetched(f"http {answer.status}")
            if (answer.content_length or 0) > MAX_BYTES:
                raise NotFetched("too long")
            pieces = checked(answer.content.iter_chunked(PIECE), patient=recording.attempts < PATIENCE)
            await self.board.audio.take(recording.token, pieces)

    def _note_login(self, server: Server, *, refused: bool) -> None:
        """Told once when it begins and once when it ends; raises Refused."""
        if refused and server.name not in self.refused:
            log.error("phone.ari", server=server.name, state="refused")
        if refused:
            self.refused[server.name] = self.now_s() + REFUSED_REST_S
            raise Refused
        if self.refused.pop(server.name, None) is not None:
            log.info("phone.ari", server=server.name, state="up")

    async def _erase(self, server: Server, ref: str) -> None:
        wait = aiohttp.ClientTimeout(total=PAUSE_S)
        try:
            async with self.http.delete(stored(server, ref), headers=login(server), timeout=wait) as answer:
                gone = answer.status in (200, 204, 404)
        except (aiohttp.ClientError, TimeoutError):
            gone = False
        if not gone:
            log.warning("phone.recording_left_there", server=server.name)


async def checked(pieces: AsyncIterator[bytes], *, patient: bool) -> AsyncIterator[bytes]:
    """The pieces of a WAV file as they come; raises NotFetched for what is none, or (`patient`) not closed yet: the length in
    its header is written last."""
    size, head = 0, b""
    async for piece in pieces:
        size += len(piece)
        head += piece[: WAV_HEADER - len(head)]
        if size > MAX_BYTES:
            raise NotFetched("too long")
        if len(head) >= len(RIFF) and not head.startswith(RIFF):
            raise NotFetched("no audio")
        yield piece
    if size < LEAST_BYTES:
        raise NotFetched("empty")
    if patient and WAV_HEADER + int.from_bytes(head[WAV_HEADER - 4 :], "little") < size:
        raise NotFetched("unfinished")


def stored(server: Server, ref: str) -> URL:
    """The address of a stored recording. A slash in its name is written %2F, or Asterisk takes it for a path of its own."""
    return URL(f"{server.ari}/ari/recordings/stored/{quote(ref, safe='')}", encoded=True)


def login(server: Server) -> dict[str, str]:
    """The header that ARI asks for."""
    return {"Authorization": aiohttp.encode_basic_auth(server.ari_user, server.ari_secret)}
