"""A gateway as a process of its own with Twilio set: messages in, a kill in the middle of a talk, the talk goes on."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.make import PHONE
from tests.providers.story import PUBLIC
from tests.providers.twilio_server import NUMBER, SID, TOKEN, TwilioServer, Webhook, incoming
from tests.running import RunningGateway
from tests.servers import Postgres

DEADLINE_S = 30.0


async def answers(twilio: TwilioServer, count: int) -> list[str]:
    """Wait until so many messages went out."""
    async with asyncio.timeout(DEADLINE_S):
        while len(twilio.messages) < count:
            await twilio.arrived.wait()
            twilio.arrived.clear()
    return [message.body for message in twilio.messages]


@pytest.mark.servers
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_talk_goes_on_after_the_gateway_was_killed(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    twilio = TwilioServer()
    environment = {
        "INTAKE_PUBLIC_URL": PUBLIC, "INTAKE_CHANNELS__SMS_TWILIO__ACCOUNT_SID": SID,
        "INTAKE_CHANNELS__SMS_TWILIO__AUTH_TOKEN": TOKEN, "INTAKE_CHANNELS__SMS_TWILIO__SENDER": NUMBER,
        "INTAKE_CHANNELS__SMS_TWILIO__BASE_URL": await twilio.start(),
    }  # fmt: skip
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        environment["INTAKE_DATABASE_URL"] = server.url(server.new_database("intake_template"))
    gateway = RunningGateway(tmp_path / "home", environment)
    await asyncio.to_thread(gateway.start, "--no-train")
    async with aiohttp.ClientSession(gateway.url) as http:
        webhook = Webhook(http, PUBLIC)
        assert await webhook.post(incoming("SM1", PHONE, "有一堆垃圾没人清理")) == 200
        [receipt] = await answers(twilio, 1)
        assert receipt.endswith("回复路名门牌即可。")
        await asyncio.to_thread(gateway.kill)
        await asyncio.to_thread(gateway.start, "--no-train")
        assert await webhook.post(incoming("SM1", PHONE, "有一堆垃圾没人清理")) == 200
        assert await webhook.post(incoming("SM2", PHONE, "鼓楼广场北侧")) == 200
        assert "位置已记入" in (await answers(twilio, 2))[1]
        assert await webhook.post(incoming("SM3", PHONE, "x"), token="another") == 403
    assert len(twilio.messages) == 2
    assert await asyncio.to_thread(gateway.stop) == 0
    await twilio.stop()
