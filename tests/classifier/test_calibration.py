"""Sharpness, trust, thresholds and the measures of calibration, on made-up probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.calibration import (
    Thresholds,
    Trust,
    calibration_error,
    choose_thresholds,
    coverage_at,
    fit_sharpness,
    fit_trust,
)

SEED = 20260707


def test_sharpness_is_found_again() -> None:
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    scores = random.normal(size=(4000, 6))
    chances = np.exp(5.0 * scores)
    chances /= chances.sum(axis=1, keepdims=True)
    truth = np.array([random.choice(6, p=row) for row in chances])
    assert fit_sharpness(scores, truth, group_of=np.arange(6)) == pytest.approx(5.0, rel=0.15)


def test_trust_mends_overconfidence() -> None:
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    best = random.uniform(0.3, 0.99, size=5000)
    right = random.uniform(size=5000) < best * 0.8
    trust = fit_trust(best, right)
    mended = np.array([trust.of(value, 0.0) for value in best])
    assert calibration_error(mended, right) < 0.05 < 0.1 < calibration_error(best, right)


def test_trust_stays_tame_when_every_answer_is_right() -> None:
    trust = fit_trust(np.full(10, 0.9), np.ones(10, dtype=bool))
    assert 0.8 < trust.of(0.9, 0.05) <= 1.0


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 3), st.floats(-5, 5))
def test_trust_never_lets_the_second_overtake(best: float, share: float, slope: float, shift: float) -> None:
    second = min(best, 1.0 - best) * share
    confidence = Trust(slope, shift).of(best, second)
    assert 0.0 <= confidence <= 1.0
    assert second * (1.0 - confidence) <= confidence * max(1.0 - best, second) + 1e-9


def test_thresholds_keep_the_stated_precision_and_most_texts() -> None:
    best = np.array([0.9, 0.8, 0.7, 0.6])
    gap = np.array([0.8, 0.5, 0.1, 0.4])
    right = np.array([True, True, False, True])
    chosen = choose_thresholds(best, gap, right, precision=1.0)
    kept = [chosen.are_met(float(b), float(b - g)) for b, g in zip(best, gap, strict=True)]
    assert kept == [True, True, False, True]


def test_thresholds_are_strict_where_no_pair_reaches_the_precision() -> None:
    chosen = choose_thresholds(np.array([0.9]), np.array([0.8]), np.array([False]), precision=0.9)
    assert not chosen.are_met(0.9, 0.1)


def test_calibration_error_of_a_coin_said_to_be_sure() -> None:
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, False])) == pytest.approx(0.5)


def test_coverage_takes_the_most_confident_first() -> None:
    best, right = np.array([0.2, 0.9, 0.8, 0.7]), np.array([False, True, True, True])
    assert coverage_at(best, right, precision=0.95) == pytest.approx(0.75)
    assert coverage_at(np.array([]), np.array([], dtype=bool), precision=0.95) == 0.0


def test_thresholds_need_confidence_and_gap() -> None:
    thresholds = Thresholds(confidence=0.5, gap=0.2)
    assert thresholds.are_met(0.6, 0.3)
    assert not thresholds.are_met(0.45, 0.0)
    assert not thresholds.are_met(0.6, 0.5)
