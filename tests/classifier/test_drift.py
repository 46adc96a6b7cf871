"""Drift: what has moved is told, chance is not."""

import random

import pytest

from classifier.corpus_rules import read_floors
from classifier.drift import Period, alarms, mix_distance, override_rates, period
from classifier.learning import Confirmed
from intake.model import Prediction, Scored, Subclass
from tests.make import NOON, make_case

SEED = 20260707
LIMITS = {"fewest": 10, "mix": 0.1, "abstention_rate": 0.5, "abstention_rise": 0.2, "override_rate": 0.4,
          "class_fewest": 4, "class_override_rate": 0.5}  # fmt: skip


def prediction(label: str = "event:0101", **changes: object) -> Prediction:
    values = {"top": (Scored(Subclass.parse(label), 0.9),), "abstained": False, "model_version": "m"} | changes
    return Prediction(**values)  # type: ignore[arg-type]


def said(label: str, proposed: str) -> Confirmed:
    return Confirmed(1, "text", label, 1, NOON, proposed, Prediction())


def test_two_draws_of_one_city_do_not_look_moved() -> None:
    print(f"seed {SEED}")
    draw = random.Random(SEED)
    weights = [1 / (rank + 1) for rank in range(200)]
    one, other = ({}, {})
    for counts in (one, other):
        for label in draw.choices(range(200), weights, k=800):
            counts[str(label)] = counts.get(str(label), 0) + 1
    assert mix_distance(one, other) < 0.02


def test_a_new_wave_of_reports_is_seen() -> None:
    assert mix_distance({"a": 500, "b": 500}, {"a": 500, "b": 500, "c": 700}) > 0.1
    assert mix_distance({"a": 1000}, {"b": 1000}) == pytest.approx(1.0, abs=0.01)
    assert mix_distance({}, {"a": 3}) == 0.0


def test_out_of_scope_is_no_abstention_in_the_rate() -> None:
    cases = [make_case(prediction=prediction(abstained=True)), make_case(prediction=prediction()),
             make_case(prediction=prediction(abstained=True, out_of_scope=True)), make_case()]  # fmt: skip
    found = period(cases, [])
    assert (found.texts, found.abstained) == (3, 1)
    assert dict(found.mix) == {"event:0101": 2, "none": 1}


def test_overruled_proposals_are_counted_by_class_and_abstentions_are_not() -> None:
    found = period([], [said("event:0102", "event:0101"), said("event:0101", "event:0101"), said("event:0101", "")])
    assert override_rates(found) == [("event:0101", 2, 0.5)]
    assert found.override_rate == 0.5


def test_each_limit_raises_its_own_alarm() -> None:
    calm = Period(100, 10, {"a": 100}, {"a": 100}, {"a": 10})
    assert alarms(calm, calm, LIMITS) == []
    wild = Period(100, 60, {"b": 100}, {"a": 50, "b": 4}, {"a": 25, "b": 4})
    found = {(alarm.figure, alarm.subject) for alarm in alarms(wild, calm, LIMITS)}
    assert found == {("mix", ""), ("abstention_rate", ""), ("abstention_rise", ""), ("override_rate", ""),
                     ("class_override_rate", "b")}  # fmt: skip


def test_few_texts_raise_no_alarm() -> None:
    assert alarms(Period(5, 5, {"b": 5}, {"b": 3}, {"b": 3}), Period(100, 0, {"a": 100}), LIMITS) == []
    first_month = alarms(Period(100, 40, {"b": 100}), Period(), LIMITS)
    assert first_month == []


def test_the_shipped_limits_name_every_figure() -> None:
    assert read_floors()["drift"].keys() == LIMITS.keys()
