"""What a city makes of a place: areas from its point or from a name only one spot bears, and what a person must look at."""

import json

import pytest

from intake.model import Place, Subclass, Urgency
from intake.profile import City
from intake.routing import Matter, route

INSIDE = (102.3384, 40.3275)


Ring = tuple[tuple[float, float], ...]


@pytest.fixture(scope="module")
def rings(city: City) -> dict[str, Ring]:
    """The corners of every grid, read from the profile's own file."""
    features = json.loads((city.folder / "grids.geojson").read_text(encoding="utf-8"))["features"]
    return {
        one["properties"]["code"]: tuple((lon, lat) for lon, lat, *_ in one["geometry"]["coordinates"][0]) for one in features
    }


def test_a_point_gives_all_areas_and_no_doubt(city: City) -> None:
    place = city.locate(Place(text="某处", lon=INSIDE[0], lat=INSIDE[1]))
    assert place.grid_code
    assert place.community
    assert place.street
    assert place.district
    assert (city.doubt_about(place), city.is_outside(place)) == ("", False)


@pytest.mark.parametrize(("text", "is_sure"), [("鼓楼广场北侧", True), ("人民广场北门", True), ("人民路", False), ("rmgc", False), ("", False)])
def test_a_name_gives_areas_only_where_one_spot_bears_it(city: City, text: str, *, is_sure: bool) -> None:
    assert bool(city.locate(Place(text=text)).grid_code) is is_sure
    assert city.doubt_about(Place(text=text)) == ""


def test_a_point_on_a_common_edge_names_the_other_grids(city: City, rings: dict[str, Ring]) -> None:
    code = city.locate(Place(lon=INSIDE[0], lat=INSIDE[1])).grid_code
    lon, lat = rings[code][0]
    place = city.locate(Place(lon=lon, lat=lat))
    doubt = city.doubt_about(place)
    assert doubt.startswith("定位在网格交界处，也可能属于 ")
    assert place.grid_code not in doubt
    others = doubt.removeprefix("定位在网格交界处，也可能属于 ").removesuffix("，请核对。").split("、")
    assert place.grid_code < min(others)


@pytest.mark.parametrize(("metres", "is_outside"), [(100, False), (400, True)])
def test_a_point_in_no_grid_says_how_far_the_nearest_is(
    city: City, rings: dict[str, Ring], metres: int, *, is_outside: bool
) -> None:
    """A little beside the edge may still be ours: it is shown with its doubt and not refused."""
    lon, lat = min(corner for ring in rings.values() for corner in ring)
    place = Place(lon=lon - metres / 84_900, lat=lat)
    assert city.locate(place).grid_code == ""
    assert city.is_outside(place) is is_outside
    words = city.doubt_about(place)
    told = int(words.partition(" 约 ")[2].partition(" 米")[0])
    assert words.startswith("定位不在任何网格内，离最近的网格 ")
    assert told == pytest.approx(metres, rel=0.1)


def test_a_rule_names_the_helping_unit_too(city: City) -> None:
    found = route(city.routing, Matter(Subclass.parse("event:0401"), Place(), urgency=Urgency.EMERGENCY))
    assert (found.unit, found.co_unit, found.rule) == ("roads", "drainage", "路面塌陷由市政抢险")
