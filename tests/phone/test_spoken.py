"""Asterisk fetches synthesised words over HTTP; only who was told the address gets them."""

import hashlib

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.phone.speech import Speech
from channels.phone.synthesis import Speaker
from channels.web.spoken import ROUTES, SPEECH


class Engine:
    async def say(self, text: str) -> bytes:
        return b"\x55" * 800


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def fetched(path: str, speech: Speech | None) -> tuple[int, bytes, str]:
    app = web.Application()
    app.add_routes(ROUTES)
    if speech:
        app[SPEECH] = speech
    async with TestClient(TestServer(app)) as client:
        answer = await client.get(path)
        return answer.status, await answer.read(), answer.headers.get("Cache-Control", "")


async def test_words_are_fetched_at_their_address_and_not_kept_for_long() -> None:
    speech = Speech(Speaker(Engine(), key_of), "")
    address = await speech.sound_of("鼓楼广场")
    assert address is not None
    assert await fetched(address, speech) == (200, b"\x55" * 800, "private, max-age=600")


async def test_other_addresses_are_unknown() -> None:
    speech = Speech(Speaker(Engine(), key_of), "")
    for path in (f"/speech/{key_of('别的')}.alaw", "/speech/..%2f..%2fetc.alaw", "/speech/x.alaw"):
        assert (await fetched(path, speech))[0] == 404
    assert (await fetched(f"/speech/{key_of('别的')}.alaw", None))[0] == 404
