"""What every estimator must satisfy, run against the pipeline and its exact form."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import registry
from classifier.classify import TextClassifier
from classifier.corpus import Example
from classifier.estimators import ModelSettings, build_pipeline
from classifier.exact import ExactModel
from classifier.model import decision, exact_form, fit, terms_of
from classifier.registry import StoredModel
from classifier.train import train
from intake.errors import BadInput
from intake.taxonomy import load_taxonomy
from tests.classifier.texts import TEXTS

SETTINGS = ModelSettings(fewest_texts=1, max_features=8000, hidden=16, folds=2)
TAXONOMY = load_taxonomy(optional_on=())
STRANGE = ("", "路", "😀🕳️", "路" * 100_000, "a" * 100_000, "路灯lamp灯лампа街燈", "\x00\x1b", "13800000000", "\ud83d")


@pytest.fixture(scope="module")
def model() -> ExactModel:
    return exact_form(fit(TEXTS, terms_of(TAXONOMY), SETTINGS), sharpness=8.0)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    path = tmp_path_factory.mktemp("estimator") / "model"
    trained, card = train(TEXTS, (), taxonomy=TAXONOMY, settings=SETTINGS)
    registry.save(path, model=trained, card=card)
    return registry.load(path)


def test_construction_only_stores_settings_and_fitting_does_not_change_them() -> None:
    pipeline = build_pipeline(SETTINGS)
    before = {name: value for name, value in pipeline.get_params().items() if isinstance(value, int | float | str | bool)}
    assert not [name for step in pipeline.named_steps.values() for name in vars(step) if name.endswith("_")]
    settings = asdict(SETTINGS)
    fitted = fit(TEXTS, terms_of(TAXONOMY), SETTINGS)
    assert asdict(SETTINGS) == settings
    assert {name: fitted.get_params()[name] for name in before} == before


def test_equal_seed_gives_equal_scores(model: ExactModel) -> None:
    again = exact_form(fit(TEXTS, terms_of(TAXONOMY), SETTINGS), sharpness=8.0)
    assert np.array_equal(again.rows, model.rows)
    assert all(np.array_equal(again.scores(example.text), model.scores(example.text)) for example in TEXTS)


@pytest.mark.parametrize("text", STRANGE)
def test_strange_texts_give_probabilities(model: ExactModel, text: str) -> None:
    chances = model.probabilities(text)
    assert np.isfinite(chances).all()
    assert chances.sum() == pytest.approx(1.0)


@settings(deadline=None)
@given(st.text())
def test_probabilities_sum_to_one_on_any_text(model: ExactModel, text: str) -> None:
    assert model.probabilities(text).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("text", STRANGE)
def test_strange_texts_give_an_answer_or_an_abstention(stored: StoredModel, text: str) -> None:
    prediction = TextClassifier(stored, TAXONOMY).classify(text)
    assert prediction.abstained or prediction.best is not None


def test_saved_and_loaded_models_agree(model: ExactModel, stored: StoredModel) -> None:
    for example in TEXTS:
        assert np.array_equal(model.scores(example.text), stored.model.scores(example.text))


def test_labels_are_within_the_taxonomy(model: ExactModel) -> None:
    known = {str(subclass) for subclass in TAXONOMY.entries}
    assert {label for label in model.labels if not label.startswith("none:")} <= known
    assert len(set(model.labels)) == len(model.labels)


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(BadInput):
        train([Example("a", "event:0101"), Example("b", "event:0102")], (), taxonomy=TAXONOMY, settings=SETTINGS)


def test_other_settings_give_another_model(model: ExactModel) -> None:
    softer = exact_form(fit(TEXTS, terms_of(TAXONOMY), replace(SETTINGS, c=0.01)), sharpness=8.0)
    assert not np.array_equal(softer.bias, model.bias)


def test_decision_has_one_row_a_text_and_one_column_a_label() -> None:
    pipeline = fit(TEXTS, terms_of(TAXONOMY), SETTINGS)
    assert decision(pipeline, ["路灯", "油烟"]).shape == (2, len(pipeline.classes_))
