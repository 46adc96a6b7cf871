"""Telegram against a server that behaves like the Bot API: the whole story, polling over restarts, faults, buttons."""

import asyncio
import hashlib
import hmac
import io
import logging
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from channels.chat_telegram import OFFSET_LASTS_S, ChatTelegram, Settings, build
from channels.chat_telegram_bot import TelegramApi
from channels.web.hooks import hear
from intake.call import CallRecording
from intake.channel_memory import StoreMemory
from intake.errors import Misconfigured, SendError, Unavailable
from intake.model import Case, Inbound, Outbound, Receipt
from intake.profile import City
from intake.records import Attachment, Contact, JournalEntry, OutboxRow, Task
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import PHONE
from tests.providers.story import PUBLIC, Story, story
from tests.providers.telegram_server import BOT, CITIZEN, TOKEN, TelegramServer, person

HOOK = "/hooks/chat_telegram"
SECRET = hmac.new(TOKEN.encode(), b"webhook", hashlib.sha256).hexdigest()
DEADLINE_S = 20.0
Make = Callable[..., ChatTelegram]


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    server = TelegramServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def make(telegram: TelegramServer) -> AsyncIterator[Make]:
    assert telegram.server
    base_url = str(telegram.server.make_url("")).rstrip("/")
    async with aiohttp.ClientSession() as http:
        api = TelegramApi(TOKEN, base_url, http)
        yield lambda **more: ChatTelegram(Settings(TOKEN, public_url=PUBLIC, **more), api, pauses_s=[0.0])


@pytest.fixture
def channel(make: Make) -> ChatTelegram:
    return make()


@pytest.fixture
async def running(
    either_store: AnyStore, city: City, clock: FakeClock, channel: ChatTelegram, tmp_path: Path, vault: Vault
) -> AsyncIterator[Story]:
    async with story(either_store, city, clock, channel, name="chat_telegram", folder=tmp_path, vault=vault) as running:
        yield running


async def deliver(running: Story, update: dict[str, Any], *, secret: str = SECRET) -> tuple[int, str]:
    """Telegram's end of our webhook."""
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
    async with running.client.post(HOOK, json=update, headers=headers) as response:
        return response.status, await response.text()


def jpeg() -> bytes:
    picture = io.BytesIO()
    Image.effect_noise((320, 240), 60).convert("RGB").save(picture, "JPEG")
    return picture.getvalue()


def photo(name: str) -> list[dict[str, Any]]:
    return [{"file_id": name, "file_unique_id": name, "width": 320, "height": 240, "file_size": 20_000}]


def outbound(text: str = "编号26112000001已受理", **more: Any) -> Outbound:
    return Outbound("r1", "telegram", str(CITIZEN), (text,), **more)


async def test_a_photo_goes_all_the_way_to_both_replies_and_the_rating_by_button(
    running: Story, telegram: TelegramServer
) -> None:
    telegram.files["large"] = jpeg()
    update = telegram.says(caption="人民广场北门有一堆垃圾没人清理", photo=photo("large"))
    assert (await deliver(running, update))[0] == 200
    [case] = await running.all(Case)
    assert (case.place.text, case.channel, len(await running.all(Attachment))) == ("人民广场北门", "telegram", 1)
    await running.send_all()
    assert str(case.case_no) in telegram.texts()[-1]

    await running.file(case.case_no)
    await running.send_all()
    assert "已受理立案" in telegram.texts()[-1]
    assert await running.debts() == [("filing", "delivered")]

    await running.handle_and_close(case.case_no)
    await running.send_all()
    assert telegram.buttons() == ["1 满意", "2 不满意"]
    assert await running.debts() == [("filing", "delivered"), ("closing", "delivered")]

    status, answer = await deliver(running, telegram.presses("1 满意"))
    assert (status, "answerCallbackQuery" in answer) == (200, True)
    after = await running.case(case.case_no)
    assert (after.state.value, after.rating) == ("archived", 1)
    assert len(await running.all(Case)) == 1


