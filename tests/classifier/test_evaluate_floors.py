"""The shipped corpus still makes a model worth having: trained in full, held to the floors on the frozen test split.

Takes a minute or two, so it runs with the tests that need servers.
"""

import os
from pathlib import Path

import pytest

from classifier import registry
from classifier.classify import TextClassifier
from classifier.corpus import CORPUS_FOLDER, read_split
from classifier.corpus_card import CARD, facts, read_splits
from classifier.corpus_rules import read_floors
from classifier.guard import below
from classifier.registry import Card
from classifier.repeats_measure import is_held_out, lists, read_told, recall
from classifier.repeats_report import Reporter
from classifier.train import train_from
from intake.taxonomy import Taxonomy, load_taxonomy
from tests.classifier.frames import FRAMES

MOST_BYTES = 40_000_000
REFRESH = "the corpus changed: write its card anew with `python -m classifier.corpus_card`"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Card]:
    model, card = train_from(CORPUS_FOLDER, load_taxonomy())
    path = tmp_path_factory.mktemp("full") / registry.FILE_NAME
    registry.save(path, model=model, card=card)
    return path, card


@pytest.mark.servers
def test_the_full_model_reaches_its_floors_on_the_frozen_test_split(trained: tuple[Path, Card]) -> None:
    path, card = trained
    assert below(card.tested, read_floors()["test"]) == []
    assert os.path.getsize(path) <= MOST_BYTES


@pytest.mark.servers
def test_what_stands_around_a_complaint_does_not_change_its_class(trained: tuple[Path, Card], taxonomy: Taxonomy) -> None:
    classifier = TextClassifier.load(trained[0], taxonomy)
    texts = [example.text for example in read_split("dev", taxonomy)[::4]]
    bare = [classifier.judge(text).ranked[0].subclass for text in texts]
    same = [
        classifier.judge(frame.replace("{}", text)).ranked[0].subclass == subclass
        for frame in FRAMES
        for text, subclass in zip(texts, bare, strict=True)
    ]
    assert sum(same) / len(same) >= read_floors()["framing"]["agreement"]


@pytest.mark.servers
def test_nine_in_ten_repeats_are_among_the_first_five(trained: tuple[Path, Card], taxonomy: Taxonomy) -> None:
    told = read_told(CORPUS_FOLDER / "repeats.jsonl")
    found = lists(told, Reporter.load(trained[0], taxonomy))
    assert recall(told, found).at_5 >= 0.92
    assert recall(told, found, counts=is_held_out).at_5 >= 0.87


def test_every_floor_names_a_figure() -> None:
    floors = read_floors()
    known = {"top1", "top1_strict", "top3", "macro_f1", "out_of_scope_f1", "calibration_error", "precision_top60",
             "coverage_at_95"}  # fmt: skip
    assert floors["test"].keys() <= known
    assert floors["guard"].keys() <= known
    assert floors["newest"].keys() <= known | {"fewest"}


def test_the_corpus_card_tells_the_counts_that_are_there(taxonomy: Taxonomy) -> None:
    assert facts(read_splits(CORPUS_FOLDER, taxonomy)) in CARD.read_text(encoding="utf-8"), REFRESH
