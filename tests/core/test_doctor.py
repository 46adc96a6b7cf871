"""The doctor finds each fault that was put there on purpose, on both databases, and stays quiet about a sound gateway."""

import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from intake import doctor
from intake.call import CallRecording
from intake.channel_memory import keep
from intake.commands.doctor import examine
from intake.history import append_entry
from intake.keyring import KeyFile, KeyRing
from intake.model import Case, Photo, ReplyKind, Role
from intake.profile import City
from intake.receive import raw_of
from intake.records import Debt, JournalEntry, Task
from intake.settings import Settings
from intake.store.blocks import Blocks
from intake.store.postgres import PostgresStore
from intake.store.schema import upgrade_sqlite
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.switchboard_audio import MAX_ATTEMPTS
from intake.vault import Vault
from intake.wiring import AnyStore, utc_now
from tests.core.test_usecases import OPERATOR, reported, take
from tests.make import NOON, PHONE, make_inbound

TOKEN = "ab" + "x" * 41


class Patient:
    """A gateway to be looked over."""

    def __init__(self, settings: Settings, store: AnyStore) -> None:
        self.settings, self.store = settings, store

    async def complaints(self, *, every_case: bool = True) -> dict[str, str]:
        """What is wrong, by the name of the check."""
        findings = await examine(self.settings, every_case=every_case)
        assert doctor.exit_code(findings) == int(any(one.wrong for one in findings))
        return {one.name: one.words for one in findings if one.wrong}

    async def sql(self, *statements: str) -> None:
        def unit(work: Any) -> None:
            work.wrote = True
            for statement in statements:
                work.connection.execute(sa.text(statement))

        await self.store.write(unit)

    def without_triggers(self, table: str, statement: str) -> tuple[str, ...]:
        """Somebody with the database's own rights gets round the triggers."""
        if self.settings.is_embedded:
            return (*(f"DROP TRIGGER {table}_no_{act}" for act in ("update", "delete")), statement)
        return (f"ALTER TABLE {table} DISABLE TRIGGER USER", statement, f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
async def patient(
    request: pytest.FixtureRequest, tmp_path: Path, setting: StoreSetting, city: City
) -> AsyncIterator[Patient]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    settings = Settings(home=tmp_path / "home", database_url=url)
    file = KeyFile(settings.key_path)
    own = replace(setting, vault=Vault(file.make(), file), blocks=Blocks(), clock=utc_now)
    if not url:
        upgrade_sqlite(settings.database_path)
    store: AnyStore = PostgresStore(url, own) if url else SqliteStore(settings.database_path, own)
    await store.open()
    for _ in range(3):
        await reported(store, city, phone=PHONE, received_at=utc_now())
    yield Patient(settings, store)
    await store.close()


async def test_a_sound_gateway_has_no_complaints(patient: Patient, city: City) -> None:
    number = await reported(patient.store, city, received_at=utc_now())
    await take(patient.store, city, number, "accept", OPERATOR)
    assert await patient.complaints() == {}
    assert await patient.complaints(every_case=False) == {}


async def test_a_missing_trigger_is_named(patient: Patient) -> None:
    on = "" if patient.settings.is_embedded else " ON history"
    await patient.sql(f"DROP TRIGGER history_no_update{on}")
    assert "history_no_update" in (await patient.complaints())["防篡改触发器"]


async def test_a_database_of_another_version_is_told(patient: Patient) -> None:
    await patient.sql("UPDATE alembic_version SET version_num = '0000'")
    assert list(await patient.complaints()) == ["数据库结构"]


async def test_a_counter_that_strayed_is_named(patient: Patient) -> None:
    await patient.sql("UPDATE counters SET n = n + 1 WHERE name = 'state:reported'")
    assert "state:reported" in (await patient.complaints())["计数"]


@pytest.mark.parametrize("statement", [
    "UPDATE history SET step = 'void' WHERE seq = 1", "DELETE FROM history WHERE seq = 1", "UPDATE history SET seq = seq + 1",
])  # fmt: skip
async def test_a_changed_or_missing_line_of_history_is_found(patient: Patient, statement: str) -> None:
    await patient.sql(*patient.without_triggers("history", statement))
    assert "3 件有误" in (await patient.complaints())["流转记录"]


async def test_a_history_cut_at_its_end_is_found(patient: Patient, city: City) -> None:
    number = await reported(patient.store, city, received_at=utc_now())
    await take(patient.store, city, number, "accept", OPERATOR)
    await patient.sql(*patient.without_triggers("history", f"DELETE FROM history WHERE case_no = {number} AND seq = 2"))
    assert f"{number} cut" in (await patient.complaints())["流转记录"]


async def test_reports_that_cannot_be_built_are_told_after_a_while(patient: Patient) -> None:
    def unbuilt(at: datetime) -> Callable[[Any], None]:
        return lambda work: work.add(
            JournalEntry(work.new_id(), "web", at.isoformat(), at, raw_of(make_inbound()), state="pending")
        )

    await patient.store.write(unbuilt(utc_now()))
    assert await patient.complaints() == {}
    await patient.store.write(unbuilt(utc_now() - timedelta(hours=1)))
    assert "1 条" in (await patient.complaints())["待建案的消息"]


async def test_damaged_spool_files_are_named_and_waiting_ones_only_counted(patient: Patient) -> None:
    folder = patient.settings.spool_path / "damaged"
    folder.mkdir(parents=True)
    (patient.settings.spool_path / "1.report").write_bytes(b"x")
    assert await patient.complaints() == {}
    (folder / "2.report").write_bytes(b"x")
    assert "2.report" in (await patient.complaints())["暂存"]


async def test_missing_and_orphaned_pictures_are_told_but_not_fresh_uploads(patient: Patient, city: City) -> None:
    await reported(patient.store, city, photos=(Photo(TOKEN, "0" * 64, "image/jpeg", 9, 9, 9),), received_at=utc_now())
    assert TOKEN[:8] in (await patient.complaints())["照片和录音"]
    folder = patient.settings.media / "ab"
    folder.mkdir(parents=True)
    (folder / f"{TOKEN}.jpg").write_bytes(b"x")
    (folder / f"{TOKEN}.thumb.jpg").write_bytes(b"x")
    stray = folder / ("ab" + "s" * 41 + ".jpg")
    stray.write_bytes(b"x")
    assert await patient.complaints() == {}
    long_ago = time.time() - 7200
    os.utime(stray, (long_ago, long_ago))
    assert "1 个文件不属于任何案件" in (await patient.complaints())["照片和录音"]


async def test_a_recording_of_a_call_without_a_case_is_no_stray_file(patient: Patient) -> None:
    path = patient.settings.media / "ab" / f"{TOKEN}.sealed"
    row = CallRecording(1, 2, "talk", "talk", "talk/2", TOKEN, "main", 1000, utc_now(), size=6, stored_at=utc_now())
    await patient.store.write(lambda work: work.add(row))
    assert TOKEN[:8] in (await patient.complaints())["照片和录音"]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sealed")
    os.utime(path, (time.time() - 7200,) * 2)
    assert await patient.complaints() == {}


async def test_a_recording_that_was_asked_for_too_often_is_told(patient: Patient) -> None:
    row = CallRecording(1, 26, "talk", "talk", "talk/26", TOKEN, "main", 1000, utc_now(), attempts=MAX_ATTEMPTS - 1)
    await patient.store.write(lambda work: work.add(row))
    assert await patient.complaints() == {}
    await patient.store.write(lambda work: work.change(row, replace(row, attempts=MAX_ATTEMPTS)))
    assert "26" in (await patient.complaints())["录音取回"]


async def test_news_that_a_source_never_got_are_told_until_somebody_saw_to_it(patient: Patient, city: City) -> None:
    number = await reported(patient.store, city, received_at=utc_now())
    task = Task(7, "order_push", number, utc_now(), Role.OPERATOR)
    await patient.store.write(lambda work: work.add(task))
    assert str(number) in (await patient.complaints())["上级工单反馈"]
    await take(patient.store, city, number, "note", OPERATOR, text="已电话告知来源方")
    assert await patient.complaints() == {}


async def test_what_a_channel_keeps_and_nobody_can_open_is_told(patient: Patient) -> None:
    await patient.store.write(lambda work: keep(work, "chat_telegram.offset", "7"))
    assert await patient.complaints() == {}
    await patient.sql("UPDATE channel_memory SET sealed = substr(sealed, 1, 20)")
    assert "停止收发" in (await patient.complaints())["渠道记忆"]


async def test_a_reply_that_is_late_is_told(patient: Patient, city: City) -> None:
    number = await reported(patient.store, city, received_at=utc_now())
    due = utc_now() - timedelta(hours=1)
    await patient.store.write(
        lambda work: work.add(Debt(work.new_id(), number, 1, ReplyKind.FILING, 1, due - timedelta(days=1), due))
    )
    assert str(number) in (await patient.complaints())["回复台账"]


async def test_a_key_file_that_others_can_read_is_told(patient: Patient) -> None:
    patient.settings.key_path.chmod(0o640)
    assert "chmod 600" in (await patient.complaints())["密钥"]


async def test_a_foreign_key_is_told(patient: Patient) -> None:
    KeyFile(patient.settings.key_path).write(KeyRing.fresh(NOON))
    assert "无法解密" in (await patient.complaints())["解密"]


async def test_an_address_of_a_source_that_others_could_listen_to_is_told(patient: Patient) -> None:
    secret = "sixteen-characters"
    plain = {"12345": {"push_url": "http://12345.example/push", "secret": secret}}
    patient.settings = patient.settings.model_copy(update={"orders": plain})
    assert "不得明文传送" in (await patient.complaints())["上级工单推送 12345"]
    sealed = {"12345": {"push_url": "https://12345.example/push", "secret": secret}}
    patient.settings = patient.settings.model_copy(update={"orders": sealed})
    assert await patient.complaints() == {}


async def test_a_missing_key_or_database_is_told_in_plain_words(patient: Patient, tmp_path: Path) -> None:
    patient.settings.key_path.unlink()
    complaints = await patient.complaints()
    assert "密钥文件读不到" in complaints["数据库"]
    nowhere = Patient(Settings(home=tmp_path / "nowhere"), patient.store)
    assert "数据库" in await nowhere.complaints()


async def test_a_clock_that_went_back_is_told(patient: Patient, city: City) -> None:
    case = (await patient.store.read(lambda work: work.find(Case)))[0]
    later = utc_now() + timedelta(hours=1)

    def from_the_future(work: Any) -> None:
        after, line = append_entry(
            case.state, replace(case, version=2, updated_at=later), step="note", actor=OPERATOR, at=later, refs={}
        )
        work.add(line)
        work.change(case, after)

    await patient.store.write(from_the_future)
    assert "倒退" in (await patient.complaints())["时钟"]


def test_clocks_that_disagree_and_impossible_years_are_told() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert not doctor.clock(now, newest_at=now, server_at=now + timedelta(seconds=4)).wrong
    assert doctor.clock(now, newest_at=now, server_at=now - timedelta(seconds=9)).wrong
    assert doctor.clock(datetime(1970, 1, 1, tzinfo=UTC), newest_at=None, server_at=None).wrong


@pytest.mark.parametrize(("free", "total", "wrong"), [
    (100 << 30, 200 << 30, False), (1 << 29, 2 << 30, True), (2 << 30, 100 << 30, True), (6 << 30, 100 << 30, False),
])  # fmt: skip
def test_a_disk_is_full_below_five_percent_or_a_gibibyte(free: int, total: int, wrong: bool) -> None:
    assert doctor.disk("/", free=free, total=total).wrong is wrong


def test_each_finding_is_one_line() -> None:
    findings = [doctor.Finding("磁盘", "满了", wrong=True), doctor.Finding("时钟", "准")]
    assert doctor.lines(findings) == ["异常  磁盘：满了", "正常  时钟：准"]
    assert (doctor.exit_code(findings), doctor.exit_code(findings[1:])) == (1, 0)
