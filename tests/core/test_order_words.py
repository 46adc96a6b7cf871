"""A source's word under a key counts once on both databases, however many gateways it comes to at once."""

import asyncio
from dataclasses import replace

import pytest

from intake.errors import KeyReused
from intake.model import Case, Role
from intake.order_desk import hear_word
from intake.profile import City
from intake.records import HistoryEntry, JournalEntry
from intake.store.blocks import Blocks
from intake.usecases import Command
from intake.wiring import AnyStore
from tests.core.test_usecases import reported
from tests.make import make_actor

SOURCE = make_actor(Role.SOURCE, unit="12345")
KEY, DIGEST = "0123456789abcdef", "d" * 64


async def say(store: AnyStore, city: City, number: int, *, key: str = KEY, digest: str = DIGEST) -> Case:
    command = Command(number, "urge", SOURCE, fields={"opinion": "市民又来电催问"})
    return await store.write(lambda work: hear_word(work, command, city.rules(), key=key, digest=digest))


async def test_the_same_word_at_two_gateways_at_once_counts_once(either_store: AnyStore, city: City) -> None:
    order = {"source": "12345", "number": "A-1", "code": "02"}
    number = await reported(either_store, city, channel="upstream", provider_id="12345:A-1", order=order)
    place = getattr(either_store, "path", None) or either_store.url  # type: ignore[union-attr]
    other: AnyStore = type(either_store)(place, replace(either_store.setting, blocks=Blocks()))  # type: ignore[arg-type]
    await other.open()
    after = await asyncio.gather(*(say(store, city, number) for store in (either_store, other) * 5))
    await other.close()
    assert {(case.urge_count, case.version) for case in after} == {(1, 2)}
    lines = await either_store.read(lambda work: work.find(HistoryEntry, case_no=number, step="urge"))
    assert len(lines) == 1
    with pytest.raises(KeyReused):
        await say(either_store, city, number, digest="e" * 64)
    assert (await say(either_store, city, number, key="")).urge_count == 2
    kept = await either_store.read(lambda work: work.find(JournalEntry, case_no=number, state="said"))
    assert [(entry.raw, entry.answer) for entry in kept] == [("", "")], "what was said stands in the case, not here"
