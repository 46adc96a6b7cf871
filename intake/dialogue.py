"""The conversation of every text channel as one table: what is said, where the talk stands → what is done and answered.

Pure. What a text wants is read in dialogue_words.py, where it belongs in matching.py; conversation.py stores and acts.
At most one question is asked at a time, none twice about one report, and silence costs nothing: the report is made
with the first words that have content, and questions only add to it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from intake.dialogue_words import Wanted
from intake.matching import Match

QUESTIONS = ("place", "photo", "still")
"""Stages in which a question is open; `choice` waits for a digit, in `free` nothing is asked."""
ANY = ("free", "place", "photo", "still", "choice")
ASKING = ("place", "photo", "still")
PURPOSES = ("urge", "withdraw", "status", "supplement")


NEW = Match("new", 0, "no_report")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a message comes.

    `talk_no` is the report the talk is about, 0 when there is none or it has ended; `open_nos` the sender's own open
    cases, newest first; `rateable_no` the closed one he was told of and has not rated; `named` is how a number he wrote
    stands to him: none, own, proved (with its code), unproved or wrong; `match` is for content; `missing` the questions
    the talk's report still leaves open, in order.
    """

    talk_no: int = 0
    open_nos: tuple[int, ...] = ()
    rateable_no: int = 0
    named: str = "none"
    choices: tuple[int, ...] = ()
    purpose: str = ""
    match: Match = NEW
    has_point: bool = False
    has_place: bool = False
    has_matter: bool = False
    photos: int = 0
    photos_lost: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What follows. `act` is carried out by conversation.py on `case_no`; `answers` are names in answers.toml; `ask`
    lets one open question follow; an empty `stage` leaves the talk where it stands."""

    act: str = "none"
    answers: tuple[str, ...] = ()
    stage: str = "free"
    case_no: int = 0
    reason: str = ""
    purpose: str = ""
    ask: bool = False


Heard = tuple[Wanted, Facts]
Test = Callable[[Wanted, Facts], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: in these stages, with one of these intents and if the test holds. `about` names the case."""

    stages: tuple[str, ...]
    intents: tuple[str, ...]
    turn: Turn
    when: Test = lambda _wanted, _facts: True
    about: str = "talk"


def _named(*states: str) -> Test:
    return lambda _wanted, facts: facts.named in states


def _matched(decision: str) -> Test:
    return lambda _wanted, facts: facts.match.decision == decision


def _has_open(_wanted: Wanted, facts: Facts) -> bool:
    return bool(facts.open_nos)


def _one_open(_wanted: Wanted, facts: Facts) -> bool:
    return len(facts.open_nos) == 1


def _has_talk(_wanted: Wanted, facts: Facts) -> bool:
    return bool(facts.talk_no)


def _rateable(_wanted: Wanted, facts: Facts) -> bool:
    return bool(facts.rateable_no)


def _rates(digit: int) -> Test:
    return lambda wanted, facts: bool(facts.rateable_no) and wanted.digit == digit


def _chosen(purpose: str) -> Test:
    return lambda wanted, facts: facts.purpose == purpose and 1 <= wanted.digit <= len(facts.choices)


def _settled(wanted: Wanted, facts: Facts) -> bool:
    return wanted.weak == "settled" and len(facts.open_nos) == 1


def _only_photos(_wanted: Wanted, facts: Facts) -> bool:
    return bool(facts.photos) and bool(facts.talk_no)


def _only_point(_wanted: Wanted, facts: Facts) -> bool:
    return facts.has_point and bool(facts.talk_no)


def _photos_or_point(_wanted: Wanted, facts: Facts) -> bool:
    return bool(facts.photos) or facts.has_point


def _photos_lost(_wanted: Wanted, facts: Facts) -> bool:
    return bool(facts.photos_lost)


def _is_answer(wanted: Wanted, facts: Facts) -> bool:
    """Free words after `where?` are the place, unless they name another matter or only ask why nobody comes."""
    is_other = facts.match.decision == "new" and facts.has_matter
    return bool(facts.talk_no) and not is_other and (facts.has_place or not wanted.weak)


def _has_rest(wanted: Wanted, facts: Facts) -> bool:
    return bool(wanted.rest) and bool(facts.open_nos)


def _rest_matches(wanted: Wanted, facts: Facts) -> bool:
    return bool(wanted.rest) and facts.match.case_no in facts.open_nos


def _about_talk(wanted: Wanted, facts: Facts) -> bool:
    return bool(wanted.rest) and bool(facts.talk_no)


