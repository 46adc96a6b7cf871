"""From label probabilities to a judgement: merging into the classes in use, ranking, abstaining, redirecting.

Pure: knows no text and no model, so training measures held-out scores by exactly the rules that serve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Thresholds, Trust
from classifier.corpus import NONE
from intake.model import Subclass
from intake.taxonomy import Taxonomy

TOP = 5


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate; `subclass` is None for matters of other bodies (非城管事项). `confidence` is 0..1."""

    subclass: Subclass | None
    confidence: float


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """What training found out about a model's probabilities, kept on its card."""

    trust: Trust = field(default_factory=Trust)
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The best six candidates, out of scope among them, and what follows from them."""

    ranked: tuple[Ranked, ...]
    abstained: bool
    out_of_scope: bool
    redirect: str

    @property
    def top(self) -> tuple[Ranked, ...]:
        """The best five, as the `classify` command prints them."""
        return self.ranked[:TOP]


@dataclass(frozen=True, slots=True, eq=False)
class Decider:
    """A model's labels bound to a city's class table.

    `choice_of` gives for each label the position of its choice; `redirects` the number behind each out-of-scope label.
    """

    choices: tuple[Subclass | None, ...]
    choice_of: NDArray[np.intp]
    redirects: Mapping[int, str]

    @classmethod
    def of(cls, labels: Sequence[str], taxonomy: Taxonomy) -> Self:
        """Bind labels; optional classes that are off and retired ones share the place of the class used instead."""
        chosen: dict[Subclass | None, int] = {}
        place_of = [chosen.setdefault(choice(label, taxonomy), len(chosen)) for label in labels]
        outside = {place: label.partition(":")[2] for place, label in enumerate(labels) if is_outside(label)}
        return cls(tuple(chosen), np.array(place_of, dtype=np.intp), outside)

    def merge(self, fine: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of choices from probabilities of labels."""
        return np.bincount(self.choice_of, weights=fine, minlength=len(self.choices)).astype(np.float64)

    def judge(self, fine: NDArray[np.float64], rules: DecisionRules, *, is_readable: bool = True) -> Judgement:
        """Rank the choices and decide; an unreadable text is always abstained from.

        Out of scope counts as an abstention, because no subclass is proposed; it comes with a redirect.
        """
        merged = self.merge(fine)
        order = np.argsort(-merged, kind="stable")[: TOP + 1].tolist()
        confidences = _trusted(merged[order].tolist(), rules.trust)
        ranked = tuple(Ranked(self.choices[place], chance) for place, chance in zip(order, confidences, strict=True))
        sure = is_readable and rules.thresholds.are_met(ranked[0].confidence, ranked[1].confidence)
        outside = sure and ranked[0].subclass is None
        return Judgement(ranked, not sure or outside, outside, self._redirect(fine) if outside else "")

    def leading_label(self, fine: NDArray[np.float64], chosen: Subclass | None) -> int:
        """Of the labels behind a choice the position of the most likely one."""
        behind = np.flatnonzero(self.choice_of == self.choices.index(chosen))
        return int(behind[fine[behind].argmax()])

    def _redirect(self, fine: NDArray[np.float64]) -> str:
        """The most likely destination's number, or an empty text where the corpus names none."""
        return self.redirects[max(self.redirects, key=lambda place: float(fine[place]))]


def _trusted(chances: list[float], trust: Trust) -> list[float]:
    """Confidences from the best probabilities: the first by `trust`, the others share what it leaves."""
    best, *others = chances
    confidence = trust.of(best, others[0])
    scale = (1.0 - confidence) / max(1.0 - best, sum(others), 1e-12)
    # Where the second is as likely as the first, rounding must not put it ahead.
    return [confidence, *(min(chance * scale, confidence) for chance in others)]


def choice(label: str, taxonomy: Taxonomy) -> Subclass | None:
    """The class in use that a label stands for; None for matters of other bodies."""
    return None if is_outside(label) else taxonomy.effective(Subclass.parse(label))


def is_outside(label: str) -> bool:
    """Whether a label is a matter of another body."""
    return label.partition(":")[0] == NONE
