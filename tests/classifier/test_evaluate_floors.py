"""The shipped corpus still makes a model worth having: trained in full, held to the floors on the frozen test split.

Takes a minute or two, so it runs with the tests that need servers.
"""

import os
from pathlib import Path

import pytest

from classifier import registry
from classifier.corpus import CORPUS_FOLDER
from classifier.corpus_card import CARD, facts, read_splits
from classifier.corpus_rules import read_floors
from classifier.guard import below
from classifier.train import train_from
from intake.taxonomy import Taxonomy, load_taxonomy

MOST_BYTES = 40_000_000
REFRESH = "the corpus changed: write its card anew with `python -m classifier.corpus_card`"


@pytest.mark.servers
def test_the_full_model_reaches_its_floors_on_the_frozen_test_split(tmp_path: Path) -> None:
    model, card = train_from(CORPUS_FOLDER, load_taxonomy())
    path = tmp_path / registry.FILE_NAME
    registry.save(path, model=model, card=card)
    assert below(card.tested, read_floors()["test"]) == []
    assert os.path.getsize(path) <= MOST_BYTES


def test_every_floor_names_a_figure() -> None:
    floors = read_floors()
    known = {"top1", "top1_strict", "top3", "macro_f1", "out_of_scope_f1", "calibration_error", "precision_top60",
             "coverage_at_95"}  # fmt: skip
    assert floors["test"].keys() <= known
    assert floors["guard"].keys() <= known
    assert floors["newest"].keys() <= known | {"fewest"}


def test_the_corpus_card_tells_the_counts_that_are_there(taxonomy: Taxonomy) -> None:
    assert facts(read_splits(CORPUS_FOLDER, taxonomy)) in CARD.read_text(encoding="utf-8"), REFRESH
