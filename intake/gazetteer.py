"""Place names of a city found in what people write: exact names, crossings, buildings, directions, initials, likeness.

The look-ups are dictionaries in memory, rebuilt by loading. Which grid a point lies in is told by places.py, and which
of several places a citizen means is decided by a person.
"""

import csv
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from math import cos, hypot, log, radians
from pathlib import Path
from typing import NamedTuple, Self

from intake.coordinates import checked
from intake.text import bigrams

MOST_CHARS = 2000
_NEAR_M = 2000.0
_DEGREE_M = 111_000.0


class GazetteerError(ValueError):
    """The gazetteer file cannot be used; says which line and why."""


class PlaceWhy(StrEnum):
    """Why a place was proposed."""

    NAME = "name"
    ALIAS = "alias"
    ADDRESS = "address"
    CROSSING = "crossing"
    BUILDING = "building"
    DIRECTION = "direction"
    INITIALS = "initials"
    SIMILAR = "similar"


WHY_WORDS = {
    PlaceWhy.NAME: "名称一致", PlaceWhy.ALIAS: "别名一致", PlaceWhy.ADDRESS: "门牌地址", PlaceWhy.CROSSING: "道路交叉口",
    PlaceWhy.BUILDING: "地点加楼栋", PlaceWhy.DIRECTION: "地点加方位", PlaceWhy.INITIALS: "拼音首字母",
    PlaceWhy.SIMILAR: "名称相近",
}
_SCORES = {
    PlaceWhy.CROSSING: 0.96, PlaceWhy.BUILDING: 0.95, PlaceWhy.ADDRESS: 0.94, PlaceWhy.NAME: 0.92,
    PlaceWhy.DIRECTION: 0.90, PlaceWhy.ALIAS: 0.88, PlaceWhy.INITIALS: 0.80,
}
_ONE_ROAD_OF_A_CROSSING = 0.65
_WELL_FOUND = 0.6


@dataclass(frozen=True, slots=True)
class GazetteerRow:
    """One place. Degrees are WGS-84/CGCS2000; `initials` are those of the pinyin, lower case, possibly empty."""

    id: str
    name: str
    kind: str
    aliases: tuple[str, ...]
    initials: str
    lon: float
    lat: float
    grid_code: str
    community: str
    street: str
    district: str
    address: str


@dataclass(frozen=True, slots=True)
class PlaceMatch:
    """A proposed place. `score` is 0..1; text[start:end] is what it was read from, with building or direction."""

    row: GazetteerRow
    score: float
    why: PlaceWhy
    start: int
    end: int


class _Spot(NamedTuple):
    """A listed name standing in a text, with the rows it may mean."""

    start: int
    end: int
    name: str
    rows: tuple[tuple[int, PlaceWhy], ...]


# One character for one, so that positions hold in the text as given.
_FOLD = {0xFF01 + i: ord(chr(0x21 + i).lower()) for i in range(94)} | {i: i + 32 for i in range(65, 91)} | {0x3000: 0x20}
_ROAD_END = "(?:路|街|道|巷|弄|线|胡同|桥|高架|高速|环)"
_CROSSING_WORD = r"的?(?:十字|丁字)?(?:交叉路?口|路口|交汇处?|交界处?|相交处?|拐角|转角|口)"
_CROSSING_NAME = re.compile(rf"(.+?{_ROAD_END})(?:与|和|×|x|/|-|—|、)(.+?{_ROAD_END})(?:{_CROSSING_WORD})?", re.I)
_JOINED = re.compile(r" ?(?:(?P<surely>[×x*/\-—&+])|与|和|跟|同|及|、) ?")
_CROSSING_BEHIND = re.compile(_CROSSING_WORD)
# What follows a name and makes the place more exact.
_READINGS_BEHIND = (
    (PlaceWhy.BUILDING, re.compile(r" ?第? ?(?:\d{1,3}|[一二三四五六七八九十]{1,3}|[a-z]) ?(?:号楼|栋|幢|座|#)")),
    (PlaceWhy.ADDRESS, re.compile(r" ?\d{1,5}(?:-\d{1,4})? ?(?:号(?!线|楼)|弄)")),
    (PlaceWhy.DIRECTION, re.compile(
        r"的?(?:(?:斜|正)?对面|旁边?|附近|门口|门前|后面|前面|背后|周边|[东西南北]{1,2}(?:大?门|侧|角|边|面|口|段)"
        r"|(?:往|向|以)?正?[东西南北]{1,2}(?:方向|走)?大?约?\d{1,4}米)"
    )),
)
# The name goes on: 人民路 inside 人民路小学 is another place.
_OTHER_PLACE_BEHIND = re.compile(
    "小区|小学|中学|幼儿园|学校|医院|公园|广场|市场|菜场|大厦|新村|花园|花苑|公寓|社区|派出所|车站|地铁|桥|店"
)
_LATIN_WORD = re.compile(r"(?<![a-z0-9])[a-z]{2,16}(?![a-z0-9])")
_SHORTEST_NAME = 2
_SHORTEST_INITIALS = 3
_TYPED_CHARS = 8
_MOST_REPEATS = 8  # bounds the work on a text that says one word a thousand times
_LEAST_LIKENESS = 0.4


