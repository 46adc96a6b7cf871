"""Limits: which row of the table counts for class, condition and source, and on whose calendar its time runs."""

from dataclasses import replace

import pytest

from intake.limits import LimitTable
from intake.model import Place, Subclass
from intake.outlook import outlook
from intake.profile import City
from intake.rules import Unit
from intake.taxonomy import Taxonomy, load_taxonomy
from tests.core.test_case_clock import local
from tests.make import NOON, make_case

RUBBISH, ILLEGAL_BUILDING = Subclass.parse("event:0102"), Subclass.parse("event:0101")
HOLE, WASTE = Subclass.parse("event:0401"), Subclass.parse("event:2115")
HEAP = "公共场所成堆垃圾"


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


# The table itself


def test_every_class_in_use_has_conditions_each_with_a_limit_or_both_of_a_danger(taxonomy: Taxonomy) -> None:
    for entry in taxonomy.in_use:
        assert taxonomy.conditions(entry.subclass), entry.subclass
        for condition in taxonomy.conditions(entry.subclass):
            rows = taxonomy.limits_for(entry.subclass, condition)
            assert [row.clock for row in rows] in (["disposal"], ["make_safe", "repair"]), (entry.subclass, condition)
            assert all(row.limit_hours > 0 and row.close_when for row in rows), (entry.subclass, condition)
            assert all(row.limit_basis == "natural" for row in rows if row.clock == "make_safe"), "danger knows no office hours"


def test_one_row_at_most_is_active_for_each_condition_and_clock(taxonomy: Taxonomy) -> None:
    active = [(row.subclass, row.condition, row.clock) for rows in taxonomy.limits.values() for row in rows if row.active]
    assert len(active) == len(set(active))


@pytest.mark.parametrize(("subclass", "condition", "sources", "hours", "basis"), [
    (RUBBISH, HEAP, (), 2, "working"),
    (RUBBISH, HEAP, ("yuncheng",), 4, "working"),
    (RUBBISH, HEAP, ("jiyuan", "yuncheng"), 8, "working"),
    (RUBBISH, HEAP, ("typical",), 2, "working"),
    (RUBBISH, "其他情形", ("yuncheng",), 2, "working"),
    (ILLEGAL_BUILDING, "正在搭建", (), 48, "natural"),
    (ILLEGAL_BUILDING, "已建成", (), 40, "working"),
    (WASTE, "医疗废物乱弃", (), 2, "natural"),
    (WASTE, "医疗废物乱弃", ("yuncheng",), 16, "working"),
])  # fmt: skip
def test_the_active_row_counts_unless_the_city_puts_a_source_first(
    taxonomy: Taxonomy, subclass: Subclass, condition: str, sources: tuple[str, ...], hours: float, basis: str
) -> None:
    [row] = replace(taxonomy, sources=sources).limits_for(subclass, condition)
    assert (row.limit_hours, row.limit_basis) == (hours, basis)


def test_a_source_that_the_table_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="yunchegn"):
        load_taxonomy(sources=["yuncheng", "yunchegn"])


def test_an_unknown_condition_has_no_limit(taxonomy: Taxonomy) -> None:
    assert taxonomy.limits_for(RUBBISH, "没有这个条件") == ()


# On whose calendar

CALENDARS = [
    # Unit's calendar, started, due after two working hours.
    ("all_day", "2026-11-20T20:00", "2026-11-20T22:00"),
    ("daily", "2026-11-20T20:00", "2026-11-21T08:00"),
    ("office", "2026-11-20T20:00", "2026-11-23T10:00"),
    ("all_day", "2026-02-14T17:00", "2026-02-14T19:00"),
    ("daily", "2026-02-15T20:00", "2026-02-16T08:00"),
    ("office", "2026-02-14T17:00", "2026-02-24T09:00"),
    ("office", "2026-09-30T17:00", "2026-10-08T09:00"),
    ("daily", "2026-12-31T20:00", "2027-01-01T08:00"),
]


def table_of(city: City, calendar: str, *sources: str) -> LimitTable:
    return replace(city.limits, units={"u": Unit("u", "某单位", calendar)}, taxonomy=replace(city.taxonomy, sources=sources))


@pytest.mark.parametrize(("calendar", "start", "expected"), CALENDARS)
def test_working_hours_are_those_of_the_responsible_unit(city: City, calendar: str, start: str, expected: str) -> None:
    case = make_case(subclass=RUBBISH, condition=HEAP, unit="u", clock_at=local(start))
    due = table_of(city, calendar).due(case, local(start))
    assert due is not None
    assert (due.due_at, due.safe_due_at, due.provisional) == (local(expected), None, False)


