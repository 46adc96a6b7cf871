"""Where names and numbers of addresses stand in a text: 岳麓区 as a district, 金星北路 as a road, 12号楼 as a building.

A grammar of name endings with the tables of address_table.py; it knows no city. Joining the parts to one place, and looking
them up in a city's gazetteer, is done in places.py.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from classifier.address_table import NUMERALS, RELATION
from classifier.address_table import table as address
from classifier.tokens import cut_with_places, is_in_dictionary, is_place_name, is_plain, is_term

LONGEST_NAME = 8
LONGEST_BARE = 6
LONGEST_SNAP = 3
FAR_ENOUGH = 5

AREAS = frozenset(("province", "city", "district", "street"))
# Names of these parts may be the beginning of a longer one: 中山 + 公园 + 路.
_BEGINNINGS = frozenset(("landmark", "common", "noun", "bridge", "community", "road"))
# What may be an everyday noun of the dictionary (停车场) although it ends like a name.
_DOUBTFUL = frozenset(("landmark", "bridge", "community"))
_COUNTED = re.compile(r".{0,2}[一两几多整每这那][条个座排栋家处]")
_PARTICLES = frozenset("的了在是有和与跟被把那这某一")
_POINTERS = re.compile(
    r"[0-9一二三四五六七八九十]{1,3}(?:栋|幢|号楼|座|期|单元)|[0-9]{1,3}-[0-9]{1,4}|门口|门前|对面|旁边|附近|隔壁|后面|前面|后头|后墙|那边|那块|周边|周围"
)
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_NUMBERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("landmark", re.compile(r"(?:地铁|轻轨)?[0-9一二三四五六七八九十]{1,2}号线(?!路)|(?:地铁|轻轨)站?[a-z0-9]{1,2}号?(?:出入?|入)?口")),
    (
        "building",
        re.compile(
            rf"第?[{NUMERALS}a-z]{{1,5}}(?:[-~—至之][{NUMERALS}]{{1,4}}){{0,3}}(?:号楼|栋|幢|座|单元|层|楼)"
            r"|(?<![0-9])[0-9]{1,3}-[0-9]{1,4}(?:-[0-9]{1,4})?(?![0-9])|[0-9]{1,4}#|负[一二三0-9]层"
        ),
    ),
    (
        "number",
        re.compile(
            rf"第?[{NUMERALS}a-z]{{1,5}}(?:[-~—至之][{NUMERALS}]{{1,4}}){{0,3}}(?:号院|号口|号门|号|弄|期|区|组|社|队|口|门|段|巷)"
            r"|[a-z][0-9]?(?:区|口|馆|出口)|k[0-9]{1,4}\+[0-9]{1,3}"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A part of an address at text[start:end].

    `part` is a row of the endings table, `number`, `building`, `listed` (a name of the dictionary), or `common`: a
    noun such as 停车场 or 小区 that is a place but names none.
    """

    start: int
    end: int
    part: str


@dataclass(frozen=True, slots=True)
class _Words:
    """A text's words, and for each position the number of the word that covers it."""

    text: str
    listed: Sequence[tuple[int, str]]
    covering: Mapping[int, int]

    @classmethod
    def of(cls, text: str) -> Self:
        listed = cut_with_places(text)
        covering = {at: number for number, (start, word) in enumerate(listed) for at in range(start, start + len(word))}
        return cls(text, listed, covering)


def anchors(text: str) -> list[Anchor]:
    """All parts of addresses in a text in the form of fold.legible, in the order they stand; they may overlap."""
    words = _Words.of(text)
    found: list[Anchor] = []
    for start, end in _endings(text):
        anchor = _named(words, start, end, found)
        if anchor:
            if found and anchor.start <= found[-1].start:
                found.pop()
            found.append(anchor)
    for part, pattern in _NUMBERS:
        found += (Anchor(*match.span(), part) for match in pattern.finditer(text))
    found += _listed(words)
    found += _pointed_at(words)
    return sorted(found, key=lambda anchor: (anchor.start, -anchor.end))


