"""Where reports lie, by point and by unit grid: which are around a place, and how near each one is.

A grid is a look-up in a dictionary of cells of about 200 metres. Names of places are no business of this module.
"""

from collections import defaultdict
from collections.abc import Callable
from math import cos, floor, isfinite, radians

import numpy as np
from numpy.typing import NDArray

from intake.model import Place

# One city's setting of the duplicate test (process.md §5): the same subclass within 50 m.
NEAR_M = 50.0
FAR_M = 500.0
DEGREE_M = 111_195.0
CELL_DEG = 0.002
# Phones err most where the houses are high, so nearness fades over this much.
FADE_M = 60.0

Floats = NDArray[np.float64]


class Ground:
    """Points and grids by slot."""

    def __init__(self, neighbours: Callable[[str], frozenset[str]] | None = None) -> None:
        self._neighbours = neighbours or (lambda _: frozenset())
        self._points: dict[int, tuple[float, float]] = {}
        self._grids: dict[int, str] = {}
        self._in_cell: dict[tuple[int, int], set[int]] = defaultdict(set)
        self._in_grid: dict[str, set[int]] = defaultdict(set)

    def put(self, slot: int, place: Place) -> None:
        """Note where a report lies; a place without point and grid is fine."""
        if point := point_of(place):
            self._points[slot] = point
            self._in_cell[_cell(point)].add(slot)
        if place.grid_code:
            self._grids[slot] = place.grid_code
            self._in_grid[place.grid_code].add(slot)

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        if point := self._points.pop(slot, None):
            self._in_cell[_cell(point)].discard(slot)
        if grid := self._grids.pop(slot, ""):
            self._in_grid[grid].discard(slot)

    def around(self, place: Place) -> list[int]:
        """Slots within about 200 metres or in the same grid, in order."""
        found = set(self._in_grid.get(place.grid_code, ())) if place.grid_code else set()
        if point := point_of(place):
            column, row = _cell(point)
            for cell in ((column + x, row + y) for x in (-1, 0, 1) for y in (-1, 0, 1)):
                found |= self._in_cell.get(cell, set())
        return sorted(found)

    def evidence(self, place: Place, slots: NDArray[np.intp]) -> dict[str, Floats]:
        """Columns `near` and `far` by metres, `grid` 1 in the same and 0.5 in a neighbouring grid; 0 where unknown."""
        metres = self._metres(point_of(place), slots.tolist())
        grids = [self._grids.get(slot, "") for slot in slots.tolist()]
        beside = self._neighbours(place.grid_code) if place.grid_code else frozenset()
        touching = [1.0 if place.grid_code and grid == place.grid_code else 0.5 * (grid in beside) for grid in grids]
        near = np.exp(-np.maximum(np.nan_to_num(metres, nan=1e9) - NEAR_M, 0.0) / FADE_M)
        far = np.clip((np.nan_to_num(metres, nan=0.0) - FAR_M) / FAR_M, 0.0, 1.0)
        return {"near": near, "far": far, "grid": np.array(touching)}

    def _metres(self, here: tuple[float, float] | None, slots: list[int]) -> Floats:
        """Metres to each slot, NaN where either side has no point."""
        if here is None:
            return np.full(len(slots), np.nan)
        points = map(self._points.get, slots)
        return np.array([metres_between(here, there) if there else np.nan for there in points])


def point_of(place: Place) -> tuple[float, float] | None:
    """Longitude and latitude, or None where they are missing or no numbers."""
    if place.lon is None or place.lat is None or not (isfinite(place.lon) and isfinite(place.lat)):
        return None
    return place.lon, place.lat


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Distance on the ground, right to 0.5 % within a city."""
    east = (one[0] - other[0]) * cos(radians((one[1] + other[1]) / 2)) * DEGREE_M
    north = (one[1] - other[1]) * DEGREE_M
    return float(np.hypot(east, north))


def _cell(point: tuple[float, float]) -> tuple[int, int]:
    return floor(point[0] / CELL_DEG), floor(point[1] / CELL_DEG)
