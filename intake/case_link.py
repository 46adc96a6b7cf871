"""Which cases belong together without being one: parted from one report (拆单), or the same matter come back (复发件).

A link stands once and is read from both its ends. Merged cases need none: they name their main case.
"""

from dataclasses import dataclass
from datetime import datetime

from intake.ports import Work

SPLIT, AGAIN = "split", "again"
WORDS = {SPLIT: ("拆出", "拆自"), AGAIN: ("复发于", "此前")}
"""What the other case is, seen from the one the link starts at and from its other end."""


@dataclass(frozen=True, slots=True)
class CaseLink:
    """From `case_no` to `other_no`: the case a report was parted from and the part; the case closed and the one come back."""

    link_id: int
    case_no: int
    other_no: int
    kind: str
    at: datetime
    by: int = 0


@dataclass(frozen=True, slots=True)
class Linked:
    """A link as one of its ends sees it."""

    case_no: int
    kind: str
    words: str


def links_of(work: Work, case_no: int) -> tuple[Linked, ...]:
    """Every case linked with one, oldest link first."""
    found = [(one.link_id, Linked(one.other_no, one.kind, WORDS[one.kind][0])) for one in work.find(CaseLink, case_no=case_no)]
    found += [(one.link_id, Linked(one.case_no, one.kind, WORDS[one.kind][1])) for one in work.find(CaseLink, other_no=case_no)]
    return tuple(linked for _, linked in sorted(found, key=lambda pair: pair[0]))


def link(work: Work, case_no: int, other_no: int, *, kind: str, by: int) -> None:
    """Link two cases; a second time changes nothing."""
    if not work.find(CaseLink, case_no=case_no, other_no=other_no, kind=kind, limit=1):
        work.add(CaseLink(work.new_id(), case_no, other_no, kind, work.now, by))