def may_go_on(name: str) -> bool:
    """Whether some characters behind a place may belong to its name: no verb, no particle, no everyday noun in them."""
    table = address()
    if name in table.alone:
        return False
    words = [word for _, word in cut_with_places(name)]
    return words[0] not in table.alone and not any(
        _is_stop(word) or (len(word) == 1 and word in table.late) for word in words
    )


def naming_length(phrase: str) -> int:
    """How many characters from the beginning of a phrase are nouns: 6 of 皮鞋厂工人被."""
    length = 0
    for _, word in cut_with_places(phrase):
        if _is_stop(word) or RELATION.match(word):
            break
        length += len(word)
    return length


def is_doing(name: str) -> bool:
    """Whether a segment says what is done or how something is, rather than naming something."""
    table = address()
    return name in table.alone or any(_is_stop(word) for _, word in cut_with_places(name))


def is_new(name: str) -> bool:
    """Whether no dictionary knows all of it, so that it is likely a name: 紫云府, 戴家坪."""
    return not all(len(word) > 1 and is_in_dictionary(word) for _, word in cut_with_places(name))


def _is_stop(word: str) -> bool:
    table = address()
    if len(word) == 1:
        return word in table.never
    return word in table.words or is_plain(word) or (is_term(word) and not word.endswith(tuple(table.part_of)))


def _endings(text: str) -> list[tuple[int, int]]:
    """Endings of names: the longest at each place; of two that overlap the later one (东街 and 街道 give 街道)."""
    found: list[tuple[int, int]] = []
    for match in address().ending.finditer(text):
        start, end = match.span(1)
        if found and end <= found[-1][1]:
            continue
        if found and start < found[-1][1]:
            found.pop()
        found.append((start, end))
    return found


def _named(words: _Words, start: int, end: int, found: Sequence[Anchor]) -> Anchor | None:
    """The name with the ending text[start:end], or nothing where it is no ending of a name."""
    table, text = address(), words.text
    ending, last = text[start:end], found[-1] if found else None
    part = "district" if last and last.part == "city" and ending.endswith("区") else table.part_of[ending]
    if last and last.end == start and text[last.end - 1] == ending:
        return None
    if start not in words.covering or _goes_on(words, end, part) or _is_common(text, start, end, last):
        return None
    if last and last.end == start and (last.part in _BEGINNINGS or part == "road") and len(ending) <= 2:
        begin = last.start
    else:
        begin = _snapped(words, _name_start(words, start, last.end if last else 0), start, last=last, part=part)
    name = text[begin:end]
    if begin == start and len(ending) == 1:
        return None
    if (
        ending == "里"
        and not is_place_name(name)
        and not (last and last.end == begin and last.part in AREAS | {"road"})
    ):
        return None
    if name.startswith(table.pointing) or _COUNTED.match(name):
        return Anchor(start, end, "common")
    if name in table.alone or (begin == start and part not in AREAS):
        return Anchor(begin, end, "common")
    is_noun = is_in_dictionary(name) or is_plain(text[begin:start])
    return Anchor(begin, end, "noun" if part in _DOUBTFUL and is_noun and not is_place_name(name) else part)


def _goes_on(words: _Words, end: int, part: str) -> bool:
    """Whether the word goes on behind the ending (路 in 路灯). A wrong cut behind a known area is mended (新建|区长)."""
    at, word = words.listed[words.covering[end - 1]]
    rest = words.text[end : at + len(word)]
    if not rest or RELATION.fullmatch(rest):
        return False
    return not (part in AREAS and is_place_name(words.text[max(0, end - 3) : end - 1]))


def _is_common(text: str, start: int, end: int, last: Anchor | None) -> bool:
    """Whether a single ending is part of a common word: 道 in 车道, unless 车 ends the area before it."""
    before = address().before.get(text[start:end], "") if end - start == 1 and start else ""
    if not before or text[start - 1] not in before:
        return False
    return not is_place_name(text[max(0, start - 2) : end]) and not (
        last and last.end == start - 1 and last.part in AREAS
    )


