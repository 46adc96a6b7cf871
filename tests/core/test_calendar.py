"""The working-time engine against the calendars of 2024 to 2026, worked out by hand.

The holidays are those of the State Council's yearly notices (国办发明电〔2023〕7号, 〔2024〕12号, 〔2025〕7号).
"""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from intake.calendar import (
    CalendarError,
    Pause,
    Why,
    WorkCalendar,
    due,
    explain,
    load_calendars,
    worked_minutes,
)

CHINA = timezone(timedelta(hours=8))
CALENDARS = """
[calendar.all_day]
title = "全天候"
days = "every_day"
spans = [["00:00", "24:00"]]
[calendar.daily]
days = "every_day"
spans = [["07:00", "21:00"]]
[calendar.office]
days = "working_days"
spans = [["08:00", "12:00"], ["14:00", "18:00"]]
"""
# Name, first day, last day, make-up days.
FESTIVALS = [
    ("元旦", "2024-01-01", "2024-01-01", ()),
    ("春节", "2024-02-10", "2024-02-17", ("2024-02-04", "2024-02-18")),
    ("清明节", "2024-04-04", "2024-04-06", ("2024-04-07",)),
    ("劳动节", "2024-05-01", "2024-05-05", ("2024-04-28", "2024-05-11")),
    ("端午节", "2024-06-10", "2024-06-10", ()),
    ("中秋节", "2024-09-15", "2024-09-17", ("2024-09-14",)),
    ("国庆节", "2024-10-01", "2024-10-07", ("2024-09-29", "2024-10-12")),
    ("元旦", "2025-01-01", "2025-01-01", ()),
    ("春节", "2025-01-28", "2025-02-04", ("2025-01-26", "2025-02-08")),
    ("清明节", "2025-04-04", "2025-04-06", ()),
    ("劳动节", "2025-05-01", "2025-05-05", ("2025-04-27",)),
    ("端午节", "2025-05-31", "2025-06-02", ()),
    ("国庆节、中秋节", "2025-10-01", "2025-10-08", ("2025-09-28", "2025-10-11")),
    ("元旦", "2026-01-01", "2026-01-03", ("2026-01-04",)),
    ("春节", "2026-02-15", "2026-02-23", ("2026-02-14", "2026-02-28")),
    ("清明节", "2026-04-04", "2026-04-06", ()),
    ("劳动节", "2026-05-01", "2026-05-05", ("2026-05-09",)),
    ("端午节", "2026-06-19", "2026-06-21", ()),
    ("中秋节", "2026-09-25", "2026-09-27", ()),
    ("国庆节", "2026-10-01", "2026-10-07", ("2026-09-20", "2026-10-10")),
]


def holiday_rows() -> list[str]:
    rows = ["date,name,kind"]
    for name, first, last, makeup in FESTIVALS:
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last):
            rows.append(f"{day},{name},holiday")
            day += timedelta(days=1)
        rows += [f"{made_up},{name},workday" for made_up in makeup]
    return rows


