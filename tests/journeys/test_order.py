"""An order of 12345 in a running gateway: posted, signed for, handled, answered and pushed back, over a kill of the gateway."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from intake.order_push import CLAIM
from intake.profile import City
from tests.make import PHONE
from tests.providers.desk import desk_of

SECRET = "a-secret-both-sides-know"
DEADLINE_S = 60.0 + 2 * CLAIM.total_seconds()
"""A kill may come after news was claimed: it is pushed again when the claim has run out."""
ORDER = {"source_no": "YZ20261120-0042", "text": "鼓楼广场北侧有一堆垃圾没人清理", "place": "鼓楼广场北侧", "phone": PHONE}


class Upstream:
    """The source's side: what it was told, signatures checked, repeats known by their id."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.arrived = asyncio.Event()
        app = web.Application()
        app.router.add_post("/news", self._hear)
        self.server = TestServer(app)

    async def _hear(self, request: web.Request) -> web.Response:
        body = await request.read()
        mac = hmac.new(SECRET.encode(), request.headers["X-Intake-Timestamp"].encode() + b"." + body, hashlib.sha256)
        if request.headers["X-Intake-Signature"] != mac.hexdigest():
            return web.Response(status=403)
        news = json.loads(body)
        if all(news["id"] != one["id"] for one in self.heard):
            self.heard.append(news)
        self.arrived.set()
        return web.Response()

    async def told(self, kind: str) -> dict[str, Any]:
        """Wait for a piece of news of this kind."""
        async with asyncio.timeout(DEADLINE_S):
            while not any(one["kind"] == kind for one in self.heard):
                self.arrived.clear()
                await self.arrived.wait()
        return next(one for one in self.heard if one["kind"] == kind)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    found = Upstream()
    await found.server.start_server(access_log=None)
    yield found
    await found.server.close()


@pytest.mark.servers
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_an_order_is_handled_answered_and_returned_over_a_kill(
    database: str, upstream: Upstream, city: City, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    environment = {"INTAKE_ORDERS__12345__PUSH_URL": str(upstream.server.make_url("/news")),
                   "INTAKE_ORDERS__12345__SECRET": SECRET}  # fmt: skip
    async with desk_of(tmp_path / "home", city, environment, database=database, request=request) as desk:
        token = await asyncio.to_thread(desk.gateway.token_for, "hotline12345", "source", "--unit", "12345")
        own = {"Authorization": f"Bearer {token}"}
        status, taken = await asyncio.to_thread(desk.gateway.ask, "POST", "/api/v1/orders", ORDER, own)
        assert status == 201, taken
        number = int(taken["case_no"])

        await desk.take(number, "op9", "sign_order", {})
        assert (await upstream.told("sign_order"))["source_no"] == ORDER["source_no"]
        await desk.file(number)
        await asyncio.to_thread(desk.gateway.kill)
        await asyncio.to_thread(desk.gateway.start, "--no-train")
        assert (await upstream.told("file"))["state"] == "filed"
        status, again = await asyncio.to_thread(desk.gateway.ask, "POST", "/api/v1/orders", ORDER, own)
        assert (status, again["case_no"]) == (200, str(number))

        await desk.handle_and_close(number)
        await desk.take(number, "op9", "answer_order", {"text": "垃圾已清走，已电话告知", "call_result": "reached"})
        assert (await upstream.told("answer_order"))["text"] == "垃圾已清走，已电话告知"
        path = f"/api/v1/orders/12345/{ORDER['source_no']}"
        status, seen = await asyncio.to_thread(desk.gateway.ask, "GET", path, None, own)
        assert (status, seen["order_state"], seen["contact_result"]) == (200, "answered", "reached")
        assert [one["kind"] for one in upstream.heard] == ["sign_order", "file", "answer_order"]
