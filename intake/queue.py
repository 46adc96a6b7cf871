"""What a person asks of the queue and what he gets: filter and page, as values. The question is answered by the store."""

from dataclasses import dataclass
from datetime import datetime

from intake.model import Case, State, Subclass

PAGE = 25
PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What a queue shows. Empty fields do not filter. `visible_unit` and `visible_states` are the viewer's
    bounds; `searches` is `all`, or `masked` for posts that see citizens' words masked: they search number and place only,
    and of confidential cases the number alone. `needs` names open work beside the state, as `task:revisit`,
    `request:return`, `debt` or `lacking` (NEEDS); `phone` is a whole number in normal form, found besides the text."""

    states: tuple[State, ...] = ()
    channel: str = ""
    subclass: Subclass | None = None
    unit: str = ""
    district: str = ""
    urgent: bool = False
    overdue_at: datetime | None = None
    operator_id: int = 0
    text: str = ""
    phone: str = ""
    needs: tuple[str, ...] = ()
    searches: str = "all"
    visible_unit: str = ""
    visible_states: frozenset[State] | None = None


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page and the key of the next; `next` is empty on the last."""

    cases: tuple[Case, ...]
    next: str
