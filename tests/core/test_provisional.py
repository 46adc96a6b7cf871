"""Due times that reached into a year without holidays are counted anew when that year is loaded, with a line of history.

The days of 2027 are notices as they might read; the due times are worked out by hand (40 office hours, 08–12 and 14–18).
"""

from dataclasses import replace
from datetime import date, datetime

import pytest

from intake.history import verify_chain
from intake.model import Case, State, Subclass
from intake.ports import Work
from intake.profile import City
from intake.provisional import Recomputed, recompute_all
from intake.records import HistoryEntry, Timer
from intake.store.provisional import provisional_numbers
from intake.timers import timers_of
from intake.usecases import Command, perform
from intake.wiring import AnyStore
from tests.core.test_case_clock import case_of, filed, local
from tests.core.test_usecases import DISPATCHER, take, unit_of
from tests.fakes import FakeClock

AIR_CONDITIONER = Subclass.parse("event:0513")
UNIT = "cityadmin"
THREE_DAYS = {"2027-01-01": "holiday", "2027-01-02": "holiday", "2027-01-03": "holiday"}
MADE_UP = {"2027-01-01": "holiday", "2027-01-02": "workday"}
GOLDEN = [
    # 28 December, Monday 16:00: 2 + 8 + 8 + 8 hours in the old year, 14 in the new one.
    ("2026-12-28T16:00", "2027-01-04T16:00", THREE_DAYS, "2027-01-05T16:00"),
    ("2026-12-28T16:00", "2027-01-04T16:00", MADE_UP, "2027-01-04T16:00"),
    # Wednesday 30 December at night: counted from the 31st at 08:00.
    ("2026-12-30T23:00", "2027-01-06T18:00", THREE_DAYS, "2027-01-07T18:00"),
    ("2026-12-30T23:00", "2027-01-06T18:00", MADE_UP, "2027-01-06T18:00"),
    # The last day of the year, Thursday 17:00: one hour in the old year.
    ("2026-12-31T17:00", "2027-01-07T17:00", THREE_DAYS, "2027-01-08T17:00"),
]


def with_year(city: City, marks: dict[str, str]) -> City:
    """The city after its profile got the notice for 2027."""
    days = {date.fromisoformat(day): kind for day, kind in marks.items()}
    calendars = {
        name: replace(calendar, holidays={**calendar.holidays, **days}, last_loaded_year=2027)
        for name, calendar in city.calendars.items()
    }
    return replace(city, calendars=calendars, limits=replace(city.limits, calendars=calendars))


async def recomputed(store: AnyStore, city: City) -> Recomputed:
    async def waiting(after: int, limit: int) -> list[int]:
        return await store.read(lambda work: provisional_numbers(work.connection, after, limit))

    return await recompute_all(store, waiting, city.rules())


async def dispatched(store: AnyStore, city: City, clock: FakeClock, *, at: str) -> int:
    number = await filed(store, city, clock, at=at, subclass=AIR_CONDITIONER)
    await take(store, city, number, "dispatch", DISPATCHER, unit=UNIT)
    return number


@pytest.mark.parametrize(("at", "provisional", "notice", "real"), GOLDEN)
async def test_golden_due_times_before_and_after_the_notice(
    store: AnyStore, city: City, clock: FakeClock, at: str, provisional: str, notice: dict[str, str], real: str
) -> None:
    number = await dispatched(store, city, clock, at=at)
    before = await case_of(store, number)
    assert (before.due_at, before.due_provisional) == (local(provisional), True)
    moved = real != provisional
    assert await recomputed(store, with_year(city, notice)) == Recomputed(moved=moved, confirmed=not moved)
    after = await case_of(store, number)
    assert (after.due_at, after.due_provisional) == (local(real), False)


async def test_recomputing_leaves_a_line_in_history_and_moves_the_warnings(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await dispatched(either_store, city, clock, at="2026-12-28T16:00")
    assert await recomputed(either_store, city) == Recomputed(waiting=1)  # the year is not there yet
    loaded = with_year(city, THREE_DAYS)
    assert (await recomputed(either_store, loaded)).moved == 1
    assert await recomputed(either_store, loaded) == Recomputed()
    case = await case_of(either_store, number)
    lines = await either_store.read(lambda work: work.find(HistoryEntry, case_no=number))
    assert verify_chain(lines, case) == ""
    assert (lines[-1].step, lines[-1].refs["due_at"]) == ("recompute", moment("2027-01-05T16:00"))
    assert lines[-1].refs["due_was"] == moment("2027-01-04T16:00")
    timers = await either_store.read(lambda work: work.find(Timer, case_no=number, fired_at=None))
    assert {(timer.kind, timer.due_at) for timer in timers} == set(timers_of(case))


async def test_a_persons_open_page_is_not_stale_after_a_recount(store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await dispatched(store, city, clock, at="2026-12-28T16:00")
    seen = (await case_of(store, number)).version
    await recomputed(store, with_year(city, THREE_DAYS))
    step = Command(number, "take", await unit_of(store, number), seen)
    case = await store.write(lambda work: perform(work, step, city.rules()))
    assert case.state is State.HANDLING


async def test_a_projection_is_counted_from_now_and_an_ended_case_is_left(store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await filed(store, city, clock, at="2026-12-28T16:00", subclass=AIR_CONDITIONER)
    ended = await dispatched(store, city, clock, at="2026-12-28T16:00")
    clock.at = local("2026-12-30T16:00")
    await store.write(lambda work: void(work, ended))
    loaded = with_year(city, THREE_DAYS)
    assert (await recomputed(store, loaded)).moved == 1
    case = await case_of(store, number)
    due = city.rules().due(case, clock())
    assert due is not None
    assert case.clock_at is None
    assert case.due_at == loaded.limits.due(case, clock()).due_at  # type: ignore[union-attr]
    assert (await case_of(store, ended)).due_provisional


def void(work: Work, number: int) -> None:
    case = work.get(Case, number)
    assert case is not None
    work.change(case, replace(case, state=State.VOID, version=case.version + 1))


def moment(text: str) -> str:
    return local(text).astimezone(datetime.fromisoformat("2026-01-01T00:00+00:00").tzinfo).isoformat()
