"""A gateway as a process of its own with a WeChat account: the window shuts, both replies go out as notices, then a 1."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from intake.profile import City
from tests.providers.desk import desk_of
from tests.providers.story import PUBLIC
from tests.providers.wechat_server import AES_KEY, APP_ID, APP_SECRET, TEMPLATE_ID, TOKEN, Callbacks, WechatServer

DEADLINE_S = 60.0


@pytest.fixture
async def wechat() -> AsyncIterator[WechatServer]:
    server = WechatServer(lambda: datetime.now(UTC))
    await server.start()
    yield server
    await server.stop()


async def until(wechat: WechatServer, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():
            await wechat.arrived.wait()
            wechat.arrived.clear()


@pytest.mark.servers
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_with_the_window_shut_both_replies_arrive_as_notices(
    database: str, wechat: WechatServer, city: City, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert wechat.server
    given = {"APP_ID": APP_ID, "APP_SECRET": APP_SECRET, "TOKEN": TOKEN, "AES_KEY": AES_KEY, "TEMPLATE_ID": TEMPLATE_ID,
             "BASE_URL": str(wechat.server.make_url("")).rstrip("/")}  # fmt: skip
    environment = {f"INTAKE_CHANNELS__CHAT_WECHAT__{name}": value for name, value in given.items()}
    environment["INTAKE_PUBLIC_URL"] = PUBLIC
    async with (
        desk_of(tmp_path / "home", city, environment, database=database, request=request) as desk,
        aiohttp.ClientSession(desk.gateway.url) as http,
    ):
        callbacks = Callbacks(http, wechat)
        assert await callbacks.ask("8216498") == (200, "8216498")
        assert await callbacks.says("鼓楼广场北侧有一堆垃圾没人清理") == (200, "success")
        await until(wechat, lambda: len(wechat.said) == 1)
        [number] = await desk.numbers()
        assert str(number) in wechat.texts()[0]

        wechat.shut_window()
        await desk.file(number)
        await until(wechat, lambda: len(wechat.notices) == 1)
        assert await callbacks.receipt() == (200, "success")
        await desk.handle_and_close(number)
        await until(wechat, lambda: len(wechat.notices) == 2)
        assert await callbacks.receipt() == (200, "success")
        assert [one["data"]["thing2"]["value"] for one in wechat.notices] == ["立案告知", "结案告知"]

        assert await callbacks.says("1") == (200, "success")
        await until(wechat, lambda: len(wechat.said) == 2)
        assert wechat.texts()[1] == "感谢您的评价！"
        case = await desk.case(number)
        assert (case["state"], case["rating"]) == ("archived", 1)
        assert wechat.asked["token"] == 1
        assert wechat.tokens[0] not in desk.gateway.output
