"""Does a message belong to a report of the same sender, or is it a new matter? A pure function with its reason.

Weighs time, thread (what the talk is about), text and place. Only the sender's own reports are looked at: reports of
several people about one matter are offered to an operator as likely repeats, never joined here (process.md §4).
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, hypot, radians

from intake.model import Place, Subclass
from intake.text import bigrams

IN_ONE_GO = timedelta(minutes=10)
"""Messages following each other so closely are one story told in pieces, unless they name another place or matter."""
STILL_IN_MIND = timedelta(hours=24)
AFTER_CLOSING = timedelta(days=7)
SAME_PLACE_M, OTHER_PLACE_M = 100.0, 300.0
SHORT_CHARS = 15
"""A text so short that names neither place nor matter points at something said before (就是那个路口)."""
MUCH_ALIKE, ALIKE, HARDLY_ALIKE = 0.6, 0.3, 0.12
SAME_NAME = 0.6
NOWHERE = Place()
_DEGREE_M = 111_000.0

REASON_WORDS = {
    "no_report": "没有其他反映", "same_talk": "接着刚才的话", "same_place_and_matter": "地点和问题相同",
    "same_words": "内容相同", "urging": "催问在办的反映", "points_back": "指前面说过的事", "after_closing": "对结案的意见",
    "another_matter": "另一件事", "asked": "回答了提问", "chosen": "按序号选定", "named": "写明了编号", "moved": "由工作人员移来",
}  # fmt: skip
"""Reasons as an operator reads them; the last four are not decided here."""


@dataclass(frozen=True, slots=True)
class Saying:
    """The new message. `talk_no` is the report the talk is about (0: none); `urging`: sounds like asking again."""

    text: str
    at: datetime
    place: Place = NOWHERE
    subclass: Subclass | None = None
    talk_no: int = 0
    urging: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A report of the same sender. `said_at` is when he last wrote about it."""

    case_no: int
    text: str
    said_at: datetime
    place: Place = NOWHERE
    subclass: Subclass | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """`decision`: new, join (more of the same story), repeat (催办) or closed (a word on a finished case)."""

    decision: str
    case_no: int
    reason: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """One known report beside the message. `place`: same, other or unknown."""

    known: Known
    saying: Saying
    words: float
    place: str
    same_class: bool
    other_class: bool

    @property
    def gap(self) -> timedelta:
        return self.saying.at - self.known.said_at

    @property
    def is_open(self) -> bool:
        return self.known.closed_at is None

    @property
    def is_other_matter(self) -> bool:
        return self.place == "other" or (self.other_class and self.words < HARDLY_ALIKE)

    @property
    def points_back(self) -> bool:
        """Short, with neither a place nor a matter of its own."""
        return (
            len(self.saying.text) <= SHORT_CHARS and not has_place(self.saying.place) and self.saying.subclass is None
        )


def _in_one_go(one: Weighed) -> bool:
    talked = one.known.case_no == one.saying.talk_no
    return one.is_open and talked and timedelta(0) <= one.gap <= IN_ONE_GO and not one.is_other_matter


def _same_place_and_matter(one: Weighed) -> bool:
    return one.is_open and one.place == "same" and (one.same_class or one.words >= ALIKE)


def _same_words(one: Weighed) -> bool:
    return one.is_open and one.place != "other" and one.words >= MUCH_ALIKE


def _urging(one: Weighed) -> bool:
    about = one.words >= HARDLY_ALIKE or one.same_class or not has_place(one.saying.place)
    return one.is_open and one.saying.urging and about and not one.is_other_matter


def _points_back(one: Weighed) -> bool:
    return one.is_open and one.points_back and timedelta(0) <= one.gap <= STILL_IN_MIND


def _after_closing(one: Weighed) -> bool:
    closed_at = one.known.closed_at
    if closed_at is None or one.saying.at - closed_at > AFTER_CLOSING or one.place == "other":
        return False
    return one.points_back or one.words >= ALIKE or (one.saying.urging and not one.is_other_matter)


RULES: tuple[tuple[str, str, Callable[[Weighed], bool]], ...] = (
    ("join", "same_talk", _in_one_go),
    ("repeat", "same_place_and_matter", _same_place_and_matter),
    ("repeat", "same_words", _same_words),
    ("repeat", "urging", _urging),
    ("join", "points_back", _points_back),
    ("closed", "after_closing", _after_closing),
)
"""Decision, reason, test; the first rule that fits any report wins, among reports the one written about last."""


def match(saying: Saying, known: Iterable[Known]) -> Match:
    """Decide where a message belongs. Looks at the sender's own reports only; never raises."""
    weighed = sorted((weigh(saying, one) for one in known), key=lambda one: one.known.said_at, reverse=True)
    for decision, reason, fits in RULES:
        for one in weighed:
            if fits(one):
                return Match(decision, one.known.case_no, reason)
    return Match("new", 0, "another_matter" if weighed else "no_report")


def weigh(saying: Saying, known: Known) -> Weighed:
    """Everything the rules look at for one report."""
    both = saying.subclass is not None and known.subclass is not None
    return Weighed(
        known=known,
        saying=saying,
        words=likeness(saying.text, known.text),
        place=compare_places(saying.place, known.place),
        same_class=both and saying.subclass == known.subclass,
        other_class=both and saying.subclass != known.subclass,
    )


def likeness(one: str, other: str) -> float:
    """0..1: how much of the shorter text's character pairs the longer one shares."""
    left, right = Counter(bigrams(one)), Counter(bigrams(other))
    least = min(left.total(), right.total())
    return (left & right).total() / least if least else 0.0


def has_place(place: Place) -> bool:
    return bool(place.text) or place.lon is not None


def compare_places(one: Place, other: Place) -> str:
    """same, other or unknown. Points decide where both have one; else names, whose numbers must agree."""
    if one.lon is not None and one.lat is not None and other.lon is not None and other.lat is not None:
        apart = hypot((one.lon - other.lon) * cos(radians(one.lat)), one.lat - other.lat) * _DEGREE_M
        return "same" if apart <= SAME_PLACE_M else "other" if apart > OTHER_PLACE_M else "unknown"
    if not one.text or not other.text:
        return "unknown"
    # Two neighbouring shops are two cases: 3号 and 5号 of one street are not the same place.
    left, right = numbers_of(one.text), numbers_of(other.text)
    if left and right and left.isdisjoint(right):
        return "other"
    if one.text in other.text or other.text in one.text or likeness(one.text, other.text) >= SAME_NAME:
        return "same"
    return "other"


def numbers_of(text: str) -> frozenset[str]:
    """Numbers standing in a place name."""
    digits = "".join(char if char.isdigit() else " " for char in text)
    return frozenset(digits.split())
