"""Below the application: requests that cannot be read, bodies that come too slowly, and stopping in time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from channels.web.connection import make_runner
from channels.web.server import build_app
from channels.web.setting import WebSetting
from intake.gateway import Gateway
from intake.model import Case

SECRET = "SECRET-words"
JSON_HEAD = b"POST /api/v1/reports HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
FORM_HEAD = b"POST /report HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=cut\r\n"
PART = '--cut\r\nContent-Disposition: form-data; name="text"\r\n\r\n垃圾没人管\r\n'.encode()


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[tuple[int, web.AppRunner]]:
    """The application as the gateway runs it; its port and its runner."""
    runner = make_runner(app, shutdown_s=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1], runner
    finally:
        await runner.cleanup()


@pytest.fixture
async def port(gateway: Gateway, web_setting: WebSetting) -> AsyncIterator[int]:
    async with listening(build_app(gateway, web_setting)) as (port, _):
        yield port


async def answered(port: int, sent: bytes) -> tuple[int, dict[str, str], str]:
    """Send raw bytes; status, headers and body of the answer. The sender goes on listening and sends nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        body = (await reader.readexactly(int(headers["Content-Length"]))).decode()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return int(first.split()[1]), headers, body


UNREADABLE = {
    "no known version": f"GET /{SECRET} HTTP/9.9\r\n\r\n".encode(),
    "a header without a name": f"GET / HTTP/1.1\r\nHost: a\r\n{SECRET} x: b\r\n\r\n".encode(),
    "an endless header": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + SECRET.encode() * 2000 + b"\r\n\r\n",
    "not HTTP at all": f"\x16\x03\x01{SECRET}\r\n\r\n".encode(),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_is_no_request_is_answered_by_our_rules_and_not_repeated(
    port: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, headers, body = await answered(port, UNREADABLE[name])
    assert status == 400
    assert "请求内容无法读取" in body
    assert "Server" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Request-ID"] in caplog.text
    assert SECRET not in body + caplog.text


BROKEN_BODIES = {
    "not compressed": JSON_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\nSECRET-words",
    "bad pieces": JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzzSECRET-words\r\n",
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
async def test_a_body_that_breaks_on_the_way_is_not_repeated(
    port: int, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, headers, body = await answered(port, BROKEN_BODIES[name])
    assert status == 400
    assert "Server" not in headers
    assert SECRET not in body + caplog.text


SLOW = {
    "json": JSON_HEAD + b"Content-Length: 1000\r\n\r\n{",
    "a form": FORM_HEAD.replace(b"multipart/form-data; boundary=cut", b"application/x-www-form-urlencoded")
    + b"Content-Length: 1000\r\n\r\ntext=",
    "a form with pictures": FORM_HEAD + b"Content-Length: 1000\r\n\r\n" + PART,
    "a program's form": FORM_HEAD.replace(b"/report", b"/api/v1/reports") + b"Content-Length: 1000\r\n\r\n" + PART,
}


@pytest.mark.parametrize(("path", "status"), [("/health/live", 200), ("/nowhere", 404)])
@pytest.mark.parametrize("expected", [b"\x80", b"\xe0\xff", b"100-stop", "一百".encode()])
async def test_an_expectation_that_nobody_knows_is_passed_over(port: int, path: str, status: int, expected: bytes) -> None:
    sent = b"GET " + path.encode() + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: " + expected + b"\r\n\r\n"
    given, _, text = await answered(port, sent)
    assert given == status
    assert "xpect" not in text


@pytest.mark.parametrize("name", SLOW)
async def test_a_body_that_does_not_come_is_given_up(gateway: Gateway, web_setting: WebSetting, name: str) -> None:
    impatient = replace(web_setting, max_read_s=0.01, max_upload_s=0.01)
    async with listening(build_app(gateway, impatient)) as (port, _):
        status, headers, body = await answered(port, SLOW[name])
    told = json.loads(body)["detail"] if "json" in headers["Content-Type"] else body
    assert status == 408
    assert headers["X-Request-ID"]
    assert "等待内容传完的时间过长" in told
    assert await gateway.store.read(lambda work: work.find(Case)) == []


async def test_an_upload_that_never_ends_does_not_hold_up_the_stop(gateway: Gateway, web_setting: WebSetting) -> None:
    begun = asyncio.Event()
    app = build_app(gateway, web_setting)

    @web.middleware
    async def noticed(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun.set()
        return await handler(request)

    app.middlewares.append(noticed)
    async with listening(app) as (port, runner):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(FORM_HEAD + b"Content-Length: 1000\r\n\r\n" + PART)
        await begun.wait()
        # Far less than the two minutes an upload may take, and than the ten seconds aiohttp would linger.
        async with asyncio.timeout(5):
            await runner.cleanup()
        writer.close()
