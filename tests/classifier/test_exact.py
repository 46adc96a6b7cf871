"""The exact form and the pipeline it came from are the same function."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from classifier.corpus import Example
from classifier.estimators import ModelSettings
from classifier.exact import ExactModel, softmax
from classifier.model import decision, exact_form, fit, terms_of
from intake.taxonomy import Taxonomy
from tests.classifier.texts import TEXTS

CLOSE = 1e-5
PIECES = st.one_of(st.sampled_from([e.text for e in TEXTS]), st.text(max_size=30), st.sampled_from("井盖路灯垃圾坏了 １Ａ"))


@pytest.fixture(scope="module")
def pipeline(examples: tuple[Example, ...], taxonomy: Taxonomy, settings: ModelSettings) -> Pipeline:
    return fit(examples, terms_of(taxonomy), settings)


@pytest.fixture(scope="module")
def exact(pipeline: Pipeline) -> ExactModel:
    return exact_form(pipeline, sharpness=8.0)


def test_same_label_and_scores_as_the_pipeline_on_every_text(
    pipeline: Pipeline, exact: ExactModel, examples: tuple[Example, ...], taxonomy: Taxonomy
) -> None:
    texts = [example.text for example in (*examples, *terms_of(taxonomy))]
    theirs = decision(pipeline, texts)
    ours = np.array([exact.scores(text) for text in texts])
    assert np.abs(ours - theirs).max() <= CLOSE
    assert [exact.labels[place] for place in ours.argmax(axis=1)] == list(pipeline.predict(texts))


@given(st.lists(PIECES, max_size=12).map("".join))
def test_same_scores_as_the_pipeline_on_any_text(pipeline: Pipeline, exact: ExactModel, text: str) -> None:
    assert np.abs(exact.scores(text) - decision(pipeline, [text])[0]).max() <= CLOSE


@given(st.text())
def test_probabilities_sum_to_one(exact: ExactModel, text: str) -> None:
    chances = exact.probabilities(text)
    assert chances.shape == (len(exact.labels),)
    assert abs(chances.sum() - 1.0) < 1e-9
    assert chances.min() >= 0.0


def test_softmax_keeps_the_order_and_does_not_overflow() -> None:
    chances = softmax(np.array([-1000.0, 0.0, 1000.0]), 30.0)
    assert np.isfinite(chances).all()
    assert list(chances.argsort()) == [0, 1, 2]
