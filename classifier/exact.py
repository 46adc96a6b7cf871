"""The fitted pipeline in our own exact form: numpy only, no scikit-learn at serving time.

Feature weights are folded into the rows once; a text is then one look-up for each feature, one sum of rows, one norm
and one small matrix. tests/classifier/test_exact.py proves label and scores equal to the pipeline's; bench/classify.py
measures the gain. Fitting stands in model.py, the file in registry.py.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.features import MAX_CHARS, features

Floats = NDArray[np.float32]

# Damped counts 1 + log n by count; no feature can stand more often in a text than the text has characters.
_DAMPED = 1.0 + np.log(np.maximum(np.arange(MAX_CHARS + 1, dtype=np.float64), 1.0))


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

    def scores(self, text: str) -> Floats:
        """The decision value of each label, shape (labels,); without known features what the biases alone give."""
        ids, damped = self._weigh(text)
        width = len(self.bend)
        summed = damped @ self.rows.take(ids, axis=0)
        hidden = np.maximum(summed[:width] + self.bend, 0.0)
        values: Floats = summed[width:] + hidden @ self.second + self.bias
        return values

    def probabilities(self, text: str) -> NDArray[np.float64]:
        """Probabilities before trust is applied, shape (labels,), that sum to one."""
        return softmax(self.scores(text), self.sharpness)

    def _weigh(self, text: str) -> tuple[NDArray[np.intp], Floats]:
        """Known features of a text and their damped counts, divided by the length of the weighed vector."""
        find = self.tokens.get
        counts: dict[int, int] = {}
        for feature in features(text):
            position = find(feature)
            if position is not None:
                counts[position] = counts.get(position, 0) + 1
        ids = np.array(list(counts), dtype=np.intp)
        damped = _DAMPED[list(counts.values())]
        weighed = damped * self.weight[ids]
        length = math.sqrt(float(weighed @ weighed)) or 1.0
        return ids, (damped / length).astype(np.float32)


def softmax(scores: NDArray[np.floating], sharpness: float) -> NDArray[np.float64]:
    """Turn scores, shape (..., labels), into probabilities along the last axis."""
    heights = np.asarray(scores, dtype=np.float64) * sharpness
    raised = np.exp(heights - heights.max(axis=-1, keepdims=True))
    chances: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return chances
