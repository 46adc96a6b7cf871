"""Which index a question uses, by what each database says it would do, with enough rows that its planner has a choice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from intake.model import Case, Place, State, Subclass
from intake.recurrence import earlier_cases
from intake.store.work import Work
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
