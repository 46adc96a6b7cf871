"""A provider that is ill for an hour: everything is delivered in order afterwards, one line at each end, operators told."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import structlog

from channels.sms_twilio import Settings, build
from intake import outbox
from intake.courier import BATCH
from intake.model import Case
from intake.notices import notices_now
from intake.profile import City
from intake.records import Debt, OutboxRow, Task
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.providers.story import PUBLIC, Story, story
from tests.providers.twilio_server import NUMBER, SID, TOKEN, TwilioServer, Webhook, incoming

PEOPLE = 8
DRAIN_DEADLINE_H = 8
"""The longest gap of the retry policy is six hours (outbox.DELAYS); a provider who is back is used at his first sign."""


@dataclass
class Line:
    running: Story
    twilio: TwilioServer
    clock: FakeClock

    async def an_hour(self) -> int:
        """The courier goes round each minute of it; the most requests in one minute."""
        most = 0
        for _ in range(60):
            before = self.twilio.asked["create"]
            await self.running.courier.send_due()
            most = max(most, self.twilio.asked["create"] - before)
            self.clock.pass_time(minutes=1)
        return most


@pytest.fixture
async def line(either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path, vault: Vault) -> AsyncIterator[Line]:
    """Some people who reported and are owed two messages each: the receipt and the filing reply."""
    async with AsyncExitStack() as stack:
        twilio = TwilioServer()
        base_url = await twilio.start()
        stack.push_async_callback(twilio.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        channel = build(Settings(SID, TOKEN, NUMBER, PUBLIC, base_url=base_url, timeout_s=0.3), http)
        running = await stack.enter_async_context(
            story(either_store, city, clock, channel, name="sms_twilio", folder=tmp_path, vault=vault)
        )
        webhook = Webhook(running.client, PUBLIC)
        for number in range(PEOPLE):
            await webhook.post(incoming(f"SM{number}", f"+861990000{number:04d}", "人民广场北门有一堆垃圾"))
        for case in await running.all(Case):
            await running.file(case.case_no)
        yield Line(running, twilio, clock)


def by_person(twilio: TwilioServer) -> dict[str, list[str]]:
    found = defaultdict(list)
    for message in twilio.messages:
        found[message.to].append("filing" if "立案" in message.body else "receipt")
    return dict(found)


@pytest.mark.parametrize("illness", [503, 500, 429, "cut"])
async def test_an_hour_away_delays_and_loses_nothing(line: Line, illness: int | str) -> None:
    line.twilio.always = illness
    with structlog.testing.capture_logs() as logged:
        most = await line.an_hour()
        assert line.twilio.messages == []
        notices = await line.running.gateway.store.read(notices_now)
        assert [("短信暂时无法发出" in notice.text) for notice in notices] == [True]
        line.twilio.always = None
        for _ in range(DRAIN_DEADLINE_H):
            await line.running.courier.send_due()
            line.clock.pass_time(hours=1)
    assert [one["event"] for one in logged if one["event"].startswith("channel.")] == ["channel.down", "channel.up"]
    assert by_person(line.twilio) == {f"+861990000{number:04d}": ["receipt", "filing"] for number in range(PEOPLE)}
    assert {row.state for row in await line.running.all(OutboxRow)} == {outbox.SENT}
    assert await line.running.gateway.store.read(notices_now) == []
    # Nobody is asked more often in a minute than there are messages waiting, however long it lasts.
    assert most <= PEOPLE + BATCH


async def test_the_first_sign_of_life_lets_all_go_that_had_been_put_off(line: Line) -> None:
    line.twilio.always = 503
    await line.an_hour()
    line.twilio.always = None
    waits = sorted(row.next_at for row in await line.running.all(OutboxRow) if row.outcome == "unavailable")
    line.clock.at = max(line.clock.at, waits[0])
    await line.running.courier.send_due()
    assert len(line.twilio.messages) == 2 * PEOPLE


async def test_silence_and_nonsense_are_never_taken_for_success_nor_sent_again(line: Line) -> None:
    for illness in ("nonsense", "silence"):
        line.twilio.always = illness
        await line.running.courier.send_due()
        line.clock.pass_time(minutes=1)
    line.twilio.always = None
    for _ in range(DRAIN_DEADLINE_H):
        await line.running.courier.send_due()
        line.clock.pass_time(hours=1)
    sent = by_person(line.twilio)
    assert all(len(set(kinds)) == len(kinds) for kinds in sent.values()), "sent twice"
    unknown = {row.debt_id for row in await line.running.all(OutboxRow) if row.state == outbox.UNKNOWN and row.debt_id}
    asked = {task.debt_id for task in await line.running.all(Task) if task.kind == "unknown_fate"}
    assert unknown == asked
    settled = sum("filing" in kinds for kinds in sent.values())
    assert settled + len(unknown) == len(await line.running.all(Debt)) == PEOPLE
