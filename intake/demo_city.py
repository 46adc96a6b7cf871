"""The made-up city's drawn files: areas, ways and gazetteer, the same bytes for the same seed.

The ground comes from demo_city_map.py and the words from demo_city_names.py; here places are put on the ground and
everything is written. The city's tables of units, rules, people and wording are written by hand and stay untouched.
"""

import csv
import json
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

from intake import demo_city_map as ground
from intake import demo_city_names as names
from intake.demo_city_map import Area, Cell, CityMap, Node, Point, Way, build_map, centre, degrees, outline

LEVELS = {"district": "districts", "street": "streets", "community": "communities", "grid": "grids"}
ROAD_RANKS = ("major", "minor", "alley")
METRES_PER_NUMBER = 8
HALF_BLOCK_M = 140
BUS_STOP_SHARE = 0.4
# Bus stops take their names from places like these, not from a bank or a toilet.
LANDMARKS = frozenset(
    ("estate", "school", "hospital", "park", "mall", "market", "government", "square", "venue", "station", "factory")
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """One row of gazetteer.csv; the fields are its columns."""

    id: str
    name: str
    kind: str
    aliases: str
    initials: str
    lon: float
    lat: float
    grid_code: str
    community: str
    street: str
    district: str
    address: str


@dataclass(frozen=True, slots=True)
class Front:
    """A side of a cell that lies on a road: `index` is the middle node of that side in the road's chain."""

    way: Way
    index: int
    cell: Cell


def write_city(folder: Path, *, seed: int) -> None:
    """Write districts, streets, communities, grids and ways (GeoJSON) and gazetteer.csv into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    city = build_map(seed)
    for level, stem in LEVELS.items():
        features = (_area_feature(city, area) for area in city.level(level))
        _write_geojson(folder / f"{stem}.geojson", features)
    _write_geojson(folder / "ways.geojson", (_way_feature(city, way) for way in city.ways))
    with (folder / "gazetteer.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Place)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(place) for place in _Surveyor(city, seed).survey())


def _area_feature(city: CityMap, area: Area) -> dict[str, object]:
    ring = [degrees(city.points[node]) for node in outline(area.cells)]
    return {
        "type": "Feature",
        "properties": {"code": area.code, "name": area.name, "parent": area.parent},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _way_feature(city: CityMap, way: Way) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {"name": way.name, "kind": "road" if way.rank in ROAD_RANKS else way.rank, "rank": way.rank},
        "geometry": {"type": "LineString", "coordinates": [degrees(city.points[node]) for node in way.nodes]},
    }


def _write_geojson(path: Path, features: Iterable[Mapping[str, object]]) -> None:
    """One feature a line, so that a changed border shows as one changed line."""
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n', encoding="utf-8")


class _Surveyor:
    """Places names on the map one after the other and remembers which names and house numbers are used up."""

    def __init__(self, city: CityMap, seed: int) -> None:
        self._city = city
        self._rng = random.Random(seed + 1)  # noqa: S311 - repeatable scenery, nothing secret
        self._counts: Counter[str] = Counter()
        self._names: set[tuple[str, str]] = set()
        self._numbers: set[tuple[str, int]] = set()
        self._area_of = {area.code: area for area in city.areas}
        self._grid_of = {area.cells[0]: area for area in city.level("grid")}
        self._roads = tuple(way for way in city.ways if way.rank in ROAD_RANKS)
        self._fronts = tuple(front for way in self._roads if way.rank != "alley" for front in self._fronts_of(way))
        self._landmarks: dict[Cell, list[str]] = {}
        self._near: dict[str, Collection[Cell]] = {"": self._grid_of}
        self._near |= {area.name.removesuffix("街道"): area.cells for area in city.level("street")}

    def survey(self) -> Iterator[Place]:
        for way in self._roads:
            entry = way.name if way.stem == way.name else f"{way.name}|{way.stem}"
            yield self._at_node("road", entry, way.nodes[len(way.nodes) // 4 * 2 + 1])
        yield from self._crossings()
        yield from self._river_and_bridges()
        yield from self._communities()
        yield from self._once_in_the_city()
        yield from self._patterns()
        yield from self._pools()
        yield from self._metro_stations()
        yield from self._bus_stops()

    def _crossings(self) -> Iterator[Place]:
        met: dict[Node, list[Way]] = {}
        for way in self._roads:
            for node in way.nodes:
                met.setdefault(node, []).append(way)
        for node in sorted(met):
            east = [way for way in met[node] if way.runs_east]
            north = [way for way in met[node] if not way.runs_east]
            if east and north:
                yield self._at_node("crossing", "|".join(_crossing_names(_labels(east), _labels(north))), node)

    def _river_and_bridges(self) -> Iterator[Place]:
        river, middle = names.RIVER, 2 * ground.RIVER_ROW + 1
        yield self._at_node("river", f"{river}|{river}河道|{river}边", (ground.CENTRE_COLUMN + 3, middle))
        for column, stem in names.NORTH_AVENUES.items():
            entry = f"{stem}大桥|{stem}桥|{stem}路大桥|{river}{stem}桥"
            yield self._at_node("bridge", entry, (2 * column, middle))

    def _communities(self) -> Iterator[Place]:
        for area in self._city.level("community"):
            short = area.name.removesuffix("社区")
            yield self._on_front(
                "community", f"{area.name}|{area.name}居委会|{short}居委会", self._front_in(area.cells)
            )

    def _once_in_the_city(self) -> Iterator[Place]:
        for kind, listed in names.CITY_PLACES.items():
            for entry, _, anchor in (item.partition("@") for item in listed.split()):
                yield self._on_front(kind, entry, self._front_in(self._near[anchor]))

    def _patterns(self) -> Iterator[Place]:
        paved = [way for way in self._roads if way.rank != "alley"]
        for scope, kind, every, pattern in names.PATTERNS:
            if scope == "way":
                for way in paved[len(pattern) % every :: every]:
                    yield self._on_front(kind, pattern.replace("{}", way.name), self._pick(self._fronts_of(way)))
                continue
            for area in self._city.level(scope)[::every]:
                short = area.name.removesuffix("社区").removesuffix("街道").removesuffix("区")
                yield self._on_front(kind, pattern.replace("{}", short), self._front_in(area.cells))

    def _pools(self) -> Iterator[Place]:
        for name in names.SHARED_ESTATES:
            for district in self._city.level("district"):
                yield self._estate(name, self._front_in(district.cells))
        deck: list[Front] = []
        for kind, heads, tails, count in names.POOLS:
            pairs = self._shuffled(
                [head + tail for head in heads.split() for tail in tails.split() if head[-1] not in tail]
            )
            fresh = [name for name in pairs if (kind, name) not in self._names]
            for name in fresh[:count]:
                deck = deck or self._shuffled(self._fronts)
                front = deck.pop()
                yield self._estate(name, front) if kind == "estate" else self._on_front(kind, name, front)

    def _estate(self, name: str, front: Front) -> Place:
        entry = f"{name}|{name.removesuffix('小区')}" if name.endswith("小区") else f"{name}|{name}小区"
        buildings = 3 + int(34 * self._rng.random() ** 2)
        return self._on_front("estate", entry, front, note=f"（1至{buildings}号楼）", may_repeat=True)

    def _metro_stations(self) -> Iterator[Place]:
        lines = [way for way in self._city.ways if way.rank == "metro"]
        stops = {(2 * column, 2 * ground.AXIS_ROW): f"{stem}路" for column, stem in names.NORTH_AVENUES.items()}
        for row, stem in names.EAST_AVENUES.items():
            stops.setdefault((2 * ground.CENTRE_COLUMN, 2 * row), stem if stem in names.UNDIVIDED else f"{stem}路")
        for node, stem in stops.items():
            served = "、".join(line.name for line in lines if node in line.nodes)
            entry = f"{stem}地铁站|{stem}站|地铁{stem}站|{stem}地铁口"
            yield self._at_node("metro", entry, node, where=f"{stem}（{served}）")
            for letter, cell in zip("ABCD", self._cells_at(node), strict=False):
                exit_entry = f"{stem}地铁站{letter}口|{stem}站{letter}口|{stem}地铁{letter}出口"
                yield self._at_node("metro", exit_entry, node, cell=cell, where=f"{stem}（{served}）")

    def _bus_stops(self) -> Iterator[Place]:
        named: set[str] = set()
        for front in (f for way in self._roads if way.rank == "major" for f in self._fronts_of(way)):
            known = [name for name in self._landmarks.get(front.cell, ()) if name not in named]
            if known and self._rng.random() < BUS_STOP_SHARE:
                base, way = self._pick(known), front.way
                named.add(base)
                entry = f"{base}公交站|{base}站|{base}车站"
                yield self._at_node("bus_stop", entry, way.nodes[front.index], cell=front.cell, where=way.name)

    def _fronts_of(self, way: Way) -> list[Front]:
        middles = range(1, len(way.nodes), 2)
        return [Front(way, index, cell) for index in middles for cell in self._cells_at(way.nodes[index])]

    def _front_in(self, cells: Collection[Cell]) -> Front:
        return self._pick([front for front in self._fronts if front.cell in cells])

    def _cells_at(self, node: Node) -> list[Cell]:
        """The cells of the city that touch a node, north-east first."""
        a, b = node
        columns = (a // 2,) if a % 2 else (a // 2, a // 2 - 1)
        rows = (b // 2,) if b % 2 else (b // 2, b // 2 - 1)
        return [(c, r) for r in rows for c in columns if (c, r) in self._grid_of]

    def _at_node(self, kind: str, entry: str, node: Node, *, cell: Cell | None = None, where: str = "") -> Place:
        """A place on a road or the river. It stands a few metres inside one cell, because roads are grid borders."""
        cell = cell or self._cells_at(node)[0]
        point = _between(self._city.points[node], self._city.points[centre(cell)], 0.07)
        return self._place(kind, entry, cell=cell, point=point, where=where or entry.partition("|")[0])

    def _on_front(self, kind: str, entry: str, front: Front, *, note: str = "", may_repeat: bool = False) -> Place:
        """A place with a house number on the road before it."""
        points, nodes, index = self._city.points, front.way.nodes, front.index
        along = 0.1 + 0.8 * self._rng.random()
        ends = (nodes[index - 1], nodes[index]) if along < 0.5 else (nodes[index], nodes[index + 1])
        kerb = _between(points[ends[0]], points[ends[1]], along * 2 % 1)
        point = _between(kerb, points[centre(front.cell)], 0.12 + 0.4 * self._rng.random())
        where = f"{front.way.name}{self._house_number(front, along)}号{note}"
        if kind in LANDMARKS:
            self._landmarks.setdefault(front.cell, []).append(entry.partition("|")[0].removeprefix(names.CITY))
        return self._place(kind, entry, cell=front.cell, point=point, where=where, may_repeat=may_repeat)

    def _house_number(self, front: Front, along: float) -> int:
        """Numbers count from the middle of the city outwards, odd on the south and west side; none is used twice."""
        way, steps = front.way, front.index - 1 + 2 * along
        if way.name.endswith(("西路", "南路")) and way.stem != way.name:
            steps = len(way.nodes) - 1 - steps
        behind = front.cell[1 if way.runs_east else 0] * 2 < way.nodes[0][1 if way.runs_east else 0]
        number = 2 * int(steps * HALF_BLOCK_M / METRES_PER_NUMBER / 2) + (1 if behind else 2)
        while (way.name, number) in self._numbers:
            number += 2
        self._numbers.add((way.name, number))
        return number

    def _place(self, kind: str, entry: str, *, cell: Cell, point: Point, where: str, may_repeat: bool = False) -> Place:
        name, *aliases = entry.split("|")
        if (kind, name) in self._names and not may_repeat:
            raise ValueError(f"the word lists give {kind} {name} twice")
        self._names.add((kind, name))
        self._near.setdefault(name, (cell,))
        self._counts[kind] += 1
        grid = self._grid_of[cell]
        community, street, district = (self._area_of[grid.code[:digits]].name for digits in (12, 9, 6))
        return Place(
            id=f"{kind}-{self._counts[kind]:04d}",
            name=name,
            kind=kind,
            aliases="|".join(alias for alias in dict.fromkeys(aliases) if alias != name),
            initials=names.initials(name),
            lon=degrees(point)[0],
            lat=degrees(point)[1],
            grid_code=grid.code,
            community=community,
            street=street,
            district=district,
            address=f"{district}{where}",
        )

    def _pick(self, items: Sequence[T]) -> T:
        return items[int(self._rng.random() * len(items))]

    def _shuffled(self, items: Sequence[T]) -> list[T]:
        # Sorting by random() keeps the order the same in every Python version; shuffle() makes no such promise.
        return sorted(items, key=lambda _: self._rng.random())


def _labels(ways: Sequence[Way]) -> list[str]:
    """What people call the road at a crossing: where its two halves meet, the name without 东西南北."""
    stems = {way.stem for way in ways}
    return sorted(stems) if len(stems) < len(ways) else [way.name for way in ways]


def _crossing_names(east: Sequence[str], north: Sequence[str]) -> Iterator[str]:
    for e in east:
        for n in north:
            yield from (f"{e}与{n}交叉口", f"{e}{n}路口", f"{n}{e}路口", f"{n}与{e}交叉口", f"{e}{n}十字")


def _between(start: Point, end: Point, share: float) -> Point:
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
