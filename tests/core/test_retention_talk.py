"""Erasing reaches who only talked and never stood in a case: his number, where his talk stood, what he was answered."""

from pathlib import Path

import pytest

from intake.admission import Admission
from intake.commands.retention import count_served, erase_all, periods_of
from intake.courier import Courier
from intake.dialogue_record import Conversation
from intake.dialogue_words import load_phrases
from intake.feed import Feed
from intake.gateway import Gateway
from intake.listener import Listener
from intake.model import Inbound
from intake.person import contacts_of, erase_person, export_person
from intake.profile import City
from intake.records import Contact, OutboxRow
from intake.spool import Spool
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.core.test_usecases import LEADER
from tests.fakes import FakeClock, FakeSms
from tests.make import PHONE
from tests.providers.story import judge

OTHER = "+8619900000002"


@pytest.fixture
def listener(either_store: AnyStore, city: City, clock: FakeClock, vault: Vault, tmp_path: Path) -> Listener:
    spool = Spool(tmp_path / "spool", vault)
    rules = city.rules(offered=["sms"])
    gateway = Gateway(either_store, city, rules, judge, vault, clock, Feed(either_store), Admission(either_store, rules, spool, judge))
    return Listener(gateway, load_phrases(), lambda _: None)


async def talk(listener: Listener, clock: FakeClock, *words: str, phone: str = PHONE) -> None:
    """Words one after another, each answer sent."""
    store = listener.gateway.store
    for word in words:
        clock.pass_time(minutes=1)
        await listener.hear(Inbound("sms", f"{phone}{clock.at.isoformat()}", clock.at, word, address=phone, phone=phone))
        while await Courier(store, listener.gateway.rules, {"sms": FakeSms()}, name="gw", run_id="one").send_due():
            pass


async def test_who_only_greeted_is_erased_when_the_time_is_over(
    listener: Listener, either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    await talk(listener, clock, "你好")
    periods = periods_of(city)
    clock.pass_time(days=periods.days["contacts"] - 1)
    await talk(listener, clock, "你好", phone=OTHER)
    assert await count_served(either_store, periods) == {}
    clock.pass_time(days=2)
    assert await count_served(either_store, periods) == {"strangers": 1, "answers": 1}
    assert await erase_all(either_store, periods, tmp_path) == {"strangers": 1}
    contacts = await either_store.read(lambda work: work.find(Contact))
    assert sorted(contact.phone for contact in contacts) == ["", OTHER]
    assert len(await either_store.read(lambda work: work.find(Conversation))) == 1
    assert sorted(bool(row.words) for row in await either_store.read(lambda work: work.find(OutboxRow))) == [False, True]
    assert await erase_all(either_store, periods, tmp_path) == {}


async def test_who_keeps_writing_or_wants_nothing_more_is_kept(
    listener: Listener, either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    await talk(listener, clock, "你好")
    await talk(listener, clock, "退订", phone=OTHER)
    clock.pass_time(days=periods_of(city).days["contacts"])
    await talk(listener, clock, "你好")
    await erase_all(either_store, periods_of(city), tmp_path)
    contacts = await either_store.read(lambda work: work.find(Contact))
    assert sorted(contact.phone for contact in contacts) == sorted([PHONE, OTHER])


async def test_a_person_s_erasure_takes_his_talk_and_what_he_was_answered(
    listener: Listener, either_store: AnyStore, clock: FakeClock, vault: Vault
) -> None:
    await talk(listener, clock, "你好", "有一堆垃圾没人清理")
    await talk(listener, clock, "你好", phone=OTHER)

    def export(work: object) -> dict[str, object]:
        found = contacts_of(work, vault, PHONE)  # type: ignore[arg-type]
        return export_person(work, found, phone=PHONE, actor=LEADER, reason="本人申请")  # type: ignore[arg-type]

    told = await either_store.write(export)
    assert len(told["answers"]) == 2  # type: ignore[arg-type]
    await either_store.write(
        lambda work: erase_person(work, contacts_of(work, vault, PHONE), phone=PHONE, actor=LEADER, reason="本人申请", also_open=True)
    )
    rows = await either_store.read(lambda work: work.find(OutboxRow))
    assert sorted(bool(row.words) for row in rows) == [False, False, True]
    assert len(await either_store.read(lambda work: work.find(Conversation))) == 1
    assert (await either_store.write(export))["answers"] == []
