"""Reports while the database cannot be written: final number, status meanwhile, replay that is harmless to repeat."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from intake.admission import Admission
from intake.errors import KeyReused, Unavailable
from intake.model import Case, State
from intake.profile import City
from intake.records import JournalEntry
from intake.spool import Spool
from intake.store.faults import DatabaseUnavailable
from intake.store.postgres import PostgresStore
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.store.work import Work
from intake.vault import Vault
from tests.core.test_usecases import JUDGED
from tests.make import PHONE, make_inbound
from tests.servers import Postgres


@pytest.fixture
def spool(tmp_path: Path, vault: Vault) -> Spool:
    spool = Spool(tmp_path / "spool", vault)
    spool.open()
    return spool


def admission(store: Any, city: City, spool: Spool) -> Admission:
    return Admission(store, city.rules(), spool, lambda _: JUDGED)


async def limit_pages(store: SqliteStore, pages: int) -> None:
    """The embedded database's own "disk full": SQLite raises SQLITE_FULL when it may not grow."""

    def limit(work: Work) -> None:
        work.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    await store.write(limit)


async def test_a_full_disk_sends_reports_to_the_spool_with_a_final_number(
    store: SqliteStore, city: City, spool: Spool
) -> None:
    line = admission(store, city, spool)
    await limit_pages(store, 1)
    numbers = []
    for count in range(200):
        received = await line.take(make_inbound(text=f"第{count}处垃圾" + "没人清理" * 100), JUDGED)
        numbers.append(received.case_no)
        assert received.state is State.REPORTED
    assert len(spool) > 0
    assert len(set(numbers)) == 200

    await limit_pages(store, 1_000_000)
    while len(spool):
        await line.replay_waiting()
    cases = await store.read(lambda work: work.find(Case))
    assert sorted(case.case_no for case in cases) == sorted(numbers)


