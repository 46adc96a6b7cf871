"""Areas of a city: which unit grid (单元网格), community, street and district a point lies in.

The only importer of shapely. Points are WGS-84 or CGCS2000 degrees, longitude first (coordinates.py converts others).
Names in text are found by gazetteer.py.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, radians
from pathlib import Path
from typing import Any, Self

import shapely

from intake.coordinates import checked

LEVELS = ("district", "street", "community", "grid")
_FILES = {
    "district": "districts.geojson",
    "street": "streets.geojson",
    "community": "communities.geojson",
    "grid": "grids.geojson",
}
# A point this close to an edge is told as lying on it: survey files round degrees to 7 digits, about a centimetre.
BORDER_M = 0.05
# Metres of a degree of latitude at 30° on the WGS-84 ellipsoid; over the whole country it is within 0.4 %.
_DEGREE_M = 110_852.0
# The same for longitude at the equator; the cosine of the city's latitude is applied on loading.
_EQUATOR_DEGREE_M = 111_320.0


class AreasError(ValueError):
    """The area files cannot be used; says which file, which code and why."""


@dataclass(frozen=True, slots=True)
class Area:
    """One area of any level. `parent` is the code of the area it belongs to, empty for a district."""

    code: str
    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class Located:
    """The areas a point lies in: names for the screen, codes for the record.

    On a border the grid with the lowest code is taken, so that the same point always gives the same answer;
    `candidates` holds the codes of all grids it touches, that one first, and `on_border` asks a person to look.
    """

    grid_code: str
    community: str
    street: str
    district: str
    community_code: str
    street_code: str
    district_code: str
    on_border: bool
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outside:
    """A point in no grid: how far in metres the nearest one is, and which."""

    distance_m: float
    nearest_grid_code: str


class Areas:
    """All areas of one city, ready for look-ups. Build it with `load`; it does not change afterwards."""

    def __init__(self, areas: Mapping[str, Mapping[str, Area]], shapes: Any) -> None:
        """`areas` holds the areas of each level by code; `shapes` is an array of grid polygons in the same order."""
        self.areas = areas
        self._grids = tuple(areas["grid"].values())
        west, south, east, north = shapely.total_bounds(shapes)
        self._lon, self._lat = (west + east) / 2, (south + north) / 2
        self._east_m = _EQUATOR_DEGREE_M * cos(radians(self._lat))
        # In metres around the middle of the city: distances need no correction, and straight edges stay straight.
        self._shapes = shapely.transform(shapes, self._metres)
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read districts, streets, communities and grids (.geojson, properties code, name, parent). Raises AreasError."""
        areas: dict[str, dict[str, Area]] = {}
        shapes: Any = None
        for depth, level in enumerate(LEVELS):
            path = folder / _FILES[level]
            text = _read(path)
            areas[level] = _read_areas(text, path=path, parents=areas[LEVELS[depth - 1]] if depth else None)
            if level == "grid":
                shapes = _read_shapes(text, path=path, codes=tuple(areas[level]))
        return cls(areas, shapes)

    def locate(self, lon: float, lat: float) -> Located | Outside:
        """Where a point lies. Raises CoordinateError for degrees that name no place on earth."""
        checked(lon, lat)
        point = shapely.Point((lon - self._lon) * self._east_m, (lat - self._lat) * _DEGREE_M)
        touched = self._tree.query(point, predicate="dwithin", distance=BORDER_M)
        if not len(touched):
            nearest = int(self._tree.nearest(point))
            return Outside(round(float(self._shapes[nearest].distance(point)), 1), self._grids[nearest].code)
        found = min(touched, key=lambda index: self._grids[index].code)
        candidates = tuple(sorted(self._grids[index].code for index in touched))
        on_border = len(touched) > 1 or float(self._shapes[found].boundary.distance(point)) <= BORDER_M
        return self._located(self._grids[found], on_border=on_border, candidates=candidates)

    def _located(self, grid: Area, *, on_border: bool, candidates: tuple[str, ...]) -> Located:
        community = self.areas["community"][grid.parent]
        street = self.areas["street"][community.parent]
        district = self.areas["district"][street.parent]
        return Located(
            grid_code=grid.code,
            community=community.name,
            street=street.name,
            district=district.name,
            community_code=community.code,
            street_code=street.code,
            district_code=district.code,
            on_border=on_border,
            candidates=candidates,
        )

    def _metres(self, degrees: Any) -> Any:
        """Degrees (an array of shape (n, 2)) as metres east and north of the middle of the city."""
        return (degrees - (self._lon, self._lat)) * (self._east_m, _DEGREE_M)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AreasError(f"{path.name}: {error}") from error


def _read_areas(text: str, *, path: Path, parents: Mapping[str, Area] | None) -> dict[str, Area]:
    """The areas of one file by code, in file order. `parents` is None at the top level."""
    areas: dict[str, Area] = {}
    try:
        for feature in json.loads(text)["features"]:
            row = feature["properties"]
            area = Area(str(row["code"]), str(row["name"]), str(row.get("parent") or ""))
            if area.code in areas:
                raise AreasError(f"{path.name}: code {area.code} stands twice")
            if parents is not None and area.parent not in parents:
                raise AreasError(f"{path.name}: {area.code} belongs to {area.parent!r}, which is not listed")
            areas[area.code] = area
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise error if isinstance(error, AreasError) else AreasError(f"{path.name}: {error!r}") from error
    if not areas:
        raise AreasError(f"{path.name}: no features")
    return areas


def _read_shapes(text: str, *, path: Path, codes: tuple[str, ...]) -> Any:
    """An array of polygons, one for each code. Reading all at once in C is what keeps the start of a city fast."""
    try:
        shapes = shapely.get_parts(shapely.from_geojson(text))
    except shapely.errors.ShapelyError as error:
        raise AreasError(f"{path.name}: {error}") from error
    if len(shapes) != len(codes):
        raise AreasError(f"{path.name}: a feature has no geometry")
    usable = shapely.is_valid(shapes) & (shapely.area(shapes) > 0)
    for code, fits in zip(codes, usable, strict=True):
        if not fits:
            raise AreasError(f"{path.name}: {code} is not a valid polygon")
    return shapes
