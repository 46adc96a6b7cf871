"""What intake calls: one text to a Prediction, abstaining when unsure or when the matter is another body's.

Scores come from exact.py, the decision from decide.py; words that raise an alarm whatever the class stand in rules.py.
"""

from pathlib import Path
from typing import Self

from classifier import registry, tokens
from classifier.decide import TOP, Decider, Judgement
from classifier.features import han_count
from classifier.registry import StoredModel
from intake.model import Prediction, Scored
from intake.taxonomy import Taxonomy

FEWEST_HAN = 2


class TextClassifier:
    """A loaded model bound to a city's class table. Holds no state that changes, so threads may share it."""

    def __init__(self, stored: StoredModel, taxonomy: Taxonomy) -> None:
        self._stored = stored
        self._decider = Decider.of(stored.model.labels, taxonomy)

    @classmethod
    def load(cls, path: Path, taxonomy: Taxonomy) -> Self:
        """Read a model file and warm the dictionary; raises registry.BadModel."""
        stored = registry.load(path)
        tokens.warm()
        return cls(stored, taxonomy)

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

    def judge(self, text: str) -> Judgement:
        """The same with out of scope among the candidates, as the commands show it."""
        chances = self._stored.model.probabilities(text)
        return self._decider.judge(chances, self._stored.card.rules, is_readable=has_words(text))


def has_words(text: str) -> bool:
    """Whether there is anything to judge: an emoji or a telephone number says nothing, whatever the prior says."""
    return han_count(text) >= FEWEST_HAN
