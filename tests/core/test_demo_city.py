"""The demo city is whole: areas tile, places lie where they say, every class finds a unit, tables agree."""

import csv
import itertools
import json
import re
import string
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import chinese_calendar
import pypinyin
import pytest
import shapely
from shapely.geometry import shape

from intake.demo_city import write_city

ROOT = Path(__file__).resolve().parents[2]
CITY = ROOT / "data" / "cities" / "demo"
SEED = 12319
DRAWN = ("districts", "streets", "communities", "grids", "ways")
SHARED_ESTATES = {"幸福小区", "向阳新村", "金色家园"}
SLOTS = {"place", "subclass", "no", "result", "reason", "date", "body", "way", "other", "hotline"}
TEMPLATE_KINDS = {"filing", "progress", "closing", "redirect", "refusal", "merged", "void", "notice", "receipt"}
ROLES = {"operator", "shift_leader", "dispatcher", "inspector", "unit", "auditor", "administrator"}


@cache
def read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads((CITY / name).read_text("utf-8"))


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_areas(stem: str) -> dict[str, dict[str, Any]]:
    features = json.loads((CITY / f"{stem}.geojson").read_text("utf-8"))["features"]
    return {f["properties"]["code"]: f["properties"] | {"shape": shape(f["geometry"])} for f in features}


@pytest.fixture(scope="module")
def areas() -> dict[str, dict[str, dict[str, Any]]]:
    return {stem: read_areas(stem) for stem in DRAWN[:4]}


@pytest.fixture(scope="module")
def places() -> list[dict[str, str]]:
    return read_rows(CITY / "gazetteer.csv")


def test_committed_files_are_what_the_generator_draws(tmp_path: Path) -> None:
    write_city(tmp_path, seed=SEED)
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == sorted([*(f"{stem}.geojson" for stem in DRAWN), "gazetteer.csv"])
    assert [name for name in drawn if (tmp_path / name).read_bytes() != (CITY / name).read_bytes()] == []


def test_another_seed_draws_another_city(tmp_path: Path) -> None:
    write_city(tmp_path, seed=SEED + 1)
    assert (tmp_path / "grids.geojson").read_bytes() != (CITY / "grids.geojson").read_bytes()
    assert (tmp_path / "gazetteer.csv").read_bytes() != (CITY / "gazetteer.csv").read_bytes()


def test_each_level_tiles_the_one_above(areas: dict[str, dict[str, dict[str, Any]]]) -> None:
    for above, below in itertools.pairwise(DRAWN[:4]):
        for code, area in areas[above].items():
            parts = [part["shape"] for part in areas[below].values() if part["parent"] == code]
            assert parts, f"{above} {code} is empty"
            assert shapely.union_all(parts).symmetric_difference(area["shape"]).area < 1e-12, code
            assert sum(part.area for part in parts) == pytest.approx(area["shape"].area, abs=1e-12), code


@pytest.mark.parametrize("stem", DRAWN[:4])
def test_no_two_areas_of_a_level_overlap(areas: dict[str, dict[str, dict[str, Any]]], stem: str) -> None:
    shapes = [area["shape"] for area in areas[stem].values()]
    assert all(one.is_valid for one in shapes)
    tree = shapely.STRtree(shapes)
    for first, second in zip(*tree.query(shapes, predicate="intersects"), strict=True):
        if first < second:
            assert shapes[first].intersection(shapes[second]).area < 1e-9


def test_neighbouring_grids_share_their_vertices(areas: dict[str, dict[str, dict[str, Any]]]) -> None:
    vertices = {point for grid in areas["grids"].values() for point in grid["shape"].exterior.coords}
    tree = shapely.STRtree(shapely.points(sorted(vertices)))
    near = tree.query(tree.geometries, predicate="dwithin", distance=1e-4)
    assert (near[0] == near[1]).all(), "two vertices within 10 m of one another would leave a sliver"


def test_codes_are_well_formed_and_nested(areas: dict[str, dict[str, dict[str, Any]]]) -> None:
    parents = {"990100"}
    for stem, digits in zip(DRAWN[:4], (6, 9, 12, 15), strict=True):
        for code, area in areas[stem].items():
            assert re.fullmatch(rf"9901\d{{{digits - 4}}}", code)
            assert area["parent"] in parents
            assert code.startswith(area["parent"]) or stem == "districts"
        parents = set(areas[stem])
    assert [len(areas[stem]) for stem in DRAWN[:4]] == [3, 12, 60, 460]


