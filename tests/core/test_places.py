"""Which areas a point lies in, on small maps made here."""

import json
import random
from pathlib import Path

import pytest

from intake.coordinates import CoordinateError
from intake.places import Areas, AreasError, Located, Outside

WEST, SOUTH, SIDE = 120.0, 30.0, 0.001
COMMUNITY = "990101001001"
Ring = list[list[float]]


def square(column: int, row: int, *, columns: int = 1, rows: int = 1) -> Ring:
    """A ring of whole grid squares, counted from the south-west corner."""
    west, south = round(WEST + column * SIDE, 7), round(SOUTH + row * SIDE, 7)
    east, north = round(WEST + (column + columns) * SIDE, 7), round(SOUTH + (row + rows) * SIDE, 7)
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(code: str, name: str, parent: str, ring: Ring) -> dict[str, object]:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"code": code, "name": name, "parent": parent}, "geometry": geometry}


def write_map(folder: Path, *, size: int = 4, **changed: list[dict[str, object]]) -> Path:
    """Area files of a city of size × size grids in one community; `changed` replaces the features of whole files."""
    whole = square(0, 0, columns=size, rows=size)
    files = {
        "districts": [feature("990101", "泽城区", "", whole)],
        "streets": [feature("990101001", "鼓楼街道", "990101", whole)],
        "communities": [feature(COMMUNITY, "县前社区", "990101001", whole)],
        "grids": [
            feature(grid_code(column, row, size=size), "网格", COMMUNITY, square(column, row))
            for column in range(size)
            for row in range(size)
        ],
    }
    for name, features in (files | changed).items():
        collection = {"type": "FeatureCollection", "features": features}
        (folder / f"{name}.geojson").write_text(json.dumps(collection, ensure_ascii=False), "utf-8")
    return folder


def grid_code(column: int, row: int, *, size: int = 4) -> str:
    return f"{COMMUNITY}{column * size + row:03d}"


@pytest.fixture
def areas(tmp_path: Path) -> Areas:
    return Areas.load(write_map(tmp_path))


def test_a_point_inside_a_grid_gets_all_its_areas(areas: Areas) -> None:
    assert areas.locate(120.0015, 30.0025) == Located(
        grid_code=grid_code(1, 2),
        community="县前社区",
        street="鼓楼街道",
        district="泽城区",
        community_code=COMMUNITY,
        street_code="990101001",
        district_code="990101",
        on_border=False,
        candidates=(grid_code(1, 2),),
    )


def test_a_point_on_a_common_edge_takes_the_lowest_code_and_says_so(areas: Areas) -> None:
    found = areas.locate(120.002, 30.0005)
    assert isinstance(found, Located)
    assert (found.grid_code, found.on_border) == (grid_code(1, 0), True)
    assert found.candidates == (grid_code(1, 0), grid_code(2, 0))


def test_a_corner_touches_four_grids(areas: Areas) -> None:
    found = areas.locate(120.002, 30.002)
    assert isinstance(found, Located)
    assert found.candidates == (grid_code(1, 1), grid_code(1, 2), grid_code(2, 1), grid_code(2, 2))


def test_the_order_of_the_file_does_not_change_the_answer_on_a_border(tmp_path: Path) -> None:
    grids = [feature("b", "网格", COMMUNITY, square(1, 0)), feature("a", "网格", COMMUNITY, square(0, 0))]
    for name, features in (("one", grids), ("other", grids[::-1])):
        (tmp_path / name).mkdir()
        found = Areas.load(write_map(tmp_path / name, grids=features)).locate(120.001, 30.0005)
        assert isinstance(found, Located)
        assert (found.grid_code, found.candidates) == ("a", ("a", "b"))


def test_the_edge_of_the_city_is_a_border_with_one_candidate(areas: Areas) -> None:
    found = areas.locate(120.0, 30.0005)
    assert isinstance(found, Located)
    assert (found.on_border, found.candidates) == (True, (grid_code(0, 0),))


