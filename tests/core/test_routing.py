"""Routing: the first rule that fits decides; a draft is tried over past cases; returns are evidence against a rule."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from intake.errors import Misconfigured
from intake.model import Place, Role, State, Subclass, Urgency
from intake.profile import City
from intake.records import HistoryEntry
from intake.routing import Matter, RoutingRule, load_rules, matter_of, route
from intake.routing_trial import Against, evidence, moved_by
from intake.wiring import AnyStore
from tests.core.test_usecases import DISPATCHER, carried_to, reported, take, unit_of
from tests.make import NOON, make_case

ZONE = ZoneInfo("Asia/Shanghai")
NOISE = Subclass.parse("event:0301")
TABLE = """
[[rules]]
name = "夜间施工噪声由值班队"
kind = "event"
codes = ["0301"]
hours = [["22:00", "06:00"]]
unit = "night"

[[rules]]
name = "特急由抢险队"
urgencies = ["emergency"]
unit = "rescue"

[[rules]]
name = "井盖缺失"
kind = "component"
prefixes = ["01"]
conditions = ["缺失或移位"]
units = { "9901" = "covers" }

[[rules]]
name = "其他"
unit = "office"
"""
UNITS = ("night", "rescue", "covers", "office")


def rules_from(folder: Path, text: str = TABLE) -> tuple[RoutingRule, ...]:
    path = folder / "routing.toml"
    path.write_text(text, encoding="utf-8")
    return load_rules(path, UNITS)


def at(hour: int) -> datetime:
    return datetime(2026, 11, 20, hour, 30, tzinfo=ZONE)


COVER = Subclass.parse("component:0102")
HERE, ELSEWHERE = Place(grid_code="990102003004002"), Place(grid_code="880000000000000")


@pytest.mark.parametrize(
    ("matter", "rule"),
    [
        (Matter(NOISE, HERE, at=at(23)), "夜间施工噪声由值班队"),
        (Matter(NOISE, HERE, at=at(5)), "夜间施工噪声由值班队"),
        (Matter(NOISE, HERE, at=at(6)), "其他"),
        (Matter(NOISE, HERE), "其他"),
        (Matter(None, HERE, urgency=Urgency.EMERGENCY), "特急由抢险队"),
        (Matter(COVER, HERE, "缺失或移位"), "井盖缺失"),
        (Matter(COVER, ELSEWHERE, "缺失或移位"), "其他"),
        (Matter(COVER, HERE, "破损"), "其他"),
        (Matter(None, Place()), "其他"),
    ],
)
def test_the_first_rule_that_fits_decides(tmp_path: Path, matter: Matter, rule: str) -> None:
    assert route(rules_from(tmp_path), matter).rule == rule


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (TABLE.replace('"night"', '"nobody"'), "不存在的单位"),
        (TABLE.replace("井盖缺失", "其他"), "重名"),
        (TABLE.replace('unit = "office"', 'unit = "office"\narea = "99"'), "最后一条"),
        (TABLE.replace("hours", "hour"), "未知的键"),
        (TABLE.replace("22:00", "25:00"), "时段"),
        (TABLE.replace('"emergency"', '"soon"'), "紧急程度"),
        ("", "最后一条"),
    ],
)
def test_a_wrong_table_is_refused_by_name(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(Misconfigured, match=part):
        rules_from(tmp_path, text)


def test_a_draft_tells_what_it_would_move(tmp_path: Path) -> None:
    past = make_case(subclass=NOISE, unit="office", place=HERE, filed_at=at(23))
    cases = [past, replace(past, case_no=2), replace(past, case_no=3, filed_at=at(12)), replace(past, case_no=4, unit="")]
    moved = moved_by(rules_from(tmp_path), cases, ZONE)
    assert [(one.from_unit, one.to_unit, one.count, one.example) for one in moved] == [("office", "night", 2, past.case_no)]


def line(step: str, unit: str, **refs: object) -> HistoryEntry:
    return HistoryEntry(1, 1, NOON, step, 1, Role.DISPATCHER, "filed", "dispatched", 1, unit, refs)


def test_only_granted_returns_count_against_the_rule_that_sent_the_case() -> None:
    wrong = [line("dispatch", "gas", rule="A"), line("decide_return", "gas", decision="grant"), line("dispatch", "roads", rule="B")]
    refused = [line("dispatch", "gas", rule="A"), line("decide_return", "gas", decision="refuse")]
    assert evidence([wrong, refused]) == [Against("A", "gas", 2, 1)]


def test_the_demo_city_names_a_unit_for_every_class_in_every_state(city: City) -> None:
    for entry in city.taxonomy.in_use:
        case = make_case(subclass=entry.subclass, place=HERE, state=State.REPORTED)
        assert city.route(case, NOON).unit in city.units


async def test_the_rule_that_fired_is_recorded_and_a_granted_return_stands_against_it(either_store: AnyStore, city: City) -> None:
    """From the proposal to the line of history by which `routing evidence` judges it."""
    number = await reported(either_store, city)
    case = await carried_to(either_store, city, number, state=State.HANDLING)
    rule, unit = case.routing_rule, await unit_of(either_store, number)
    assert (rule, case.unit) == (route(city.routing, matter_of(case)).rule, route(city.routing, matter_of(case)).unit)
    await take(either_store, city, number, "ask_return", unit, reason="不归我管", basis="职责分工")
    await take(either_store, city, number, "decide_return", DISPATCHER, decision="grant", reason="情况属实")
    other = next(one for one in city.units if one != case.unit)
    case = await take(either_store, city, number, "dispatch", DISPATCHER, unit=other)
    assert (case.unit, case.routing_rule) == (other, "manual")
    lines = await either_store.read(lambda work: work.find(HistoryEntry, case_no=number, step="dispatch"))
    assert [line.refs["rule"] for line in lines] == [rule, "manual"]
    assert evidence([await either_store.read(lambda work: work.find(HistoryEntry, case_no=number))]) == [
        Against(rule, unit.unit, 1, 1)
    ]
