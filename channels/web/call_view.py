"""What the panels of the call screen show, as values made from what was read. Pure; masking happens here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.web.desk_left import Left, left_of
from channels.web.desk_row import flags_of
from intake.call import SUMMARIES
from intake.caller_past import CallerPast, PastCase
from intake.desk_record import CallSummary
from intake.gazetteer import WHY_WORDS, PlaceMatch, PlaceWhy
from intake.hint import Hint
from intake.masking import mask_phone
from intake.model import Case, Place
from intake.rules import Rules
from intake.taxonomy import Taxonomy
from intake.workflow import STATE_WORDS

BRIEF_CHARS = 60


@dataclass(frozen=True, slots=True)
class Brief:
    """A case in a panel. `told` are the exact words the caller was told last."""

    case_no: str
    subclass: str
    place: str
    words: str
    state_words: str
    is_open: bool
    received_at: datetime
    left: Left
    flags: tuple[str, ...]
    unit_name: str
    told: str = ""
    told_at: datetime | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class CallerView:
    """`phone` is masked. `marks` are words every operator should know of this number."""

    phone: str
    cases: tuple[Brief, ...]
    places: tuple["PlaceView", ...]
    hidden: int
    calls: tuple[tuple[datetime, str], ...]
    marks: tuple[str, ...]

    @property
    def open_count(self) -> int:
        return sum(1 for one in self.cases if one.is_open)


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place to pick. `text` is what the field will hold, `name` what must stay in it for the point to count."""

    id: str
    text: str
    name: str
    why: str
    area: str
    grid_code: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A class on a key: the words that led to it stand in the text."""

    key: str
    value: str
    name: str
    code: str
    words: tuple[str, ...]
    percent: int
    condition: str


def caller_view(
    past: CallerPast, number: str, *, rules: Rules, now: datetime, marks: Iterable[str] = ()
) -> CallerView:
    return CallerView(
        phone=mask_phone(number) if number else "",
        cases=tuple(past_brief(one, rules=rules, now=now) for one in past.cases),
        places=tuple(recent_place(place, at) for at, place in enumerate(past.places)),
        hidden=past.hidden,
        calls=tuple(_call_words(one) for one in past.calls),
        marks=tuple(marks),
    )


def _call_words(call: CallSummary) -> tuple[datetime, str]:
    return call.at, SUMMARIES.get(call.outcome, call.outcome)


def past_brief(past: PastCase, *, rules: Rules, now: datetime) -> Brief:
    return brief_of(past.case, rules=rules, now=now, is_open=past.is_open, told=past.told, told_at=past.told_at)


def brief_of(
    case: Case, *, rules: Rules, now: datetime, is_open: bool, told: str = "", told_at: datetime | None = None
) -> Brief:
    """A case as a panel shows it; of a confidential one no words."""
    unit = rules.units.get(case.unit)
    return Brief(
        case_no=str(case.case_no),
        subclass=rules.taxonomy.name(case.subclass) or "未分类",
        place=case.place.text if not case.confidential else case.place.community,
        words="" if case.confidential else _short(case.description),
        state_words=STATE_WORDS[case.state],
        is_open=is_open,
        received_at=case.received_at,
        left=left_of(case, now),
        flags=flags_of(case, now=now),
        unit_name=unit.name if unit else "",
        told=told,
        told_at=told_at,
        result=case.result,
    )


def _short(text: str) -> str:
    return text if len(text) <= BRIEF_CHARS else f"{text[:BRIEF_CHARS]}…"


def recent_place(place: Place, at: int) -> PlaceView:
    """A place the caller spoke of before."""
    return PlaceView(
        id=f"recent-{at}", text=place.text, name=place.text, why="最近说过", area=_area(place.street, place.community),
        grid_code=place.grid_code, lon=place.lon, lat=place.lat,
    )  # fmt: skip


def place_view(match: PlaceMatch, typed: str) -> PlaceView:
    """A candidate of the gazetteer: words that name it stay as they were typed, initials give way to the name."""
    row = match.row
    keeps = match.why is not PlaceWhy.INITIALS and match.why is not PlaceWhy.SIMILAR
    read = typed[match.start : match.end]
    return PlaceView(
        id=row.id, text=typed if keeps else row.name, name=read if keeps else row.name, why=WHY_WORDS[match.why],
        area=_area(row.street, row.community), grid_code=row.grid_code, lon=row.lon, lat=row.lat,
    )  # fmt: skip


def _area(street: str, community: str) -> str:
    return " ".join(part for part in (street, community) if part)


def suggestions(hints: Sequence[Hint], taxonomy: Taxonomy) -> tuple[Suggestion, ...]:
    """Hints on the keys 1, 2, 3."""
    return tuple(
        Suggestion(str(key), str(hint.subclass), taxonomy.name(hint.subclass), hint.subclass.code, hint.words,
                   round(hint.confidence * 100), hint.condition)
        for key, hint in enumerate(hints, start=1)
    )  # fmt: skip
