"""What speaks for and against two reports being one: named columns of evidence, their weights, a score and its reasons.

Pure. The weights stand in data/repeats.toml; those fitted on pairs come from repeats_fit.py, the others are set by rule
and said so there. What the evidence is taken from stands in repeats.py.
"""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from classifier.repeats_text import TABLES

Floats = NDArray[np.float64]
Evidence = Mapping[str, Floats]
"""Column name to values, shape (candidates,)."""

FITTED = ("words", "rare", "names", "kind", "sense", "place_and_kind", "agrees", "differs")
"""Columns whose weights are fitted. All lie in 0..1 but `rare`, the logarithm of what rare features are shared, and the
last two, which count."""

AGAINST = frozenset(("differs", "far"))
"""Columns that speak against: their weights are never above 0."""

WEIGHTS: Mapping[str, Mapping[str, float]] = TABLES["weights"]
"""Weights by the way they are used: `full` with a classifier, `text` without."""


class RepeatWhy(StrEnum):
    """Why a report was proposed, or what speaks against it."""

    KIND = "kind"
    TEXT = "text"
    NAMES = "names"
    NUMBER = "number"
    GRID = "grid"
    NEAR = "near"
    RECENT = "recent"
    FAR = "far"
    DIFFERS = "differs"


WHY_WORDS = {
    RepeatWhy.KIND: "类别相同或相近", RepeatWhy.TEXT: "文字相近", RepeatWhy.NAMES: "地名相同", RepeatWhy.NUMBER: "门牌、楼栋或店名一致",
    RepeatWhy.GRID: "同一网格", RepeatWhy.NEAR: "位置很近", RepeatWhy.RECENT: "时间接近",
    RepeatWhy.FAR: "注意：位置相距较远", RepeatWhy.DIFFERS: "注意：门牌、楼栋、方位或店名不同",
}  # fmt: skip
"""What an operator reads."""

# What is told: a column and the least value at which it is worth a person's attention, whatever its weight.
_TOLD = {
    RepeatWhy.KIND: ("kind", 0.5),
    RepeatWhy.TEXT: ("words", 0.15),
    RepeatWhy.NAMES: ("names", 0.5),
    RepeatWhy.NUMBER: ("agrees", 1.0),
    RepeatWhy.GRID: ("grid", 0.5),
    RepeatWhy.NEAR: ("near", 0.5),
    RepeatWhy.RECENT: ("recent", 0.9),
    RepeatWhy.FAR: ("far", 0.1),
    RepeatWhy.DIFFERS: ("differs", 1.0),
}


def heights(evidence: Evidence, *, way: str) -> Floats:
    """The log odds that each candidate is the same matter, shape (candidates,); `way` is a key of WEIGHTS."""
    weights = WEIGHTS[way]
    total = np.full(len(next(iter(evidence.values()))), float(weights["start"]))
    for name, values in evidence.items():
        total += weights.get(name, 0.0) * values
    return total


def chance(height: float) -> float:
    """The probability 0..1 that log odds stand for."""
    return float(1.0 / (1.0 + np.exp(-np.clip(height, -30.0, 30.0))))


def reasons(evidence: Evidence, place: int) -> tuple[RepeatWhy, ...]:
    """What speaks for one candidate and what against it, in the order of RepeatWhy."""
    return tuple(why for why, (name, least) in _TOLD.items() if evidence[name][place] >= least)
