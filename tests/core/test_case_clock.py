"""The unit's clock on a case: projected at filing, real from dispatch, paused, extended; warnings and escalations."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from intake.alarms import fire_due
from intake.errors import StaleVersion
from intake.model import Case, Role, State, Subclass
from intake.profile import City
from intake.receive import Judged, receive
from intake.records import HistoryEntry, Task, Timer
from intake.store.blocks import Blocks
from intake.timers import STAGE_LIMITS, is_overdue, timers_of
from intake.usecases import Command, perform
from intake.wiring import AnyStore
from tests.core.test_usecases import DISPATCHER, LEADER, OPERATOR, take, unit_of
from tests.fakes import FakeClock
from tests.make import make_inbound

ZONE = ZoneInfo("Asia/Shanghai")
POTHOLE = Subclass.parse("event:0110")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


async def filed(store: AnyStore, city: City, clock: FakeClock, *, at: str, subclass: Subclass = POTHOLE, condition: str = "") -> int:
    clock.at = local(at)
    received = await store.write(lambda work: receive(work, make_inbound(received_at=clock()), Judged(), city.rules()))
    number = received.case_no
    await take(store, city, number, "accept", OPERATOR, subclass=str(subclass))
    chosen = condition or city.taxonomy.conditions(subclass)[0]
    await take(store, city, number, "file", OPERATOR, condition=chosen, waive_verify="clear_evidence")
    return number


async def handled(store: AnyStore, city: City, clock: FakeClock, *, at: str, unit: str = "roads") -> int:
    number = await filed(store, city, clock, at=at)
    await take(store, city, number, "dispatch", DISPATCHER, unit=unit)
    await take(store, city, number, "take", await unit_of(store, number))
    return number


async def case_of(store: AnyStore, number: int) -> Case:
    case = await store.read(lambda work: work.get(Case, number))
    assert case is not None
    return case


async def test_the_due_time_is_projected_at_filing_and_real_from_dispatch(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await filed(either_store, city, clock, at="2026-11-16T09:00")
    projected = (await case_of(either_store, number)).due_at
    assert (await case_of(either_store, number)).clock_at is None
    clock.pass_time(hours=5)
    case = await take(either_store, city, number, "dispatch", DISPATCHER)
    assert case.clock_at == clock()
    assert case.due_at is not None
    assert projected is not None
    assert case.due_at > projected


async def test_a_suspension_stops_the_clock_and_resuming_gives_back_what_was_left(
    either_store: AnyStore, city: City, clock: FakeClock
) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00")
    before = (await case_of(either_store, number)).due_at
    clock.at = local("2026-11-17T10:00")
    unit = await unit_of(either_store, number)
    await take(either_store, city, number, "ask_suspension", unit, reason="需更换管线", until="2026-11-24T09:00")
    case = await take(either_store, city, number, "decide_suspension", DISPATCHER, decision="grant", reason="同意")
    assert (case.state, case.due_at) == (State.SUSPENDED, local("2026-11-24T09:00"))
    clock.at = local("2026-11-24T10:00")
    case = await take(either_store, city, number, "resume", DISPATCHER, reason="材料已到")
    assert before is not None
    assert case.due_at == before + timedelta(days=7)


async def test_time_while_a_return_is_decided_is_not_the_units(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00", unit="gas")
    before = (await case_of(either_store, number)).due_at
    unit = await unit_of(either_store, number)
    await take(either_store, city, number, "ask_return", unit, reason="不是我方设施", basis="权属登记")
    clock.pass_time(minutes=90)
    case = await take(either_store, city, number, "decide_return", DISPATCHER, decision="refuse", reason="权属在贵司")
    assert case.due_at is not None
    assert before is not None
    assert case.due_at - before >= timedelta(minutes=90)
    assert len(case.pauses) == 1


async def test_a_granted_extension_moves_the_limit_and_is_explained(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00")
    unit = await unit_of(either_store, number)
    await take(either_store, city, number, "ask_extension", unit, reason="等待材料", until="2026-12-10T18:00")
    case = await take(either_store, city, number, "decide_extension", DISPATCHER, decision="grant", reason="情况属实")
    assert (case.due_at, case.extension_count) == (local("2026-12-10T18:00"), 1)
    explained = city.limits.explain(case, clock())
    assert [clock_.title for clock_ in explained][-1] == "延期"
    assert any("到期" in line for line in explained[0].lines)


async def test_danger_has_two_clocks(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    hole = Subclass.parse("event:0401")
    number = await filed(either_store, city, clock, at="2026-11-20T23:00", subclass=hole)
    case = await take(either_store, city, number, "dispatch", DISPATCHER)
    assert case.safe_due_at == local("2026-11-21T01:00")
    assert case.due_at is not None
    assert case.due_at > case.safe_due_at


async def test_warnings_urge_the_unit_and_an_overdue_case_reaches_the_shift_leader(
    either_store: AnyStore, city: City, clock: FakeClock
) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00")
    due_at = (await case_of(either_store, number)).due_at
    assert due_at is not None
    clock.at = due_at - timedelta(seconds=1)
    await either_store.write(fire_due)
    assert (await case_of(either_store, number)).urge_count == 1
    assert not is_overdue(await case_of(either_store, number), clock())
    clock.at = due_at + timedelta(seconds=1)
    await either_store.write(fire_due)
    assert await either_store.write(fire_due) == 0
    case = await case_of(either_store, number)
    assert (case.urge_count, is_overdue(case, clock())) == (2, True)
    kinds = [line.refs["kind"] for line in await either_store.read(lambda work: work.find(HistoryEntry, case_no=number)) if line.step == "alarm"]
    assert kinds == ["amber_half", "amber_late", "red"]
    tasks = await either_store.read(lambda work: work.find(Task, case_no=number, state="open"))
    assert [(task.kind, task.role) for task in tasks] == [("overdue", Role.SHIFT_LEADER)]


async def test_feeding_back_stops_the_warnings_and_closes_their_task(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00")
    due_at = (await case_of(either_store, number)).due_at
    assert due_at is not None
    clock.at = due_at + timedelta(minutes=1)
    await either_store.write(fire_due)
    await take(either_store, city, number, "feedback", await unit_of(either_store, number), result="已修好")
    open_ones = await either_store.read(lambda work: work.find(Task, case_no=number, state="open"))
    timers = await either_store.read(lambda work: work.find(Timer, case_no=number, fired_at=None))
    assert open_ones == []
    assert [timer.kind for timer in timers] == ["stage"]


async def test_the_centres_own_stages_have_limits_too(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    received = await either_store.write(lambda work: receive(work, make_inbound(received_at=clock()), Judged(), city.rules()))
    clock.pass_time(seconds=STAGE_LIMITS[State.REPORTED].total_seconds() + 1)
    assert await either_store.write(fire_due) == 1
    tasks = await either_store.read(lambda work: work.find(Task, case_no=received.case_no))
    assert [task.kind for task in tasks] == ["stage_late"]


async def test_an_alarm_does_not_make_an_open_page_stale_but_a_persons_change_does(
    either_store: AnyStore, city: City, clock: FakeClock
) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00")
    seen = (await case_of(either_store, number)).version
    clock.pass_time(days=20)
    assert await either_store.write(fire_due) > 0
    note = Command(number, "note", LEADER, seen, {"text": "已电话催办"})
    await either_store.write(lambda work: perform(work, note, city.rules()))
    with pytest.raises(StaleVersion):
        await either_store.write(lambda work: perform(work, note, city.rules()))


async def test_past_the_last_loaded_year_the_due_time_is_provisional_and_filing_goes_on(
    either_store: AnyStore, city: City, clock: FakeClock
) -> None:
    number = await filed(either_store, city, clock, at="2026-12-28T16:00", subclass=Subclass.parse("event:0513"))
    case = await case_of(either_store, number)
    assert case.state is State.FILED
    assert case.due_provisional


async def test_a_restart_loses_no_warning(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    """What is due stands in rows: it fires in the gateway that comes up after the time has passed."""
    number = await handled(either_store, city, clock, at="2026-11-16T09:00")
    due_at = (await case_of(either_store, number)).due_at
    assert due_at is not None
    await either_store.close()
    clock.at = due_at + timedelta(minutes=1)
    place = getattr(either_store, "path", None) or either_store.url  # type: ignore[union-attr]
    again: AnyStore = type(either_store)(place, replace(either_store.setting, blocks=Blocks()))  # type: ignore[arg-type]
    await again.open()
    await again.write(fire_due)
    tasks = await again.read(lambda work: work.find(Task, case_no=number, state="open"))
    assert [task.kind for task in tasks] == ["overdue"]
    assert (await case_of(again, number)).urge_count == 2
    await again.close()


async def test_rework_starts_a_fresh_limit_and_its_warnings(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00", unit="gas")
    first = (await case_of(either_store, number)).due_at
    clock.pass_time(hours=3)
    await take(either_store, city, number, "feedback", await unit_of(either_store, number), result="已修好")
    await take(either_store, city, number, "check", OPERATOR, check_method="photo")
    await take(either_store, city, number, "checked", OPERATOR, check_result="fail")
    clock.pass_time(hours=1)
    case = await take(either_store, city, number, "rework", OPERATOR, reason="路面未找平")
    assert first is not None
    assert (case.state, case.clock_at, case.due_at) == (State.HANDLING, clock(), first + timedelta(hours=4))
    timers = await either_store.read(lambda work: work.find(Timer, case_no=number, fired_at=None))
    assert {(timer.kind, timer.due_at) for timer in timers} == set(timers_of(case))


async def test_rework_goes_on_with_what_was_left_where_the_city_says_so(
    either_store: AnyStore, city: City, clock: FakeClock
) -> None:
    city = replace(city, rework_goes_on=True)
    number = await handled(either_store, city, clock, at="2026-11-16T09:00", unit="gas")
    first = await case_of(either_store, number)
    clock.pass_time(hours=3)
    await take(either_store, city, number, "feedback", await unit_of(either_store, number), result="已修好")
    clock.pass_time(hours=5)
    await take(either_store, city, number, "check", OPERATOR, check_method="photo")
    await take(either_store, city, number, "checked", OPERATOR, check_result="fail")
    case = await take(either_store, city, number, "rework", OPERATOR, reason="路面未找平")
    assert first.due_at is not None
    assert (case.clock_at, case.due_at) == (first.clock_at, first.due_at + timedelta(hours=5))


async def test_a_stages_limit_counts_from_when_the_stage_began(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    """What moves the projected due time meanwhile gives the centre no new quarter of an hour, and warns once."""
    number = await filed(either_store, city, clock, at="2026-11-16T09:00")
    limit = STAGE_LIMITS[State.FILED]
    clock.pass_time(seconds=limit.total_seconds() - 60)
    conditions = city.taxonomy.conditions(POTHOLE)
    await take(either_store, city, number, "reclassify", OPERATOR, subclass=str(POTHOLE), condition=conditions[-1])
    clock.pass_time(seconds=61)
    await either_store.write(fire_due)
    assert len(await either_store.read(lambda work: work.find(Task, case_no=number, kind="stage_late"))) == 1
    await take(either_store, city, number, "reclassify", OPERATOR, subclass=str(POTHOLE), condition=conditions[0])
    clock.pass_time(seconds=limit.total_seconds() * 2)
    await either_store.write(fire_due)
    tasks = await either_store.read(lambda work: work.find(Task, case_no=number, kind="stage_late"))
    assert len(tasks) == 1
