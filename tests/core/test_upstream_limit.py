"""An order from above has its own deadline: it runs beside the unit's, nothing moves it, and the earlier warns first."""

from dataclasses import replace
from datetime import timedelta

from intake.alarms import fire_due, keep_timers
from intake.model import Case, State
from intake.ports import Work
from intake.profile import City
from intake.queue import QueueFilter
from intake.records import HistoryEntry, Task
from intake.timers import timers_of
from intake.wiring import AnyStore
from tests.core.test_case_clock import case_of, filed, handled, local
from tests.core.test_usecases import DISPATCHER, take, unit_of
from tests.fakes import FakeClock
from tests.make import NOON, make_case


async def ordered(store: AnyStore, number: int, *, due: str) -> Case:
    """As the import of orders does: the case with the limit that came with it."""

    def change(work: Work) -> Case:
        case = work.get(Case, number)
        assert case is not None
        after = replace(case, upstream_no="BJ001", upstream_due_at=local(due), version=case.version + 1)
        work.change(case, after)
        keep_timers(work, case, after)
        return after

    return await store.write(change)


async def alarms_of(store: AnyStore, number: int) -> list[object]:
    lines = await store.read(lambda work: work.find(HistoryEntry, case_no=number, step="alarm"))
    return [line.refs["kind"] for line in lines]


async def test_the_earlier_deadline_warns_first(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00")
    await ordered(either_store, number, due="2026-11-16T21:00")
    for at in ("2026-11-16T18:30", "2026-11-16T21:01", "2026-11-30T09:00"):
        clock.at = local(at)
        while await either_store.write(fire_due):
            pass
    assert await alarms_of(either_store, number) == ["upstream_late", "upstream_red", "amber_half", "amber_late", "red"]
    tasks = await either_store.read(lambda work: work.find(Task, case_no=number, state="open"))
    assert sorted(task.kind for task in tasks) == ["overdue", "upstream_overdue"]


async def test_nothing_of_ours_moves_it_and_it_warns_only_once(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await handled(either_store, city, clock, at="2026-11-16T09:00")
    await ordered(either_store, number, due="2026-11-17T09:00")
    unit = await unit_of(either_store, number)
    await take(either_store, city, number, "ask_suspension", unit, reason="等材料", until="2026-11-24T09:00")
    case = await take(either_store, city, number, "decide_suspension", DISPATCHER, decision="grant", reason="同意")
    assert case.upstream_due_at == local("2026-11-17T09:00")
    clock.at = local("2026-11-17T09:01")
    await either_store.write(fire_due)
    await take(either_store, city, number, "resume", DISPATCHER, reason="材料已到")
    await either_store.write(fire_due)
    assert await alarms_of(either_store, number) == ["upstream_late", "upstream_red"]
    open_ones = await either_store.read(lambda work: work.find(Task, case_no=number, state="open"))
    assert [task.kind for task in open_ones] == ["upstream_overdue"]


async def test_a_warning_given_does_not_come_again_when_the_unit_signs(store: AnyStore, city: City, clock: FakeClock) -> None:
    number = await filed(store, city, clock, at="2026-11-16T09:00")
    case = await take(store, city, number, "dispatch", DISPATCHER, unit="roads")
    assert case.due_at is not None
    clock.at = case.due_at + timedelta(minutes=1)
    await store.write(fire_due)
    await take(store, city, number, "take", await unit_of(store, number))
    await store.write(fire_due)
    assert await alarms_of(store, number) == ["amber_half", "amber_late", "red"]
    tasks = await store.read(lambda work: work.find(Task, case_no=number, state="open"))
    assert [task.kind for task in tasks] == ["overdue"]  # still late, still the shift leader's


def test_it_runs_before_filing_too_and_ends_with_the_case() -> None:
    case = make_case(upstream_due_at=NOON + timedelta(hours=8))
    late, red = NOON + timedelta(hours=6), NOON + timedelta(hours=8)
    assert dict(timers_of(case)) | {"upstream_late": late, "upstream_red": red} == dict(timers_of(case))
    assert all(not kind.startswith("upstream") for kind, _ in timers_of(replace(case, state=State.CLOSED)))


def test_an_order_that_came_too_late_warns_at_once() -> None:
    case = make_case(upstream_due_at=NOON - timedelta(hours=1))
    assert dict(timers_of(case))["upstream_late"] == NOON


def test_it_is_explained_before_and_after_filing(city: City) -> None:
    case = make_case(upstream_no="BJ001", upstream_due_at=local("2026-11-20T20:00"))
    [only] = city.limits.explain(case, NOON)
    assert (only.title, only.due_at) == ("上级工单时限", local("2026-11-20T20:00"))
    assert only.lines == ("上级工单BJ001要求2026年11月20日 20:00前办结，不因挂账、退单或延期而改变。",)
    later = replace(case, due_at=local("2026-11-24T20:00"))
    assert city.limits.explain(later, NOON)[0].lines[1] == "早于责任单位的时限，先到者先预警。"


async def test_the_queue_puts_first_what_is_due_first_be_it_from_above(either_store: AnyStore, city: City, clock: FakeClock) -> None:
    first = await filed(either_store, city, clock, at="2026-11-16T09:00")
    second = await filed(either_store, city, clock, at="2026-11-16T10:00")
    await ordered(either_store, second, due="2026-11-16T12:00")
    page = await either_store.read(lambda work: work.queue(QueueFilter()))
    assert [case.case_no for case in page.cases] == [second, first]
    assert (await case_of(either_store, second)).due_at is not None
