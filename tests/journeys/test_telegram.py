"""A gateway as a process of its own, polling Telegram: a photo comes in, it is killed, both replies go out, then a 1."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from intake.profile import City
from tests.providers.desk import desk_of
from tests.providers.telegram_server import TOKEN, TelegramServer

DEADLINE_S = 60.0


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    server = TelegramServer()
    await server.start()
    yield server
    await server.stop()


async def told(telegram: TelegramServer, count: int) -> str:
    """Wait until so many messages went out; the words of the last."""
    async with asyncio.timeout(DEADLINE_S):
        while len(telegram.sent) < count:
            await telegram.arrived.wait()
            telegram.arrived.clear()
    return telegram.texts()[count - 1]


def jpeg() -> bytes:
    picture = io.BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(picture, "JPEG")
    return picture.getvalue()


@pytest.mark.servers
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_photo_reaches_both_replies_and_a_rating_over_a_kill(
    database: str, telegram: TelegramServer, city: City, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert telegram.server
    telegram.files["large"] = jpeg()
    environment = {
        "INTAKE_CHANNELS__CHAT_TELEGRAM__TOKEN": TOKEN, "INTAKE_CHANNELS__CHAT_TELEGRAM__POLLING": "true",
        "INTAKE_CHANNELS__CHAT_TELEGRAM__BASE_URL": str(telegram.server.make_url("")).rstrip("/"),
    }  # fmt: skip
    photo = [{"file_id": "large", "file_unique_id": "l", "width": 640, "height": 480, "file_size": 90_000}]
    async with desk_of(tmp_path / "home", city, environment, database=database, request=request) as desk:
        telegram.says(caption="鼓楼广场北侧有一堆垃圾没人清理", photo=photo)
        assert "已收到，编号" in await told(telegram, 1)
        await asyncio.to_thread(desk.gateway.kill)
        telegram.says("已经三天了，请尽快处理")
        await asyncio.to_thread(desk.gateway.start, "--no-train")
        assert "编号" in await told(telegram, 2)
        [number] = await desk.numbers()
        case = await desk.case(number)
        assert (case["channel"], len(case["attachments"])) == ("telegram", 1)

        await desk.file(number)
        assert "已受理立案" in await told(telegram, 3)
        await desk.handle_and_close(number)
        assert "垃圾已清走" in await told(telegram, 4)
        assert telegram.buttons() == ["1 满意", "2 不满意"]
        telegram.says("1")
        assert await told(telegram, 5) == "感谢您的评价！"
        assert (await desk.case(number))["state"] == "archived"
        assert (len(telegram.sent), await desk.numbers()) == (5, [])
        assert TOKEN.partition(":")[2] not in desk.gateway.output