def _name_start(words: _Words, start: int, floor: int) -> int:
    """Where the name before an ending begins: names and single characters, and one word of any kind before the ending."""
    table = address()
    number = words.covering[start]
    at, word = words.listed[number]
    begin = start
    if at < start:
        if at < floor:
            return max(floor, start - 1)
        head = word[: start - at]
        if word in table.words or head in table.words or (len(head) == 1 and head in table.never):
            return start
        begin = at
    for at, word in reversed(words.listed[:number]):
        if at + len(word) != begin or at < floor or start - begin >= LONGEST_NAME or word in table.words:
            break
        if len(word) == 1 and (word in table.never or (word in table.late and start - begin >= 2)):
            break
        if len(word) > 1 and is_known_place(word):
            begin = _with_places_before(words.listed, at, floor)
            break
        if (
            len(word) > 1
            and begin != start
            and not (start - begin == 1 and not is_plain(word))
            and not word[0].isdigit()
        ):
            break
        begin = at
    return begin


def _with_places_before(listed: Sequence[tuple[int, str]], begin: int, floor: int) -> int:
    """Further place names right before one: 河南|焦作|解放 before 路."""
    ends = {at + len(word): at for at, word in listed if len(word) > 1 and floor <= at < begin and is_known_place(word)}
    while begin in ends:
        begin = ends[begin]
    return begin


def _snapped(words: _Words, begin: int, start: int, *, last: Anchor | None, part: str) -> int:
    """Draw what lies between an area or road and the name behind it into the name: 福田区|侨|香路."""
    if not last or last.part not in AREAS | {"road", "community"}:
        return begin
    if not 0 < begin - last.end <= LONGEST_SNAP or start - last.end > FAR_ENOUGH:
        return begin
    if last.part in AREAS and part in AREAS:
        # Between 白云区 and 街道 stands a name, whatever it is made of: 同和.
        return last.end
    between = words.text[last.end : begin]
    inside = [word for at, word in words.listed if last.end <= at < begin]
    is_name = _HAN.fullmatch(between) and not any(
        word in _PARTICLES or word in address().words or (len(word) > 1 and is_plain(word)) for word in inside
    )
    return last.end if is_name else begin


def is_known_place(word: str) -> bool:
    """A province or prefecture, or a name jieba's dictionary lists as a place."""
    return word in address().places or is_place_name(word)


def _pointed_at(words: _Words) -> Iterator[Anchor]:
    """What stands right before a house number or a relation, though it ends like no name: 颐景园|5栋, 国贸|门口."""
    for match in _POINTERS.finditer(words.text):
        begin = match.start()
        last = words.covering.get(begin - 1, -1)
        for at, word in reversed(words.listed[max(0, last + 1 - LONGEST_BARE) : last + 1]):
            if at + len(word) != begin or match.start() - at > LONGEST_BARE or _is_stop(word):
                break
            begin = at
        name = words.text[begin : match.start()]
        if len(name) > 1 and name not in address().alone and not name[0].isdigit():
            yield Anchor(begin, match.start(), "noun")


def _listed(words: _Words) -> Iterator[Anchor]:
    table = address()
    for number, (at, word) in enumerate(words.listed):
        if len(word) > 1 and is_known_place(word) and word not in table.alone and word not in table.words:
            end = at + len(word)
            yield Anchor(at, end, "listed")
            if word in table.places and (length := _length_of_next(words.listed[number + 1 :], end)):
                yield Anchor(end, end + length, "listed")


def _length_of_next(behind: Sequence[tuple[int, str]], at: int) -> int:
    """How long the name right behind a city is, where the dictionary does not know it: 连云港|海州."""
    length = 0
    for start, word in behind[:2]:
        if start != at + length or _is_stop(word) or length + len(word) > 3 or word in address().late:
            break
        length += len(word)
    return length if length > 1 else 0
