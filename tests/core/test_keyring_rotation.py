"""A rotation of keys beside a running gateway: every row sealed anew, nothing lost, and the gateway follows by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from intake.commands.keys import put_new_key_in_use, reseal_store
from intake.keyring import KeyFile, KeyRing
from intake.profile import City
from intake.receive import inbound_of
from intake.records import Contact, JournalEntry
from intake.sounds import keep_sound, path_of, reseal_sounds
from intake.store.blocks import Blocks
from intake.store.postgres import PostgresStore
from intake.store.reseal import SEALED_KINDS, count_old
from intake.store.schema import upgrade_sqlite
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.core.test_usecases import reported
from tests.make import PHONE

NAME = "张三丰"


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    file = KeyFile(tmp_path / "keys" / "master.key")
    file.make()
    return file


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
async def stores(
    request: pytest.FixtureRequest, tmp_path: Path, setting: StoreSetting, file: KeyFile
) -> AsyncIterator[list[AnyStore]]:
    """Two processes' stores on one database with one key file: the gateway's and the command's."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    if not url:
        upgrade_sqlite(tmp_path / "intake.db")
    async with AsyncExitStack() as stack:
        opened: list[AnyStore] = []
        for _ in range(2):
            own_file = KeyFile(file.path)
            own = replace(setting, vault=Vault(own_file.read(), own_file), blocks=Blocks())
            store = PostgresStore(url, own) if url else SqliteStore(tmp_path / "intake.db", own)
            await store.open()
            stack.push_async_callback(store.close)
            opened.append(store)
        yield opened


async def report(store: AnyStore, city: City, count: int) -> None:
    for number in range(count):
        await reported(store, city, phone=PHONE, name=NAME, text=f"第{number}处垃圾", provider_id=f"{id(store)}-{number}")


async def old_rows(store: AnyStore) -> int:
    return sum([await store.read(lambda work, k=kind: count_old(work, k)) for kind in SEALED_KINDS])  # type: ignore[misc]


async def all_readable(store: AnyStore, count: int) -> bool:
    contacts = await store.read(lambda work: work.find(Contact))
    entries = await store.read(lambda work: work.find(JournalEntry))
    return ([c.name for c in contacts], [inbound_of(e).name for e in entries]) == ([NAME] * count, [NAME] * count)


async def test_every_row_is_sealed_with_the_new_key_and_still_readable(
    stores: list[AnyStore], city: City, file: KeyFile
) -> None:
    gateway, command = stores
    await report(gateway, city, 25)
    before = file.read().sealing_id
    assert put_new_key_in_use(file) != before
    assert await reseal_store(command, at_once=7) == 50
    assert await old_rows(command) == 0
    assert await all_readable(gateway, 25)
    assert await reseal_store(command, at_once=7) == 0


async def test_the_running_gateway_seals_with_the_new_key_from_its_next_unit_on(
    stores: list[AnyStore], city: City, file: KeyFile
) -> None:
    gateway, command = stores
    await report(gateway, city, 1)
    put_new_key_in_use(file)
    await reseal_store(command)
    await reported(gateway, city, phone=PHONE, name=NAME)
    assert await old_rows(command) == 0
    assert await all_readable(command, 2)


def test_recordings_are_sealed_with_the_new_key_and_play_as_before(file: KeyFile, tmp_path: Path) -> None:
    vault = Vault(file.read(), file)
    sounds = [keep_sound(vault, tmp_path, bytes([n]) * 100, mime="audio/ogg") for n in range(3)]
    put_new_key_in_use(file)
    vault.refresh()
    path_of(tmp_path, sounds[2].token).write_bytes(b"damaged")
    assert reseal_sounds(vault, tmp_path) == 2
    assert reseal_sounds(vault, tmp_path) == 0
    # With the new key alone, as where the old one is known to others.
    bare = Vault(KeyRing(vault.ring.root, vault.ring.keys[-1:], vault.ring.sealing_id))
    for number, sound in enumerate(sounds[:2]):
        assert bare.unseal(path_of(tmp_path, sound.token).read_bytes(), f"audio:{sound.token}") == bytes([number]) * 100
    assert len(list(tmp_path.glob("??/*"))) == 3


async def test_reports_taken_in_during_a_rotation_are_neither_lost_nor_left_behind(
    stores: list[AnyStore], city: City, file: KeyFile
) -> None:
    gateway, command = stores
    await report(gateway, city, 20)
    put_new_key_in_use(file)
    taking = asyncio.create_task(report(command, city, 20))
    await reseal_store(gateway, at_once=3)
    await taking
    await reseal_store(gateway, at_once=3)
    assert await old_rows(gateway) == 0
    assert await all_readable(gateway, 40)


async def test_somebody_is_still_found_by_his_number_after_a_rotation(
    stores: list[AnyStore], city: City, file: KeyFile
) -> None:
    gateway, command = stores
    await report(gateway, city, 2)
    held = gateway.setting.vault.lookup_hash(PHONE, "phone")
    put_new_key_in_use(file)
    await reseal_store(command)
    assert command.setting.vault.lookup_hash(PHONE, "phone") == held
    assert len(await command.read(lambda work: work.find(Contact, phone_hash=held))) == 2


def test_a_prepared_key_is_the_one_put_in_use(file: KeyFile) -> None:
    prepared = file.read().with_new_key(file.read().keys[0].made_at)  # type: ignore[arg-type]
    file.write(prepared)
    assert put_new_key_in_use(file) == prepared.keys[-1].id
    assert len(file.read().keys) == 2