def at(text: str) -> datetime:
    """A moment in Chinese time from "2024-02-09 17:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> dict[str, WorkCalendar]:
    folder = tmp_path_factory.mktemp("calendars")
    (folder / "calendars.toml").write_text(CALENDARS, "utf-8")
    (folder / "holidays.csv").write_text("\n".join(holiday_rows()), "utf-8")
    return load_calendars(folder / "calendars.toml", folder / "holidays.csv")


GOLDEN = [
    # What is told, calendar, start, hours, due.
    ("the last minute of a day's hours is still that day", "office", "2024-03-04 08:00", 8, "2024-03-04 18:00"),
    ("lunch does not count", "office", "2024-03-04 11:00", 2, "2024-03-04 15:00"),
    ("asked during lunch", "office", "2024-03-04 13:00", 1, "2024-03-04 15:00"),
    ("arrived by night", "office", "2024-03-04 23:30", 2, "2024-03-05 10:00"),
    ("arrived before opening", "office", "2024-03-05 06:00", 4, "2024-03-05 12:00"),
    ("over a plain weekend", "office", "2024-03-08 17:00", 2, "2024-03-11 09:00"),
    ("arrived on a Saturday", "office", "2024-03-09 10:00", 1, "2024-03-11 09:00"),
    ("over a month's end in a leap year", "office", "2024-02-29 17:00", 2, "2024-03-01 09:00"),
    ("Spring Festival 2024 with make-up Sunday behind it", "office", "2024-02-09 17:00", 2, "2024-02-18 09:00"),
    ("make-up Sunday before Spring Festival 2024", "office", "2024-02-02 17:00", 2, "2024-02-04 09:00"),
    ("Saturday between festival and make-up Sunday", "office", "2024-02-17 12:00", 9, "2024-02-19 09:00"),
    ("Qingming 2024 ends in a make-up Sunday", "office", "2024-04-03 17:00", 2, "2024-04-07 09:00"),
    ("Labour Day 2024", "office", "2024-04-30 14:00", 12, "2024-05-06 18:00"),
    ("a make-up Saturday ends the week after Labour Day", "office", "2024-05-10 17:00", 9, "2024-05-11 18:00"),
    ("Mid-autumn 2024, make-up Saturday before it", "office", "2024-09-13 17:00", 9, "2024-09-14 18:00"),
    ("National Day 2024", "office", "2024-09-30 17:30", 1, "2024-10-08 08:30"),
    ("over the end of 2024", "office", "2024-12-31 17:00", 2, "2025-01-02 09:00"),
    ("Spring Festival 2025", "office", "2025-01-27 17:00", 2, "2025-02-05 09:00"),
    ("a make-up Saturday in February 2025", "office", "2025-02-07 17:00", 2, "2025-02-08 09:00"),
    ("National Day and Mid-autumn 2025", "office", "2025-09-30 16:00", 10, "2025-10-09 18:00"),
    ("make-up Sunday before National Day 2025", "office", "2025-09-26 18:00", 8, "2025-09-28 18:00"),
    ("New Year 2026 and its make-up Sunday", "office", "2025-12-31 17:00", 2, "2026-01-04 09:00"),
    ("Spring Festival 2026, the long one", "office", "2026-02-13 17:00", 10, "2026-02-24 09:00"),
    ("five working days in February 2026", "office", "2026-02-24 08:00", 40, "2026-02-28 18:00"),
    ("National Day 2026", "office", "2026-09-30 18:00", 16, "2026-10-09 18:00"),
    ("make-up Saturday after National Day 2026", "office", "2026-10-09 18:00", 8, "2026-10-10 18:00"),
    ("cleaning works on holidays too", "daily", "2026-10-01 20:00", 2, "2026-10-02 08:00"),
    ("cleaning, arrived by night", "daily", "2026-02-16 22:00", 14, "2026-02-17 21:00"),
    ("repair works round the clock", "all_day", "2026-02-16 22:00", 24, "2026-02-17 22:00"),
]


@pytest.mark.parametrize(("told", "name", "start", "hours", "expected"), GOLDEN, ids=[row[0] for row in GOLDEN])
def test_due_times_agree_with_the_calendar_on_the_wall(
    calendars: dict[str, WorkCalendar], told: str, name: str, start: str, hours: int, expected: str
) -> None:
    answer = due(at(start), hours * 60, basis="working", calendar=calendars[name])
    assert answer.due_at == at(expected)
    assert answer.due_at.tzinfo == UTC
    assert not answer.provisional
    assert sum(span.minutes for span in answer.spans) == pytest.approx(hours * 60)
    assert worked_minutes(at(start), answer.due_at, calendar=calendars[name]) == hours * 60


def test_natural_time_runs_through_nights_and_holidays(calendars: dict[str, WorkCalendar]) -> None:
    answer = due(at("2026-02-16 23:50"), 24 * 60, basis="natural", calendar=calendars["office"])
    assert answer.due_at == at("2026-02-17 23:50")
    assert [span.why for span in answer.spans] == [Why.NATURAL]


def test_past_the_last_loaded_year_weekends_decide_and_the_answer_is_provisional(
    calendars: dict[str, WorkCalendar],
) -> None:
    answer = due(at("2026-12-28 17:00"), 40 * 60, basis="working", calendar=calendars["office"])
    assert answer.due_at == at("2027-01-04 17:00")
    assert answer.provisional
    assert "2027年的节假日安排尚未载入" in explain(answer)[-1]
    far = due(at("2031-10-01 09:00"), 60, basis="working", calendar=calendars["office"])
    assert (far.due_at, far.provisional) == (at("2031-10-01 10:00"), True)


@pytest.mark.parametrize(
    ("name", "basis", "start", "hours"),
    [
        ("office", "working", "2026-12-28 17:00", 25),
        ("office", "natural", "2026-12-31 17:00", 24),
        ("daily", "working", "2026-12-31 17:00", 24),
        ("all_day", "working", "2026-12-31 17:00", 7),
    ],
)
def test_answers_that_need_no_unknown_holiday_are_final(
    calendars: dict[str, WorkCalendar], name: str, basis: str, start: str, hours: int
) -> None:
    answer = due(at(start), hours * 60, basis="natural" if basis == "natural" else "working", calendar=calendars[name])
    assert not answer.provisional


def test_marks_beyond_the_last_loaded_year_are_not_half_used() -> None:
    new_year = {date(2027, 1, 1): "holiday"}
    office = WorkCalendar("office", ((480, 720), (840, 1080)), "working_days", new_year, last_loaded_year=2026)
    answer = due(at("2026-12-31 17:00"), 120, basis="working", calendar=office)
    assert (answer.due_at, answer.provisional) == (at("2027-01-01 09:00"), True)


def test_suspended_and_returned_time_does_not_count(calendars: dict[str, WorkCalendar]) -> None:
    pauses = [
        Pause(at("2026-03-03 09:00"), at("2026-03-04 10:00"), "挂账"),
        Pause(at("2026-03-03 15:00"), at("2026-03-04 09:00"), "退单待审"),
        Pause(at("2026-03-01 00:00"), at("2026-03-01 09:00"), "挂账"),
        Pause(at("2026-03-09 00:00"), at("2026-03-10 00:00"), "挂账"),
    ]
    answer = due(at("2026-03-02 16:00"), 8 * 60, basis="working", calendar=calendars["office"], pauses=pauses)
    # 2 h on Monday, 1 h on Tuesday, 2 + 3 h on Wednesday.
    assert answer.due_at == at("2026-03-04 17:00")
    office = calendars["office"]
    assert worked_minutes(at("2026-03-02 16:00"), answer.due_at, calendar=office, pauses=pauses) == 480
    natural = due(at("2026-03-02 16:00"), 24 * 60, basis="natural", calendar=office, pauses=pauses)
    assert natural.due_at == at("2026-03-04 17:00")


def test_an_extension_is_the_same_as_a_longer_amount(calendars: dict[str, WorkCalendar]) -> None:
    office = calendars["office"]
    first = due(at("2026-03-02 16:00"), 480, basis="working", calendar=office)
    extended = due(at("2026-03-02 16:00"), 480 + 240, basis="working", calendar=office)
    assert extended.due_at == due(first.due_at, 240, basis="working", calendar=office).due_at


def test_nothing_to_wait_for_is_due_at_once_even_by_night(calendars: dict[str, WorkCalendar]) -> None:
    answer = due(at("2026-03-01 02:00"), 0, basis="working", calendar=calendars["office"])
    assert (answer.due_at, answer.spans) == (at("2026-03-01 02:00"), ())


def test_seconds_are_kept(calendars: dict[str, WorkCalendar]) -> None:
    answer = due(at("2026-03-02 17:59:30"), 1, basis="working", calendar=calendars["office"])
    assert answer.due_at == at("2026-03-03 08:00:30")
    assert worked_minutes(at("2026-03-02 17:59:30"), answer.due_at, calendar=calendars["office"]) == 1


def test_nothing_is_worked_backwards(calendars: dict[str, WorkCalendar]) -> None:
    assert worked_minutes(at("2026-03-03 09:00"), at("2026-03-02 09:00"), calendar=calendars["office"]) == 0


def test_the_explanation_reads_like_a_colleague_wrote_it(calendars: dict[str, WorkCalendar]) -> None:
    pauses = [Pause(at("2026-02-24 09:00"), at("2026-02-26 15:00"), "挂账")]
    answer = due(at("2026-02-13 17:00"), 20 * 60, basis="working", calendar=calendars["office"], pauses=pauses)
    assert explain(answer) == [
        "自2026年2月13日（周五）17:00起，按工作时间计20小时。",
        "2月13日（周五）17:00至2月14日（周六）18:00：计9小时，累计9小时（2月14日调休上班）。",
        "2月15日至2月23日：春节，不计。",
        "2月24日（周二）08:00至09:00：计1小时，累计10小时。",
        "2月24日（周二）09:00至2月26日（周四）15:00：挂账，不计。",
        "2月26日（周四）15:00至2月27日（周五）17:00：计10小时，累计20小时。",
        "2月27日（周五）17:00到期。",
    ]


def test_the_explanation_names_another_year_and_part_hours(calendars: dict[str, WorkCalendar]) -> None:
    answer = due(at("2025-12-31 17:00"), 90, basis="working", calendar=calendars["office"])
    assert explain(answer) == [
        "自2025年12月31日（周三）17:00起，按工作时间计1小时30分钟。",
        "12月31日（周三）17:00至18:00：计1小时，累计1小时。",
        "2026年1月1日至2026年1月3日：元旦，不计。",
        "2026年1月4日（周日）08:00至08:30：计30分钟，累计1小时30分钟（2026年1月4日调休上班）。",
        "2026年1月4日（周日）08:30到期。",
    ]


def test_the_files_give_the_calendars(calendars: dict[str, WorkCalendar]) -> None:
    assert list(calendars) == ["all_day", "daily", "office"]
    assert calendars["all_day"].spans == ((0, 1440),)
    assert calendars["all_day"].title == "全天候"
    assert calendars["office"].last_loaded_year == 2026
    assert calendars["office"].works_on(date(2026, 2, 14)) == Why.MAKEUP


@pytest.mark.parametrize(
    ("calendar_toml", "holidays_csv"),
    [
        ('[calendar.x]\ndays = "every_day"\nspans = []', "date,name,kind"),
        ('[calendar.x]\ndays = "every_day"\nspans = [["12:00", "08:00"]]', "date,name,kind"),
        ('[calendar.x]\ndays = "every_day"\nspans = [["08:00", "12:00"], ["11:00", "18:00"]]', "date,name,kind"),
        ('[calendar.x]\ndays = "every_day"\nspans = [["08:00", "25:00"]]', "date,name,kind"),
        ('[calendar.x]\ndays = "every_day"\nspans = [["8 o\'clock", "12:00"]]', "date,name,kind"),
        ('[calendar.x]\ndays = "every_day"\nspans = [["08:00"]]', "date,name,kind"),
        ('[calendar.x]\ndays = "some_days"\nspans = [["08:00", "12:00"]]', "date,name,kind"),
        ("[calendar.x]\nspans = 3", "date,name,kind"),
        ("not toml", "date,name,kind"),
        (CALENDARS, "date,name,kind\n2026-02-30,春节,holiday"),
        (CALENDARS, "date,name,kind\n2026-02-20,春节,rest"),
        (CALENDARS, "date,name,kind\n2026-02-20,春节,holiday\n2026-02-20,春节,workday"),
        (CALENDARS, "day,kind\n2026-02-20,holiday"),
    ],
)
def test_files_that_cannot_be_used_are_refused(tmp_path: Path, calendar_toml: str, holidays_csv: str) -> None:
    (tmp_path / "calendars.toml").write_text(calendar_toml, "utf-8")
    (tmp_path / "holidays.csv").write_text(holidays_csv, "utf-8")
    with pytest.raises(CalendarError):
        load_calendars(tmp_path / "calendars.toml", tmp_path / "holidays.csv")


def test_naive_moments_and_senseless_amounts_are_refused(calendars: dict[str, WorkCalendar]) -> None:
    office = calendars["office"]
    with pytest.raises(ValueError, match="aware"):
        due(at("2026-03-02 09:00").replace(tzinfo=None), 60, basis="working", calendar=office)
    for amount in (-1, 10**9):
        with pytest.raises(ValueError, match="amount"):
            due(at("2026-03-02 09:00"), amount, basis="working", calendar=office)
