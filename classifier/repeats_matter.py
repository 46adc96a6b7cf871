"""Whether two reports are about the same matter: by the subclasses the classifier gives them, and by its inner view.

The inner view (`Sense`) is what the network's hidden layer sums up of a text; it tells 烤串 from 水果 where the subclass
(无照经营游商) does not. Places are weighed elsewhere.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from classifier.exact import ExactModel
from classifier.repeats_text import TABLES

HELD = 6
"""Subclasses kept of each report, the likeliest first."""

_NEAR, LIKELY = float(TABLES["kinds"]["near"]), float(TABLES["kinds"]["likely"])
_LINES = tuple(frozenset(line) for line in TABLES["kinds"]["confused"])

Floats = NDArray[np.float64]
T = TypeVar("T", bound=np.generic)


@cache
def kindred(one: str, other: str) -> float:
    """How near two subclasses are, 0..1: the same, taken for each other, or of one major class."""
    if one == other:
        return 1.0
    if any(one in line and other in line for line in _LINES):
        return LIKELY
    return _NEAR if one[:-2] == other[:-2] and ":" in one else 0.0


class KindTable:
    """Subclasses with their chances, by slot."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {"": 0}
        self._names = [""]
        self._kinds = np.zeros((0, HELD), dtype=np.uint16)
        self._chances = np.zeros((0, HELD), dtype=np.float32)

    def put(self, slot: int, kinds: Mapping[str, float]) -> None:
        """Note a report's subclasses; none is fine."""
        while slot >= len(self._kinds):
            self._kinds, self._chances = grown(self._kinds), grown(self._chances)
        best = sorted(kinds.items(), key=lambda item: -item[1])[:HELD]
        self._kinds[slot], self._chances[slot] = 0, 0.0
        for place, (kind, chance) in enumerate(best):
            self._kinds[slot, place] = self._id(kind)
            self._chances[slot, place] = min(max(chance, 0.0), 1.0)

    def _id(self, kind: str) -> int:
        found = self._ids.setdefault(kind, len(self._names))
        if found == len(self._names):
            self._names.append(kind)
        return found

    def likeness(self, kinds: Mapping[str, float], slots: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """For each slot: the Bhattacharyya likeness of the chances, and the expected nearness of the subclasses."""
        roots, nearness = np.zeros(len(self._ids)), np.zeros(len(self._ids))
        for kind, chance in kinds.items():
            if kind in self._ids and chance > 0.0:
                roots[self._ids[kind]] = math.sqrt(min(chance, 1.0))
        held, chances = self._kinds[slots], self._chances[slots].astype(np.float64)
        for place in np.unique(held).tolist():
            nearness[place] = sum(chance * kindred(kind, self._names[place]) for kind, chance in kinds.items())
        return (roots[held] * np.sqrt(chances)).sum(axis=1), (nearness[held] * chances).sum(axis=1)


class SenseTable:
    """Unit vectors by slot, in half precision: 512 bytes a report at 256 units."""

    def __init__(self) -> None:
        self._rows = np.zeros((0, 0), dtype=np.float16)

    def put(self, slot: int, sense: NDArray[np.float32] | None) -> None:
        """Note a report's view; None where there is no model. The first width given holds for all."""
        if not self._rows.size and sense is not None:
            self._rows = np.zeros((max(1024, slot + 1), len(sense)), dtype=np.float16)
        while self._rows.size and slot >= len(self._rows):
            self._rows = grown(self._rows)
        if self._rows.size:
            self._rows[slot] = 0.0 if sense is None or sense.shape != self._rows.shape[1:] else sense

    def likeness(self, sense: NDArray[np.float32] | None, slots: NDArray[np.intp]) -> Floats:
        """Cosines, shape (slots,); zero where either side has no view."""
        if sense is None or sense.shape != self._rows.shape[1:] or not self._rows.size:
            return np.zeros(len(slots))
        cosines: Floats = (self._rows[slots].astype(np.float32) @ sense).astype(np.float64)
        return cosines


class Sense:
    """What a trained model's hidden layer sums up of a text."""

    def __init__(self, model: ExactModel) -> None:
        self._model = model
        self._width = len(model.bend)

    def of(self, text: str) -> NDArray[np.float32]:
        """A unit vector, shape (hidden,), or zeros for a text without known features."""
        counted = self._model.table.counts(text)
        ids = np.array(list(counted), dtype=np.intp)
        weighed = (1.0 + np.log(np.array(list(counted.values()), dtype=np.float64))) * self._model.weight[ids]
        summed = weighed.astype(np.float32) @ self._model.rows[ids, : self._width]
        length = float(np.linalg.norm(summed))
        unit: NDArray[np.float32] = (summed / length if length else summed).astype(np.float32)
        return unit


def grown(table: NDArray[T]) -> NDArray[T]:
    """A copy with twice the rows, the new ones zero."""
    return np.concatenate((table, np.zeros((max(1024, len(table)), *table.shape[1:]), dtype=table.dtype)))