class Gazetteer:
    """The places of one city. Build it with `load`; it does not change afterwards."""

    def __init__(self, rows: Iterable[GazetteerRow]) -> None:
        self.rows = tuple(rows)
        self._crossings: dict[frozenset[str], list[int]] = defaultdict(list)
        names = self._collect_names()
        # Longest first below the first two characters: the first that fits is the longest.
        self._by_head: dict[str, list[str]] = defaultdict(list)
        for name in sorted(names, key=len, reverse=True):
            self._by_head[name[:_SHORTEST_NAME]].append(name)
        self._rows_of = {name: tuple(sorted(rows.items())) for name, rows in names.items()}
        self._initials = sorted((row.initials, index) for index, row in enumerate(self.rows) if row.initials)
        self._names_with: dict[str, list[str]] = defaultdict(list)
        for name, found in self._rows_of.items():
            for pair in set(bigrams(name)) if found else ():
                self._names_with[pair].append(name)
        self._rarity = {pair: log(1 + len(names) / len(having)) for pair, having in self._names_with.items()}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a CSV with the columns of GazetteerRow, aliases parted by |. Raises GazetteerError."""
        with path.open(encoding="utf-8-sig", newline="") as file:
            return cls(_row_from_record(record, line=line) for line, record in enumerate(csv.DictReader(file), 2))

    def find(self, text: str, *, limit: int = 5, near: tuple[float, float] | None = None) -> list[PlaceMatch]:
        """Places the text may mean, best first; `near` (lon, lat) prefers what is close among equals.

        Likeness is tried only where nothing is clearly named. Only the first MOST_CHARS characters are read.
        """
        folded = text[:MOST_CHARS].translate(_FOLD)
        spots = list(self._spots(folded))
        found = [*self._crossing_matches(spots, folded), *self._initial_matches(folded)]
        free = [spot for spot in spots if not any(match.start <= spot.start < match.end for match in found)]
        found += self._name_matches(free, folded)
        if all(match.score < _WELL_FOUND for match in found):
            named = {match.row.id for match in found}
            found += [match for match in self._similar_matches(folded, most=10 * limit) if match.row.id not in named]
        best: dict[str, PlaceMatch] = {}
        found = [_preferred(match, near) for match in found]
        for match in sorted(found, key=lambda match: (-match.score, match.start - match.end, match.row.id)):
            best.setdefault(match.row.id, match)
        return list(best.values())[:limit]

    def _collect_names(self) -> dict[str, dict[int, PlaceWhy]]:
        """Every listed name with the rows it may mean; roads known only from a crossing's name have none."""
        names: dict[str, dict[int, PlaceWhy]] = defaultdict(dict)
        for index, row in enumerate(self.rows):
            named = [(row.name, PlaceWhy.NAME), *((alias, PlaceWhy.ALIAS) for alias in row.aliases)]
            if any(char.isdigit() for char in row.address):
                named += [(row.address.removeprefix(area), PlaceWhy.ADDRESS) for area in ("", row.district)]
            for name, why in named:
                folded = name.translate(_FOLD)
                if len(folded) >= _SHORTEST_NAME:
                    names[folded].setdefault(index, why)
                if crossing := _CROSSING_NAME.fullmatch(folded):
                    self._crossings[frozenset(crossing.groups())].append(index)
        return {road: {} for pair in self._crossings for road in pair} | names

    def _spots(self, folded: str) -> Iterator[_Spot]:
        """Listed names in the text, longest first, without overlaps."""
        at = 0
        while at < len(folded) - 1:
            names = self._by_head.get(folded[at : at + _SHORTEST_NAME], ())
            name = next((name for name in names if folded.startswith(name, at)), "")
            if name:
                yield _Spot(at, at + len(name), name, self._rows_of[name])
            at += len(name) or 1

    def _crossing_matches(self, spots: Sequence[_Spot], folded: str) -> Iterator[PlaceMatch]:
        """A×B for neighbouring names: the listed crossing, and both roads with a lower score."""
        for first, second in pairwise(spots):
            joint = _JOINED.fullmatch(folded, first.end, second.start)
            word = _CROSSING_BEHIND.match(folded, second.end)
            listed = self._crossings.get(frozenset((first.name, second.name)), ())
            surely = joint and (joint["surely"] or word)
            if not joint or not (surely or listed):
                continue
            scored = [(index, _SCORES[PlaceWhy.CROSSING] - (0.0 if surely else 0.08)) for index in listed]
            scored += [(index, _ONE_ROAD_OF_A_CROSSING) for index, _ in first.rows + second.rows]
            end = word.end() if word else second.end
            for index, score in scored:
                yield PlaceMatch(self.rows[index], score, PlaceWhy.CROSSING, first.start, end)

    def _name_matches(self, spots: Sequence[_Spot], folded: str) -> Iterator[PlaceMatch]:
        for spot in spots:
            reading, end = _reading_behind(folded, spot.end)
            doubtful = reading is None and _OTHER_PLACE_BEHIND.match(folded, spot.end) is not None
            for index, listed_as in spot.rows:
                row, why = self.rows[index], reading or listed_as
                score = min(_SCORES[why], _SCORES[listed_as] + 0.03)
                score -= 0.15 * (len(spot.name) == _SHORTEST_NAME) + 0.35 * doubtful
                score -= 0.12 * (len(spot.rows) > 1 and not _area_is_named(row, folded))
                yield PlaceMatch(row, score, why, spot.start, end)

    def _initial_matches(self, folded: str) -> Iterator[PlaceMatch]:
        """Pinyin initials: whole words in a text, and the beginning of one where nothing else was typed."""
        for word in _LATIN_WORD.finditer(folded):
            alone = word.group() == folded.strip()
            for initials, index in self._initials_from(word.group()):
                share = len(word.group()) / len(initials)
                score = _SCORES[PlaceWhy.INITIALS] if share == 1.0 else 0.3 + 0.4 * share
                if alone or (share == 1.0 and len(initials) >= _SHORTEST_INITIALS):
                    yield PlaceMatch(self.rows[index], score, PlaceWhy.INITIALS, *word.span())

    def _initials_from(self, prefix: str) -> Iterator[tuple[str, int]]:
        for initials, index in self._initials[bisect_left(self._initials, (prefix, -1)) :]:
            if not initials.startswith(prefix):
                return
            yield initials, index

    def _similar_matches(self, folded: str, *, most: int) -> Iterator[PlaceMatch]:
        """Names sharing rare character pairs with the text, close together; catches wrong and missing characters."""
        positions: dict[str, list[int]] = defaultdict(list)
        for at in range(len(folded) - 1):
            pair = folded[at : at + 2]
            if pair in self._rarity and len(positions[pair]) < _MOST_REPEATS:
                positions[pair].append(at)
        shared: dict[str, float] = defaultdict(float)
        for pair, places in positions.items():
            for name in self._names_with[pair] if places else ():
                shared[name] += self._rarity[pair]
        whole = sum(self._rarity.get(pair, 1.0) for pair in set(bigrams(folded)))
        for name in sorted(shared, key=lambda name: (-shared[name], name))[:most]:
            start, end, likeness = self._likeness(name, positions)
            if len(folded) <= _TYPED_CHARS:
                likeness = max(likeness, 0.9 * shared[name] / whole)
            for index, _ in self._rows_of[name] if likeness >= _LEAST_LIKENESS else ():
                yield PlaceMatch(self.rows[index], 0.2 + 0.4 * likeness, PlaceWhy.SIMILAR, start, end)

    def _likeness(self, name: str, positions: dict[str, list[int]]) -> tuple[int, int, float]:
        """Best window of about the name's length: start, end, and the share 0..1 of the name's pairs found there."""
        pairs = set(bigrams(name))
        places = sorted((at, pair) for pair in pairs if pair in positions for at in positions[pair])
        best = (0, 0, 0.0)
        for start, _ in places:
            inside = {pair: at for at, pair in places if start <= at <= start + len(name)}
            share = sum(map(self._rarity.__getitem__, inside)) / sum(map(self._rarity.__getitem__, pairs))
            if share > best[2]:
                best = (start, max(inside.values()) + 2, share)
        return best


