"""What every store must satisfy, on SQLite and on PostgreSQL: durable groups, one bad unit, versions, feed, search."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from intake.errors import StaleVersion
from intake.history import append_entry
from intake.model import CITIZEN, Case, State, Urgency
from intake.queue import QueueFilter
from intake.records import Contact, FeedEvent, HistoryEntry, JournalEntry
from intake.store import triggers
from intake.store.work import Work
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import NOON, PHONE, make_case

DAY = NOON.date()


def add_case(work: Work, **changes: object) -> int:
    case = make_case(case_no=work.new_case_no(DAY), **changes)
    case, line = append_entry(None, case, step="receive", actor=CITIZEN, at=work.now, refs={})
    work.add(case, line)
    work.tell(FeedEvent(case.case_no, work.now, "receive", case.state.value, case.version))
    return case.case_no


def add_twice_the_same_entry(work: Work) -> None:
    entry = JournalEntry(work.new_id(), "web", "twice", NOON, "{}")
    work.add(entry, replace(entry, entry_id=work.new_id()))


async def test_a_stored_case_comes_back_as_it_was(either_store: AnyStore) -> None:
    number = await either_store.write(add_case)
    case = await either_store.read(lambda work: work.get(Case, number))
    assert case is not None
    assert replace(case, history_length=0, history_digest="") == make_case(case_no=number)


async def test_one_poisoned_unit_among_64_harms_only_itself(either_store: AnyStore) -> None:
    units = [either_store.write(add_case) for _ in range(63)]
    units.insert(31, either_store.write(add_twice_the_same_entry))  # type: ignore[arg-type]
    outcomes = await asyncio.gather(*units, return_exceptions=True)

    faults = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(fault) for fault in faults] == [sa.exc.IntegrityError]
    numbers = {outcome for outcome in outcomes if isinstance(outcome, int)}
    cases = await either_store.read(lambda work: work.find(Case))
    assert {case.case_no for case in cases} == numbers
    assert len(numbers) == 63


async def test_a_unit_that_raises_before_writing_leaves_its_group_alone(either_store: AnyStore) -> None:
    def refuse(work: Work) -> int:
        add_case(work)
        raise ValueError

    outcomes = await asyncio.gather(
        either_store.write(add_case), either_store.write(refuse), either_store.write(add_case), return_exceptions=True
    )
    assert [isinstance(outcome, int) for outcome in outcomes] == [True, False, True]
    assert len(await either_store.read(lambda work: work.find(Case))) == 2
    assert (await either_store.read(lambda work: work.counts()))[State.REPORTED] == 2
    assert len(await either_store.read(lambda work: work.events_after(0))) == 2


async def test_a_stale_case_is_refused_and_nothing_of_its_unit_is_kept(either_store: AnyStore) -> None:
    number = await either_store.write(add_case)
    old = await either_store.read(lambda work: work.get(Case, number))
    assert old is not None
    await either_store.write(lambda work: work.change(old, replace(old, version=2, urge_count=1)))

    def late(work: Work) -> None:
        add_case(work)
        work.change(old, replace(old, version=2, urge_count=5))

    with pytest.raises(StaleVersion):
        await either_store.write(late)
    cases = await either_store.read(lambda work: work.find(Case))
    assert [case.urge_count for case in cases] == [1]


async def test_feed_ids_follow_commit_order_without_gaps_in_what_is_read(either_store: AnyStore) -> None:
    numbers = await asyncio.gather(*(either_store.write(add_case) for _ in range(150)))
    events = await either_store.read(lambda work: work.events_after(0))
    assert sorted(event.case_no for event in events) == sorted(numbers)
    ids = [event.feed_id for event in events]
    assert ids == sorted(set(ids))


async def test_case_numbers_are_digits_with_date_and_never_given_twice(either_store: AnyStore) -> None:
    numbers = await asyncio.gather(*(either_store.write(add_case) for _ in range(300)))
    assert len(set(numbers)) == 300
    assert all(str(number).startswith("261120") and len(str(number)) >= 11 for number in numbers)


async def test_history_can_be_neither_changed_nor_deleted(either_store: AnyStore) -> None:
    await either_store.write(add_case)
    acts = ["UPDATE history SET step = 'x'", "DELETE FROM history"]
    acts += ["TRUNCATE history"] if either_store.dialect == "postgresql" else []
    for statement in acts:
        with pytest.raises(sa.exc.DBAPIError):
            await either_store.write(lambda work, s=statement: work.connection.execute(sa.text(s)))  # type: ignore[misc]
    assert len(await either_store.read(lambda work: work.find(HistoryEntry))) == 1
    assert await either_store.read(lambda work: triggers.missing(work.connection)) == []


async def test_a_dropped_trigger_is_noticed(either_store: AnyStore) -> None:
    on = "" if either_store.dialect == "sqlite" else " ON history"
    await either_store.write(lambda work: _execute(work, f"DROP TRIGGER history_no_update{on}"))
    assert await either_store.read(lambda work: triggers.missing(work.connection)) == ["history_no_update"]


def _execute(work: Work, statement: str) -> None:
    work.connection.execute(sa.text(statement))


async def test_contacts_are_stored_sealed(either_store: AnyStore) -> None:
    contact = Contact(1, "web", NOON, name="张三丰", phone=PHONE)
    await either_store.write(lambda work: work.add(contact))
    assert await either_store.read(lambda work: work.get(Contact, 1)) == contact
    rows = await either_store.read(lambda work: work.connection.execute(sa.text("SELECT * FROM contacts")).all())
    stored = repr(rows)
    assert PHONE not in stored
    assert "张三丰" not in stored
    assert contact.phone[3:] not in stored


@pytest.mark.parametrize("piece", ["井盖", "盖破", "叉口", "人民", "26112", "中山路交", "人民 井盖"])
async def test_any_two_character_piece_is_found(either_store: AnyStore, piece: str) -> None:
    number = await either_store.write(add_case)
    await either_store.write(lambda work: add_case(work, description="公园座椅损坏", place=replace(make_case().place, text="湖边")))
    page = await either_store.read(lambda work: work.queue(QueueFilter(text=piece)))
    assert number in [case.case_no for case in page.cases]
    if piece != "26112":
        assert len(page.cases) == 1


@pytest.mark.parametrize("piece", ["路人", "盖民", "%", "_", "''", '" OR "', "井盖 公园", "\\"])
async def test_what_does_not_stand_there_is_not_found(either_store: AnyStore, piece: str) -> None:
    await either_store.write(add_case)
    page = await either_store.read(lambda work: work.queue(QueueFilter(text=piece)))
    assert page.cases == ()


async def test_search_follows_a_changed_description(either_store: AnyStore) -> None:
    number = await either_store.write(add_case)

    def reword(work: Work) -> None:
        case = work.get(Case, number, lock=True)
        assert case is not None
        work.change(case, replace(case, version=2, description="路灯不亮"))

    await either_store.write(reword)
    found = await either_store.read(lambda work: work.queue(QueueFilter(text="路灯")))
    gone = await either_store.read(lambda work: work.queue(QueueFilter(text="井盖")))
    assert ([case.case_no for case in found.cases], gone.cases) == ([number], ())


async def test_the_queue_is_paged_by_urgency_and_age_without_gap_or_repeat(either_store: AnyStore, clock: FakeClock) -> None:
    for number in range(30):
        clock.pass_time(minutes=1)
        urgency = list(Urgency)[number % 3]
        await either_store.write(lambda work, u=urgency: add_case(work, urgency=u, received_at=work.now))  # type: ignore[misc]
    seen: list[Case] = []
    after = ""
    while True:
        page = await either_store.read(lambda work, a=after: work.queue(QueueFilter(), after=a, limit=7))  # type: ignore[misc]
        seen += page.cases
        # What is taken in between two pages must neither repeat nor hide anything that was there.
        await either_store.write(lambda work: add_case(work, urgency=Urgency.EMERGENCY, received_at=NOON))
        if not page.next:
            break
        after = page.next
    keys = [(case.urgency.rank, case.received_at) for case in seen]
    assert keys == sorted(keys)
    assert len({case.case_no for case in seen}) == len(seen) == 30


async def test_counters_equal_the_cases_after_many_changes(either_store: AnyStore) -> None:
    numbers = await asyncio.gather(*(either_store.write(add_case) for _ in range(20)))

    def move(work: Work, number: int, state: State) -> None:
        case = work.get(Case, number, lock=True)
        assert case is not None
        work.change(case, replace(case, version=case.version + 1, state=state, unit="roads"))

    states = list(State)
    for place, number in enumerate(numbers):
        await either_store.write(lambda work, n=number, p=place: move(work, n, states[p % len(states)]))  # type: ignore[misc]
    counts = await either_store.read(lambda work: work.counts())
    of_unit = await either_store.read(lambda work: work.counts("unit:roads:"))
    cases = await either_store.read(lambda work: work.find(Case))
    assert counts == {state: sum(case.state is state for case in cases) for state in State}
    assert of_unit == counts
