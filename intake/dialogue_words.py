"""What a text wants: the table data/dialogue/words.toml read and applied, and the wording of automatic answers.

Pure apart from reading the two files once. What follows from an intent stands in dialogue.py.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from intake.codes import CODE_DIGITS, parse_case_no
from intake.text import normalise

DATA = Path(__file__).resolve().parent.parent / "data"
FOLDER = DATA / "dialogue"
_MARKS = re.compile(r"[\W_]+")
_QUESTION = re.compile(r"[?？]{1,3}")
_NUMERALS = str.maketrans("零〇○一壹二贰两三叁四肆五伍六陆七柒八捌九玖幺", "0001122233445566778899" + "1")
_ANY_NUMERAL = "0-9零〇○一壹二贰两三叁四肆五伍六陆七柒八捌九玖幺"
_NUMBER = re.compile(rf"[{_ANY_NUMERAL}](?:[ \-—_.·]?[{_ANY_NUMERAL}]){{10,13}}(?![{_ANY_NUMERAL}])")
_CODE = re.compile(rf"(?<![{_ANY_NUMERAL}])[{_ANY_NUMERAL}]{{{CODE_DIGITS}}}(?![{_ANY_NUMERAL}])")
_DIGIT = re.compile(r"第?([0-9]{1,2})[个件条号]?|选([0-9]{1,2})")
_LEAST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Intent:
    """One entry of the table; texts in it are folded."""

    name: str
    whole: frozenset[str] = frozenset()
    starts: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    most_chars: int = 2000
    weak: bool = False

    def fits(self, folded: str) -> bool:
        if folded in self.whole:
            return True
        if len(folded) > self.most_chars or any(word in folded for word in self.unless):
            return False
        return folded.startswith(self.starts) or any(word in folded for word in self.has)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a text wants. `intent` is a name of the table, or digit, content, blank; `weak` one that only hints.

    `digit` is a choice, `case_no` and `code` a number and query code in it; `rest` what stands behind the command word.
    """

    intent: str
    weak: str = ""
    digit: int = 0
    case_no: int = 0
    code: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Phrases:
    """Both tables: intents in order, answers by name, request types (诉求类型) by intent."""

    intents: tuple[Intent, ...]
    answers: Mapping[str, str]
    request_types: Mapping[str, str]

    def read(self, text: str) -> Wanted:
        """What a text wants; every text wants something."""
        folded = fold(text)
        case_no, code = numbers_in(text)
        if not folded:
            return Wanted("help" if _QUESTION.fullmatch(normalise(text)) else "blank")
        if digit := _digit(text):
            return Wanted("digit", digit=digit)
        fitting = [intent for intent in self.intents if intent.fits(folded)]
        weak = next((intent.name for intent in fitting if intent.weak), "")
        strong = next((intent for intent in fitting if not intent.weak), None)
        if strong is not None:
            return Wanted(strong.name, weak, case_no=case_no, code=code, rest=_rest(text, folded, strong))
        if case_no and _only_numbers(text):
            return Wanted("status", case_no=case_no, code=code)
        return Wanted("content", weak, case_no=case_no, code=code)


def fold(text: str) -> str:
    """For comparing: simplified, half width, lower case, without blanks, marks and emoji."""
    return _MARKS.sub("", normalise(text).translate(_simplified()).lower())


def numbers_in(text: str) -> tuple[int, str]:
    """A case number and a query code in a text, also in Chinese numerals; 0 and empty where there is none."""
    plain = normalise(text).translate(_simplified())
    found = _NUMBER.search(plain)
    number = parse_case_no(found.group().translate(_NUMERALS)) if found else None
    if found is None or number is None:
        return 0, ""
    rest = plain[: found.start()] + " " + plain[found.end() :]
    code = _CODE.search(rest)
    return number, code.group().translate(_NUMERALS) if code else ""


def _digit(text: str) -> int:
    """1 for １, 一, 第1件, 选1; 0 when the text is no bare choice. Numbers of case or code length are none."""
    plain = _MARKS.sub("", normalise(text)).translate(_NUMERALS)
    found = _DIGIT.fullmatch(plain)
    return int(found.group(1) or found.group(2)) if found else 0


def _only_numbers(text: str) -> bool:
    """Whether nothing but numbers and words such as 编号 or 查询码 stands in the text."""
    words = re.sub(f"[{_ANY_NUMERAL}]", "", fold(text))
    return not words.replace("受理", "").replace("编号", "").replace("查询码", "").replace("单号", "")


def _rest(text: str, folded: str, intent: Intent) -> str:
    """What was said behind a command word (补充：还有一处 gives 还有一处); empty when there is nothing of substance."""
    if folded in intent.whole:
        return ""
    plain = normalise(text)
    lead = next((word for word in sorted(intent.starts, key=len, reverse=True) if folded.startswith(word)), "")
    position, left = 0, len(lead)
    while left and position < len(plain):
        left -= len(fold(plain[position]))
        position += 1
    rest = plain[position:].lstrip(" ，,。：:、；;.!！?？")
    return rest if len(fold(rest)) >= _LEAST_WORDS else ""


@cache
def _simplified() -> dict[int, str]:
    lines = (line.partition("#")[0] for line in (DATA / "traditional.txt").read_text("utf-8").splitlines())
    return {ord(pair[0]): pair[1] for line in lines for pair in line.split() if pair[0] != pair[1]}


@cache
def load_phrases(folder: Path = FOLDER) -> Phrases:
    """Read both tables; a key that no intent has raises TypeError at the start, not at the first message."""
    rows = tomllib.loads((folder / "words.toml").read_text("utf-8"))["intent"]
    wording = tomllib.loads((folder / "answers.toml").read_text("utf-8"))
    return Phrases(tuple(_intent(**row) for row in rows), wording["answers"], wording["request_types"])


def _intent(
    *, name: str, whole: Iterable[str] = (), starts: Iterable[str] = (), has: Iterable[str] = (),
    unless: Iterable[str] = (), most_chars: int = 2000, weak: bool = False,
) -> Intent:  # fmt: skip
    return Intent(name, frozenset(_folded(whole)), _folded(starts), _folded(has), _folded(unless), most_chars, weak)


def _folded(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(fold(word) or word for word in words)
