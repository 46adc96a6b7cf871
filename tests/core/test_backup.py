"""Backup of a running gateway and the restore drill, on both databases: nothing acknowledged before is missing after."""

import asyncio
import hashlib
import tarfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from intake import backup, backup_database
from intake.admission import Admission
from intake.backup import Source, make_backup, unpack
from intake.backup_database import connection_of
from intake.backup_file import SealedWriter, key_for, new_header
from intake.commands.backup import source_of
from intake.commands.doctor import examine
from intake.commands.restore import restore, resume
from intake.doctor import lines
from intake.errors import Misconfigured, Refused, Unavailable
from intake.history import verify_chain
from intake.keyring import KeyFile
from intake.model import Case, Photo, State
from intake.profile import City
from intake.queue import QueueFilter
from intake.records import Contact, HistoryEntry, OutboxRow, Task
from intake.settings import Settings
from intake.spool import Spool
from intake.store.blocks import Blocks
from intake.store.counts import differing, recount
from intake.store.postgres import PostgresStore
from intake.store.schema import upgrade_sqlite
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.vault import Vault
from intake.wiring import AnyStore, Running, held_vault, open_gateway
from tests.core.test_usecases import JUDGED, carried_to, reported
from tests.make import NOON, PHONE, make_inbound
from tests.servers import Postgres

NAME = "张三丰"
TOKEN = "ab" + "x" * 41
PICTURE = b"\xff\xd8 a picture"


class Site:
    """An installation: its settings, its open store, and a second, empty place to restore to."""

    def __init__(self, settings: Settings, store: AnyStore, empty: Settings) -> None:
        self.settings, self.store, self.empty = settings, store, empty

    @property
    def key_file(self) -> Path:
        return self.settings.key_path

    def back_up(self, target: Path, **changes: Any) -> backup.Manifest:
        return make_backup(source_of(self.settings), target, held_vault(self.settings), now=NOON, **changes)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
async def site(request: pytest.FixtureRequest, tmp_path: Path, setting: StoreSetting) -> AsyncIterator[Site]:
    urls = ("", "")
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        urls = (postgres.url(postgres.new_database("intake_template")), postgres.url(postgres.new_database()))
    settings = Settings(home=tmp_path / "old", database_url=urls[0])  # type: ignore[arg-type]
    file = KeyFile(settings.key_path)
    own = replace(setting, vault=Vault(file.make(), file), blocks=Blocks())
    if settings.is_embedded:
        upgrade_sqlite(settings.database_path)
    store: AnyStore = PostgresStore(urls[0], own) if urls[0] else SqliteStore(settings.database_path, own)
    await store.open()
    yield Site(settings, store, Settings(home=tmp_path / "new", database_url=urls[1]))  # type: ignore[arg-type]
    await store.close()


async def with_picture(site: Site, city: City) -> int:
    folder = site.settings.media / TOKEN[:2]
    folder.mkdir(parents=True)
    (folder / f"{TOKEN}.jpg").write_bytes(PICTURE)
    (folder / f"{TOKEN}.thumb.jpg").write_bytes(b"small")
    (folder / "half.part").write_bytes(b"half")
    sha256 = hashlib.sha256(PICTURE).hexdigest()
    return await reported(site.store, city, photos=(Photo(TOKEN, sha256, "image/jpeg", 9, 9, len(PICTURE)),))


async def whole(running: Running) -> list[int]:
    """Every case of a gateway, each with an unbroken history."""

    def question(work: Any) -> list[int]:
        cases = work.find(Case)
        for case in cases:
            assert verify_chain(work.find(HistoryEntry, case_no=case.case_no), case) == ""
        return [case.case_no for case in cases]

    return await running.store.read(question)


async def test_restore_drill_with_reports_coming_in_during_the_backup(site: Site, city: City, tmp_path: Path) -> None:
    before = [await with_picture(site, city)]
    before += [await reported(site.store, city, text=f"第{n}处路灯不亮", phone=PHONE, name=NAME) for n in range(30)]
    await carried_to(site.store, city, before[5], state=State.ARCHIVED)
    spool = Spool(site.settings.spool_path, held_vault(site.settings))
    spool.open()
    spooled = site.store.next_case_no()
    spool.put(spooled, make_inbound(text="暂存里的井盖", phone=PHONE))

    backing_up = asyncio.create_task(asyncio.to_thread(site.back_up, tmp_path / "backup"))
    during = []
    while not backing_up.done():
        during.append(await reported(site.store, city, text="备份时的反映"))
    manifest = await backing_up
    assert manifest.city == city.name
    assert during

    await restore(site.empty, tmp_path / "backup", key_file=site.key_file)
    await resume(site.empty, moved=False)
    findings = await examine(site.empty, every_case=True)
    assert [line for line in lines(findings) if line.startswith("异常")] == []
    async with open_gateway(site.empty) as running:
        numbers = await whole(running)
        assert set(before) <= set(numbers) <= {*before, *during}
        await check_counters(running)
        page = await running.store.read(lambda work: work.queue(QueueFilter(text="第7处路灯")))
        assert [case.case_no for case in page.cases] == [before[8]]
        assert {c.name for c in await running.store.read(lambda work: work.find(Contact))} == {NAME}
        assert running.gateway.admission.spooled(spooled) is not None
        assert await running.gateway.admission.replay_waiting() == 1
        assert spooled in await whole(running)
    assert (site.empty.media / TOKEN[:2] / f"{TOKEN}.jpg").read_bytes() == PICTURE
    modes = {path.stat().st_mode & 0o077 for path in site.empty.home.rglob("*") if path.is_file()}
    assert modes <= {0}


