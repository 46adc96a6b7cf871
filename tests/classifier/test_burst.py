"""Bursts: many reports of one matter close together give one alarm; what is scattered in place, time or kind gives none."""

from datetime import UTC, datetime, timedelta

import pytest

from classifier.burst import RULES, Alarm, BurstRule, BurstWatch, Sighting, bursts
from intake.model import Place, Subclass

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
PIPE, LAMP = Subclass.parse("event:0402"), Subclass.parse("component:0118")
RULE = BurstRule("试", ("event:04",), 3, 100.0, 30.0)
HERE = Place(lon=114.0, lat=30.0)


def seen(number: int, *, minutes: float = 0.0, place: Place = HERE, kind: Subclass = PIPE, text: str = "") -> Sighting:
    return Sighting(number, kind, START + timedelta(minutes=minutes), place, text)


def alarms(*sightings: Sighting) -> tuple[Alarm, ...]:
    return bursts(sightings, (RULE,))


def test_the_report_that_completes_a_burst_gives_one_alarm() -> None:
    (alarm,) = alarms(*(seen(n, minutes=n) for n in range(7)))
    assert alarm.ids == (0, 1, 2)
    assert (alarm.first_at, alarm.last_at) == (START, START + timedelta(minutes=2))


def test_a_burst_that_goes_on_stays_one_alarm() -> None:
    assert len(alarms(*(seen(n, minutes=n * 10) for n in range(40)))) == 1


def test_after_a_quiet_time_a_new_burst_is_told_anew() -> None:
    first = [seen(n, minutes=n) for n in range(3)]
    second = [seen(10 + n, minutes=60 + n) for n in range(3)]
    assert [alarm.ids for alarm in alarms(*first, *second)] == [(0, 1, 2), (10, 11, 12)]


@pytest.mark.parametrize(
    "others",
    [
        (seen(1, minutes=31), seen(2, minutes=62)),
        (seen(1, place=Place(lon=114.01, lat=30.0)), seen(2, place=Place(lon=114.02, lat=30.0))),
        (seen(1, kind=LAMP), seen(2, kind=LAMP)),
        (seen(1, place=Place()), seen(2, place=Place())),
    ],
    ids=["time", "place", "kind", "nowhere"],
)
def test_what_is_scattered_is_no_burst(others: tuple[Sighting, ...]) -> None:
    assert alarms(seen(0), *others) == ()


def test_two_bursts_at_once_in_two_places_are_two_alarms() -> None:
    there = Place(lon=114.1, lat=30.0)
    mixed = [seen(n, minutes=n, place=there if n % 2 else HERE) for n in range(6)]
    assert [alarm.ids for alarm in alarms(*mixed)] == [(0, 2, 4), (1, 3, 5)]


def test_the_grid_counts_where_a_point_is_missing() -> None:
    grids = [seen(n, place=Place(grid_code=grid)) for n, grid in enumerate(("g1", "g2", "g1", "g1"))]
    assert [alarm.ids for alarm in alarms(*grids)] == [(0, 2, 3)]


def test_named_places_count_where_there_is_neither() -> None:
    texts = ("滨河路水管爆了", "桃园路水管爆了", "滨河路上全是水", "滨河路冒水，快来人")
    assert [alarm.ids for alarm in alarms(*(seen(n, place=Place(), text=t) for n, t in enumerate(texts)))] == [
        (0, 2, 3)
    ]


def test_a_district_in_common_is_no_place_in_common() -> None:
    assert alarms(*(seen(n, place=Place(text="雨花台区")) for n in range(5))) == ()


def test_no_rule_for_a_kind_means_no_alarm() -> None:
    assert alarms(*(seen(n, kind=LAMP) for n in range(9))) == ()


def test_what_is_older_than_every_span_is_forgotten() -> None:
    watch = BurstWatch((RULE,))
    for n in range(50):
        watch.see(seen(n, minutes=n * 40))
    assert len(watch._seen) == 1


def test_the_shipped_table_has_a_rule_for_every_kind_and_alarms_sooner_for_emergencies() -> None:
    assert RULES[-1].kinds == ("",)
    assert len(bursts([seen(n) for n in range(3)])) == 1
    assert bursts([seen(n, kind=LAMP) for n in range(3)]) == ()
    assert len(bursts([seen(n, kind=LAMP) for n in range(5)])) == 1
