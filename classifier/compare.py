"""Two models on the same texts: the frozen test split, and the newest cases neither of them learned from.

Both are measured afresh, so that a corpus refreshed meanwhile cannot favour either. What follows from the figures is
decided in guard.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from classifier import evaluate
from classifier.classify import TextClassifier
from classifier.corpus import Example
from classifier.guard import FEWEST, Fall, Scores, falls
from classifier.learning import Confirmed, measured_on
from classifier.registry import StoredModel
from intake.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Measured:
    """Scores of both models on one set of texts; empty where there are none."""

    texts: int
    champion: Scores
    challenger: Scores


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both models on the frozen `test` split and on the `newest` confirmed cases, and what forbids a promotion."""

    test: Measured
    newest: Measured
    falls: tuple[Fall, ...]


def compare(
    champion: StoredModel,
    challenger: StoredModel,
    *,
    test: Sequence[Example],
    newest: Sequence[Example],
    taxonomy: Taxonomy,
    floors: Mapping[str, Scores],
) -> Comparison:
    """Measure both; the guard on the newest cases holds only once there are enough of them to tell."""
    plain = replace(taxonomy, optional_on=frozenset())
    on_test = Measured(len(test), measured_by(champion, test, plain), measured_by(challenger, test, plain))
    on_newest = Measured(len(newest), measured_by(champion, newest, taxonomy), measured_by(challenger, newest, taxonomy))
    found: list[Fall] = []
    if test:
        found += falls("test", champion=on_test.champion, challenger=on_test.challenger, allowed=floors["guard"])
    if len(newest) >= floors["newest"][FEWEST]:
        found += falls("newest", champion=on_newest.champion, challenger=on_newest.challenger, allowed=floors["newest"])
    return Comparison(on_test, on_newest, tuple(found))


def unlearned(found: Iterable[Confirmed], *models: StoredModel) -> tuple[Example, ...]:
    """The cases confirmed after the last one that any of the models learned from."""
    untils = [datetime.fromisoformat(model.card.learned_until) for model in models if model.card.learned_until]
    return measured_on(each for each in found if not untils or each.at > max(untils))


def measured_by(stored: StoredModel, examples: Sequence[Example], taxonomy: Taxonomy) -> dict[str, float]:
    """The scores of a model on some examples, rounded; none where there are no examples."""
    if not examples:
        return {}
    answers = evaluate.judge_all(TextClassifier(stored, taxonomy).judge, examples, taxonomy)
    return evaluate.rounded(evaluate.report(answers))
