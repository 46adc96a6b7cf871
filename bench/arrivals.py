"""When a metropolis reports: 983,155 reports over the days, weekdays and hours of 2026, the same for the same seed.

The shape is what city hotlines publish about themselves: summer and the weeks before the Spring Festival busy, the
festivals quiet, Mondays busiest, two humps a day (mid-morning, mid-afternoon) and a long evening tail of noise.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from intake.calendar import Why, WorkCalendar

YEAR, REPORTS = 2026, 983_155
MONTHS = (0.92, 0.74, 0.95, 0.98, 1.05, 1.14, 1.22, 1.20, 1.06, 0.96, 0.92, 0.90)
WEEKDAYS = (1.14, 1.08, 1.05, 1.04, 1.03, 0.86, 0.80)
DAYS = {Why.HOLIDAY: 0.62, Why.MAKEUP: 1.05}
HOURS = (0.9, 0.5, 0.3, 0.25, 0.3, 0.6, 1.6, 3.6, 6.6, 8.4, 8.2, 6.4, 4.4, 5.2, 7.0, 7.2, 6.4, 5.4, 4.8, 4.9, 5.0, 4.6, 3.2, 1.8)
"""Weights of the hours of a day, midnight first."""


def day_counts(calendar: WorkCalendar, dice: random.Random, *, reports: int = REPORTS) -> list[tuple[date, int]]:
    """How many reports each day of the year brings; they sum to `reports`."""
    first = date(YEAR, 1, 1)
    days = [first + timedelta(days=number) for number in range((date(YEAR + 1, 1, 1) - first).days)]
    weights = [_weight(day, calendar) * dice.uniform(0.9, 1.1) for day in days]
    shares = list(accumulate(weights))
    ends = [round(reports * share / shares[-1]) for share in shares]
    return [(day, end - start) for day, start, end in zip(days, [0, *ends], ends, strict=False)]


def _weight(day: date, calendar: WorkCalendar) -> float:
    why = calendar.works_on(day)
    return MONTHS[day.month - 1] * DAYS.get(why, 1.0) * (1.0 if why in DAYS else WEEKDAYS[day.weekday()])


def arrivals(calendar: WorkCalendar, zone: ZoneInfo, seed: int) -> Iterator[datetime]:
    """The moments of all reports in order, aware."""
    dice = random.Random(seed)
    for day, count in day_counts(calendar, dice):
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        hours = dice.choices(range(24), HOURS, k=count)
        yield from sorted(midnight + timedelta(seconds=hour * 3600 + dice.randrange(3600)) for hour in hours)
