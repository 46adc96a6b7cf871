"""The working-time engine: when something is due, how much working time has passed, and why.

Office hours, holidays and make-up days are yearly data read by `load_calendars`; past the last loaded year weekends
alone decide and the answer is marked provisional, so receiving and filing never stop for a missing notice. Wording of
the reasons stands in calendar_explain.py; which limit applies to a case is decided elsewhere.
"""

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from intake.calendar_explain import Basis, DueTime, Span, Why, explain

__all__ = [
    "Basis", "CalendarError", "DueTime", "Pause", "Span", "Why", "WorkCalendar", "due", "explain", "load_calendars",
    "worked_minutes",
]

DayRule = Literal["every_day", "working_days"]

_ONE_DAY = timedelta(days=1)
_DAY_MINUTES = 1440
_SATURDAY = 5
MOST_MINUTES = 20 * 366 * _DAY_MINUTES


class CalendarError(ValueError):
    """A calendar that cannot be used as written; says which and why."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Time that does not count: suspended, returned. For one still open, give the present moment as its end."""

    start_at: datetime
    end_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Office hours of a unit. `spans` are local minutes of the day, from < to, in order, 0..1440.

    `holidays` maps a date to "holiday" or "workday" (调休上班) and matters only with days = "working_days".
    """

    name: str
    spans: tuple[tuple[int, int], ...]
    days: DayRule
    holidays: Mapping[date, str] = field(default_factory=dict)
    last_loaded_year: int = 0
    tz: str = "Asia/Shanghai"
    holiday_names: Mapping[date, str] = field(default_factory=dict)
    title: str = ""

    def __post_init__(self) -> None:
        edges = [minute for span in self.spans for minute in span]
        if not edges or edges[0] < 0 or edges[-1] > _DAY_MINUTES or any(a >= b for a, b in self.spans):
            raise CalendarError(f"calendar {self.name}: spans must lie within one day and have a length")
        if edges != sorted(edges):
            raise CalendarError(f"calendar {self.name}: spans must be in order and must not overlap")
        if self.days not in ("every_day", "working_days"):
            raise CalendarError(f"calendar {self.name}: days is every_day or working_days")

    def works_on(self, day: date) -> Why:
        """WORKED or MAKEUP for a day with office hours, WEEKEND or HOLIDAY for one without."""
        if self.days == "every_day":
            return Why.WORKED
        weekend = day.weekday() >= _SATURDAY
        mark = self.holidays.get(day) if day.year <= self.last_loaded_year else None
        if mark == "holiday":
            return Why.HOLIDAY
        if mark == "workday":
            return Why.MAKEUP if weekend else Why.WORKED
        return Why.WEEKEND if weekend else Why.WORKED


def load_calendars(calendars_toml: Path, holidays_csv: Path, *, tz: str = "Asia/Shanghai") -> dict[str, WorkCalendar]:
    """Calendars by name from [calendar.NAME] tables (spans, days, title) and from rows of date,name,kind (holiday|workday).

    A year counts as loaded when it has a holiday, for each notice of the State Council covers a whole year. Raises
    CalendarError with the file and the place for anything that cannot be read.
    """
    marks, names = _read_holidays(holidays_csv)
    last_loaded_year = max((day.year for day, kind in marks.items() if kind == "holiday"), default=0)
    try:
        tables = tomllib.loads(calendars_toml.read_text("utf-8"))["calendar"]
        return {
            key: WorkCalendar(
                key, read_spans(row["spans"]), row["days"], marks, last_loaded_year, tz, names, row.get("title", "")
            )
            for key, row in tables.items()
        }
    except CalendarError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalendarError(f"{calendars_toml.name}: {error!r}") from error


def read_spans(rows: Sequence[Sequence[str]]) -> tuple[tuple[int, int], ...]:
    """Pairs of HH:MM as minutes since midnight."""
    return tuple((_minute(start), _minute(end)) for start, end in rows)


def _minute(clock: str) -> int:
    """Minutes since midnight for HH:MM; 24:00 ends the day."""
    hours, colon, minutes = clock.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise CalendarError(f"{clock!r} is not a time of day, HH:MM")
    return int(hours) * 60 + int(minutes)


def _read_holidays(path: Path) -> tuple[dict[date, str], dict[date, str]]:
    marks: dict[date, str] = {}
    names: dict[date, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                day, kind = date.fromisoformat(row["date"].strip()), row["kind"].strip()
            except (KeyError, ValueError, AttributeError) as error:
                raise CalendarError(f"{path.name}, line {number}: {error!r}") from error
            if kind not in ("holiday", "workday") or day in marks:
                raise CalendarError(f"{path.name}, line {number}: unknown kind or a date given twice")
            marks[day], names[day] = kind, (row.get("name") or "").strip()
    return marks, names


def due(
    start_at: datetime,
    amount_minutes: int,
    *,
    basis: Basis,
    calendar: WorkCalendar,
    pauses: Sequence[Pause] = (),
) -> DueTime:
    """The earliest moment at which `amount_minutes` of countable time have passed since `start_at` (aware).

    An extension is simply added to the amount. With nothing to wait for the answer is `start_at` itself. Raises
    ValueError for a naive moment and for an amount below 0 or above MOST_MINUTES (20 years).
    """
    if not 0 <= amount_minutes <= MOST_MINUTES:
        raise ValueError("amount_minutes is outside 0 to 20 years")
    start_at = _utc(start_at)
    left = timedelta(minutes=amount_minutes)
    spans: list[Span] = []
    due_at = start_at
    for span in _walk(start_at, basis, calendar, _merged(pauses)) if left else ():
        length = span.end_at - span.start_at
        if span.minutes and length >= left:
            due_at = span.start_at + left
            spans.append(Span(span.start_at, due_at, left / timedelta(minutes=1), span.why))
            break
        left -= length if span.minutes else timedelta()
        spans.append(span)
    unknown = _first_unknown_year(due_at, basis, calendar)
    return DueTime(start_at, due_at, amount_minutes, basis, unknown > 0, tuple(spans), calendar.tz, unknown)


def worked_minutes(
    a: datetime, b: datetime, *, calendar: WorkCalendar, pauses: Sequence[Pause] = (), basis: Basis = "working"
) -> int:
    """Whole countable minutes between two aware moments; 0 when b is not after a."""
    a, b = _utc(a), _utc(b)
    total = timedelta()
    for span in _walk(a, basis, calendar, _merged(pauses)) if a < b else ():
        if span.start_at >= b:
            break
        if span.minutes:
            total += min(span.end_at, b) - span.start_at
    return total // timedelta(minutes=1)


def _first_unknown_year(due_at: datetime, basis: Basis, calendar: WorkCalendar) -> int:
    """The first year whose holidays were guessed on the way to `due_at`, or 0."""
    if basis == "natural" or calendar.days == "every_day":
        return 0
    # Exactly midnight of New Year still ends the old year: no day of the new one was used.
    last_used = (due_at - timedelta(microseconds=1)).astimezone(_zone(calendar.tz))
    return calendar.last_loaded_year + 1 if last_used.year > calendar.last_loaded_year else 0


def _walk(start_at: datetime, basis: Basis, calendar: WorkCalendar, pauses: Sequence[Pause]) -> Iterator[Span]:
    """Stretches from `start_at` on without gaps or end; neighbours that do not count for one reason are one stretch."""
    stretches = _natural(start_at) if basis == "natural" else _office(start_at, calendar)
    waiting: Span | None = None
    for span in _with_pauses(stretches, pauses):
        if waiting and (waiting.why, waiting.note) == (span.why, span.note) and not span.minutes:
            waiting = Span(waiting.start_at, span.end_at, 0.0, span.why, span.note)
            continue
        if waiting:
            yield waiting
        waiting = None if span.minutes else span
        if span.minutes:
            yield span


def _natural(start_at: datetime) -> Iterator[Span]:
    """All time counts: stretches as long as any amount may be."""
    step = timedelta(minutes=MOST_MINUTES)
    while True:
        yield _counted(start_at, start_at + step, Why.NATURAL)
        start_at += step


def _office(start_at: datetime, calendar: WorkCalendar) -> Iterator[Span]:
    """Office hours and what lies between them, a whole day at a time."""
    day = start_at.astimezone(_zone(calendar.tz)).date()
    while True:
        why = calendar.works_on(day)
        for start, end, counts in _day_stretches(day, calendar, why):
            if end > start_at:
                start = max(start, start_at)
                yield _counted(start, end, why) if counts else Span(start, end, 0.0, *_rest(day, calendar, why))
        day += _ONE_DAY


def _day_stretches(day: date, calendar: WorkCalendar, why: Why) -> Iterator[tuple[datetime, datetime, bool]]:
    """A local day cut at its office hours; yields start, end and whether it counts."""
    midnight, next_midnight = _instant(day, 0, calendar.tz), _instant(day, _DAY_MINUTES, calendar.tz)
    done = midnight
    for first, last in calendar.spans if why in (Why.WORKED, Why.MAKEUP) else ():
        start, end = _instant(day, first, calendar.tz), _instant(day, last, calendar.tz)
        if start > done:
            yield done, start, False
        yield start, end, True
        done = end
    if done < next_midnight:
        yield done, next_midnight, False


def _rest(day: date, calendar: WorkCalendar, why: Why) -> tuple[Why, str]:
    """The reason and note of time that does not count on that day."""
    if why == Why.HOLIDAY:
        return why, calendar.holiday_names.get(day, "")
    return (why if why == Why.WEEKEND else Why.OFF_HOURS), ""


def _with_pauses(stretches: Iterator[Span], pauses: Sequence[Pause]) -> Iterator[Span]:
    """The same time with the paused parts of counting stretches cut out. `pauses` are in order and apart."""
    index = 0
    for span in stretches:
        at = span.start_at
        while span.minutes and at < span.end_at:
            while index < len(pauses) and pauses[index].end_at <= at:
                index += 1
            pause = pauses[index] if index < len(pauses) and pauses[index].start_at < span.end_at else None
            stop = pause.start_at if pause else span.end_at
            if stop > at:
                yield _counted(at, stop, span.why)
            if pause:
                stop = min(pause.end_at, span.end_at)
                yield Span(max(at, pause.start_at), stop, 0.0, Why.PAUSE, pause.reason)
            at = stop
        if not span.minutes:
            yield span


def _counted(start: datetime, end: datetime, why: Why) -> Span:
    return Span(start, end, (end - start) / timedelta(minutes=1), why)


def _merged(pauses: Sequence[Pause]) -> list[Pause]:
    """Pauses in order, in UTC, overlapping ones joined under the reason of the earlier."""
    merged: list[Pause] = []
    for start, end, reason in sorted((_utc(p.start_at), _utc(p.end_at), p.reason) for p in pauses):
        if merged and start < merged[-1].end_at:
            last = merged.pop()
            merged.append(Pause(last.start_at, max(last.end_at, end), last.reason))
        elif start < end:
            merged.append(Pause(start, end, reason))
    return merged


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=4096)
def _instant(day: date, minute: int, tz: str) -> datetime:
    """The moment in UTC of a local minute of a day; minute 1440 is the next midnight."""
    if minute == _DAY_MINUTES:
        return _instant(day + _ONE_DAY, 0, tz)
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=_zone(tz))
    return local.astimezone(UTC)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment must be aware")
    return moment.astimezone(UTC)
