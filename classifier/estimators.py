"""The estimator pipeline and its settings: counted features, weighed by class, and two classifiers that vote.

The only importer of scikit-learn, at training time alone; exact.py serves the same function. Construction only stores
settings; what is learned ends in an underscore. Which settings won and what did not help is told in README.md.
"""

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelBinarizer, normalize
from sklearn.svm import LinearSVC

from classifier.features import features

# A sparse matrix in rows, as the vectorizer makes it.
Sparse = Any
# A pipeline of `build_pipeline`, fitted.
Fitted = Pipeline


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Everything that decides a fit besides the examples; the same settings and examples give the same bytes.

    `term_weight` is what a colloquial term of the class table counts beside a corpus text. `framed_share` of
    the texts are learned once more with sentences around them (around.py), weighing `framed_weight`. `max_features` bounds the
    model file at `max_features` x (`hidden` + labels) x 2 bytes. `precision` is what proposals must reach on held-out
    texts; below it the classifier abstains. One text in `folds` is held out where there is no dev split.
    """

    seed: int = 12319
    fewest_texts: int = 2
    max_features: int = 20_000
    floor: float = 0.2
    c: float = 1.0
    hidden: int = 256
    rounds: int = 12
    share: float = 0.17
    term_weight: float = 3.0
    framed_share: float = 0.7
    framed_weight: float = 1.0
    precision: float = 0.85
    folds: int = 4


class Concentration(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Weigh features by how few classes they stand in, damp their counts, and bring each text to length one.

    A feature's weight is `floor` plus 1 - H / Hmax, with H the entropy of its texts over the classes and Hmax the most
    that so many texts can have; a feature seen once, about which nothing is known, gets `floor` + 0.5. Place names are
    rare but stand anywhere: inverse document frequency raises them, this does not.
    """

    def __init__(self, floor: float = 0.2) -> None:
        self.floor = floor

    def fit(self, counts: Sparse, labels: NDArray[np.str_]) -> Self:
        """`counts` is (texts, features), `labels` one a text; learns `weight_`, shape (features,)."""
        of_class = LabelBinarizer(sparse_output=True).fit_transform(labels).T
        seen = (of_class @ (counts > 0).astype(np.float64)).toarray()
        total = np.maximum(seen.sum(axis=0), 1.0)
        share = seen / total
        entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=0)
        most = np.log(np.minimum(np.maximum(total, 2.0), max(len(seen), 2)))
        self.weight_ = self.floor + np.where(total > 1, 1.0 - entropy / most, 0.5)
        return self

    def transform(self, counts: Sparse) -> Sparse:
        """Rows of length one (or zero, for a text without known features), shape (texts, features)."""
        damped = counts.astype(np.float64)
        damped.data = 1.0 + np.log(damped.data)
        return normalize(damped.multiply(self.weight_).tocsr(), copy=False)


class Blend(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A linear support vector machine and a small network; their scores are added, the network's times `share`.

    The machine is good where a word decides, the network where several words must meet; together they are better than
    either by more than a point in every setting tried.
    """

    def __init__(self, *, c: float, hidden: int, rounds: int, share: float, seed: int) -> None:
        self.c = c
        self.hidden = hidden
        self.rounds = rounds
        self.share = share
        self.seed = seed

    def fit(
        self,
        rows: Sparse,
        labels: NDArray[np.str_],
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Self:
        """`rows` is (texts, features), `labels` one a text, at least three different ones."""
        self.linear_ = LinearSVC(C=self.c, random_state=self.seed)
        self.linear_.fit(rows, labels, sample_weight=sample_weight)
        self.net_ = MLPClassifier(
            hidden_layer_sizes=(self.hidden,),
            max_iter=self.rounds,
            batch_size=min(256, len(labels)),
            learning_rate_init=0.003,
            alpha=3e-4,
            random_state=self.seed,
        )
        with warnings.catch_warnings():
            # Stopping after a few rounds is meant: it is what keeps the network from learning texts by heart.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.net_.fit(rows.astype(np.float32), labels, sample_weight=sample_weight)
        self.classes_ = self.linear_.classes_
        return self

    def decision_function(self, rows: Sparse) -> NDArray[np.float64]:
        """Scores, shape (texts, labels): margins of the machine plus `share` times the network's outputs."""
        (first, second), (bend, lift) = self.net_.coefs_, self.net_.intercepts_
        hidden = np.maximum(rows @ first + bend, 0.0)
        scores: NDArray[np.float64] = self.linear_.decision_function(rows) + self.share * (hidden @ second + lift)
        return scores

    def predict(self, rows: Sparse) -> NDArray[np.str_]:
        """The label with the best score for each text."""
        best: NDArray[np.str_] = self.classes_[self.decision_function(rows).argmax(axis=1)]
        return best


def build_pipeline(settings: ModelSettings) -> Pipeline:
    """An unfitted pipeline from texts to labels."""
    counted = CountVectorizer(analyzer=features, min_df=settings.fewest_texts, max_features=settings.max_features)
    blend = Blend(
        c=settings.c,
        hidden=settings.hidden,
        rounds=settings.rounds,
        share=settings.share,
        seed=settings.seed,
    )
    return Pipeline([("count", counted), ("weigh", Concentration(settings.floor)), ("blend", blend)])