async def test_a_place_a_voice_note_and_an_edit_join_the_report(running: Story, telegram: TelegramServer) -> None:
    await deliver(running, telegram.says("有一堆垃圾没人清理"))
    await deliver(running, telegram.says(location={"latitude": 30.5, "longitude": 104.06}))
    telegram.files["v"] = b"OggS" + b"\x00" * 200
    for name in ("v", "gone"):
        await deliver(running, telegram.says(voice={"file_id": name, "file_unique_id": name, "duration": 12}))
    edited = telegram.says("有两堆垃圾没人清理")
    edited["edited_message"] = edited.pop("message")
    await deliver(running, edited)
    [case] = await running.all(Case)
    assert (case.place.given_lon, case.place.coord_sys) == (104.06, "wgs84")
    words = [remark.text for remark in await running.remarks(case.case_no)]
    assert sum("语音留言12秒" in text for text in words) == 2
    [note] = await running.all(CallRecording, case_no=case.case_no)
    assert (note.mime, note.size, note.stored_at is not None) == ("audio/ogg", 204, True)
    sealed = (running.media / note.token[:2] / f"{note.token}.sealed").read_bytes()
    assert b"OggS" not in sealed
    assert any("更正为“有两堆垃圾没人清理”" in text for text in words)


async def test_choosing_among_own_cases_is_offered_as_buttons(running: Story, telegram: TelegramServer) -> None:
    for text in ("人民广场北门垃圾没人清理", "中山路12号路灯不亮"):
        await deliver(running, telegram.says(text))
    await deliver(running, telegram.says("催办"))
    await running.send_all()
    assert telegram.buttons() == ["1", "2"]
    newest = max(case.case_no for case in await running.all(Case))
    await deliver(running, telegram.presses("1"))
    assert (await running.case(newest)).urge_count == 1


@pytest.mark.parametrize("secret", ["", "another", SECRET[::-1], "é"])
async def test_a_wrong_secret_is_refused_and_nothing_is_stored(running: Story, telegram: TelegramServer, secret: str) -> None:
    assert (await deliver(running, telegram.says("人民广场北门垃圾没人清理"), secret=secret))[0] == 403
    assert await running.all(JournalEntry) == []


async def test_the_same_update_many_times_in_parallel_is_one_case(running: Story, telegram: TelegramServer) -> None:
    update = telegram.says("人民广场北门垃圾没人清理")
    told = await asyncio.gather(*(deliver(running, update) for _ in range(20)))
    assert {status for status, _ in told} == {200}
    assert (len(await running.all(Case)), len(await running.all(OutboxRow))) == (1, 1)


async def test_who_blocks_the_bot_is_asked_nothing_more_and_undoes_it_by_coming_back(
    running: Story, telegram: TelegramServer
) -> None:
    await deliver(running, telegram.says("人民广场北门垃圾没人清理"))
    [case] = await running.all(Case)
    await running.send_all()
    await deliver(running, telegram.happens(my_chat_member=_moved("kicked")))
    [contact] = await running.all(Contact)
    assert contact.opted_out_at is not None
    assert await running.all(OutboxRow, state="waiting") == []
    await running.file(case.case_no)
    # He left no other way to be reached: the status page is the reply.
    assert await running.debts() == [("filing", "published")]
    await deliver(running, telegram.happens(my_chat_member=_moved("member")))
    [contact] = await running.all(Contact)
    assert contact.opted_out_at is None


async def test_a_block_met_in_sending_ends_the_ladder_where_no_other_way_is_known(
    running: Story, telegram: TelegramServer
) -> None:
    await deliver(running, telegram.says("人民广场北门垃圾没人清理"))
    [case] = await running.all(Case)
    await running.send_all()
    telegram.blocked.add(CITIZEN)
    await running.file(case.case_no)
    await running.send_all()
    [row] = await running.all(OutboxRow, case_no=case.case_no, state="failed")
    assert (row.channel, row.outcome) == ("telegram", "opted_out")
    assert await running.debts() == [("filing", "published")]


async def test_his_own_number_opens_the_way_to_a_telephone_call(running: Story, telegram: TelegramServer) -> None:
    await deliver(running, telegram.says("人民广场北门垃圾没人清理"))
    [case] = await running.all(Case)
    await deliver(running, telegram.says(contact={"phone_number": PHONE[1:], "first_name": "市民", "user_id": CITIZEN}))
    [contact] = await running.all(Contact)
    assert contact.phone == PHONE
    await running.send_all()
    assert telegram.texts()[-1] == "联系电话已记下，需要时会拨打或发短信。"
    telegram.faults = ["deactivated"]
    await running.file(case.case_no)
    await running.send_all()
    assert [task.kind for task in await running.all(Task, state="open")] == ["call_reply"]


