"""Which index a question uses, by what each database says it would do, with enough rows that its planner has a choice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from intake.call import Call, CallRecording
from intake.model import Case, Place, State, Subclass
from intake.recurrence import earlier_cases
from intake.store.sounds_due import Due
from intake.store.work import Work
from intake.switchboard_acts import waiting_now
from intake.wiring import AnyStore
from tests.make import NOON, make_case

CLASSES = tuple(Subclass.parse(f"event:{code:04d}") for code in (101, 102, 103, 201, 301))
GRIDS = tuple(f"32010600{number:03d}" for number in range(10))
ASKED = make_case(case_no=26112000000, received_at=NOON, subclass=CLASSES[1], place=Place(text="人民路", grid_code=GRIDS[3]))
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}


def fill(work: Work) -> None:
    """A year of 3,000 closed cases, spread over grids and classes."""
    for number in range(3000):
        came = NOON - timedelta(hours=2 * number + 3)
        work.add(make_case(case_no=25110100000 + number, state=State.CLOSED, received_at=came, closed_at=came + timedelta(hours=1),
                           subclass=CLASSES[number // 10 % 5], place=Place(text="人民路", grid_code=GRIDS[number % 10])))  # fmt: skip


def plans(work: Work, ask: Callable[[Work], object]) -> list[str]:
    """What the database says of each statement of a question."""
    heard: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            heard.append((statement, values))

    sa.event.listen(work.connection, "before_cursor_execute", listen)
    ask(work)
    sa.event.remove(work.connection, "before_cursor_execute", listen)
    explain = EXPLAIN[work.connection.dialect.name]
    return ["\n".join(map(str, work.connection.exec_driver_sql(explain + said, values))) for said, values in heard]


async def test_earlier_cases_are_found_by_class_and_grid(either_store: AnyStore) -> None:
    await either_store.write(fill)
    await either_store.write(lambda work: work.connection.exec_driver_sql("ANALYZE cases").close())
    found = await either_store.read(lambda work: earlier_cases(work, ASKED))
    [plan] = await either_store.read(lambda work: plans(work, lambda work: earlier_cases(work, ASKED)))
    assert len(found) == 3
    assert "ix_cases_grid_code_kind_subclass_code_received_at" in plan
    assert "TEMP B-TREE" not in plan, "the index of SQLite gives the order too"


@pytest.mark.parametrize(("ask", "index"), [
    (lambda work: work.live_calls(), "ix_calls_live"),
    (waiting_now, "ix_calls_live"),
    (lambda work: work.find(Call, end="", live=False, order="call_id", limit=50), "ix_calls_unended"),
], ids=["live calls", "who waits", "calls without an outcome"])  # fmt: skip
async def test_what_is_asked_every_two_seconds_does_not_read_the_calls_of_the_year(
    either_store: AnyStore, ask: Callable[[Work], list[Any]], index: str
) -> None:
    def fill(work: Work) -> None:
        for number in range(3000):
            began = NOON - timedelta(hours=number + 3)
            call = Call(number, "in", "pbx", f"leg-{number}", "12319", began, queued_at=began, end="served")
            work.add(replace(call, ended_at=began + timedelta(minutes=3)))
        lives = Call(5000, "in", "pbx", "leg-5000", "12319", NOON - timedelta(minutes=1), queued_at=NOON)
        work.add(lives, replace(lives, call_id=5001, leg_id="leg-5001", ended_at=NOON))

    await either_store.write(fill)
    await either_store.write(lambda work: work.connection.exec_driver_sql("ANALYZE calls").close())
    assert len(await either_store.read(ask)) == 1
    [plan] = await either_store.read(lambda work: plans(work, ask))
    assert index in plan


@pytest.mark.parametrize(("due", "index"), [("fetch", "ix_recordings_stored_at"), ("draft", "ix_recordings_undrafted")])
async def test_what_is_still_to_be_done_with_recordings_is_found_among_those_of_the_year(
    either_store: AnyStore, due: Due, index: str
) -> None:
    def fill(work: Work) -> None:
        for number in range(3000):
            talk = CallRecording(number, number, "talk", "talk", f"talk/{number}", f"token-{number}", "pbx", 9000, NOON)
            work.add(replace(talk, size=9, stored_at=NOON))
        work.add(replace(talk, recording_id=5000, call_id=5000, token="token-5000"))
        work.add(replace(talk, recording_id=5001, call_id=5001, token="token-5001", kind="message", size=9, stored_at=NOON))

    await either_store.write(fill)
    await either_store.write(lambda work: work.connection.exec_driver_sql("ANALYZE recordings").close())
    assert len(await either_store.read(lambda work: work.recordings_due(due, most=50, attempts=20))) == 1
    [plan] = await either_store.read(lambda work: plans(work, lambda work: work.recordings_due(due, most=50, attempts=20)))
    assert index in plan


async def test_no_question_is_asked_for_a_case_without_a_grid_or_class(either_store: AnyStore) -> None:
    for case in (make_case(subclass=CLASSES[1]), make_case(place=ASKED.place)):
        assert await either_store.read(lambda work, case=case: plans(work, lambda work: earlier_cases(work, case))) == []


def ids(cases: tuple[Case, ...]) -> list[int]:
    return [case.case_no for case in cases]


async def test_later_cases_do_not_hide_the_earlier_ones(either_store: AnyStore) -> None:
    """The page of an old case of a busy spot: fifty came after it, open and closed."""

    def add(work: Work) -> None:
        spot = {"subclass": CLASSES[1], "place": ASKED.place}
        for number, days in enumerate((400, 300, 20), start=1):
            came = NOON - timedelta(days=days)
            work.add(make_case(case_no=number, state=State.ARCHIVED, received_at=came, closed_at=came + timedelta(days=1), **spot))
        work.add(make_case(case_no=4, state=State.FILED, received_at=NOON - timedelta(days=2), **spot))
        for number in range(50):
            came = NOON + timedelta(hours=number + 1)
            work.add(make_case(case_no=100 + number, state=State.CLOSED, received_at=came, closed_at=came, **spot))

    await either_store.write(add)
    assert ids(await either_store.read(lambda work: earlier_cases(work, ASKED))) == [3, 2]
