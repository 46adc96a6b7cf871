"""What is said in one breath: words of the vocabulary that sound better recorded together than joined one by one.

A player takes the longest recording first, so that single words remain for everything else. Made by the functions of
speech.py themselves, so that the texts are exactly theirs.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from ivr.speech import HALVES, OPERATOR_DIGITS, cardinal, clock, day, duration, text_of

A_YEAR = 2028
"""A leap year, for the twenty-ninth of February."""


def breaths() -> tuple[str, ...]:
    """Every joined text, each once."""
    return tuple(dict.fromkeys([*_counts(), *_pairs(), *_keys(), *_days(), *_times(), *_waits()]))


def _counts() -> Iterator[str]:
    yield from (cardinal(number) for number in range(11, 100))


def _pairs() -> Iterator[str]:
    # Telephone and case numbers: alone a digit is too short to be understood (decision 5), of threes there would be a thousand.
    yield from (first + second for first in OPERATOR_DIGITS for second in OPERATOR_DIGITS)


def _keys() -> Iterator[str]:
    yield from (f"的请按{cardinal(key)}" for key in range(1, 10))


def _days() -> Iterator[str]:
    for passed in range(366):
        month, _, rest = text_of(day((date(A_YEAR, 1, 1) + timedelta(passed)).isoformat())).partition("月")
        yield from (f"{month}月", rest)


def _times() -> Iterator[str]:
    first = datetime(A_YEAR, 1, 1)  # noqa: DTZ001  a clock on the wall, nowhere in particular
    for hour in range(24):
        yield text_of(clock(first.replace(hour=hour).isoformat()))
        yield text_of(clock(first.replace(hour=hour, minute=30).isoformat()))
    for minute in range(1, 60):
        yield text_of(clock(first.replace(minute=minute).isoformat())).removeprefix(f"{HALVES[0][1]}零点")


def _waits() -> Iterator[str]:
    yield from (text_of(duration(str(seconds))) for seconds in (15, 30, *range(60, 1801, 60)))
    yield from (text_of(duration(str(hours * 3600))) for hours in range(1, 13))
