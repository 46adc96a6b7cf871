"""PostgreSQL goes away under a gateway with Twilio: webhooks are taken all the same, over a restart too, and answered later."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.journeys.test_outage import wait_for_replay
from tests.providers.story import PUBLIC
from tests.providers.twilio_server import NUMBER, SID, TOKEN, TwilioServer, Webhook, incoming
from tests.running import RunningGateway
from tests.servers import postgres_cluster


@pytest.mark.servers
async def test_messages_are_taken_while_the_database_is_away(tmp_path: Path) -> None:
    twilio = TwilioServer()
    environment = {
        "INTAKE_PUBLIC_URL": PUBLIC, "INTAKE_CHANNELS__SMS_TWILIO__ACCOUNT_SID": SID,
        "INTAKE_CHANNELS__SMS_TWILIO__AUTH_TOKEN": TOKEN, "INTAKE_CHANNELS__SMS_TWILIO__SENDER": NUMBER,
        "INTAKE_CHANNELS__SMS_TWILIO__BASE_URL": await twilio.start(),
    }  # fmt: skip
    with postgres_cluster() as server:
        gateway = RunningGateway(tmp_path / "home", environment | {"INTAKE_DATABASE_URL": server.url(server.new_database())})
        await asyncio.to_thread(gateway.start, "--no-train")
        async with aiohttp.ClientSession(gateway.url) as http:
            webhook = Webhook(http, PUBLIC)
            await asyncio.to_thread(server.stop, "immediate")
            for number in range(5):
                form = incoming(f"SM{number}", f"+861990000000{number}", "有一堆垃圾没人清理")
                assert [await webhook.post(form) for _ in range(2)] == [200, 200]
            await asyncio.to_thread(gateway.kill)
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(gateway.start, "--no-train")
            await asyncio.to_thread(wait_for_replay, gateway, wanted=5)
            async with asyncio.timeout(60):
                while len(twilio.messages) < 5:
                    await twilio.arrived.wait()
                    twilio.arrived.clear()
        assert "剩余差异 0" in await asyncio.to_thread(gateway.command, "reconcile")
        assert await asyncio.to_thread(gateway.stop) == 0
    assert len(twilio.messages) == 5
    await twilio.stop()
