"""A burst main told by two thousand messages: every report is taken, one alarm rings, the desk stays usable."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from intake.admission import Admission
from intake.burst import LASTS, MOST_PLACELESS, alarm_of
from intake.dialogue_words import load_phrases
from intake.feed import Feed
from intake.gateway import Gateway
from intake.listener import Listener
from intake.model import Case, Inbound, Place, Prediction, State
from intake.profile import City
from intake.queue import QueueFilter
from intake.receive import Judged
from intake.records import OutboxRow, Task
from intake.spool import Spool
from intake.store.sqlite import SqliteStore
from intake.vault import Vault
from tests.fakes import FakeClock
from tests.make import NOON, make_case

STORM = 2000
TEXTS = ("人民广场北门水管爆了", "人民广场北门爆管，水漫到路上", "人民广场北门自来水管爆裂喷水", "快来人，人民广场北门水管爆了")


def judge(text: str) -> Judged:
    words = tuple(word for word in ("爆", "塌陷") if word in text)
    return Judged(Prediction(), words, ())


@pytest.fixture
def listener(store: SqliteStore, city: City, clock: FakeClock, vault: Vault, tmp_path: Path) -> Listener:
    rules, spool = city.rules(offered=["sms"]), Spool(tmp_path / "spool", vault)
    gateway = Gateway(store, city, rules, judge, vault, clock, Feed(store), Admission(store, rules, spool, judge))
    places = ("人民广场北门", "中山路12号")
    return Listener(gateway, load_phrases(), lambda text: next((place for place in places if place in text), None))


async def says(listener: Listener, number: int, text: str) -> None:
    phone = f"+861990{number:07d}"
    await listener.hear(Inbound("sms", f"SM{number}", NOON + timedelta(milliseconds=30 * number), text, address=phone, phone=phone))


async def alarms(store: SqliteStore) -> list[Task]:
    return [task for task in await store.read(lambda work: work.find(Task)) if task.kind == "emergency"]


async def test_two_thousand_messages_about_one_event_ring_once_and_the_queue_stays_usable(listener: Listener, store: SqliteStore) -> None:
    await says(listener, 0, TEXTS[0])
    for start in range(1, STORM, 100):
        await asyncio.gather(*(says(listener, number, TEXTS[number % 4]) for number in range(start, min(start + 100, STORM))))
    assert len(await alarms(store)) == 1
    assert (await store.read(lambda work: work.counts()))[State.REPORTED] == STORM
    assert len(await store.read(lambda work: work.find(OutboxRow))) == STORM

    await says(listener, STORM, "中山路12号路面塌陷")
    rung = [await store.read(lambda work, number=task.case_no: work.get(Case, number)) for task in await alarms(store)]
    assert [case.place.text for case in rung if case] == ["人民广场北门", "中山路12号"]
    page = await store.read(lambda work: work.queue(QueueFilter(), limit=25))
    assert len(page.cases) == 25
    found = await store.read(lambda work: work.queue(QueueFilter(text="塌陷"), limit=25))
    assert [row.place.text for row in found.cases] == ["中山路12号"]


def danger(number: int, place: str, *, minutes: int = 0, words: tuple[str, ...] = ("爆",)) -> Case:
    return make_case(case_no=number, place=Place(text=place), danger_words=words, received_at=NOON + timedelta(minutes=minutes))


def test_only_the_same_danger_at_the_same_place_at_the_same_time_is_one_event() -> None:
    first = danger(1, "人民广场北门")
    assert alarm_of(danger(2, "人民广场北门", minutes=5), [first]) == 1
    assert alarm_of(danger(2, "中山路12号", minutes=5), [first]) == 0
    assert alarm_of(danger(2, "人民广场北门", words=("塌陷",)), [first]) == 0
    assert alarm_of(danger(2, "人民广场北门", minutes=int(LASTS.total_seconds() / 60) + 1), [first]) == 0


def test_reports_without_a_place_ring_until_there_are_many() -> None:
    ringing = [danger(number, "") for number in range(1, MOST_PLACELESS + 1)]
    assert alarm_of(danger(9, ""), ringing[1:]) == 0
    assert alarm_of(danger(9, ""), ringing) == 1
    assert alarm_of(danger(9, "人民广场北门"), ringing) == 0