def _reading_behind(folded: str, end: int) -> tuple[PlaceWhy | None, int]:
    """The building, house number or direction behind a name, and where it ends."""
    for why, pattern in _READINGS_BEHIND:
        if found := pattern.match(folded, end):
            return why, found.end()
    return None, end


def _area_is_named(row: GazetteerRow, folded: str) -> bool:
    """Whether the text names the district, street or community of a row, which settles equal names."""
    return any(area and area in folded for area in (row.district, row.street, row.community) if area != row.name)


def _preferred(match: PlaceMatch, near: tuple[float, float] | None) -> PlaceMatch:
    """The match with up to 0.04 added for being within 2 km of `near`."""
    if near is None:
        return match
    squash = cos(radians(near[1]))
    distance_m = hypot((match.row.lon - near[0]) * squash, match.row.lat - near[1]) * _DEGREE_M
    return replace(match, score=min(1.0, match.score + 0.04 * max(0.0, 1.0 - distance_m / _NEAR_M)))


def _row_from_record(record: dict[str, str], *, line: int) -> GazetteerRow:
    try:
        lon, lat = checked(float(record["lon"]), float(record["lat"]))
        words = {key: (record[key] or "").strip() for key in GazetteerRow.__slots__ if key not in ("lon", "lat")}
    except (KeyError, ValueError, TypeError) as error:
        raise GazetteerError(f"line {line}: {error!r}") from error
    if not words["id"] or not words["name"]:
        raise GazetteerError(f"line {line}: id and name must be given")
    aliases = tuple(alias.strip() for alias in words.pop("aliases").split("|") if alias.strip())
    initials = words.pop("initials").lower()
    return GazetteerRow(aliases=aliases, initials=initials, lon=lon, lat=lat, **words)
