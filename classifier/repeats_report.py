"""A report as the index of repeats is told of it, and how one is made from words with a trained model or without.

The index itself is in repeats.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from classifier import registry
from classifier.classify import TextClassifier
from classifier.corpus import NONE
from classifier.registry import StoredModel
from classifier.repeats_matter import Sense
from intake.model import Place
from intake.taxonomy import Taxonomy

NOWHERE = Place()


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One report. `at` is aware; `kinds` gives the chance 0..1 of each subclass (`event:0102`, or `none`).

    Once a person chose the subclass its chance is 1. `sense` is a unit vector of repeats_matter.Sense, or None.
    """

    id: int
    text: str
    at: datetime
    place: Place = NOWHERE
    kinds: Mapping[str, float] = field(default_factory=dict)
    sense: NDArray[np.float32] | None = None


class Reporter:
    """Makes reports from words. Without a model only their words and places can be compared."""

    def __init__(self, stored: StoredModel | None, taxonomy: Taxonomy) -> None:
        self._classifier = TextClassifier(stored, taxonomy) if stored else None
        self._sense = Sense(stored.model) if stored else None

    @classmethod
    def load(cls, path: Path, taxonomy: Taxonomy) -> Self:
        """Read the model of a path; raises registry.BadModel."""
        return cls(registry.load(path), taxonomy)

    def report(self, report_id: int, text: str, *, at: datetime, place: Place = NOWHERE) -> Report:
        """Never raises for any text."""
        if self._classifier is None or self._sense is None:
            return Report(report_id, text, at, place)
        ranked = self._classifier.judge(text).ranked
        kinds = {str(each.subclass or NONE): each.confidence for each in ranked}
        return Report(report_id, text, at, place, kinds, self._sense.of(text))
