"""The fitted pipeline in our own exact form: numpy only, no scikit-learn at serving time.

Feature weights are folded into the rows once; a text is then one look-up for each feature, one sum of rows, one norm
and one small matrix. tests/classifier/test_exact.py proves label and scores equal to the pipeline's; bench/classify.py
measures the gain. Fitting stands in model.py, the file in registry.py.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifier.features import MAX_CHARS
from classifier.lookup import FeatureTable

Floats = NDArray[np.float32]

# Damped counts 1 + log n by count; no feature can stand more often in a text than the text has characters.
_DAMPED = (1.0 + np.log(np.maximum(np.arange(MAX_CHARS + 1, dtype=np.float64), 1.0))).tolist()


@dataclass(frozen=True, slots=True, eq=False)
class ExactModel:
    """A linear model and a network of one hidden layer over the same features; their scores are added.

    `weight` is (features,). `rows` is (features, hidden + labels): what a feature gives to each hidden unit and to each
    label's margin, its weight folded in. `bend` is (hidden,), `second` (hidden, labels), `bias` (labels,). `sharpness`
    is the inverse temperature that turns scores into probabilities.
    """

    labels: tuple[str, ...]
    tokens: Mapping[str, int]
    weight: Floats
    rows: Floats
    bend: Floats
    second: Floats
    bias: Floats
    sharpness: float
    table: FeatureTable = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", FeatureTable(self.tokens))

    def scores(self, text: str) -> Floats:
        """The decision value of each label, shape (labels,); without known features what the biases alone give."""
        ids, damped = self._weigh(self.table.counts(text))
        width = len(self.bend)
        summed = damped @ self.rows.take(ids, axis=0)
        hidden = np.maximum(summed[:width] + self.bend, 0.0)
        values: Floats = summed[width:] + hidden @ self.second + self.bias
        return values

    def probabilities(self, text: str) -> NDArray[np.float64]:
        """Probabilities before trust is applied, shape (labels,), that sum to one."""
        return softmax(self.scores(text), self.sharpness)

    def shares(self, found: Sequence[str], label: int) -> list[float]:
        """What each feature of a text, as `features` lists them, adds to a label's score above the mean of all scores.

        With a rectifier as the only bend, gradient times input is exact: the shares and a part that no feature has
        (`unshared`) sum to the score. A feature that stands several times has its part divided evenly.
        """
        find = self.tokens.get
        numbers = [find(feature) for feature in found]
        counts = Counter(number for number in numbers if number is not None)
        ids, damped = self._weigh(counts)
        width = len(self.bend)
        rows = self.rows.take(ids, axis=0)
        opened = (damped @ rows[:, :width] + self.bend > 0) * self._above_mean(self.second, label)
        each = damped * (self._above_mean(rows[:, width:], label) + rows[:, :width] @ opened)
        share_of = dict(zip(counts, each.tolist(), strict=True))
        return [share_of[number] / counts[number] if number is not None else 0.0 for number in numbers]

    def unshared(self, text: str, label: int) -> float:
        """The part of a label's score above the mean that comes from the biases."""
        ids, damped = self._weigh(self.table.counts(text))
        width = len(self.bend)
        opened = damped @ self.rows.take(ids, axis=0)[:, :width] + self.bend > 0
        return float(self._above_mean(self.bias, label) + (opened * self.bend) @ self._above_mean(self.second, label))

    @staticmethod
    def _above_mean(values: Floats, label: int) -> Floats:
        above: Floats = values[..., label] - values.mean(axis=-1)
        return above

    def _weigh(self, counts: Mapping[int, int]) -> tuple[NDArray[np.intp], Floats]:
        """The features counted and their damped counts, divided by the length of the weighed vector."""
        ids = np.fromiter(counts, np.intp, len(counts))
        damped = np.fromiter(map(_DAMPED.__getitem__, counts.values()), np.float64, len(counts))
        weighed = damped * self.weight.take(ids)
        length = math.sqrt(float(weighed @ weighed)) or 1.0
        return ids, (damped / length).astype(np.float32)


def softmax(scores: NDArray[np.floating], sharpness: float) -> NDArray[np.float64]:
    """Turn scores, shape (..., labels), into probabilities along the last axis."""
    heights = np.asarray(scores, dtype=np.float64) * sharpness
    raised = np.exp(heights - heights.max(axis=-1, keepdims=True))
    chances: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return chances
