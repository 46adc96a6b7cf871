"""Model files: same bytes for the same seed, whole or not at all, nothing but numbers and JSON."""

from pathlib import Path

import numpy as np
import pytest

from classifier import registry
from classifier.corpus import Example
from classifier.estimators import ModelSettings
from classifier.registry import BadModel, StoredModel
from classifier.train import train
from intake.taxonomy import Taxonomy


def test_a_saved_model_is_loaded_unchanged(stored: StoredModel, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "again.model"
    registry.save(path, model=stored.model, card=stored.card)
    again = registry.load(path)
    assert again.version == stored.version
    assert again.card == stored.card
    assert again.model.labels == stored.model.labels
    assert dict(again.model.tokens) == dict(stored.model.tokens)
    assert np.array_equal(again.model.rows, stored.model.rows)
    assert [entry.name for entry in path.parent.iterdir()] == ["again.model"]


def test_the_same_seed_gives_the_same_bytes(
    model_path: Path, tmp_path: Path, examples: tuple[Example, ...], taxonomy: Taxonomy, settings: ModelSettings
) -> None:
    model, card = train(examples, (), taxonomy=taxonomy, settings=settings)
    registry.save(tmp_path / "twin", model=model, card=card)
    assert (tmp_path / "twin").read_bytes() == model_path.read_bytes()


def test_the_card_tells_where_the_model_comes_from(stored: StoredModel) -> None:
    card = stored.card
    assert len(card.corpus_digest) == len(card.taxonomy_digest) == len(card.dictionary_digest) == 64
    assert card.settings["seed"] == ModelSettings().seed
    assert card.calibrated_on == "held-out 1/2"
    assert {"jieba", "numpy", "scikit-learn"} <= card.versions.keys()
    assert 0.0 <= card.scores["top1"] <= 1.0


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw[1:], lambda raw: raw[:40], lambda raw: b""])
def test_a_spoilt_file_is_refused_by_name(model_path: Path, tmp_path: Path, spoil: "object") -> None:
    assert callable(spoil)
    path = tmp_path / "spoilt"
    path.write_bytes(spoil(model_path.read_bytes()))
    with pytest.raises(BadModel):
        registry.load(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadModel):
        registry.load(tmp_path / "none")


def test_a_failed_write_leaves_the_old_model(model_path: Path, tmp_path: Path, stored: StoredModel) -> None:
    path = tmp_path / "kept.model"
    path.write_bytes(model_path.read_bytes())
    with pytest.raises(AttributeError):
        registry.save(path, model=None, card=stored.card)  # type: ignore[arg-type]
    assert registry.load(path).version == stored.version
