"""A tiny model: a few hand-written texts of clearly different classes, trained once for all tests of this folder."""

from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from classifier import registry
from classifier.classify import TextClassifier
from classifier.corpus import Example
from classifier.estimators import ModelSettings
from classifier.registry import StoredModel
from classifier.train import train
from intake.taxonomy import Taxonomy, load_taxonomy
from tests.classifier.texts import TEXTS

# The first example of a test may have to load the dictionary, and no test here is about time.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return load_taxonomy(optional_on=())


@pytest.fixture(scope="session")
def examples() -> tuple[Example, ...]:
    return TEXTS


@pytest.fixture(scope="session")
def settings() -> ModelSettings:
    return ModelSettings(fewest_texts=1, max_features=8000, hidden=16, folds=2)


@pytest.fixture(scope="session")
def model_path(
    tmp_path_factory: pytest.TempPathFactory,
    taxonomy: Taxonomy,
    examples: tuple[Example, ...],
    settings: ModelSettings,
) -> Path:
    path = tmp_path_factory.mktemp("model") / "classifier.model"
    model, card = train(examples, (), taxonomy=taxonomy, settings=settings)
    registry.save(path, model=model, card=card)
    return path


@pytest.fixture(scope="session")
def stored(model_path: Path) -> StoredModel:
    return registry.load(model_path)


@pytest.fixture(scope="session")
def classifier(model_path: Path, taxonomy: Taxonomy) -> TextClassifier:
    return TextClassifier.load(model_path, taxonomy)
