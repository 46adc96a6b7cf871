"""Text messages while the database is away: taken and acknowledged, kept in order, brought in once, bounded."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog

from intake.admission import Admission
from intake.backlog import Backlog, Waiting
from intake.dialogue_words import load_phrases
from intake.errors import Unavailable
from intake.feed import Feed
from intake.gateway import Gateway
from intake.listener import MOST_TRIES, Listener
from intake.model import Case, DeliveryReport, Inbound, Part
from intake.profile import City
from intake.records import DeliveryRow, JournalEntry, Remark
from intake.spool import Spool
from intake.store.faults import DatabaseUnavailable
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import NOON, PHONE
from tests.providers.story import PLACES, judge

T = TypeVar("T")


class Away:
    """The store behind a line that can be cut; `hangs` makes it silent after it has committed."""

    def __init__(self, store: AnyStore) -> None:
        self._store, self.away, self.forgets = store, False, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, unit: Callable[[Any], T]) -> T:
        if self.away:
            raise DatabaseUnavailable
        done = await self._store.write(unit)
        if self.forgets:
            # Committed, and the word about it lost.
            raise DatabaseUnavailable
        return done

    async def read(self, question: Callable[[Any], T]) -> T:
        if self.away:
            raise DatabaseUnavailable
        return await self._store.read(question)


@pytest.fixture
def away(either_store: AnyStore) -> Away:
    return Away(either_store)


def listening(store: Any, city: City, clock: FakeClock, vault: Vault, folder: Path, *, most: int = 1000) -> Listener:
    spool = Spool(folder / "spool", vault)
    spool.open()
    rules = city.rules(offered=["sms"])
    gateway = Gateway(store, city, rules, judge, vault, clock, Feed(store), Admission(store, rules, spool, judge))
    backlog = Backlog(folder / "spool", vault, most=most)
    backlog.open()
    place = load_phrases(), lambda text: next((place for place in PLACES if place in text), None)
    return Listener(gateway, *place, backlog)


@pytest.fixture
def listener(away: Away, city: City, clock: FakeClock, vault: Vault, tmp_path: Path) -> Listener:
    return listening(away, city, clock, vault, tmp_path)


def said(text: str, number: int = 1, phone: str = PHONE) -> Inbound:
    return Inbound("sms", f"SM{number}", NOON, text, address=phone, phone=phone)


async def cases(store: Any) -> list[Case]:
    found: list[Case] = await store.read(lambda work: work.find(Case))
    return found


async def test_a_message_is_taken_while_the_database_is_away_and_brought_in_once(
    listener: Listener, away: Away, city: City, clock: FakeClock, vault: Vault, tmp_path: Path
) -> None:
    away.away = True
    for _ in range(3):
        assert (await listener.hear(said("人民广场北门有一堆垃圾"))).act == "kept"
    assert PHONE.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "spool").glob("*.message"))
    after_restart = listening(away, city, clock, vault, tmp_path)
    with pytest.raises(Unavailable):
        await after_restart.bring_in()
    away.away = False
    assert await after_restart.bring_in() == 3
    assert [case.description for case in await cases(away)] == ["人民广场北门有一堆垃圾"]
    assert list((tmp_path / "spool").glob("*.message")) == []


async def test_what_a_sender_says_keeps_its_order(listener: Listener, away: Away) -> None:
    away.away = True
    await listener.hear(said("有一堆垃圾没人清理", 1))
    away.away = False
    # The database is back, but his first word is still on the disk; another sender's word waits for nobody.
    listener.outage._rest_until = 0.0
    assert (await listener.hear(said("人民广场北门", 2))).act == "kept"
    assert (await listener.hear(said("中山路12号垃圾", 3, "+8619900000002"))).act == "report"
    await listener.bring_in()
    [case] = [case for case in await cases(away) if case.description.startswith("有一堆")]
    assert case.place.text == "人民广场北门"


async def test_what_was_stored_without_our_knowing_is_not_doubled(listener: Listener, away: Away) -> None:
    away.forgets = True
    assert (await listener.hear(said("人民广场北门有一堆垃圾"))).act == "kept"
    away.forgets = False
    assert await listener.bring_in() == 1
    assert len(await cases(away)) == 1
    assert len(await away.read(lambda work: work.find(JournalEntry))) == 1


async def test_delivery_reports_and_pieces_wait_too(listener: Listener, away: Away) -> None:
    away.away = True
    await listener.record_delivery(DeliveryReport("sms", "SM9", "failed", NOON, "30003"))
    for number, text in ((1, "人民广场北门\ud83d"), (2, "\ude00有一堆垃圾")):
        await listener.hear(replace(said(text, number), part=Part("a", number, 2)))
    away.away = False
    assert await listener.bring_in() == 3
    [row] = await away.read(lambda work: work.find(DeliveryRow))
    assert (row.provider_id, row.outcome, row.code, row.at) == ("SM9", "failed", "30003", NOON)
    assert [case.description for case in await cases(away)] == ["人民广场北门😀有一堆垃圾"]


async def test_an_outage_is_one_line_at_its_start_and_one_at_its_end(listener: Listener, away: Away) -> None:
    away.away = True
    with structlog.testing.capture_logs() as logged:
        for number in range(50):
            await listener.hear(said("人民广场北门有一堆垃圾", number, f"+861990000{number:04d}"))
        away.away = False
        await listener.bring_in()
    assert [line["event"] for line in logged if line["event"].startswith("messages")] == ["messages.kept", "messages.brought_in"]
    assert len(await cases(away)) == 50


async def test_more_than_the_backlog_holds_is_refused_so_that_the_provider_sends_again(
    away: Away, city: City, clock: FakeClock, vault: Vault, tmp_path: Path
) -> None:
    small = listening(away, city, clock, vault, tmp_path, most=2)
    away.away = True
    for number in (1, 2):
        await small.hear(said("垃圾", number))
    with pytest.raises(Unavailable):
        await small.hear(said("垃圾", 3))
    away.away = False
    assert await small.bring_in() == 2


async def test_a_damaged_file_is_put_aside_and_holds_nothing_up(
    listener: Listener, away: Away, city: City, clock: FakeClock, vault: Vault, tmp_path: Path
) -> None:
    away.away = True
    await listener.hear(said("中山路12号垃圾", 1))
    await listener.hear(said("人民广场北门有一堆垃圾", 2, "+8619900000002"))
    first = min((tmp_path / "spool").glob("*.message"))
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    away.away = False
    again = listening(away, city, clock, vault, tmp_path)
    assert again.backlog
    assert again.backlog.damaged() == [first.name]
    assert await again.bring_in() == 1
    # Damaged while running: tried a few times, then put aside.
    for _ in range(MOST_TRIES):
        await listener.bring_in()
    assert listener.backlog is not None
    assert len(listener.backlog) == 0


async def test_a_disk_that_fails_too_is_told_to_the_provider(listener: Listener, away: Away, tmp_path: Path) -> None:
    away.away = True
    (tmp_path / "spool").rmdir()
    (tmp_path / "spool").write_text("no folder")
    with pytest.raises(Unavailable):
        await listener.hear(said("人民广场北门有一堆垃圾"))


async def test_the_loop_brings_in_what_waits_and_ends_when_cancelled(listener: Listener, away: Away) -> None:
    away.away = True
    await listener.hear(said("人民广场北门有一堆垃圾"))
    away.away = False
    loop = asyncio.create_task(listener.run())
    for _ in range(1000):
        if await cases(away):
            break
        await asyncio.sleep(0.02)  # the loop runs beside us
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
    assert await away.read(lambda work: work.find(Remark)) == []


def test_names_follow_arrival_over_a_restart(tmp_path: Path, vault: Vault) -> None:
    for _ in range(3):
        backlog = Backlog(tmp_path, vault)
        backlog.open()
        for number in range(5):
            backlog.put(Waiting(said(str(number), number)))
    texts = [thing.text for name in backlog.names() if isinstance(thing := backlog.read(name).thing, Inbound)]
    assert texts == ["0", "1", "2", "3", "4"] * 3
    assert backlog.holds(f"sms:{PHONE}")
    for name in list(backlog.names()):
        backlog.remove(name)
    assert not backlog.holds(f"sms:{PHONE}")
