"""Voice notes: every one of them is kept with its message, whatever happens to the database between the two."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from channels.chat_telegram import ChatTelegram, Settings
from channels.chat_telegram_bot import TelegramApi
from channels.web.hooks import HOOKED, Hooked
from intake.backlog import Backlog
from intake.call import CallRecording
from intake.errors import Unavailable
from intake.listener import Listener
from intake.model import Case, Inbound, Sound
from intake.profile import City
from intake.receive import inbound_of, raw_of
from intake.records import Attachment, JournalEntry
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.channels.test_chat_telegram import deliver
from tests.fakes import FakeClock
from tests.make import NOON
from tests.providers.story import PUBLIC, Story, story
from tests.providers.telegram_server import TOKEN, TelegramServer

OGG = b"OggS" + b"\x00" * 200


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    server = TelegramServer()
    await server.start()
    server.files["v"] = OGG
    yield server
    await server.stop()


@pytest.fixture
async def running(
    either_store: AnyStore, city: City, clock: FakeClock, telegram: TelegramServer, tmp_path: Path, vault: Vault
) -> AsyncIterator[Story]:
    assert telegram.server
    async with aiohttp.ClientSession() as http:
        api = TelegramApi(TOKEN, str(telegram.server.make_url("")).rstrip("/"), http)
        channel = ChatTelegram(Settings(TOKEN, public_url=PUBLIC), api, pauses_s=[0.0])
        async with story(either_store, city, clock, channel, name="chat_telegram", folder=tmp_path, vault=vault) as running:
            yield running


def note(telegram: TelegramServer) -> dict[str, object]:
    return telegram.says(voice={"file_id": "v", "file_unique_id": "v", "duration": 12})


def files(running: Story) -> list[str]:
    return sorted(path.name.partition(".")[0] for path in running.media.glob("??/*.sealed"))


async def test_every_voice_note_of_a_report_is_kept(running: Story, telegram: TelegramServer) -> None:
    await deliver(running, telegram.says("人民广场北门有一堆垃圾没人清理"))
    for _ in range(3):
        assert (await deliver(running, note(telegram)))[0] == 200
    [case] = await running.all(Case)
    kept = await running.all(CallRecording, case_no=case.case_no)
    assert [one.size for one in kept] == [len(OGG)] * 3
    assert files(running) == sorted(one.token for one in kept)
    assert {one.token for one in await running.all(Attachment)} == {one.token for one in kept}


async def test_a_repeated_message_leaves_its_voice_note_once(running: Story, telegram: TelegramServer) -> None:
    await deliver(running, telegram.says("人民广场北门有一堆垃圾没人清理"))
    update = note(telegram)
    for _ in range(3):
        assert (await deliver(running, update))[0] == 200
    assert files(running) == [one.token for one in await running.all(CallRecording)]


async def test_a_voice_note_that_came_while_the_database_was_away_comes_with_its_message(
    running: Story, telegram: TelegramServer, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked = running.app[HOOKED]
    assert hooked.listener
    backlog = Backlog(tmp_path / "spool", vault)
    backlog.open()
    listener = Listener(hooked.listener.gateway, hooked.listener.phrases, hooked.listener.find_place, backlog)
    # The application is frozen by now; what it serves is replaced where it stands.
    monkeypatch.setitem(running.app._state, HOOKED, Hooked(listener, hooked.channels))
    await deliver(running, telegram.says("人民广场北门有一堆垃圾没人清理"))

    async def away(_unit: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(running.gateway.store, "write", away)
        assert (await deliver(running, note(telegram)))[0] == 200
    assert await running.all(CallRecording) == []
    assert await listener.bring_in() == 1
    [kept] = await running.all(CallRecording)
    [case] = await running.all(Case)
    assert (kept.case_no, kept.stored_at is not None, files(running)) == (case.case_no, True, [kept.token])


def test_sounds_survive_being_written_down() -> None:
    said = Inbound("telegram", "1", NOON, "（语音留言3秒）", sounds=(Sound("t" * 43, "0" * 64, "audio/ogg", 7),))
    entry = JournalEntry(0, "", "", NOON, raw_of(said))
    assert inbound_of(entry) == replace(said, received_at=NOON)