async def check_counters(running: Running) -> None:
    """The counters are those that a count of all cases gives."""

    def again(work: Any) -> dict[State, int]:
        recount(work.connection, work.find(Case))
        return dict(work.counts())

    assert await running.store.read(lambda work: differing(work.connection)) == []
    before = await running.store.read(lambda work: dict(work.counts()))
    assert await running.store.write(again) == before


async def test_a_report_that_moves_from_the_spool_to_the_database_meanwhile_is_in_the_backup(
    site: Site, city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(site.settings.spool_path, held_vault(site.settings))
    spool.open()
    number = site.store.next_case_no()
    spool.put(number, make_inbound())
    line = Admission(site.store, city.rules(), spool, lambda _: JUDGED)
    loop = asyncio.get_running_loop()
    real = backup.copy_database

    def replay_first(place: Path | str, folder: Path) -> Path:
        asyncio.run_coroutine_threadsafe(line.replay_waiting(), loop).result(30)
        return real(place, folder)

    monkeypatch.setattr(backup, "copy_database", replay_first)
    await asyncio.to_thread(site.back_up, tmp_path / "backup")
    assert len(spool) == 0
    await restore(site.empty, tmp_path / "backup", key_file=site.key_file)
    async with open_gateway(site.empty) as running:
        await running.gateway.admission.replay_waiting()
        assert await whole(running) == [number]


async def test_numbers_given_out_after_the_backup_are_never_given_again(site: Site, city: City, tmp_path: Path) -> None:
    await asyncio.to_thread(site.back_up, tmp_path / "backup")
    site.store.setting.clock.at = datetime.now(UTC)  # type: ignore[attr-defined]
    lost = [await reported(site.store, city) for _ in range(5)]
    await restore(site.empty, tmp_path / "backup", key_file=site.key_file)
    await resume(site.empty, moved=False)
    async with open_gateway(site.empty) as running:
        received = await running.gateway.take_in(make_inbound(received_at=datetime.now(UTC)))
        assert received.case_no not in lost
        assert received.case_no > max(lost)


@pytest.mark.parametrize("moved", [False, True])
async def test_a_reply_that_waited_at_the_backup_goes_before_an_operator(
    site: Site, city: City, tmp_path: Path, moved: bool
) -> None:
    number = await reported(site.store, city)
    await site.store.write(lambda work: work.add(
        OutboxRow(work.new_id(), 1, 1, number, 1, "sms", "waiting", NOON, NOON - timedelta(days=1))
    ))  # fmt: skip
    await asyncio.to_thread(site.back_up, tmp_path / "backup")
    await restore(site.empty, tmp_path / "backup", key_file=site.key_file)
    assert await resume(site.empty, moved=moved) == (0 if moved else 1)
    async with open_gateway(site.empty) as running:
        rows = await running.store.read(lambda work: work.find(OutboxRow))
        tasks = await running.store.read(lambda work: work.find(Task, kind="unknown_fate"))
        assert ([row.state for row in rows], len(tasks)) == ((["waiting"], 0) if moved else (["unknown"], 1))


async def test_a_home_or_database_that_is_not_empty_is_refused_and_left_alone(
    site: Site, city: City, tmp_path: Path
) -> None:
    await reported(site.store, city)
    await asyncio.to_thread(site.back_up, tmp_path / "backup")
    with pytest.raises(Refused):
        await restore(site.settings, tmp_path / "backup")
    site.empty.home.mkdir()
    (site.empty.home / "letters").write_text("kept")
    with pytest.raises(Refused, match="letters"):
        await restore(site.empty, tmp_path / "backup", key_file=site.key_file)
    assert [path.name for path in site.empty.home.iterdir()] == ["letters"]
    if not site.settings.is_embedded:
        occupied = Settings(home=tmp_path / "third", database_url=site.settings.database_url)
        with pytest.raises(Refused, match="不是空的"):
            await restore(occupied, tmp_path / "backup", key_file=site.key_file)


async def test_without_its_keys_a_backup_is_not_restored_and_nothing_is_left_behind(
    site: Site, city: City, tmp_path: Path
) -> None:
    await reported(site.store, city)
    await asyncio.to_thread(site.back_up, tmp_path / "backup")
    with pytest.raises(Misconfigured, match="密钥文件读不到"):
        await restore(site.empty, tmp_path / "backup")
    other = KeyFile(tmp_path / "other.key")
    other.make()
    with pytest.raises(Misconfigured):
        await restore(site.empty, tmp_path / "backup", key_file=other.path)
    assert not site.empty.home.exists() or list(site.empty.home.iterdir()) == []


async def test_with_a_passphrase_the_ring_must_still_be_the_right_one(site: Site, city: City, tmp_path: Path) -> None:
    await reported(site.store, city, phone=PHONE, name=NAME)
    await asyncio.to_thread(site.back_up, tmp_path / "backup", passphrase="correct horse 77")
    assert unpack(tmp_path / "backup", None, held_vault(site.settings), passphrase="correct horse 77").files
    other = KeyFile(tmp_path / "other.key")
    other.make()
    with pytest.raises(Misconfigured, match="不是这份备份所属"):
        await restore(site.empty, tmp_path / "backup", key_file=other.path, passphrase="correct horse 77")
    await restore(site.empty, tmp_path / "backup", key_file=site.key_file, passphrase="correct horse 77")
    async with open_gateway(site.empty) as running:
        assert len(await whole(running)) == 1


async def test_the_file_gives_nothing_away_and_is_the_owners_alone(site: Site, city: City, tmp_path: Path) -> None:
    await reported(site.store, city, phone=PHONE, name=NAME, text="很特别的一句话")
    await asyncio.to_thread(site.back_up, tmp_path / "backup")
    content = (tmp_path / "backup").read_bytes()
    keys = held_vault(site.settings).ring
    for secret in ("很特别的一句话".encode(), NAME.encode(), keys.root, keys.keys[0].key, city.name.encode()):
        assert secret not in content
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused):
        site.back_up(tmp_path / "backup")
    assert left_over(tmp_path) == []


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*") if "part" in path.name or "backup-" in path.name]


