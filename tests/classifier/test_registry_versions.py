"""Champion, challenger and earlier models: promoting, refusing, rolling back, and a gateway that follows."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from classifier import registry
from classifier.compare import compare, unlearned
from classifier.corpus import Example
from classifier.guard import below, falls
from classifier.learning import Confirmed
from classifier.registry import StoredModel
from classifier.versions import Shelf, loaded
from intake.errors import BadInput
from intake.model import Prediction
from intake.taxonomy import Taxonomy
from tests.make import NOON

Put = Callable[..., str]


@pytest.fixture
def shelf(tmp_path: Path, model_path: Path) -> Shelf:
    shutil.copy(model_path, tmp_path / registry.FILE_NAME)
    return Shelf(tmp_path)


@pytest.fixture
def put(shelf: Shelf, stored: StoredModel) -> Put:
    """Write a challenger that differs in its card alone; returns its version."""

    def write(texts: int) -> str:
        registry.save(shelf.challenger, model=stored.model, card=replace(stored.card, texts=texts))
        return registry.load(shelf.challenger).version

    return write


def champion(shelf: Shelf) -> str:
    return registry.load(shelf.champion).version


def test_a_promoted_challenger_serves_and_the_champion_is_kept(shelf: Shelf, put: Put) -> None:
    first, second = champion(shelf), put(1)
    act = shelf.promote(second, at=NOON)
    assert (act.version, act.replaced) == (second, first)
    assert champion(shelf) == second
    assert loaded(shelf.challenger) is None
    assert shelf.earlier_versions() == [first]


def test_rolling_back_twice_goes_back_two(shelf: Shelf, put: Put) -> None:
    first, second = champion(shelf), put(1)
    shelf.promote(second, at=NOON)
    third = put(2)
    shelf.promote(third, at=NOON)
    assert [shelf.rollback(at=NOON).version for _ in range(2)] == [second, first]
    assert champion(shelf) == first
    assert third in shelf.earlier_versions()
    with pytest.raises(BadInput):
        shelf.rollback(at=NOON)


def test_a_challenger_exchanged_after_it_was_judged_is_not_promoted(shelf: Shelf, put: Put) -> None:
    before, judged = champion(shelf), put(1)
    put(2)
    with pytest.raises(BadInput):
        shelf.promote(judged, at=NOON)
    assert champion(shelf) == before


def test_only_some_earlier_models_are_kept_and_never_the_one_to_go_back_to(shelf: Shelf, put: Put) -> None:
    for texts in range(10):
        before = champion(shelf)
        shelf.promote(put(texts), at=NOON)
    assert len(shelf.earlier_versions()) == 6
    assert shelf.rollback(at=NOON).version == before


def test_the_first_model_is_promoted_without_a_champion(shelf: Shelf, put: Put) -> None:
    shelf.champion.unlink()
    assert shelf.promote(put(1), at=NOON).replaced == ""


def test_a_spoilt_champion_can_be_replaced(shelf: Shelf, put: Put) -> None:
    shelf.champion.write_bytes(b"junk")
    version = put(1)
    shelf.promote(version, at=NOON)
    assert champion(shelf) == version


def test_a_line_cut_short_does_not_spoil_the_acts(shelf: Shelf, put: Put) -> None:
    shelf.promote(put(1), at=NOON)
    with (shelf.folder / "acts.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"at": "2026')
    assert len(shelf.acts()) == 1


def test_a_fall_names_the_figure_and_the_tolerance_is_respected() -> None:
    allowed = {"top1": 0.01, "calibration_error": 0.01, "fewest": 5}
    good = {"top1": 0.8, "calibration_error": 0.05}
    assert falls("test", champion=good, challenger={"top1": 0.79, "calibration_error": 0.06}, allowed=allowed) == []
    found = falls("test", champion=good, challenger={"top1": 0.78, "calibration_error": 0.07}, allowed=allowed)
    assert [str(fall) for fall in found] == [
        "test top1: 0.8000 → 0.7800",
        "test calibration_error: 0.0500 → 0.0700",
    ]


def test_floors_hold_from_below_and_ceilings_from_above() -> None:
    floors = {"top1": 0.8, "calibration_error": 0.05}
    assert below({"top1": 0.8, "calibration_error": 0.05}, floors) == []
    assert [fall.figure for fall in below({"top1": 0.7, "calibration_error": 0.06}, floors)] == list(floors)


FLOORS = {"guard": {"top1": 0.0}, "newest": {"fewest": 2, "top1": 0.0}}


def test_a_worse_challenger_is_found_on_test_and_on_newest(
    stored: StoredModel, examples: tuple[Example, ...], taxonomy: Taxonomy
) -> None:
    spoilt = replace(stored, model=replace(stored.model, bias=stored.model.bias * 0 + _push(stored)))
    found = compare(stored, spoilt, test=examples, newest=examples[:2], taxonomy=taxonomy, floors=FLOORS)
    assert [fall.where for fall in found.falls] == ["test", "newest"]
    same = compare(stored, stored, test=examples, newest=examples[:1], taxonomy=taxonomy, floors=FLOORS)
    assert same.falls == ()
    assert same.test.champion == same.test.challenger


def test_too_few_newest_cases_forbid_nothing(
    stored: StoredModel, examples: tuple[Example, ...], taxonomy: Taxonomy
) -> None:
    spoilt = replace(stored, model=replace(stored.model, bias=stored.model.bias * 0 + _push(stored)))
    found = compare(stored, spoilt, test=(), newest=examples[:1], taxonomy=taxonomy, floors=FLOORS)
    assert found.falls == ()


def _push(stored: StoredModel) -> object:
    """Biases that make every answer the last label."""
    import numpy as np

    values = np.zeros(len(stored.model.labels), dtype=np.float32)
    values[-1] = 100.0
    return values


def test_the_newest_are_those_neither_model_learned(stored: StoredModel) -> None:
    case = Confirmed(1, "路灯", "component:0118", 1, NOON, "", Prediction())
    learned = replace(stored, card=replace(stored.card, learned_until=NOON.isoformat()))
    assert len(unlearned([case], stored, stored)) == 1
    assert unlearned([case], stored, learned) == ()


def test_a_card_written_before_corrections_were_known_is_still_read(model_path: Path, tmp_path: Path) -> None:
    raw = model_path.read_bytes()
    start = len(registry.MAGIC) + 8
    end = start + int.from_bytes(raw[len(registry.MAGIC) : start], "little")
    header = json.loads(raw[start:end])
    for name in ("tested", "newest", "corrections", "learned_until", "counts"):
        del header["card"][name]
    text = json.dumps(header).encode()
    (tmp_path / "old").write_bytes(registry.MAGIC + len(text).to_bytes(8, "little") + text + raw[end:])
    assert registry.load(tmp_path / "old").card.corrections == 0