@pytest.mark.parametrize("calendar", ["all_day", "daily", "office"])
def test_natural_hours_are_everybodys(city: City, calendar: str) -> None:
    start = local("2026-02-14T23:30")
    due = table_of(city, calendar).due(make_case(subclass=ILLEGAL_BUILDING, condition="正在搭建", unit="u"), start)
    assert due is not None
    assert due.due_at == local("2026-02-16T23:30")


def test_before_there_is_a_unit_the_classs_usual_calendar_counts(city: City) -> None:
    case = make_case(subclass=RUBBISH, condition=HEAP)
    due = city.limits.due(case, local("2026-11-20T20:00"))
    assert city.taxonomy.entry(RUBBISH).unit_calendar == "daily"
    assert due is not None
    assert due.due_at == local("2026-11-21T08:00")


@pytest.mark.parametrize(("calendar", "start", "safe", "repaired"), [
    ("all_day", "2026-11-20T23:00", "2026-11-21T01:00", "2026-11-22T15:00"),
    ("office", "2026-11-20T23:00", "2026-11-21T01:00", "2026-11-27T18:00"),
    ("office", "2026-02-13T17:30", "2026-02-13T19:30", "2026-02-27T17:30"),
])  # fmt: skip
def test_danger_is_made_safe_by_night_and_repaired_in_working_hours(
    city: City, calendar: str, start: str, safe: str, repaired: str
) -> None:
    case = make_case(subclass=HOLE, condition="塌陷、下沉", unit="u", clock_at=local(start), filed_at=local(start))
    table = table_of(city, calendar)
    due = table.due(case, local(start))
    assert due is not None
    assert (due.safe_due_at, due.due_at) == (local(safe), local(repaired))
    told = table.explain(case, local(start))
    assert [(one.title, one.due_at) for one in told] == [("先期排险时限", local(safe)), ("修复时限", local(repaired))]


@pytest.mark.parametrize(("sources", "expected"), [
    ((), "2026-11-20T11:00"), (("yuncheng",), "2026-11-20T15:00"), (("jiyuan",), "2026-11-23T09:00"),
])  # fmt: skip
def test_a_source_put_first_moves_the_due_time(city: City, sources: tuple[str, ...], expected: str) -> None:
    start = local("2026-11-20T09:00")
    case = make_case(subclass=RUBBISH, condition=HEAP, unit="u", clock_at=start)
    due = table_of(city, "office", *sources).due(case, start)
    assert due is not None
    assert due.due_at == local(expected)


def test_what_is_told_while_choosing_is_what_will_count(city: City) -> None:
    """The panel of the call screen and the closing standard know the city's sources as well."""
    rules = replace(city.rules(), taxonomy=replace(city.taxonomy, sources=("jiyuan",)))
    assert outlook(rules, RUBBISH, condition=HEAP, place=Place(), now=NOON).limits == ("处置 8 工作小时",)
    assert outlook(city.rules(), RUBBISH, condition=HEAP, place=Place(), now=NOON).limits == ("处置 2 工作小时",)


def test_a_granted_extension_counts_only_where_it_is_later(city: City) -> None:
    start = local("2026-11-20T09:00")
    case = make_case(subclass=RUBBISH, condition=HEAP, unit="u", clock_at=start)
    table = table_of(city, "office")
    for until, expected in (("2026-11-20T10:00", "2026-11-20T11:00"), ("2026-11-25T18:00", "2026-11-25T18:00")):
        due = table.due(replace(case, extended_until_at=local(until)), start)
        assert due is not None
        assert due.due_at == local(expected)


def test_a_case_without_a_class_has_no_due_time(city: City) -> None:
    assert city.limits.due(make_case(), local("2026-11-20T09:00")) is None


# Optional and retired classes


def test_an_optional_class_that_is_off_falls_back_and_cannot_be_chosen() -> None:
    off, base = Subclass.parse("event:06040"), Subclass.parse("event:0507")
    plain, switched = load_taxonomy(optional_on=[]), load_taxonomy(optional_on=["event:06040"])
    assert (plain.effective(off), switched.effective(off)) == (base, off)
    assert (plain.is_on(off), switched.is_on(off)) == (False, True)
    assert off not in {entry.subclass for entry in plain.in_use}