async def test_a_backup_that_fails_leaves_no_file(site: Site, tmp_path: Path) -> None:
    place: Path | str = tmp_path / "missing.db" if site.settings.is_embedded else "postgresql://intake@127.0.0.1:1/none"
    source = replace(source_of(site.settings), place=place)
    with pytest.raises(Unavailable):
        make_backup(source, tmp_path / "backup", held_vault(site.settings), now=NOON)
    assert not (tmp_path / "backup").exists()
    assert not (tmp_path / ".backup.part").exists()


def test_without_pg_dump_the_administrator_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="postgresql-client"):
        backup_database.dump_postgres("postgresql://intake@127.0.0.1/x", tmp_path / "dump")


def test_a_password_goes_to_the_tools_by_the_environment_only() -> None:
    variables, database = connection_of("postgresql://in%40take:p%2Fw@db.example:5433/hot%20line?sslmode=require")
    assert database == "hot line"
    assert variables == {"PGHOST": "db.example", "PGPORT": "5433", "PGUSER": "in@take", "PGPASSWORD": "p/w",
                         "PGSSLMODE": "require"}  # fmt: skip


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", "media/../../x", "spool/..", "keys/master.key", "other"])
def test_a_forged_backup_can_write_nowhere_else(vault: Vault, tmp_path: Path, name: str) -> None:
    header = new_header(vault)
    with (tmp_path / "forged").open("wb") as stream:
        sealed = SealedWriter(stream, header, key_for(header, vault))
        with tarfile.open(fileobj=sealed, mode="w|") as tar:  # type: ignore[arg-type]
            tar.addfile(tarfile.TarInfo(name))
        sealed.finish()
    (tmp_path / "folder").mkdir()
    with pytest.raises(Misconfigured):
        unpack(tmp_path / "forged", tmp_path / "folder", vault)
    assert list((tmp_path / "folder").rglob("*")) == []


def test_a_file_that_is_no_backup_is_refused(vault: Vault, tmp_path: Path) -> None:
    for content in (b"", b"SQLite format 3\0", b"x" * 5000):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(Misconfigured):
            unpack(tmp_path / "file", None, vault)


def test_the_manifest_names_every_file_with_its_sum(vault: Vault, tmp_path: Path) -> None:
    upgrade_sqlite(tmp_path / "intake.db")
    folder = tmp_path / "media" / "ab"
    folder.mkdir(parents=True)
    (folder / f"{TOKEN}.jpg").write_bytes(PICTURE)
    source = Source(tmp_path / "intake.db", tmp_path / "media", tmp_path / "spool", "云泽市", "0001")
    made = make_backup(source, tmp_path / "backup", vault, now=NOON)
    assert made.files[f"media/ab/{TOKEN}.jpg"] == (len(PICTURE), hashlib.sha256(PICTURE).hexdigest())
    assert sorted(made.files) == ["intake.db", f"media/ab/{TOKEN}.jpg"]
    assert unpack(tmp_path / "backup", None, vault) == made


async def test_recordings_and_calls_that_wait_on_disk_are_in_the_backup_and_come_back(site: Site, tmp_path: Path) -> None:
    sealed = site.settings.media / TOKEN[:2] / f"{TOKEN}.sealed"
    call = site.settings.spool_path / "7.call"
    for path in (sealed, call):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sealed")
    await asyncio.to_thread(site.back_up, tmp_path / "backup")
    await restore(site.empty, tmp_path / "backup", key_file=site.key_file)
    assert (site.empty.media / TOKEN[:2] / sealed.name).read_bytes() == b"sealed"
    assert (site.empty.spool_path / call.name).read_bytes() == b"sealed"