def test_grids_are_of_unit_grid_size(areas: dict[str, dict[str, dict[str, Any]]]) -> None:
    for code, grid in areas["grids"].items():
        square_metres = grid["shape"].area * 84_985.1 * 111_040.9
        assert 10_000 < square_metres < 100_000, code


def test_every_place_lies_in_its_grid(
    areas: dict[str, dict[str, dict[str, Any]]], places: list[dict[str, str]]
) -> None:
    for place in places:
        grid = areas["grids"][place["grid_code"]]
        assert grid["shape"].contains(shapely.Point(float(place["lon"]), float(place["lat"]))), place["id"]
        above = [areas[stem][grid["code"][:n]]["name"] for stem, n in zip(DRAWN[:3], (6, 9, 12), strict=True)]
        assert above == [place["district"], place["street"], place["community"]], place["id"]


def test_places_are_enough_and_named_once(places: list[dict[str, str]]) -> None:
    assert 1_900 <= len(places) <= 2_300
    assert len({place["id"] for place in places}) == len(places)
    named = [(place["kind"], place["name"]) for place in places if place["name"] not in SHARED_ESTATES]
    assert len(set(named)) == len(named)
    assert sum(place["kind"] == "road" for place in places) >= 60
    assert sum(place["name"] in SHARED_ESTATES and place["kind"] == "estate" for place in places) == 9
    addresses = [place["address"] for place in places if re.search(r"\d号(（1至|$)", place["address"])]
    assert len(set(addresses)) == len(addresses)


def test_every_crossing_names_two_roads_that_meet(places: list[dict[str, str]]) -> None:
    features = json.loads((CITY / "ways.geojson").read_text("utf-8"))["features"]
    lines: dict[str, list[Any]] = {}
    for feature in features:
        name = feature["properties"]["name"]
        for known in {name, re.sub("[东西南北]路$", "路", name)}:
            lines.setdefault(known, []).append(shape(feature["geometry"]))
    crossings = [place for place in places if place["kind"] == "crossing"]
    assert len(crossings) > 300
    for place in crossings:
        first, second = place["name"].removesuffix("交叉口").split("与")
        point = shapely.Point(float(place["lon"]), float(place["lat"]))
        for road in (first, second):
            assert min(line.distance(point) for line in lines[road]) < 5e-4, place["name"]


def test_initials_agree_with_a_dictionary_of_readings(places: list[dict[str, str]]) -> None:
    for place in places:
        readings = pypinyin.pinyin(place["name"], style=pypinyin.Style.FIRST_LETTER, heteronym=True)
        assert len(readings) == len(place["initials"]), place["name"]
        for letter, known in zip(place["initials"], readings, strict=True):
            assert letter in {reading.lower() for reading in known}, place["name"]
    assert {p["initials"] for p in places if p["name"].startswith("云泽银行滨河北路")} == {"yzyhbhblzh"}


@cache
def units() -> dict[str, dict[str, str]]:
    return {unit["id"]: unit for unit in read_toml("units.toml")["units"]}


def test_units_are_well_formed(areas: dict[str, dict[str, dict[str, Any]]]) -> None:
    listed = read_toml("units.toml")["units"]
    assert len(listed) == len(units()) == len({unit["code"] for unit in listed})
    known_areas = {"990100", *areas["districts"], *areas["streets"]}
    for unit in listed:
        assert re.fullmatch(r"[19][129]9901[0-9A-HJ-NP-RT-UW-Y]{12}", unit["code"]), unit["id"]
        assert re.fullmatch(r"0990-5550\d{3}", unit["duty_phone"]), unit["id"]
        assert unit["calendar"] in read_toml("calendars.toml")["calendar"]
        assert unit["area"] in known_areas
        assert unit["parent"] in {"", *units()}
        assert unit["level"] in {"city", "district", "street", "service", "company"}
    assert {unit["area"] for unit in listed if unit["level"] == "street"} == set(areas["streets"])


