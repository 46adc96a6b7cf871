"""What a report says about its place and matter, in a form that two reports of the same thing share.

Needs no list of the city's names: a name is an ending (路, 小区, 医院 …) with the two characters before it, or a pair of
characters inside the span that places.py takes for the place. Tables stand in data/repeats.toml, weighing in
repeats_postings.py.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from classifier.fold import legible
from classifier.places import find_place
from intake.text import bigrams

TABLES = tomllib.loads((Path(__file__).resolve().parent.parent / "data" / "repeats.toml").read_text(encoding="utf-8"))
MAX_CHARS = 2000
IN_PLACE = "@"
"""What a pair of characters from inside the place is marked with, so that it is no pair of the matter."""
SHOP = "店"
"""The unit under which names in quotation marks stand: “阿强烧烤”."""

_ALIASES = tuple((re.compile(row["pattern"]), row["writes"]) for row in TABLES["alias"])
_ENDING = re.compile("|".join(sorted(map(re.escape, TABLES["names"]["endings"]), key=len, reverse=True)))
_BEFORE_ENDING = 2
_DENIED = re.compile(TABLES["denied"]["pattern"])
_BOILERPLATE = re.compile(TABLES["boilerplate"]["pattern"])
_DIGITS = "零一二三四五六七八九"
# Numerals before what is counted or numbered. 一 alone would also be 一个, 一下, so the unit must follow.
_NUMERAL = re.compile(
    "([一二三四五六七八九]?十[一二三四五六七八九]?|[零一二三四五六七八九]{1,4})"
    "(?=号|栋|幢|座|单元|弄|院|期|路|横|支|医院|人民医院|中学|小学|中(?![间午心山段国央医])|小(?![区时孩店路心吃摊学]))"
)
_NUMBERED = re.compile(r"(?<![0-9a-z月])([0-9]{1,4}|[a-d])(号(?!线|口|门(?!口)|晚)|栋|弄|单元|期)")
_SIDED = re.compile("([东西南北]{1,2})(门|侧|角)")
_QUOTED = re.compile('[“"「『]([^”"」』]{2,10})[”"」』]')


Numbers = Mapping[str, frozenset[str]]
"""What is numbered: unit (栋, 号, 门 …) to the numbers or sides given."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Neighbouring characters, names of places, and what is numbered."""

    pairs: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    numbers: Numbers = field(default_factory=dict)


def read(text: str, *, place: str = "") -> Reading:
    """Read a report and what was typed as its place. Never raises; only the first MAX_CHARS characters of each count."""
    written = " ".join(_unified(part) for part in (place, text) if part)
    told = _BOILERPLATE.sub(" ", _DENIED.sub(" ", written))
    # Who says nothing else must still be comparable.
    told = told if told.strip() else written
    found = find_place(text)
    spot = " ".join((_unified(place), _unified(found.text) if found else ""))
    inside = {IN_PLACE + pair for pair in bigrams(spot)}
    return Reading(frozenset(bigrams(told)), frozenset(_names(told) | inside), _numbers(told))


def disagreements(mine: Numbers, theirs: Numbers) -> tuple[str, ...]:
    """Units both give and give differently: another house number, building, gate, side or shop."""
    shared = mine.keys() & theirs.keys()
    return tuple(sorted(unit for unit in shared if not _agree(unit, mine[unit], theirs[unit])))


def agreements(mine: Numbers, theirs: Numbers) -> tuple[str, ...]:
    """Units under which both give the same number, side or shop."""
    shared = mine.keys() & theirs.keys()
    return tuple(sorted(unit for unit in shared if _agree(unit, mine[unit], theirs[unit])))


def _agree(unit: str, mine: frozenset[str], theirs: frozenset[str]) -> bool:
    if unit != SHOP:
        return bool(mine & theirs)
    pairs = {pair for name in mine for pair in bigrams(name)}
    return any(pair in pairs for name in theirs for pair in bigrams(name))


def _unified(text: str) -> str:
    written = _NUMERAL.sub(_arabic, legible(text[:MAX_CHARS]))
    for pattern, writes in _ALIASES:
        written = pattern.sub(writes, written)
    return written


def _arabic(found: re.Match[str]) -> str:
    numeral = found[1]
    if "十" not in numeral:
        return "".join(str(_DIGITS.index(char)) for char in numeral)
    tens, _, ones = numeral.partition("十")
    return str((_DIGITS.index(tens) if tens else 1) * 10 + (_DIGITS.index(ones) if ones else 0))


def _names(text: str) -> set[str]:
    """Endings with the two letters or characters before them, which stand for the name wherever it may begin."""
    found = set()
    for ending in _ENDING.finditer(text):
        head = text[max(0, ending.start() - _BEFORE_ENDING) : ending.start()]
        if len(head) == _BEFORE_ENDING and head.isalnum():
            found.add(head + ending.group())
    return found


def _numbers(text: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for number, unit in (*_NUMBERED.findall(text), *_SIDED.findall(text)):
        found.setdefault(unit, set()).add(number)
    if shops := set(_QUOTED.findall(text)):
        found[SHOP] = shops
    return {unit: frozenset(numbers) for unit, numbers in found.items()}