def test_a_centimetre_beside_the_edge_is_border_and_a_metre_is_not(areas: Areas) -> None:
    near, clear = areas.locate(120.002 + 1e-7, 30.0005), areas.locate(120.002 + 1e-5, 30.0005)
    assert isinstance(near, Located)
    assert isinstance(clear, Located)
    assert (near.on_border, clear.on_border) == (True, False)
    assert clear.grid_code == grid_code(2, 0)


def test_outside_tells_the_metres_to_the_nearest_grid(areas: Areas) -> None:
    # 0.01° of longitude at 30° north is 964.9 m, 0.01° of latitude 1108.5 m (WGS-84 ellipsoid).
    west, south = areas.locate(119.99, 30.0005), areas.locate(120.0005, 29.99)
    assert isinstance(west, Outside)
    assert isinstance(south, Outside)
    assert west.distance_m == pytest.approx(964.9, rel=0.005)
    assert west.nearest_grid_code == grid_code(0, 0)
    assert south.distance_m == pytest.approx(1108.5, rel=0.005)


def test_senseless_degrees_are_refused(areas: Areas) -> None:
    with pytest.raises(CoordinateError):
        areas.locate(float("nan"), 30.0)


def test_ten_thousand_grids_are_found_one_by_one(tmp_path: Path) -> None:
    size = 100
    areas = Areas.load(write_map(tmp_path, size=size))
    rng = random.Random(20260101)
    for _ in range(300):
        column, row = rng.randrange(size), rng.randrange(size)
        found = areas.locate(WEST + (column + 0.5) * SIDE, SOUTH + (row + 0.5) * SIDE)
        assert isinstance(found, Located)
        assert found.grid_code == grid_code(column, row, size=size)


def test_a_grid_of_several_pieces_is_one_grid(tmp_path: Path) -> None:
    pieces: dict[str, object] = {"type": "MultiPolygon", "coordinates": [[square(0, 0)], [square(3, 3)]]}
    grid = feature("a", "网格", COMMUNITY, square(0, 0)) | {"geometry": pieces}
    areas = Areas.load(write_map(tmp_path, grids=[grid]))
    for point in ((120.0005, 30.0005), (120.0035, 30.0035)):
        found = areas.locate(*point)
        assert isinstance(found, Located)
        assert found.grid_code == "a"


BOWTIE: Ring = [[120.0, 30.0], [120.001, 30.001], [120.001, 30.0], [120.0, 30.001], [120.0, 30.0]]


@pytest.mark.parametrize(
    ("grids", "told"),
    [
        ([], "no features"),
        ([feature("a", "网格", "nowhere", square(0, 0))], "nowhere"),
        ([feature("a", "网格", COMMUNITY, square(0, 0)), feature("a", "网格", COMMUNITY, square(1, 0))], "twice"),
        ([feature("a", "网格", COMMUNITY, BOWTIE)], "a is not a valid polygon"),
        ([feature("a", "网格", COMMUNITY, square(0, 0)) | {"geometry": {"type": "Point", "coordinates": [1, 2]}}], "a is"),
        ([feature("a", "网格", COMMUNITY, square(0, 0)) | {"geometry": None}], "grids.geojson"),
        ([feature("a", "网格", COMMUNITY, square(0, 0)) | {"properties": {"name": "网格"}}], "code"),
    ],
)
def test_area_files_that_cannot_be_used_are_refused(tmp_path: Path, grids: list[dict[str, object]], told: str) -> None:
    write_map(tmp_path, grids=grids)
    with pytest.raises(AreasError, match=told):
        Areas.load(tmp_path)


def test_missing_and_unreadable_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AreasError, match=r"districts\.geojson"):
        Areas.load(tmp_path)
    write_map(tmp_path)
    (tmp_path / "streets.geojson").write_text("{", "utf-8")
    with pytest.raises(AreasError, match=r"streets\.geojson"):
        Areas.load(tmp_path)
