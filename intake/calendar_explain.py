"""What a due time is and how it reads: the stretches on the way to it, and plain Chinese for operators and units.

The engine that finds the stretches is calendar.py, which passes these names on; import them from there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

Basis = Literal["natural", "working"]


class Why(StrEnum):
    """Why a stretch of time counts (the first three) or does not."""

    WORKED = "worked"
    MAKEUP = "makeup"
    NATURAL = "natural"
    OFF_HOURS = "off_hours"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time between two moments in UTC. `minutes` is what it counts, 0.0 where nothing counts.

    `note` names the holiday or the pause where there is one.
    """

    start_at: datetime
    end_at: datetime
    minutes: float
    why: Why
    note: str = ""


@dataclass(frozen=True, slots=True)
class DueTime:
    """When an amount of time is used up, with the whole way there.

    `provisional` says that the holidays from `unknown_from_year` on were not loaded: compute again when they are.
    """

    start_at: datetime
    due_at: datetime
    amount_minutes: int
    basis: Basis
    provisional: bool
    spans: tuple[Span, ...]
    tz: str = "Asia/Shanghai"
    unknown_from_year: int = 0


_BASIS_WORDS = {"natural": "自然时间（含夜间和节假日）", "working": "工作时间"}
_REST_WORDS = {Why.WEEKEND: "周末", Why.HOLIDAY: "法定节假日", Why.PAUSE: "暂停计时"}


def explain(due_time: DueTime) -> list[str]:
    """The way to a due time in plain Chinese, a line for each run of counting or resting time, in local time.

    Nights and lunch hours are left out; a run over several days is one line.
    """
    zone = ZoneInfo(due_time.tz)
    year = due_time.start_at.astimezone(zone).year
    amount = _amount(due_time.amount_minutes)
    first = f"自{year}年{_moment(due_time.start_at, zone, year)}起，按{_BASIS_WORDS[due_time.basis]}计{amount}。"
    lines = [first, *_run_lines(due_time.spans, zone, year)]
    lines.append(f"{_moment(due_time.due_at, zone, year)}到期。")
    if due_time.provisional:
        lines.append(f"{due_time.unknown_from_year}年的节假日安排尚未载入，暂按周末推算，载入后将重新计算。")
    return lines


def _run_lines(spans: Sequence[Span], zone: ZoneInfo, year: int) -> Iterator[str]:
    total = 0.0
    telling = (span for span in spans if span.why != Why.OFF_HOURS)
    for key, group in groupby(telling, key=lambda span: ("", "") if span.minutes else (span.why, span.note)):
        run = list(group)
        if key[0]:
            yield _rest_line(run, zone, year)
            continue
        minutes = sum(span.minutes for span in run)
        total += minutes
        yield f"{_between(run, zone, year)}：计{_amount(minutes)}，累计{_amount(total)}{_makeup_days(run, zone, year)}。"


def _rest_line(run: Sequence[Span], zone: ZoneInfo, year: int) -> str:
    """One line for time that does not count: pauses by the minute, weekends and holidays by the day."""
    reason = run[0].note or _REST_WORDS[run[0].why]
    if run[0].why == Why.PAUSE:
        return f"{_between(run, zone, year)}：{reason}，不计。"
    first = _day(run[0].start_at, zone, year)
    last = _day(run[-1].end_at - timedelta(microseconds=1), zone, year)
    return f"{first}：{reason}，不计。" if first == last else f"{first}至{last}：{reason}，不计。"


def _makeup_days(run: Sequence[Span], zone: ZoneInfo, year: int) -> str:
    days = dict.fromkeys(_day(span.start_at, zone, year) for span in run if span.why == Why.MAKEUP)
    return f"（{'、'.join(days)}调休上班）" if days else ""


def _amount(minutes: float) -> str:
    """2小时, 1小时30分钟, 45分钟; seconds are rounded away."""
    hours, rest = divmod(round(minutes), 60)
    return (f"{hours}小时" if hours else "") + (f"{rest}分钟" if rest or not hours else "")


def _day(moment: datetime, zone: ZoneInfo, year: int) -> str:
    local = moment.astimezone(zone)
    return ("" if local.year == year else f"{local.year}年") + f"{local.month}月{local.day}日"


def _between(run: Sequence[Span], zone: ZoneInfo, year: int) -> str:
    """From the first to the last moment of a run; a day is named once."""
    start, end = _moment(run[0].start_at, zone, year), _moment(run[-1].end_at, zone, year)
    same_day = start[:-5] == end[:-5]
    return f"{start}至{end[-5:] if same_day else end}"


def _moment(moment: datetime, zone: ZoneInfo, year: int) -> str:
    """1月30日（周五）16:00, with the year where it is not the year of the start."""
    local = moment.astimezone(zone)
    return f"{_day(moment, zone, year)}（周{'一二三四五六日'[local.weekday()]}）{local:%H:%M}"
