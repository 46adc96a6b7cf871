"""How much time a case has left, in words and in three levels; colour alone never says it.

Pure. Natural time: how the due moment came about, with working hours and pauses, is told on the case page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from intake.model import Case, State
from intake.timers import RUNNING

SOON = timedelta(hours=2)
LAST_FIFTH = 0.2
WAITED_LONG = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Left:
    """`level`: late (red), soon (amber) or calm; `words` always say the same as the colour."""

    level: str
    words: str


NOTHING = Left("calm", "")


def left_of(case: Case, now: datetime) -> Left:
    """Time left with the unit; for what nobody has looked at yet, how long it waits."""
    if case.state is State.REPORTED:
        return _waiting(now - case.received_at)
    if case.due_at is None or case.state not in RUNNING:
        return NOTHING
    left = case.due_at - now
    if left <= timedelta(0):
        return Left("late", f"超期{span_words(-left)}")
    whole = case.due_at - (case.clock_at or case.received_at)
    if left <= SOON or left <= whole * LAST_FIFTH:
        return Left("soon", f"将到期 剩{span_words(left)}")
    return Left("calm", f"剩{span_words(left)}")


def _waiting(waited: timedelta) -> Left:
    words = f"已等{span_words(max(waited, timedelta(0)))}"
    return Left("soon", f"{words} 待处理") if waited > WAITED_LONG else Left("calm", words)


def span_words(span: timedelta) -> str:
    """A span in its two largest units: 3天4小时, 2小时10分, 5分."""
    minutes = int(span.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{days}天{hours}小时" if hours else f"{days}天"
    if hours:
        return f"{hours}小时{rest}分" if rest else f"{hours}小时"
    return f"{rest}分"
