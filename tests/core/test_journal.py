"""The raw message is kept whatever happens to its case: a case that could not be built is built later, once."""

from dataclasses import replace
from typing import Any

from intake.chores import MAX_BUILDS, build_waiting
from intake.model import Case, State
from intake.profile import City
from intake.receive import inbound_of, receive
from intake.records import HistoryEntry, JournalEntry, Reporter
from intake.rules import Assignment, Rules
from intake.wiring import AnyStore
from tests.core.test_usecases import JUDGED
from tests.make import PHONE, make_inbound


def broken(rules: Rules) -> Rules:
    """A city whose routing fails for every case: a fault of ours in the middle of building."""

    def fail(*_: object) -> Assignment:
        raise ZeroDivisionError

    return replace(rules, route=fail)


async def test_a_case_that_cannot_be_built_leaves_its_message_and_number(either_store: AnyStore, city: City) -> None:
    received = await either_store.write(lambda work: receive(work, make_inbound(), JUDGED, broken(city.rules())))
    entries = await either_store.read(lambda work: work.find(JournalEntry))
    assert [(entry.state, entry.case_no, entry.error) for entry in entries] == [("pending", received.case_no, "ZeroDivisionError")]
    assert await either_store.read(lambda work: work.find(Case)) == []


async def test_it_is_built_as_soon_as_it_can_be_and_only_once(either_store: AnyStore, city: City) -> None:
    inbound = make_inbound(phone=PHONE, wants_reply=True, provider_id="p1", body_digest="d")
    received = await either_store.write(lambda work: receive(work, inbound, JUDGED, broken(city.rules())))
    assert await build_waiting(either_store, broken(city.rules()), lambda _: JUDGED) == 0
    assert await build_waiting(either_store, city.rules(), lambda _: JUDGED) == 1
    assert await build_waiting(either_store, city.rules(), lambda _: JUDGED) == 0
    cases = await either_store.read(lambda work: work.find(Case))
    assert [(case.case_no, case.state) for case in cases] == [(received.case_no, State.REPORTED)]
    assert len(await either_store.read(lambda work: work.find(Reporter))) == 1
    assert len(await either_store.read(lambda work: work.find(HistoryEntry))) == 1


async def test_messages_that_can_never_be_built_keep_no_other_waiting(either_store: AnyStore, city: City) -> None:
    for number in range(2 * MAX_BUILDS):
        told = make_inbound(text=f"第{number}件", provider_id=f"p{number}")
        await either_store.write(lambda work, told=told: receive(work, told, JUDGED, broken(city.rules())))  # type: ignore[misc]
    good = make_inbound(text="路灯不亮", provider_id="good")
    received = await either_store.write(lambda work: receive(work, good, JUDGED, broken(city.rules())))
    poison: Any = None
    for _ in range(3):
        await build_waiting(either_store, city.rules(), lambda text: JUDGED if "路灯" in text else poison)
    assert [case.case_no for case in await either_store.read(lambda work: work.find(Case))] == [received.case_no]


async def test_the_same_message_again_while_it_waits_gives_the_same_number(either_store: AnyStore, city: City) -> None:
    inbound = make_inbound(provider_id="p1", body_digest="d")
    first = await either_store.write(lambda work: receive(work, inbound, JUDGED, broken(city.rules())))
    second = await either_store.write(lambda work: receive(work, inbound, JUDGED, city.rules()))
    assert (second.case_no, second.repeated) == (first.case_no, True)


async def test_the_journal_gives_back_exactly_what_was_said(either_store: AnyStore, city: City) -> None:
    inbound = make_inbound(phone=PHONE, name="张三丰", confidential=True)
    await either_store.write(lambda work: receive(work, inbound, JUDGED, city.rules()))
    entries = await either_store.read(lambda work: work.find(JournalEntry))
    assert inbound_of(entries[0]) == inbound
