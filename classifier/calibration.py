"""How far a probability can be trusted: sharpness, trust, the two thresholds of abstaining, and measures of them.

Pure numpy on arrays of probabilities; nothing here knows texts or classes. Sharpness is temperature scaling (Guo et
al. 2017). It alone left the confident answers ten points too sure, so the best probability then passes a logistic
curve of its own log odds (Platt 1999), fitted to how often the best answer was right. Neither changes a ranking.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.exact import softmax

Probabilities = NDArray[np.float64]
SHARPNESS_TRIED = np.geomspace(1.0, 30.0, 52)
CONFIDENCES_TRIED = np.linspace(0.0, 0.98, 50)
GAPS_TRIED = np.linspace(0.0, 0.6, 13)
NEWTON_STEPS = 25
PULL = 5.0
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A proposal is made when the best probability and its lead over the second reach these; both 0..1."""

    confidence: float = 0.5
    gap: float = 0.0

    def are_met(self, best: float, second: float) -> bool:
        return best >= self.confidence and best - second >= self.gap


@dataclass(frozen=True, slots=True)
class Trust:
    """How a best probability becomes a confidence: `slope` and `shift` act on its log odds."""

    slope: float = 1.0
    shift: float = 0.0

    def of(self, best: float, second: float) -> float:
        """The confidence in the best answer, never so low that the second, rescaled to the rest, would overtake it."""
        odds = self.slope * _log_odds(best) + self.shift
        level = second / max(1.0 - best, second, TINY)
        return max(1.0 / (1.0 + math.exp(-odds)), level / (1.0 + level))


def fit_trust(best: Probabilities, right: NDArray[np.bool_]) -> Trust:
    """Fit the curve by Newton's method on the log loss of `right`; one entry a text in both arrays.

    A little pull towards the identity keeps it tame where the texts are few or all of them right.
    """
    odds = np.array([_log_odds(float(value)) for value in best])
    columns = np.stack([odds, np.ones_like(odds)], axis=1)
    start = np.array([1.0, 0.0])
    found = start
    for _ in range(NEWTON_STEPS):
        chance = 1.0 / (1.0 + np.exp(-columns @ found))
        slope = columns.T @ (chance - right) + PULL * (found - start)
        bend = (columns * (chance * (1 - chance))[:, None]).T @ columns + PULL * np.eye(2)
        found = found - np.linalg.solve(bend, slope)
    return Trust(max(float(found[0]), TINY), float(found[1]))


def fit_sharpness(scores: NDArray[np.floating], truth: NDArray[np.intp], *, group_of: NDArray[np.intp]) -> float:
    """The inverse temperature with the least log loss on grouped labels.

    `scores` is (texts, labels), `group_of` gives each label's group and `truth` each text's group: what is shown is
    the sum over a group, so that is what must be true.
    """
    belongs = np.eye(int(group_of.max()) + 1)[group_of]
    rows = np.arange(len(truth))

    def loss(sharpness: float) -> float:
        chances = softmax(scores, sharpness) @ belongs
        return float(-np.log(chances[rows, truth] + 1e-12).mean())

    return float(min(SHARPNESS_TRIED, key=loss))


def choose_thresholds(
    best: Probabilities, gap: Probabilities, right: NDArray[np.bool_], *, precision: float
) -> Thresholds:
    """The thresholds that keep most texts while the share of right ones among them is at least `precision`.

    `best`, `gap` (lead over the second) and `right` have one entry a text. Where no pair reaches the precision, the
    strictest is taken.
    """
    pairs = [Thresholds(float(c), float(g)) for c in CONFIDENCES_TRIED for g in GAPS_TRIED]

    def kept(pair: Thresholds) -> int:
        chosen = (best >= pair.confidence) & (gap >= pair.gap)
        return int(chosen.sum()) if chosen.any() and right[chosen].mean() >= precision else -1

    reached = max(pairs, key=kept)
    return reached if kept(reached) > 0 else pairs[-1]


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts whose confidence lies in [low, high): how many, how sure on average, how often right; shares 0..1."""

    low: float
    high: float
    texts: int
    confidence: float
    precision: float


def reliability(best: Probabilities, right: NDArray[np.bool_], *, bins: int = 10) -> tuple[Bin, ...]:
    """The points of a reliability diagram over equal-width bins, empty ones left out."""
    place = np.minimum((best * bins).astype(int), bins - 1)
    inside = [(number, place == number) for number in range(bins) if (place == number).any()]
    return tuple(
        Bin(number / bins, (number + 1) / bins, int(rows.sum()), float(best[rows].mean()), float(right[rows].mean()))
        for number, rows in inside
    )


def calibration_error(best: Probabilities, right: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Expected calibration error (ECE): mean distance of confidence and precision over equal-width bins, 0..1."""
    found = reliability(best, right, bins=bins)
    return sum(abs(each.precision - each.confidence) * each.texts for each in found) / max(len(best), 1)


def coverage_at(best: Probabilities, right: NDArray[np.bool_], *, precision: float) -> float:
    """The largest share of texts, most confident first, of which at least `precision` are right."""
    if not len(best):
        return 0.0
    order = np.argsort(-best, kind="stable")
    share_right = np.cumsum(right[order]) / np.arange(1, len(best) + 1)
    enough = np.flatnonzero(share_right >= precision)
    return float((enough[-1] + 1) / len(best)) if len(enough) else 0.0


def _log_odds(chance: float) -> float:
    held = min(max(chance, TINY), 1.0 - TINY)
    return math.log(held / (1.0 - held))