class Cut:
    """A store whose database goes away and comes back as the test says."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.down, self.commits_first = store, False, False

    def next_case_no(self) -> int:
        return self.store.next_case_no()

    async def write(self, unit: Callable[[Work], Any]) -> Any:
        if self.down and not self.commits_first:
            raise DatabaseUnavailable
        result = await self.store.write(unit)
        if self.down:
            raise DatabaseUnavailable
        return result

    async def read(self, question: Callable[[Work], Any]) -> Any:
        return await self.store.read(question)


@pytest.fixture
def cut(store: SqliteStore) -> Cut:
    return Cut(store)


async def test_a_commit_nobody_heard_of_is_recognised_when_replayed(cut: Cut, city: City, spool: Spool) -> None:
    line = admission(cut, city, spool)
    cut.down = cut.commits_first = True
    received = await line.take(make_inbound(), JUDGED)
    assert len(spool) == 1
    cut.down = False
    assert await line.replay_waiting() == 1
    cases = await cut.read(lambda work: work.find(Case))
    assert [case.case_no for case in cases] == [received.case_no]


async def test_the_same_key_during_an_outage_gives_the_same_number(cut: Cut, city: City, spool: Spool) -> None:
    line = admission(cut, city, spool)
    cut.down = True
    inbound = make_inbound(provider_id="key:1", body_digest="a")
    first = await line.take(inbound, JUDGED)
    second = await line.take(inbound, JUDGED)
    assert (second.case_no, second.repeated) == (first.case_no, True)
    with pytest.raises(KeyReused):
        await line.take(replace(inbound, body_digest="b"), JUDGED)


async def test_a_number_given_for_a_key_already_stored_exists_after_the_outage(cut: Cut, city: City, spool: Spool) -> None:
    line = admission(cut, city, spool)
    inbound = make_inbound(provider_id="key:1", body_digest="a")
    before = await line.take(inbound, JUDGED)
    cut.down = True
    during = await line.take(inbound, JUDGED)
    cut.down = False
    await line.replay_waiting()
    numbers = {case.case_no for case in await cut.read(lambda work: work.find(Case))}
    assert numbers == {before.case_no, during.case_no}


async def test_replay_survives_a_restart_and_files_are_for_the_owners_eyes_only(
    cut: Cut, city: City, spool: Spool, tmp_path: Path, vault: Vault
) -> None:
    cut.down = True
    received = await admission(cut, city, spool).take(make_inbound(phone=PHONE, name="张三丰"), JUDGED)
    files = [path for path in (tmp_path / "spool").iterdir() if path.is_file()]
    assert [path.stat().st_mode & 0o777 for path in files] == [0o600]
    assert "张三丰".encode() not in files[0].read_bytes()

    again = Spool(tmp_path / "spool", vault)
    assert again.open() == 1
    cut.down = False
    line = admission(cut, city, again)
    assert line.spooled(received.case_no) is not None
    assert await line.replay_waiting() == 1
    entries = await cut.read(lambda work: work.find(JournalEntry))
    assert "张三丰" in entries[0].raw
    assert [path for path in (tmp_path / "spool").iterdir() if path.is_file()] == []


async def test_a_damaged_file_is_put_aside_and_holds_nobody_up(
    cut: Cut, city: City, spool: Spool, tmp_path: Path, vault: Vault
) -> None:
    cut.down = True
    line = admission(cut, city, spool)
    await line.take(make_inbound(), JUDGED)
    await line.take(make_inbound(), JUDGED)
    victim = sorted((tmp_path / "spool").glob("*.report"))[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"\0")
    again = Spool(tmp_path / "spool", vault)
    assert again.open() == 1
    assert again.damaged() == [victim.name]


async def test_when_the_spools_disk_fails_too_the_sender_is_told_to_try_again(
    cut: Cut, city: City, vault: Vault, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "gone", vault)
    cut.down = True
    with pytest.raises(Unavailable):
        await admission(cut, city, spool).take(make_inbound(), JUDGED)


async def test_a_read_only_database_is_an_outage(tmp_path: Path, store: SqliteStore, city: City, spool: Spool) -> None:
    await store.write(lambda work: work.connection.exec_driver_sql("PRAGMA query_only = ON"))
    line = admission(store, city, spool)
    received = await line.take(make_inbound(), JUDGED)
    assert line.spooled(received.case_no) is not None


async def test_a_locked_database_is_an_outage(tmp_path: Path, store: SqliteStore, city: City, spool: Spool) -> None:
    await store.write(lambda work: work.connection.exec_driver_sql("PRAGMA busy_timeout = 10"))
    other = sqlite3.connect(tmp_path / "intake.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    line = admission(store, city, spool)
    received = await line.take(make_inbound(), JUDGED)
    assert line.spooled(received.case_no) is not None
    other.execute("ROLLBACK")
    other.close()
    assert await line.replay_waiting() == 1


@pytest.mark.servers
@pytest.mark.parametrize("way", ["fast", "immediate"])
async def test_a_stopped_or_killed_postgresql_loses_no_report(
    postgres: Postgres, setting: StoreSetting, city: City, spool: Spool, way: str
) -> None:
    store = PostgresStore(postgres.url(postgres.new_database("intake_template")), setting)
    await store.open()
    line = admission(store, city, spool)
    numbers = [(await line.take(make_inbound(), JUDGED)).case_no]
    writers = [asyncio.create_task(line.take(make_inbound(), JUDGED)) for _ in range(50)]
    await asyncio.to_thread(postgres.stop, way)
    numbers += [(await writer).case_no for writer in writers]
    numbers += [(await line.take(make_inbound(), JUDGED)).case_no for _ in range(5)]
    assert len(spool) >= 5
    await asyncio.to_thread(postgres.start)
    while len(spool):
        await line.replay_waiting()
    cases = await store.read(lambda work: work.find(Case))
    assert sorted(case.case_no for case in cases) == sorted(numbers)
    await store.close()


@pytest.mark.servers
async def test_a_commit_that_fails_half_way_is_an_outage_and_not_a_loss(
    postgres: Postgres, setting: StoreSetting, city: City, spool: Spool
) -> None:
    store = PostgresStore(postgres.url(postgres.new_database("intake_template")), setting)
    await store.open()

    def end_own_connection(work: Work) -> None:
        work.add(JournalEntry(work.new_id(), "web", "doomed", setting.clock(), "{}"))
        work.flush_rows()
        work.connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DatabaseUnavailable):
        await store.write(end_own_connection)
    received = await admission(store, city, spool).take(make_inbound(), JUDGED)
    assert await store.read(lambda work: work.get(Case, received.case_no)) is not None
    assert await store.read(lambda work: work.find(JournalEntry, provider_id="doomed")) == []
    await store.close()
