"""Webhooks get lost at random: after a comparison with the provider's list nothing is missing. Where there is no list, what
may be missing is shown and not claimed to be found."""

import io
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from channels.sms_twilio import Settings, TwilioSms, build
from channels.web.hooks import hear
from intake import outbox
from intake.commands.reconcile import lines
from intake.liveness import Gap, Run, gaps, note_running
from intake.model import Case, Role
from intake.profile import City
from intake.reconcile import Outcome, reconcile
from intake.records import Attachment, JournalEntry, OutboxRow, Task
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import NOON
from tests.providers.story import PUBLIC, Story, story
from tests.providers.twilio_server import NUMBER, SID, TOKEN, Message, TwilioServer, Webhook, incoming, status_of

WORDS = ("人民广场北门有一堆垃圾", "中山路12号垃圾", "还没人来", "你好", "催一下", "门口的垃圾桶倒了")


@dataclass
class Line:
    running: Story
    twilio: TwilioServer
    channel: TwilioSms
    webhook: Webhook

    async def compare(self) -> Outcome:
        gateway = self.running.gateway
        emit = partial(hear, self.running.app, self.channel)
        return await reconcile(gateway.store, gateway.rules, "sms_twilio", self.channel, emit=emit, since=NOON - timedelta(days=1))

    def comes_in(self, number: int, text: str, phone: str, **more: Any) -> dict[str, str]:
        """A message that Twilio has and will tell us of, or try to."""
        message = Message(f"SMin{number:028x}", NUMBER, text, "", "received", phone, NOON + timedelta(seconds=number), **more)
        self.twilio.messages.append(message)
        return incoming(message.sid, phone, text)