REPORT = Turn("report", ("received",), ask=True)
STATUS = Turn("status", ("status",))
NOTHING = Turn("none", ("nothing_open",))
WORDED = ("content", "urging", "settled", "supplement")

TABLE: tuple[Row, ...] = (
    Row(ANY, ("automatic",), Turn(stage="")),
    Row(ANY, ("stop",), Turn("stop", ("stopped",))),
    Row(ANY, ("start",), Turn("start", ("started",))),
    Row(ANY, ("human",), Turn("person", ("human_case",)), _has_talk),
    Row(ANY, ("human",), Turn("person", ("human_case",)), _has_open, "newest"),
    Row(ANY, ("human",), Turn("none", ("human",))),
    Row(ANY, ("help",), Turn("none", ("help",), stage="")),
    Row(ASKING, ("cancel",), Turn("none", ("cancelled_kept",)), _has_talk),
    Row(("free",), ("cancel",), Turn("none", ("cancelled_kept",)), _has_talk),
    Row(ANY, ("cancel",), Turn("none", ("cancelled",))),
    # A digit: first what was asked, then the rating of a closing reply.
    Row(("choice",), ("digit",), Turn("urge", ("urged",), reason="chosen", ask=True), _chosen("urge"), "chosen"),
    Row(("choice",), ("digit",), Turn("withdraw", ("withdrawn",), reason="chosen"), _chosen("withdraw"), "chosen"),
    Row(("choice",), ("digit",), replace(STATUS, reason="chosen"), _chosen("status"), "chosen"),
    Row(("choice",), ("digit",), Turn("none", ("supplement_what",), reason="chosen"), _chosen("supplement"), "chosen"),
    Row(("choice",), ("digit",), Turn("none", ("which_again",), stage="")),
    Row(ANY, ("digit",), Turn("good", ("rated_good",)), _rates(1), "rateable"),
    Row(ANY, ("digit",), Turn("bad", ("rated_bad",)), _rates(2), "rateable"),
    Row(ANY, ("good",), Turn("good", ("rated_good",)), _rateable, "rateable"),
    Row(ANY, ("bad",), Turn("bad", ("rated_bad",)), _rateable, "rateable"),
    Row(ANY, ("bad",), Turn("person", ("human_case",)), _has_open, "newest"),
    # Answers to a question.
    Row(("still",), ("yes",), Turn("supplement", ("still_there",), reason="asked"), _has_talk),
    Row(("still",), ("no",), Turn("withdraw", ("withdrawn",), reason="asked"), _has_talk),
    Row(("place",), ("no",), Turn("none", ("place_unknown",)), _has_talk),
    Row(("photo",), ("no",), Turn("none", ("photo_skipped",)), _has_talk),
    Row(("photo",), ("yes",), Turn("none", (), stage="photo"), _has_talk),
    Row(ASKING, ("blank",), Turn("photos", ("photo_added",), ask=True, reason="asked"), _only_photos),
    Row(ANY, ("blank",), Turn("place", ("place_added",), ask=True, reason="same_talk"), _only_point),
    Row(ANY, ("blank",), Turn("photos", ("photo_added",), ask=True, reason="same_talk"), _only_photos),
    Row(ANY, ("blank",), Turn("report", ("received",), ask=True), _photos_or_point),
    Row(ANY, ("blank",), Turn("none", ("photo_lost",), stage=""), _photos_lost),
    Row(ANY, ("blank",), Turn("none", ("unreadable",), stage="")),
    # What is wanted by name.
    Row(ANY, ("status",), STATUS, _named("own", "proved"), "named"),
    Row(ANY, ("status",), Turn("none", ("status_code",)), _named("unproved")),
    Row(ANY, ("status",), Turn("wrong_code", ("status_wrong",)), _named("wrong")),
    Row(ANY, ("status",), STATUS, _one_open, "newest"),
    Row(ANY, ("status",), Turn("none", ("choose_status",), "choice", purpose="status"), _has_open),
    Row(ANY, ("status",), STATUS, _rateable, "rateable"),
    Row(ANY, ("urge",), Turn("urge", ("urged",), reason="named", ask=True), _named("own", "proved"), "named"),
    Row(ANY, ("urge",), Turn("urge", ("urged",), ask=True), _rest_matches, "match"),
    Row(ANY, ("urge",), Turn("urge", ("urged",), ask=True), _one_open, "newest"),
    Row(ANY, ("urge",), Turn("none", ("choose_urge",), "choice", purpose="urge"), _has_open),
    Row(ANY, ("withdraw",), Turn("withdraw", ("withdrawn",), reason="named"), _named("own", "proved"), "named"),
    Row(ANY, ("withdraw",), Turn("withdraw", ("withdrawn",)), _one_open, "newest"),
    Row(ANY, ("withdraw",), Turn("none", ("choose_withdraw",), "choice", purpose="withdraw"), _has_open),
    Row(ANY, ("urge", "withdraw", "status"), NOTHING),
    Row(ANY, ("supplement",), Turn("supplement", ("joined",), reason="named"), _named("own", "proved"), "named"),
    Row(ANY, ("supplement",), Turn("supplement", ("joined",), reason="same_talk"), _about_talk),
    Row(ANY, ("supplement",), Turn("supplement", ("joined",)), _rest_matches, "match"),
    Row(ANY, ("supplement",), Turn("supplement", ("joined",)), _has_rest, "newest"),
    Row(ANY, ("supplement",), Turn("none", ("choose_supplement",), "choice", purpose="supplement"),
        lambda _w, f: len(f.open_nos) > 1),
    Row(ANY, ("supplement",), Turn("none", ("supplement_what",)), _one_open, "newest"),
    Row(ANY, ("phone",), Turn("none", ("phone_noted",), stage="")),
    # Small talk makes no case, and thanks no answer: two polite machines would never stop.
    Row(ANY, ("greeting",), Turn("none", ("greeting",), stage="")),
    Row(ANY, ("thanks",), Turn(stage="")),
    Row(ANY, ("yes", "no"), Turn("person", ("to_person",)), _rateable, "rateable"),
    Row(ANY, ("yes", "no"), Turn(stage="")),
    Row(ANY, ("praise", "suggestion", "inquiry"), REPORT),
    # Content.
    Row(("place",), WORDED, Turn("place", ("place_added",), reason="asked", ask=True), _is_answer),
    Row(ANY, WORDED, Turn("supplement", ("joined",), reason="named"), _named("own", "proved"), "named"),
    Row(ANY, WORDED, Turn("withdraw", ("withdrawn",)), _settled, "newest"),
    Row(ANY, WORDED, Turn("supplement", ("joined",), ask=True), _matched("join"), "match"),
    Row(ANY, WORDED, Turn("urge", ("urged",), ask=True), _matched("repeat"), "match"),
    Row(ANY, WORDED, Turn("to_person", ("to_person",)), _matched("closed"), "match"),
    Row(ANY, WORDED, REPORT),
    # A digit or a rating with nothing it could be about.
    Row(ANY, ("digit", "good", "bad"), Turn("none", ("greeting",), stage="")),
)  # fmt: skip
"""The first row that fits is taken; the last rows make sure that one always does."""


