"""The engine against a slow reference that walks minute by minute and knows nothing of stretches."""

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from intake.calendar import Pause, WorkCalendar, due, worked_minutes

CHINA = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)
FIRST = datetime(2026, 2, 10, tzinfo=UTC)
# A fortnight dense with exceptions: a make-up Saturday, a short holiday, a make-up Saturday behind it.
MARKS = {
    date(2026, 2, 14): "workday",
    date(2026, 2, 16): "holiday",
    date(2026, 2, 17): "holiday",
    date(2026, 2, 18): "holiday",
    date(2026, 2, 21): "workday",
    date(2026, 2, 23): "holiday",
}
OFFICE = WorkCalendar("office", ((480, 720), (840, 1080)), "working_days", MARKS, last_loaded_year=2026)
DAILY = WorkCalendar("daily", ((420, 1260),), "every_day", MARKS, last_loaded_year=2026)
ALL_DAY = WorkCalendar("all_day", ((0, 1440),), "every_day", MARKS, last_loaded_year=2026)

moments = st.integers(0, 14 * 1440).map(lambda minutes: FIRST + minutes * MINUTE)
pauses = st.lists(st.tuples(moments, st.integers(0, 4000)), max_size=4).map(
    lambda rows: [Pause(start, start + minutes * MINUTE, "挂账") for start, minutes in rows]
)


def counts(minute: datetime, *, calendar: WorkCalendar, paused: list[Pause], basis: str) -> bool:
    """Whether the minute beginning at `minute` counts, straight from the rules."""
    if any(pause.start_at <= minute < pause.end_at for pause in paused):
        return False
    if basis == "natural":
        return True
    local = minute.astimezone(CHINA)
    if calendar.days == "working_days":
        mark = MARKS.get(local.date())
        if mark == "holiday" or (mark is None and local.weekday() >= 5):
            return False
    of_day = local.hour * 60 + local.minute
    return any(first <= of_day < last for first, last in calendar.spans)


@given(
    start=moments,
    amount=st.integers(1, 3000),
    calendar=st.sampled_from([OFFICE, DAILY, ALL_DAY]),
    paused=pauses,
    natural=st.booleans(),
)
def test_due_and_worked_time_agree_with_counting_minutes(
    start: datetime, amount: int, calendar: WorkCalendar, paused: list[Pause], natural: bool
) -> None:
    basis = "natural" if natural else "working"
    minute, left = start, amount
    while left:
        left -= counts(minute, calendar=calendar, paused=paused, basis=basis)
        minute += MINUTE
    answer = due(start, amount, basis="natural" if natural else "working", calendar=calendar, pauses=paused)
    assert answer.due_at == minute
    # The stretches tell the whole way, without a gap.
    assert [span.start_at for span in answer.spans] == [start, *(span.end_at for span in answer.spans[:-1])]
    assert answer.spans[-1].end_at == minute
    assert round(sum(span.minutes for span in answer.spans), 6) == amount
    again = worked_minutes(start, minute, calendar=calendar, pauses=paused, basis="natural" if natural else "working")
    assert again == amount


@given(a=moments, b=moments, c=moments, paused=pauses)
def test_worked_time_adds_up(a: datetime, b: datetime, c: datetime, paused: list[Pause]) -> None:
    first, second, third = sorted((a, b, c))
    whole = worked_minutes(first, third, calendar=OFFICE, pauses=paused)
    parts = worked_minutes(first, second, calendar=OFFICE, pauses=paused)
    assert whole == parts + worked_minutes(second, third, calendar=OFFICE, pauses=paused)
