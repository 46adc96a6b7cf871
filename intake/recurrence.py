"""The same matter come back (复发件): cases of one class closed at one spot within a year. Shown and linked by a person.

A case closed once does not live again for it: a vendor who returns every night is a new, linked case (process.md §4).
"""

from datetime import timedelta
from math import cos, hypot, radians

from intake import case_link
from intake.errors import BadInput, NotAllowed
from intake.model import Actor, Case, Place, State
from intake.ports import Work
from intake.usecases import load_case
from intake.workflow import HALL

WITHIN = timedelta(days=365)
NEAR_M = 50.0
LOOKED_AT, SHOWN = 40, 3
DEGREE_M = 111_320.0
OVER = frozenset({State.CLOSED, State.ARCHIVED})


def earlier_cases(work: Work, case: Case) -> tuple[Case, ...]:
    """The last cases of the same class closed at the same spot before this one came, newest first."""
    found = work.cases_before(case, states=OVER, limit=LOOKED_AT)
    return tuple(one for one in found if is_earlier(one, case))[:SHOWN]


def is_earlier(one: Case, case: Case) -> bool:
    """Whether `one` was closed at the spot of `case` in the year before it came."""
    if one.case_no == case.case_no or one.state not in OVER or one.closed_at is None:
        return False
    since = case.received_at - one.closed_at
    return timedelta() <= since <= WITHIN and is_same_spot(one.place, case.place)


def is_same_spot(one: Place, other: Place) -> bool:
    """Within 50 m by their points; where either has none, by the same words in the same grid."""
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return bool(one.text) and one.grid_code == other.grid_code and one.text == other.text
    east = (one.lon - other.lon) * cos(radians(one.lat))
    return hypot(east, one.lat - other.lat) * DEGREE_M <= NEAR_M


def link_again(work: Work, case_no: int, earlier: int, actor: Actor) -> None:
    """Say that a case is an earlier one come back. Raises BadInput unless the earlier one is over."""
    if actor.role not in HALL:
        raise NotAllowed
    case, before = load_case(work, case_no, actor), load_case(work, earlier, actor)
    if before.state not in OVER or before.case_no == case.case_no:
        raise BadInput("earlier", "只能关联已结案的案件。")
    case_link.link(work, before.case_no, case.case_no, kind=case_link.AGAIN, by=actor.user_id)
