"""The ground of the made-up city: its blocks, how they add up to areas, and the roads, river and metro lines on them.

The whole city stands on one warped lattice of numbered nodes. Blocks, area outlines and roads are all chains of the
same nodes, so neighbours share every vertex and nothing can gap or overlap. Names come from demo_city_names.py; places
and files are made in demo_city.py.
"""

import contextlib
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from intake import demo_city_names as names

Cell = tuple[int, int]  # column from the west, row from the south; one cell is one unit grid
Node = tuple[int, int]  # half-cell steps: even-even is a corner, one odd number the middle of a side, odd-odd a centre
Point = tuple[float, float]  # metres east and north of the south-west corner of the lattice

COLUMNS, ROWS = 24, 20
RIVER_ROW = 7
CENTRE_COLUMN = 12
AXIS_ROW = 11
SCATTER_M = 34.0

# An uninhabited stretch of desert. One degree measured on the WGS-84 ellipsoid at 40.3° N; CGCS2000 differs by less
# than a millimetre there.
ORIGIN_LON, ORIGIN_LAT = 102.3, 40.3
METRES_PER_DEGREE_LON, METRES_PER_DEGREE_LAT = 84_985.1, 111_040.9

CITY_CODE = "990100"
DISTRICT_CODES = ("990102", "990103", "990104")
STREETS_PER_DISTRICT = 4
COMMUNITIES_PER_STREET = 5


@dataclass(frozen=True, slots=True)
class Area:
    """A district, street, community or unit grid: the cells it covers and the code of the area it belongs to."""

    level: str
    code: str
    name: str
    parent: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """A named line along lattice nodes. `rank` is major, minor, alley, river or metro; `stem` leaves out 东西南北."""

    name: str
    stem: str
    rank: str
    runs_east: bool
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class CityMap:
    """The finished ground. `points` holds metres for every node in use."""

    points: Mapping[Node, Point]
    areas: tuple[Area, ...]
    ways: tuple[Way, ...]

    def level(self, level: str) -> tuple[Area, ...]:
        return tuple(area for area in self.areas if area.level == level)


def build_map(seed: int) -> CityMap:
    """Build the ground of the city; equal seeds give equal maps."""
    cells = frozenset((c, r) for c in range(COLUMNS) for r in range(ROWS) if _is_inside(c, r))
    points = _lay_points(random.Random(seed))  # noqa: S311 - repeatable scenery, nothing secret
    return CityMap(points, tuple(_areas(cells)), tuple(_ways(cells)))


def degrees(point: Point) -> tuple[float, float]:
    """Longitude and latitude of a point in metres, rounded to 6 decimals (about 0.1 m)."""
    east, north = point
    return (
        round(ORIGIN_LON + east / METRES_PER_DEGREE_LON, 6),
        round(ORIGIN_LAT + north / METRES_PER_DEGREE_LAT, 6),
    )


def outline(cells: Iterable[Cell]) -> tuple[Node, ...]:
    """The closed ring of nodes round `cells`, counter-clockwise; raises ValueError unless they make one whole piece."""
    sides = {side for cell in cells for side in _sides(cell)}
    border = [(start, end) for start, end in sides if (end, start) not in sides]
    following = dict(border)
    if len(following) != len(border):
        raise ValueError("the cells touch at a corner only")
    ring = [min(following)]
    while len(ring) == 1 or ring[-1] != ring[0]:
        ring.append(following[ring[-1]])
    if len(ring) != len(border) + 1:
        raise ValueError("the cells fall into pieces or leave a hole")
    return tuple(ring)


def cell_ring(cell: Cell) -> tuple[Node, ...]:
    """The eight nodes round one cell, counter-clockwise from its south-west corner."""
    west, south = 2 * cell[0], 2 * cell[1]
    steps = ((0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1))
    return tuple((west + east, south + north) for east, north in steps)


def centre(cell: Cell) -> Node:
    return (2 * cell[0] + 1, 2 * cell[1] + 1)


