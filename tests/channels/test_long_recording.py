"""A recording of an hour: fetched, sealed and played back without ever standing in memory; odd ones beside it."""

import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.phone import PhoneSettings, Server
from channels.phone.recordings import Recordings
from channels.web.desk_phone import TELEPHONE
from intake.call import Call, CallRecording
from intake.gateway import Gateway
from intake.model import Role
from intake.sounds import path_of
from intake.switchboard import Switchboard
from tests.channels.desk_people import hire, report
from tests.make import NOON

Client = TestClient  # type: ignore[type-arg]
HOUR = 3600 * 16_000
"""Bytes of an hour at 8 kHz and 16 bit."""
MOST = 16 << 20
TOKEN = "h" * 43
BLOCK = 64_000


def header(size: int) -> bytes:
    """A WAV file's, as Asterisk writes it."""
    form = b"fmt " + (16).to_bytes(4, "little") + bytes([1, 0, 1, 0]) + (8000).to_bytes(4, "little") + (16_000).to_bytes(4, "little") + bytes([2, 0, 16, 0])
    return b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVE" + form + b"data" + size.to_bytes(4, "little")


def block(number: int) -> bytes:
    """Sound that tells where it stands."""
    return number.to_bytes(4, "big") * (BLOCK // 4)


@asynccontextmanager
async def exchange(size: int, head: bytes) -> AsyncIterator[str]:
    """An Asterisk with one recording of `size` bytes behind its header, written as it is asked for."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/file"):
            return web.Response(status=204)
        stream = web.StreamResponse()
        stream.content_length = len(head) + size
        await stream.prepare(request)
        await stream.write(head)
        for number in range(-(-size // BLOCK)):
            await stream.write(block(number)[: size - number * BLOCK])
        return stream

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url(""))
    await server.close()


@contextmanager
def bounded() -> Iterator[None]:
    """What Python asks memory for, at its highest, stays below MOST."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST, f"{peak >> 20} MB"


async def waiting(gateway: Gateway, client: Client, folder: Path) -> Switchboard:
    """A call that is over, whose recording the exchange still holds."""
    board = Switchboard(gateway, media=folder / "media", spool=folder / "calls")
    client.app[TELEPHONE].board = board  # type: ignore[union-attr]
    number = await report(gateway)
    held = CallRecording(71, 70, "talk", "talk", "talk/70", TOKEN, "pbx", 3_600_000, NOON, case_no=number)
    await gateway.store.write(lambda work: (work.add(Call(70, "in", "pbx", "1.1", "12319", NOON, ended_at=NOON)), work.add(held)))
    return board


async def fetched(board: Switchboard, url: str) -> int:
    settings = PhoneSettings(servers=(Server("pbx", ari_url=url, ami_secret="x"),))
    async with aiohttp.ClientSession() as http:
        return await Recordings(board, settings, http).fetch_wanted()


async def test_an_hour_is_fetched_sealed_and_wound_through_in_little_memory(gateway: Gateway, client: Client, tmp_path: Path) -> None:
    board = await waiting(gateway, client, tmp_path)
    async with exchange(HOUR, header(HOUR)) as url:
        with bounded():
            assert await fetched(board, url) == 1
    [held] = await gateway.store.read(lambda work: work.find(CallRecording))
    assert (held.size, held.stored_at is not None) == (HOUR + 44, True)
    sealed = path_of(tmp_path / "media", TOKEN)
    assert sealed.stat().st_size > HOUR
    operator = await hire(gateway, Role.OPERATOR)
    await board.audio.unlock(TOKEN, operator.actor, reason="核对位置")
    path, at = f"/desk/recordings/{TOKEN}", 44 + 700 * BLOCK
    with bounded():
        part = await client.get(path, headers=operator.browser | {"Range": f"bytes={at}-{at + 7}"})
        assert (part.status, part.headers["Content-Range"]) == (206, f"bytes {at}-{at + 7}/{HOUR + 44}")
        assert await part.read() == (700).to_bytes(4, "big") * 2
        rest = await client.get(path, headers=operator.browser | {"Range": "bytes=-4"})
        assert await rest.read() == (HOUR // BLOCK - 1).to_bytes(4, "big")
        whole = await client.get(path, headers=operator.browser)
        size = 0
        async for piece in whole.content.iter_chunked(BLOCK):
            size += len(piece)
        assert (whole.status, size) == (200, HOUR + 44)


@pytest.mark.parametrize(("size", "head", "why"), [
    (0, b"", "empty"), (0, header(0), "empty"), (5000, b"<html>", "no audio"), (5000, header(4000), "unfinished"),
])  # fmt: skip
async def test_what_is_no_recording_leaves_nothing_behind_and_says_why(
    gateway: Gateway, client: Client, tmp_path: Path, size: int, head: bytes, why: str
) -> None:
    board = await waiting(gateway, client, tmp_path)
    async with exchange(size, head) as url:
        assert await fetched(board, url) == 0
    [held] = await gateway.store.read(lambda work: work.find(CallRecording))
    assert (held.error, held.stored_at, held.attempts) == (why, None, 1)
    assert list((tmp_path / "media").glob("??/*")) == []


async def test_a_recording_whose_end_is_missing_is_kept_as_far_as_it_goes(gateway: Gateway, client: Client, tmp_path: Path) -> None:
    """Asterisk crashed, or its disk was full: the header promises more than there is."""
    board = await waiting(gateway, client, tmp_path)
    async with exchange(BLOCK, header(9 * BLOCK)) as url:
        assert await fetched(board, url) == 1
    assert await board.audio.read(TOKEN) == header(9 * BLOCK) + block(0)
