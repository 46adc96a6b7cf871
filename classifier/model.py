"""Fitting the pipeline on examples and taking its exact form; used at training time only.

The pipeline and its settings are in estimators.py, what serves is exact.py, the order of training is train.py.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.around import framed
from classifier.corpus import Example
from classifier.estimators import Fitted, ModelSettings, build_pipeline
from classifier.exact import ExactModel
from intake.taxonomy import Taxonomy


def fit(examples: Sequence[Example], terms: Sequence[Example], settings: ModelSettings) -> Fitted:
    """Fit a new pipeline on texts and terms, at least three labels in all; some texts are learned with a frame besides.

    The weights are then rounded to what the model file holds (half precision), so that the pipeline and its exact form
    are the same function.
    """
    pipeline = build_pipeline(settings)
    around = framed(examples, share=settings.framed_share, weight=settings.framed_weight, seed=settings.seed)
    texts = [*examples, *around]
    weights = np.array([each.weight for each in texts] + [settings.term_weight] * len(terms))
    both = [*texts, *terms]
    pipeline.fit([e.text for e in both], np.array([e.label for e in both]), blend__sample_weight=weights)
    _round(pipeline)
    return pipeline


def terms_of(taxonomy: Taxonomy) -> tuple[Example, ...]:
    """The class table as short texts: names and colloquial terms, each once for each class that uses it."""
    return tuple(
        Example(text, str(entry.subclass), register="term")
        for entry in taxonomy.entries.values()
        if not entry.retired_on
        for text in dict.fromkeys((entry.name, *entry.terms))
    )


def exact_form(pipeline: Fitted, *, sharpness: float) -> ExactModel:
    """The fitted pipeline as one look-up table and one small matrix; see exact.py."""
    blend = pipeline["blend"]
    (_, second), (bend, lift) = blend.net_.coefs_, blend.net_.intercepts_
    tokens = sorted(pipeline["count"].vocabulary_.items(), key=lambda item: int(item[1]))
    return ExactModel(
        labels=tuple(map(str, blend.classes_)),
        tokens={str(token): int(place) for token, place in tokens},
        weight=pipeline["weigh"].weight_.astype(np.float32),
        rows=_half(np.hstack(_folded(pipeline))).astype(np.float32),
        bend=bend.astype(np.float32),
        second=(blend.share * second).astype(np.float32),
        bias=(blend.linear_.intercept_ + blend.share * lift).astype(np.float32),
        sharpness=sharpness,
    )


def decision(pipeline: Fitted, texts: Iterable[str]) -> NDArray[np.float64]:
    """The pipeline's own scores, shape (texts, labels)."""
    values: NDArray[np.float64] = pipeline.decision_function(list(texts))
    return values


def _folded(pipeline: Fitted) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First-layer weights with the feature weights folded in, shapes (features, hidden) and (features, labels)."""
    weight = pipeline["weigh"].weight_[:, None]
    blend = pipeline["blend"]
    return blend.net_.coefs_[0] * weight, blend.linear_.coef_.T * weight


def _half(values: NDArray[np.float64]) -> NDArray[np.float16]:
    return values.astype(np.float16)


def _round(pipeline: Fitted) -> None:
    """Replace the first-layer weights by what half precision keeps of them once folded."""
    weight, blend = pipeline["weigh"].weight_, pipeline["blend"]
    hidden, margins = (_half(block).astype(np.float64) for block in _folded(pipeline))
    blend.net_.coefs_[0] = hidden / weight[:, None]
    # Fortran order, because the sparse product would otherwise copy all weights at every call.
    blend.linear_.coef_ = np.asfortranarray(margins.T / weight)