def _is_inside(column: int, row: int) -> bool:
    """A rounded rectangle, so that the city does not end in four square corners."""
    east = (column + 0.5) / COLUMNS * 2 - 1
    north = (row + 0.5) / ROWS * 2 - 1
    return abs(east) ** 4 + abs(north) ** 4 < 1.12


def _sides(cell: Cell) -> Iterator[tuple[Node, Node]]:
    ring = cell_ring(cell)
    yield from zip(ring, (*ring[1:], ring[0]), strict=True)


def _lay_points(rng: random.Random) -> dict[Node, Point]:
    across = _offsets(COLUMNS, narrow=248.0, wide=308.0)
    up = _offsets(ROWS, narrow=262.0, wide=304.0)
    points: dict[Node, Point] = {}
    for a in range(2 * COLUMNS + 1):
        for b in range(2 * ROWS + 1):
            east, north = across[a], up[b]
            # Long waves bend the roads and the river; the small scatter keeps borders from looking ruled.
            points[a, b] = (
                east + 120.0 * math.sin(north / 900.0 + 0.7) + SCATTER_M * (rng.random() - 0.5),
                north + 190.0 * math.sin(east / 1100.0 + 0.3) + SCATTER_M * (rng.random() - 0.5),
            )
    return points


def _offsets(count: int, *, narrow: float, wide: float) -> list[float]:
    """Distances in metres of the half steps: blocks are narrow in the middle of the city and wide at its edge."""
    offsets = [0.0]
    middle = (count - 1) / 2
    for index in range(count):
        size = narrow + (wide - narrow) * abs(index - middle) / middle
        offsets += [offsets[-1] + size / 2, offsets[-1] + size]
    return offsets


def _areas(cells: frozenset[Cell]) -> Iterator[Area]:
    for code, name, covered in zip(DISTRICT_CODES, names.DISTRICTS, _district_cells(cells), strict=True):
        yield Area("district", code, name, CITY_CODE, covered)
        parts = _split(covered, STREETS_PER_DISTRICT)
        for number, (street, part) in enumerate(zip(names.STREETS[name], parts, strict=True), start=1):
            yield from _street(f"{code}{number:03d}", street, part)


def _street(code: str, name: str, cells: tuple[Cell, ...]) -> Iterator[Area]:
    yield Area("street", code, f"{name}街道", code[:6], cells)
    parts = _split(cells, COMMUNITIES_PER_STREET)
    for number, (community, part) in enumerate(zip(names.COMMUNITIES[name], parts, strict=True), start=1):
        below = f"{code}{number:03d}"
        yield Area("community", below, f"{community}社区", code, part)
        for sequence, cell in enumerate(sorted(part, key=lambda c: (-c[1], c[0])), start=1):
            yield Area("grid", f"{below}{sequence:03d}", f"{community}社区第{sequence}网格", below, (cell,))


def _district_cells(cells: frozenset[Cell]) -> tuple[tuple[Cell, ...], ...]:
    """Old town north-west, new town north-east, everything up to the north bank in the south."""
    south = tuple(sorted(cell for cell in cells if cell[1] <= RIVER_ROW))
    west = tuple(sorted(cell for cell in cells if cell[1] > RIVER_ROW and cell[0] < CENTRE_COLUMN))
    east = tuple(sorted(cells.difference(south, west)))
    return west, east, south


def _split(cells: Sequence[Cell], parts: int) -> list[tuple[Cell, ...]]:
    """Halve again and again into `parts` equal shares, each in one piece; ValueError where no way of cutting does it."""
    if parts == 1:
        outline(cells)
        return [tuple(cells)]
    extents = [len({cell[axis] for cell in cells}) for axis in (0, 1)]
    longer = extents.index(max(extents))
    few = parts // 2
    cut = round(len(cells) * few / parts)
    # Across the longer side makes the rounder shares; the other three orders are tried where that leaves a loose block.
    for along, start in ((longer, 1), (longer, -1), (1 - longer, 1), (1 - longer, -1)):
        ordered = _to_and_fro(cells, along, start)
        with contextlib.suppress(ValueError):
            return _split(ordered[:cut], few) + _split(ordered[cut:], parts - few)
    raise ValueError("no cut leaves every share in one piece")