def fits(rule: dict[str, Any], *, kind: str, code: str, grid: str) -> str:
    """The unit a rule names, empty when it does not fit: the reading described in the folder's README."""
    limited = "codes" in rule or "prefixes" in rule
    listed = code in rule.get("codes", ()) or code.startswith(tuple(rule.get("prefixes", ())))
    if rule.get("kind", kind) != kind or (limited and not listed) or not grid.startswith(rule.get("area", "")):
        return ""
    return rule.get("unit") or next((unit for area, unit in rule["units"].items() if grid.startswith(area)), "")


def test_every_class_finds_a_unit_in_every_street(areas: dict[str, dict[str, dict[str, Any]]]) -> None:
    rules = read_toml("routing.toml")["rules"]
    classes = [(row["kind"], row["code"]) for row in read_rows(ROOT / "data" / "taxonomy" / "classes.csv")]
    assert len(classes) == 242
    used = set()
    for street in areas["streets"]:
        for kind, code in classes:
            named = ((rule["name"], fits(rule, kind=kind, code=code, grid=street)) for rule in rules)
            rule_name, unit = next((name, unit) for name, unit in named if unit)
            used.add(rule_name)
            assert street.startswith(units()[unit]["area"].removesuffix("00")), (code, street, unit)
            assert (rule_name == rules[-1]["name"]) == ((kind, code) == ("event", "9999")), (kind, code)
    assert used == {rule["name"] for rule in rules}, "a rule that never fires is a mistake"


def test_rules_name_known_units_and_end_in_a_fall_back() -> None:
    rules = read_toml("routing.toml")["rules"]
    assert len({rule["name"] for rule in rules}) == len(rules)
    for rule in rules:
        assert ("unit" in rule) != ("units" in rule), rule["name"]
        assert {*rule.get("units", {}).values(), rule.get("unit"), rule.get("co_unit")} - {None} <= set(units())
    assert set(rules[-1]) == {"name", "unit"}


def test_holidays_agree_with_the_published_calendar() -> None:
    marks = {date.fromisoformat(row["date"]): row["kind"] for row in read_rows(CITY / "holidays.csv")}
    first, last = date(2024, 1, 1), date(2026, 12, 31)
    for number in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(number)
        expected = {"holiday": True, "workday": False}.get(marks.get(day, ""), day.weekday() >= 5)
        assert chinese_calendar.is_holiday(day) is expected, day
    assert all(day.weekday() >= 5 for day, kind in marks.items() if kind == "workday")


def test_users_have_known_roles_and_units() -> None:
    users = read_toml("users.toml")["users"]
    assert {user["role"] for user in users} == ROLES
    wanted = {"admin", "op1", "op2", "leader1", "dispatch1", "inspector1", "inspector2", "auditor1"}
    assert wanted <= {user["name"] for user in users}
    for user in users:
        assert "password" not in user
        assert (user["role"] == "unit") == ("unit" in user)
        assert user.get("unit", "roads") in units()


def test_templates_use_known_slots_and_fit_one_message() -> None:
    sample = {
        "place": "人民东路与建设街口", "subclass": "暴露垃圾", "no": "26112000123", "result": "垃圾已清运",
        "reason": "需要开挖施工", "date": "11月28日", "body": "交警支队", "way": "拨打12315", "other": "12328",
        "hotline": "12319",
    }  # fmt: skip
    templates = read_toml("templates.toml")["templates"]
    assert {template["kind"] for template in templates} == TEMPLATE_KINDS
    assert len({(t["id"], t["version"]) for t in templates}) == len(templates)
    signature = read_toml("city.toml")["replies"]["signature"]
    for template in templates:
        slots = {slot for _, slot, _, _ in string.Formatter().parse(template["text"]) if slot}
        assert slots <= SLOTS, template["id"]
        if template.get("channel", "sms") == "sms":
            assert template["text"].startswith(signature), template["id"]
            assert len(template["text"].format(**sample)) <= 70, template["id"]


def test_the_city_switches_on_the_default_optional_classes() -> None:
    rows = read_rows(ROOT / "data" / "taxonomy" / "classes.csv")
    default = {f"{row['kind']}:{row['code']}" for row in rows if row["optional"] == row["default_on"] == "yes"}
    city = read_toml("city.toml")
    assert set(city["city"]["optional_classes"]) == default
    assert [number["number"] for number in city["numbers"]] == ["12319", "96310"]
    assert all(number["greeting"] and number["hours"] for number in city["numbers"])