def decide(stage: str, wanted: Wanted, facts: Facts) -> Turn:
    """What follows from a message; every stage and intent has an answer."""
    row = next(row for row in TABLE
               if stage in row.stages and wanted.intent in row.intents and row.when(wanted, facts))  # fmt: skip
    turn = row.turn
    case_no = 0 if turn.act == "report" else _case_of(row.about, wanted, facts)
    return replace(turn, stage=turn.stage or stage, case_no=case_no,
                   reason=turn.reason or (facts.match.reason if wanted.intent in WORDED else wanted.intent))  # fmt: skip


def _case_of(about: str, wanted: Wanted, facts: Facts) -> int:
    match about:
        case "newest":
            return facts.open_nos[0]
        case "rateable":
            return facts.rateable_no
        case "named":
            return wanted.case_no
        case "chosen":
            return facts.choices[wanted.digit - 1]
        case "match":
            return facts.match.case_no
    return facts.talk_no


@dataclass(frozen=True, slots=True)
class Lacks:
    """What a report may lack, for the next question. `is_old`: reported days ago and not handled yet."""

    place: bool
    photo: bool
    is_old: bool
    takes_photos: bool


def question_for(lacks: Lacks, asked: tuple[str, ...], *, act: str) -> str:
    """The one question worth asking now, empty when there is none."""
    wishes = (
        ("place", lacks.place and act in ("report", "supplement", "photos")),
        ("photo", lacks.photo and lacks.takes_photos and act in ("report", "place")),
        ("still", lacks.is_old and act in ("urge", "supplement")),
    )
    return next((name for name, wanted in wishes if wanted and name not in asked), "")