def _to_and_fro(cells: Sequence[Cell], along: int, start: int) -> list[Cell]:
    return sorted(cells, key=lambda cell: (cell[along], start * cell[1 - along] * (-1) ** cell[along]))


def _ways(cells: frozenset[Cell]) -> Iterator[Way]:
    yield from _avenues(cells)
    yield from _minor_roads(cells)
    for name, cell in zip(names.ALLEYS.split(), _alley_cells(cells), strict=True):
        west, south = 2 * cell[0], 2 * cell[1]
        yield Way(name, name, "alley", False, tuple((west + 1, south + step) for step in range(3)))
    middle = 2 * RIVER_ROW + 1
    yield Way(names.RIVER, names.RIVER, "river", True, tuple((a, middle) for a in range(2 * COLUMNS + 1)))
    yield Way(names.METRO_LINES[0], names.METRO_LINES[0], "metro", True, _row_line(cells, AXIS_ROW))
    yield Way(names.METRO_LINES[1], names.METRO_LINES[1], "metro", False, _column_line(cells, CENTRE_COLUMN))


def _avenues(cells: frozenset[Cell]) -> Iterator[Way]:
    for row, stem in names.EAST_AVENUES.items():
        line = _row_line(cells, row)
        if stem in names.UNDIVIDED:
            yield Way(stem, stem, "major", True, line)
            continue
        parts = _cut(line, 0, 2 * CENTRE_COLUMN)
        for part, word in zip(parts, ("西路", "东路"), strict=True):
            yield Way(f"{stem}{word}", f"{stem}路", "major", True, part)
    for column, stem in names.NORTH_AVENUES.items():
        parts = _cut(_column_line(cells, column), 1, 2 * AXIS_ROW)
        for part, word in zip(parts, ("南路", "北路"), strict=True):
            yield Way(f"{stem}{word}", f"{stem}路", "major", False, part)


def _minor_roads(cells: frozenset[Cell]) -> Iterator[Way]:
    """Minor roads change their name at the centre line, or end at the river where no bridge carries them over."""
    for row, pair in names.EAST_STREETS.items():
        for name, part in zip(pair, _cut(_row_line(cells, row), 0, 2 * CENTRE_COLUMN), strict=True):
            yield Way(name, name, "minor", True, part)
    for column, (below, above) in names.NORTH_STREETS.items():
        line = _column_line(cells, column)
        yield Way(below, below, "minor", False, tuple(n for n in line if n[1] <= 2 * RIVER_ROW))
        yield Way(above, above, "minor", False, tuple(n for n in line if n[1] >= 2 * RIVER_ROW + 2))


def _row_line(cells: frozenset[Cell], row: int) -> tuple[Node, ...]:
    """The nodes along a lattice row that have the city on both sides."""
    kept = [c for c in range(COLUMNS) if (c, row) in cells and (c, row - 1) in cells]
    return tuple((a, 2 * row) for a in range(2 * min(kept), 2 * max(kept) + 3))


def _column_line(cells: frozenset[Cell], column: int) -> tuple[Node, ...]:
    kept = [r for r in range(ROWS) if (column, r) in cells and (column - 1, r) in cells]
    return tuple((2 * column, b) for b in range(2 * min(kept), 2 * max(kept) + 3))


def _cut(line: tuple[Node, ...], axis: int, at: int) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    return tuple(n for n in line if n[axis] <= at), tuple(n for n in line if n[axis] >= at)


def _alley_cells(cells: frozenset[Cell]) -> list[Cell]:
    """Most alleys stand in the old town, a few everywhere else; the river row has none."""
    land = sorted(cell for cell in cells if cell[1] != RIVER_ROW)
    old = [cell for cell in land if cell[1] > RIVER_ROW and cell[0] < CENTRE_COLUMN]
    rest = [cell for cell in land if cell not in old]
    return _spread(old, names.OLD_TOWN_ALLEYS) + _spread(rest, len(names.ALLEYS.split()) - names.OLD_TOWN_ALLEYS)


def _spread(cells: Sequence[Cell], count: int) -> list[Cell]:
    return [cells[index * len(cells) // count] for index in range(count)]
