"""What intake calls: one text to a Prediction, abstaining when unsure or when the matter is another body's.

Scores come from exact.py, the decision from decide.py. `classify` is the cheap part, for every report at once;
`explain` tells besides why, how urgent, in which condition and where, for an operator or for the command.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from classifier import registry, tokens
from classifier.conditions import condition_of
from classifier.decide import TOP, Decider, Judgement
from classifier.explain import Reason, reasons
from classifier.features import han_count
from classifier.places import PlaceFound, find_place
from classifier.registry import StoredModel
from classifier.repeats_matter import Sense
from classifier.urgency import Urged, urgency_of
from intake.gazetteer import Gazetteer
from intake.model import Prediction, Scored, Subclass
from intake.taxonomy import Taxonomy

FEWEST_HAN = 2


@dataclass(frozen=True, slots=True)
class Explained:
    """A judgement with all that can be told about it. `why` speaks for the best candidate, also of an abstention.

    `condition` is one of the active conditions of the best candidate, or empty; `place` is None where none is named.
    """

    judgement: Judgement
    why: tuple[Reason, ...]
    urged: Urged
    condition: str
    place: PlaceFound | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One class a text may have, why, and in which condition (empty when none is named)."""

    subclass: Subclass
    confidence: float
    why: tuple[Reason, ...]
    condition: str


class TextClassifier:
    """A loaded model bound to a city's class table. Holds no state that changes, so threads may share it."""

    def __init__(self, stored: StoredModel, taxonomy: Taxonomy, gazetteer: Gazetteer | None = None) -> None:
        self._stored = stored
        self._taxonomy = taxonomy
        self._gazetteer = gazetteer
        self._decider = Decider.of(stored.model.labels, taxonomy)
        self._sense = Sense(stored.model)

    @classmethod
    def load(cls, path: Path, taxonomy: Taxonomy, gazetteer: Gazetteer | None = None) -> Self:
        """Read a model file and warm the dictionary; raises registry.BadModel. `gazetteer` is the city's own."""
        stored = registry.load(path)
        tokens.warm()
        return cls(stored, taxonomy, gazetteer)

    @property
    def version(self) -> str:
        """The model's version, stored with every prediction."""
        return self._stored.version

    def classify(self, text: str) -> Prediction:
        """Propose a subclass. Never raises for any text; any length takes no longer than 2,000 characters."""
        judged = self.judge(text)
        inside = [Scored(each.subclass, each.confidence) for each in judged.ranked if each.subclass is not None]
        return Prediction(
            top=tuple(inside[:TOP]),
            abstained=judged.abstained,
            out_of_scope=judged.out_of_scope,
            redirect=judged.redirect,
            model_version=self.version,
        )

    def view(self, text: str) -> NDArray[np.float32]:
        """The model's inner view of a text, by which matters are compared (repeats_matter.py)."""
        return self._sense.of(text)

    def judge(self, text: str) -> Judgement:
        """The same with out of scope among the candidates, as the commands show it."""
        return self._judge(text, self._stored.model.probabilities(text))

    def explain(self, text: str) -> Explained:
        """Judge a text and tell why, how urgent, in which condition and where. Never raises for any text."""
        chances = self._stored.model.probabilities(text)
        judged = self._judge(text, chances)
        readable = has_words(text)
        best = judged.ranked[0].subclass if readable else None
        condition = condition_of(text, best, self._taxonomy).condition if best else ""
        label = self._decider.leading_label(chances, judged.ranked[0].subclass)
        return Explained(
            judgement=judged,
            why=reasons(self._stored.model, text, label) if readable else (),
            urged=urgency_of(text, best, condition, self._taxonomy),
            condition=condition,
            place=find_place(text, self._gazetteer),
        )

    def candidates(self, text: str, *, most: int) -> tuple[Candidate, ...]:
        """The best classes with the words for each, also below the threshold of proposing one. Never raises."""
        if not has_words(text):
            return ()
        chances = self._stored.model.probabilities(text)
        inside = [one for one in self._judge(text, chances).ranked if one.subclass is not None][:most]
        return tuple(
            Candidate(
                subclass=one.subclass,
                confidence=one.confidence,
                why=reasons(self._stored.model, text, self._decider.leading_label(chances, one.subclass)),
                condition=condition_of(text, one.subclass, self._taxonomy).condition,
            )
            for one in inside
            if one.subclass is not None
        )

    def _judge(self, text: str, chances: NDArray[np.float64]) -> Judgement:
        return self._decider.judge(chances, self._stored.card.rules, is_readable=has_words(text))


def has_words(text: str) -> bool:
    """Whether there is anything to judge: an emoji or a telephone number says nothing, whatever the prior says."""
    return han_count(text) >= FEWEST_HAN
