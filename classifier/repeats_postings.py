"""An inverted index of features: which reports hold one, how rare it is, and how much two reports share.

Knows no text and no score. Slots are small whole numbers that the owner hands out and may use again after `drop`.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Postings looked at for one question. What is left out is common and says little; it still counts in `overlap`.
BUDGET = 40_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Sums of squared rarity: what is shared with each slot, shape (slots,), what the question has, what each slot has."""

    shared: Floats
    mine: float
    theirs: Floats

    @property
    def cosine(self) -> Floats:
        """Likeness 0..1, shape (slots,)."""
        return self.shared / np.sqrt(np.maximum(self.mine * self.theirs, 1e-12))


class Postings:
    """Features of reports by slot."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._slots_of: list[array[int]] = []
        self._features_of: dict[int, NDArray[np.uint32]] = {}
        self._counts = np.zeros(1024)
        self._marks = np.zeros(1024)

    def add(self, slot: int, features: Iterable[str]) -> None:
        """Note a report's features under a free slot."""
        ids = np.array(sorted(map(self._id, features)), dtype=np.uint32)
        for feature in ids.tolist():
            held = self._slots_of[feature]
            if held and held[-1] > slot:
                insort(held, slot)
            else:
                held.append(slot)
        self._counts[ids] += 1.0
        self._features_of[slot] = ids

    def drop(self, slot: int) -> None:
        """Forget a slot that was added."""
        ids = self._features_of.pop(slot)
        self._counts[ids] -= 1.0
        for feature in ids.tolist():
            held = self._slots_of[feature]
            del held[bisect_left(held, slot)]

    def gather(self, features: Iterable[str], *, slots: int) -> Floats:
        """Squared rarity shared with each slot below `slots`, the rarest features first until BUDGET is spent."""
        ids = self._known(features)
        weights = np.square(self._rarity(ids))
        found: list[NDArray[np.uint32]] = []
        spent, sizes, used = 0, [], []
        for place in np.argsort(-weights, kind="stable").tolist():
            held = self._slots_of[ids[place]]
            if spent and spent + len(held) > BUDGET:
                break
            spent += len(held)
            found.append(np.frombuffer(held, dtype=np.uint32) if held else np.zeros(0, np.uint32))
            sizes.append(len(held))
            used.append(weights[place])
        if not spent:
            return np.zeros(slots)
        sums = np.bincount(np.concatenate(found), weights=np.repeat(used, sizes), minlength=slots)[:slots]
        return sums.astype(np.float64)

    def overlap(self, features: Iterable[str], slots: Sequence[int]) -> Overlap:
        """What a question shares with each of the slots; a feature never seen counts as the rarest."""
        asked = set(features)
        ids = self._known(asked)
        weights = np.square(self._rarity(ids))
        unseen = (len(asked) - len(ids)) * float(np.square(self._rarest()))
        held = [self._features_of[slot] for slot in slots]
        every = np.concatenate([*held, np.zeros(1, np.uint32)])
        starts = np.cumsum([0, *map(len, held)])
        self._marks[ids] = 1.0
        squares = np.square(self._rarity(every)) if len(self._ids) else np.zeros(1)
        squares[-1] = 0.0
        theirs, shared = (_sums(values, starts) for values in (squares, squares * self._marks[every]))
        self._marks[ids] = 0.0
        return Overlap(shared, float(weights.sum()) + unseen, theirs)

    def _id(self, feature: str) -> int:
        found = self._ids.setdefault(feature, len(self._slots_of))
        if found == len(self._slots_of):
            self._slots_of.append(array("I"))
            if found == len(self._marks):
                self._counts, self._marks = (np.concatenate((a, np.zeros(len(a)))) for a in (self._counts, self._marks))
        return found

    def _known(self, features: Iterable[str]) -> NDArray[np.intp]:
        found = (self._ids.get(feature) for feature in sorted(features))
        return np.array([each for each in found if each is not None], dtype=np.intp)

    def _rarity(self, ids: NDArray[np.integer]) -> Floats:
        """Inverse document frequency of features, shape as `ids`."""
        rarity: Floats = np.log((len(self._features_of) + 1.0) / (self._counts[ids] + 0.5))
        return np.maximum(rarity, 0.0)

    def _rarest(self) -> float:
        return float(np.log((len(self._features_of) + 1.0) / 0.5))


def _sums(values: Floats, starts: NDArray[np.intp]) -> Floats:
    """Sums between neighbouring starts, shape (starts - 1,); an empty stretch gives 0."""
    running = np.concatenate((np.zeros(1), np.cumsum(values)))
    sums: Floats = running[starts[1:]] - running[starts[:-1]]
    return sums