FAULTS = [
    ("flood", "throttled", 7.0), ("blocked", "opted_out", None), ("never_started", "not_following", None),
    ("deactivated", "bad_address", None), ("no_chat", "bad_address", None), ("too_long", "too_long", None),
    ("bad", "refused", None), ("token", "unavailable", None), ("gateway", "unavailable", None), ("internal", "unknown", None),
    ("lost", "unknown", None), ("garbage", "unknown", None),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "outcome", "wait_s"), FAULTS)
async def test_each_fault_of_the_api_is_told_by_its_own_name(
    channel: ChatTelegram, telegram: TelegramServer, fault: str, outcome: str, wait_s: float | None
) -> None:
    telegram.faults = [fault]
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    assert (caught.value.outcome, caught.value.retry_after_s) == (outcome, wait_s)


async def test_after_a_429_nothing_more_is_asked_until_the_time_is_over(channel: ChatTelegram, telegram: TelegramServer) -> None:
    telegram.faults = ["flood"]
    for _ in range(3):
        with pytest.raises(SendError) as caught:
            await channel.send(outbound())
        assert caught.value.outcome == "throttled"
        assert caught.value.retry_after_s is not None
    assert telegram.asked["sendMessage"] == 1


async def test_nobody_at_the_door_is_safe_to_try_again(channel: ChatTelegram, telegram: TelegramServer) -> None:
    await telegram.stop()
    with pytest.raises(SendError) as caught:
        await channel.send(outbound())
    assert caught.value.outcome == "unavailable"


async def test_a_message_is_sent_as_it_is_with_its_buttons(channel: ChatTelegram, telegram: TelegramServer) -> None:
    assert await channel.send(outbound("a_b*c <b>", choices=("1 满意", "2 不满意"))) == Receipt("m9001", delivered=True)
    assert (telegram.sent[0]["text"], "parse_mode" in telegram.sent[0]) == ("a_b*c <b>", False)
    assert telegram.buttons() == ["1 满意", "2 不满意"]


async def test_a_picture_larger_than_the_limit_or_gone_is_refused(channel: ChatTelegram, telegram: TelegramServer) -> None:
    telegram.files["huge"] = b"x" * (10 * 1024 * 1024 + 1)
    for name in ("huge", "gone"):
        with pytest.raises(SendError):
            await channel.fetch(name)


# Polling