@pytest.fixture
async def line(either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path, vault: Vault) -> AsyncIterator[Line]:
    async with AsyncExitStack() as stack:
        twilio = TwilioServer(page_size=7)
        base_url = await twilio.start()
        stack.push_async_callback(twilio.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        channel = build(Settings(SID, TOKEN, NUMBER, PUBLIC, base_url=base_url), http)
        running = await stack.enter_async_context(
            story(either_store, city, clock, channel, name="sms_twilio", folder=tmp_path, vault=vault)
        )
        yield Line(running, twilio, channel, Webhook(running.client, PUBLIC))


async def test_nothing_is_missing_after_a_comparison_whatever_was_lost(line: Line) -> None:
    seed = random.SystemRandom().randint(0, 2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for number in range(40):
        form = line.comes_in(number, dice.choice(WORDS), f"+861990000{dice.randint(1, 9):04d}")
        if dice.random() < 0.6:
            assert await line.webhook.post(form) == 200
        while await line.running.courier.send_due():
            pass
        for message in [one for one in line.twilio.messages if not one.sender and one.status == "queued"]:
            message.status = dice.choice(["delivered", "undelivered", "sent"])
            if dice.random() < 0.5:
                assert await line.webhook.post(status_of(message, message.status)) == 200

    outcome = await line.compare()
    assert outcome.left == 0
    assert outcome.missed + outcome.late > 0
    heard = {entry.provider_id for entry in await line.running.all(JournalEntry)}
    assert heard == {one.sid for one in line.twilio.messages if one.sender}
    states = {row.provider_id: row.state for row in await line.running.all(OutboxRow) if row.provider_id}
    final = {"delivered": outbox.DELIVERED, "undelivered": outbox.FAILED, "sent": outbox.SENT, "queued": outbox.SENT}
    assert states == {one.sid: final[one.status] for one in line.twilio.messages if not one.sender}
    again = await line.compare()
    assert (again.missed, again.late, again.left, again.foreign) == (0, 0, 0, 0)


async def test_a_lost_picture_message_comes_with_its_picture(line: Line) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(stream, "JPEG")
    line.twilio.media["one"] = (200, {"Content-Type": "image/jpeg"}, stream.getvalue())
    line.comes_in(1, "人民广场北门有一堆垃圾", "+8619900000001", media=("one",))
    assert (await line.compare()).missed == 1
    assert len(await line.running.all(Attachment)) == 1


async def test_an_unknown_fate_that_the_list_knows_is_settled_with_its_task(line: Line) -> None:
    await line.webhook.post(line.comes_in(1, "人民广场北门有一堆垃圾", "+8619900000001"))
    [case] = await line.running.all(Case)
    await line.running.courier.send_due()
    await line.running.file(case.case_no)
    await line.running.courier.send_due()
    # The gateway dies before it hears that Twilio took the reply, and no list can be read when it comes back.
    [row] = [row for row in await line.running.all(OutboxRow) if row.debt_id]
    store = line.running.gateway.store

    def forget(work: Any) -> None:
        work.change(row, replace(row, state=outbox.UNKNOWN, provider_id="", outcome="unknown"))
        work.add(Task(work.new_id(), "unknown_fate", row.case_no, work.now, Role.OPERATOR, debt_id=row.debt_id, outbox_id=row.outbox_id))

    await store.write(forget)
    line.twilio.messages[-1].status = "delivered"
    outcome = await line.compare()
    assert (outcome.looked_up, outcome.left, outcome.unsure) == (1, 0, 0)
    assert await line.running.debts() == [("filing", "delivered")]
    assert [task.state for task in await line.running.all(Task) if task.kind == "unknown_fate"] == ["done"]


async def test_a_report_of_failure_that_came_before_the_look_up_opens_the_next_route(line: Line) -> None:
    await line.webhook.post(line.comes_in(1, "人民广场北门有一堆垃圾", "+8619900000001"))
    [case] = await line.running.all(Case)
    await line.running.file(case.case_no)
    await line.running.courier.send_due()
    [row] = [row for row in await line.running.all(OutboxRow) if row.debt_id]
    store, message = line.running.gateway.store, line.twilio.messages[-1]
    assert row.provider_id == message.sid

    def forget(work: Any) -> None:
        work.change(row, replace(row, state=outbox.UNKNOWN, provider_id="", outcome="unknown"))
        work.add(Task(work.new_id(), "unknown_fate", row.case_no, work.now, Role.OPERATOR, debt_id=row.debt_id, outbox_id=row.outbox_id))

    await store.write(forget)
    message.status = "undelivered"
    assert await line.webhook.post(status_of(message, "undelivered")) == 200
    assert (await line.compare()).looked_up == 1
    tasks = [task.kind for task in await line.running.all(Task) if task.state == "open"]
    assert tasks == ["call_reply"]


async def test_a_list_that_cannot_be_read_changes_nothing_and_is_told(line: Line) -> None:
    line.comes_in(1, "人民广场北门有一堆垃圾", "+8619900000001")
    line.twilio.faults = [503]
    outcome = await line.compare()
    assert outcome.fault == "unavailable"
    assert await line.running.all(Case) == []
    assert "读取失败" in lines(outcome)[0]


async def test_messages_of_another_system_on_the_account_are_only_counted(line: Line) -> None:
    line.twilio.messages.append(Message("SMother", "+8619900000005", "您的快递已到", "", "delivered"))
    outcome = await line.compare()
    assert (outcome.foreign, outcome.missed, outcome.late) == (1, 0, 0)
    assert "不是本系统发出" in "".join(lines(outcome))


class Listless:
    """A channel whose provider keeps no list and tries for half an hour."""

    kind = "sms"
    redelivers_for = timedelta(minutes=30)


async def test_without_a_list_only_the_time_nobody_was_there_is_shown(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    async def nothing(_: object) -> None:
        raise AssertionError("nothing can be brought back")

    for run, hours in (("one", 0), ("two", 1), ("three", 6)):
        clock.at = NOON + timedelta(hours=hours)
        await either_store.write(lambda work, run=run: note_running(work, run, "gw"))
        clock.pass_time(minutes=40)
        await either_store.write(lambda work, run=run: note_running(work, run, "gw"))
    outcome = await reconcile(either_store, city.rules(), "sms_kannel", Listless(), emit=nothing, since=NOON - timedelta(days=1))
    assert outcome.gaps == (Gap(NOON + timedelta(hours=1, minutes=40), NOON + timedelta(hours=6)),)
    told = "".join(lines(outcome))
    assert "无法核对" in told
    assert "可能已丢失" in told


def test_a_second_gateway_closes_a_gap() -> None:
    def run(name: str, start: int, end: int) -> Run:
        return Run(name, name, NOON + timedelta(hours=start), NOON + timedelta(hours=end))

    both = [run("a", 0, 2), run("b", 1, 5), run("c", 6, 8)]
    assert gaps(both, since=NOON, longer_than=timedelta(0)) == [Gap(NOON + timedelta(hours=5), NOON + timedelta(hours=6))]
    assert gaps(both, since=NOON, longer_than=timedelta(hours=1)) == []
    assert gaps(both, since=NOON + timedelta(hours=7), longer_than=timedelta(0)) == []
