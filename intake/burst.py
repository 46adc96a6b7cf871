"""One event, many reports: a burst main told by two thousand messages rings the shift leader once, not two thousand times.

Pure. Every report is a case of its own and stands at the top of the queue; only the alarm is shared. Where it is not
certain that the event is the same, there are two alarms rather than none.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from intake.matching import compare_places, has_place
from intake.model import Case

LASTS = timedelta(minutes=30)
"""An event that is still being told after so long rings once more."""
LOOKED_AT = 30
MOST_PLACELESS = 5
"""Of reports that name no place, nobody can say whether they mean one event: so many ring by themselves."""


def alarm_of(case: Case, ringing: Iterable[Case]) -> int:
    """The case whose alarm already tells of this one's danger, or 0 when it must ring itself. `ringing` are the latest
    cases with an alarm of their own, newest first."""
    same = [one for one in ringing if _is_recent(one, case.received_at) and set(one.danger_words) & set(case.danger_words)]
    if has_place(case.place):
        return next((one.case_no for one in same if compare_places(case.place, one.place) == "same"), 0)
    placeless = [one.case_no for one in same if not has_place(one.place)]
    return placeless[0] if len(placeless) >= MOST_PLACELESS else 0


def _is_recent(case: Case, now: datetime) -> bool:
    return now - case.received_at <= LASTS