class Hearing:
    """Takes messages in; a failure told beforehand comes instead of the commit."""

    def __init__(self, emit: Callable[[Inbound], Awaitable[None]] | None = None) -> None:
        self.emit, self.heard, self.failures = emit, list[str](), list[Exception]()
        self.count = asyncio.Semaphore(0)

    async def __call__(self, inbound: Inbound) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.emit:
            await self.emit(inbound)
        self.heard.append(inbound.text)
        self.count.release()

    async def wait_for(self, number: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            for _ in range(number):
                await self.count.acquire()


async def stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until_confirmed(telegram: TelegramServer, number: int) -> None:
    """Until a reader has asked from beyond an update, which tells that it is done with."""
    async with asyncio.timeout(DEADLINE_S):
        while not any(offset and offset > number for offset in telegram.offsets):
            telegram.changed.clear()
            await telegram.changed.wait()


async def test_polling_loses_and_replays_nothing_over_a_restart(
    either_store: AnyStore, telegram: TelegramServer, make: Make, clock: FakeClock
) -> None:
    memory, hearing = StoreMemory(either_store, "chat_telegram", "gw"), Hearing()
    telegram.webhook = {"url": "https://old.example"}
    first = telegram.says("第一句")
    channel = make(polling=True)
    channel.remember(memory)
    task = asyncio.create_task(channel.run(hearing, clock=clock))
    await hearing.wait_for(1)
    await until_confirmed(telegram, first["update_id"])
    await stopped(task)

    telegram.says("第二句")
    again = make(polling=True)
    again.remember(memory)
    telegram.offsets.clear()
    task = asyncio.create_task(again.run(hearing, clock=clock))
    await hearing.wait_for(1)
    await stopped(task)
    assert hearing.heard == ["第一句", "第二句"]
    assert telegram.offsets[0] == first["update_id"] + 1


async def test_after_a_week_of_silence_updates_with_lower_numbers_are_heard(
    either_store: AnyStore, telegram: TelegramServer, make: Make, clock: FakeClock
) -> None:
    memory, hearing = StoreMemory(either_store, "chat_telegram", "gw"), Hearing()
    await memory.keep("offset", "900000000", for_s=OFFSET_LASTS_S)
    clock.pass_time(days=7)
    channel = make(polling=True)
    channel.remember(memory)
    telegram.says("又见面了")
    task = asyncio.create_task(channel.run(hearing, clock=clock))
    await hearing.wait_for(1)
    await stopped(task)
    assert telegram.offsets[0] is None
    assert hearing.heard == ["又见面了"]


async def test_the_offset_moves_on_only_after_the_commit(
    running: Story, telegram: TelegramServer, make: Make, clock: FakeClock
) -> None:
    channel = make(polling=True)
    memory = StoreMemory(running.gateway.store, "chat_telegram", "gw")
    channel.remember(memory)
    hearing = Hearing(lambda inbound: hear(running.app, channel, inbound))
    hearing.failures = [Unavailable(), Unavailable(), RuntimeError()]
    first = telegram.says("人民广场北门垃圾没人清理")
    assert await memory.recall("offset") is None
    task = asyncio.create_task(channel.run(hearing, clock=clock))
    await hearing.wait_for(1)
    await until_confirmed(telegram, first["update_id"])
    await stopped(task)
    assert telegram.asked["getUpdates"] >= 4
    assert len(await running.all(Case)) == 1
    kept = await memory.recall("offset")
    assert kept is not None
    assert int(kept.value) == first["update_id"] + 1


async def test_an_update_taken_but_not_confirmed_comes_again_and_changes_nothing(
    running: Story, telegram: TelegramServer, make: Make, clock: FakeClock
) -> None:
    """As after a crash between the commit and the keeping of the offset."""
    telegram.says("人民广场北门垃圾没人清理")
    for run in range(2):
        channel = make(polling=True)
        channel.remember(StoreMemory(running.gateway.store, f"run{run}", "gw"))
        hearing = Hearing(lambda inbound, channel=channel: hear(running.app, channel, inbound))
        task = asyncio.create_task(channel.run(hearing, clock=clock))
        await hearing.wait_for(1)
        await stopped(task)
    assert (len(await running.all(Case)), len(await running.all(OutboxRow))) == (1, 1)


@pytest.mark.parametrize("seed", range(4))
async def test_ended_at_any_moment_polling_takes_each_message_once(
    running: Story, telegram: TelegramServer, make: Make, clock: FakeClock, seed: int
) -> None:
    """Ended as often as it likes, between any two steps; every message is in the journal once, and none is missing."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    numbers = [telegram.says(f"中山路12号第{n}处垃圾没人清理", chat=CITIZEN + n)["update_id"] for n in range(12)]
    ends = 0
    while not any(offset and offset > numbers[-1] for offset in telegram.offsets):
        channel = make(polling=True)
        channel.remember(StoreMemory(running.gateway.store, "chat_telegram", "gw"))
        hearing = Hearing(lambda inbound, channel=channel: hear(running.app, channel, inbound))
        task = asyncio.create_task(channel.run(hearing, clock=clock))
        waiting = asyncio.create_task(hearing.wait_for(chance.randrange(1, 5)))
        confirmed = asyncio.create_task(until_confirmed(telegram, numbers[-1]))
        await asyncio.wait([waiting, confirmed], return_when=asyncio.FIRST_COMPLETED)
        for _ in range(chance.randrange(40)):
            await asyncio.sleep(0)
        for one in (waiting, confirmed):
            one.cancel()
        await asyncio.gather(waiting, confirmed, return_exceptions=True)
        await stopped(task)
        ends += 1
    heard = sorted(entry.provider_id for entry in await running.all(JournalEntry))
    assert heard == sorted(f"{BOT['id']}:{number}" for number in numbers)
    assert (len(await running.all(Case)), ends > 1) == (12, True)


def test_knowing_which_channels_there_are_does_not_read_their_libraries() -> None:
    """Every command asks; the bot library alone takes most of a second."""
    asked = "import sys, channels; channels.names(); sys.exit('telegram' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


async def test_what_cannot_be_read_does_not_hold_up_what_comes_behind_it(
    telegram: TelegramServer, make: Make, clock: FakeClock
) -> None:
    hearing = Hearing()
    hearing.failures = [RuntimeError() for _ in range(5)]
    telegram.says("谁也读不了")
    telegram.says("群里", chat=-100)
    telegram.waiting[-1]["message"]["chat"]["type"] = "group"
    telegram.says("正常")
    task = asyncio.create_task(make(polling=True).run(hearing, clock=clock))
    await hearing.wait_for(1)
    await stopped(task)
    assert hearing.heard == ["正常"]


async def test_an_outage_is_logged_once_at_its_start_and_once_at_its_end_and_loses_nothing(
    telegram: TelegramServer, make: Make, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    hearing = Hearing()
    telegram.poll_faults = ["gateway", "internal", "gateway", "token", "internal"]
    texts = [telegram.says(f"第{n}句")["message"]["text"] for n in range(40)]
    task = asyncio.create_task(make(polling=True).run(hearing, clock=clock))
    await hearing.wait_for(40)
    await stopped(task)
    assert hearing.heard == texts
    told = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    assert [event for event in told if event.startswith("channel.")] == ["channel.not_listening", "channel.listening"]


async def test_a_second_reader_is_met_by_waiting_and_loses_nothing(
    telegram: TelegramServer, make: Make, clock: FakeClock
) -> None:
    """A reader of another installation with the same token ends ours with 409; when it is gone we go on."""
    hearing = Hearing()
    task = asyncio.create_task(make(polling=True).run(hearing, clock=clock))
    async with asyncio.timeout(DEADLINE_S):
        while telegram.reader is None:
            await telegram.changed.wait()
            telegram.changed.clear()
    ours, telegram.reader = telegram.reader, object()
    telegram.changed.set()
    async with asyncio.timeout(DEADLINE_S):
        while telegram.asked["getUpdates"] < 2 or telegram.reader is ours:
            telegram.changed.clear()
            await telegram.changed.wait()
    telegram.says("还在")
    await hearing.wait_for(1)
    await stopped(task)
    assert hearing.heard == ["还在"]


async def test_only_one_of_several_gateways_asks(
    either_store: AnyStore, telegram: TelegramServer, make: Make, clock: FakeClock
) -> None:
    one, two = (StoreMemory(either_store, "chat_telegram", name) for name in ("one", "two"))
    assert await one.hold("turn", for_s=60)
    assert not await two.hold("turn", for_s=60)
    assert await one.hold("turn", for_s=60)
    clock.pass_time(seconds=61)
    assert await two.hold("turn", for_s=60)
    assert not await one.hold("turn", for_s=60)


async def test_a_button_pressed_while_polling_stops_turning(telegram: TelegramServer, make: Make, clock: FakeClock) -> None:
    channel, hearing = make(polling=True), Hearing()
    await channel.send(outbound("…", choices=("1 满意",)))
    last = telegram.presses("1 满意")
    task = asyncio.create_task(channel.run(hearing, clock=clock))
    await hearing.wait_for(1)
    await until_confirmed(telegram, last["update_id"])
    await stopped(task)
    assert (hearing.heard, telegram.confirmed) == (["1 满意"], [last["callback_query"]["id"]])


async def test_a_webhook_is_announced_with_its_secret(telegram: TelegramServer, make: Make, clock: FakeClock) -> None:
    task = asyncio.create_task(make().run(Hearing(), clock=clock))
    async with asyncio.timeout(DEADLINE_S):
        await telegram.changed.wait()
    await stopped(task)
    assert (telegram.webhook["url"], telegram.webhook["secret_token"]) == (PUBLIC + HOOK, SECRET)


async def test_the_token_never_reaches_a_log(
    telegram: TelegramServer, make: Make, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    channel = make()
    for fault in ("", *(fault for fault, _, _ in reversed(FAULTS))):
        telegram.faults = [fault]
        with suppress(SendError):
            await channel.send(outbound())
    assert TOKEN.partition(":")[2] not in caplog.text
    assert "编号26112000001" not in caplog.text


@pytest.mark.parametrize("changes", [{"token": "abc"}, {"public_url": "http://hotline.example"}, {"public_url": ""}])
async def test_settings_that_cannot_work_are_refused(changes: dict[str, Any]) -> None:
    given: dict[str, Any] = {"token": TOKEN, "public_url": PUBLIC} | changes
    async with aiohttp.ClientSession() as http:
        with pytest.raises(Misconfigured, match="chat_telegram"):
            build(Settings(**given), http)


def _moved(status: str) -> dict[str, Any]:
    return {"chat": {"id": CITIZEN, "type": "private"}, "from": person(), "date": 1795147200,
            "old_chat_member": {"status": "member", "user": BOT}, "new_chat_member": {"status": status, "user": BOT, "until_date": 0}}  # fmt: skip
