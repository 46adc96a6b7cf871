"""A running gateway's models: taken up without a restart, a shadow that holds no text, and nothing that stops a report."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from classifier import live, registry, shadow
from classifier.live import LiveModels
from classifier.registry import StoredModel
from classifier.shadow import Beside, Tally, append, beside, read, tally
from classifier.versions import Shelf
from intake.model import Prediction, Scored, Subclass
from intake.taxonomy import Taxonomy
from tests.make import NOON

TEXT = "路灯不亮，电话19900000001"


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(tmp_path: Path, model_path: Path) -> Shelf:
    shutil.copy(model_path, tmp_path / registry.FILE_NAME)
    return Shelf(tmp_path)


@pytest.fixture
def challenge(shelf: Shelf, stored: StoredModel) -> Callable[[], str]:
    def write() -> str:
        registry.save(shelf.challenger, model=stored.model, card=replace(stored.card, texts=1))
        return registry.load(shelf.challenger).version

    return write


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def models(shelf: Shelf, taxonomy: Taxonomy, clock: Clock, told: list[tuple[str, str]]) -> Iterator[LiveModels]:
    def tell(event: str, version: str) -> None:
        told.append((event, version))

    found = LiveModels(shelf.folder, taxonomy, key_of=lambda text: f"key{len(text)}", tell=tell, clock=clock)
    yield found
    found.settle()


def look_again(models: LiveModels, clock: Clock) -> Prediction:
    clock.now += live.LOOK_EVERY_S
    prediction = models.classify(TEXT)
    models.settle()
    return prediction


def test_a_promoted_model_is_taken_up_without_a_restart(
    models: LiveModels, shelf: Shelf, clock: Clock, challenge: Callable[[], str]
) -> None:
    before = models.classify(TEXT).model_version
    version = challenge()
    shelf.promote(version, at=NOON)
    assert models.classify(TEXT).model_version == before
    assert look_again(models, clock).model_version == before
    assert models.classify(TEXT).model_version == version


def test_a_spoilt_model_leaves_the_one_in_force(
    models: LiveModels, shelf: Shelf, clock: Clock, told: list[tuple[str, str]]
) -> None:
    version = models.versions[0]
    shelf.champion.write_bytes(b"junk")
    look_again(models, clock)
    look_again(models, clock)
    assert models.classify(TEXT).model_version == version
    assert told.count(("champion.unreadable", version)) == 1


def test_without_a_model_everything_is_an_abstention_until_one_comes(
    tmp_path: Path, model_path: Path, taxonomy: Taxonomy, clock: Clock
) -> None:
    models = LiveModels(tmp_path, taxonomy, key_of=str, clock=clock)
    assert models.classify(TEXT) == Prediction()
    shutil.copy(model_path, tmp_path / registry.FILE_NAME)
    look_again(models, clock)
    assert models.classify(TEXT).model_version


def test_the_challenger_judges_beside_and_no_text_is_kept(
    models: LiveModels, shelf: Shelf, clock: Clock, challenge: Callable[[], str]
) -> None:
    version = challenge()
    look_again(models, clock)
    answer = look_again(models, clock)
    path = shelf.shadow(answer.model_version, version)
    (line,) = read(path)
    assert line.key == f"key{len(TEXT)}"
    assert line.champion == line.challenger == str(answer.top[0].subclass)
    assert "199" not in path.read_text(encoding="utf-8")
    assert "路灯" not in path.read_text(encoding="utf-8")


def test_a_withdrawn_challenger_judges_no_more(
    models: LiveModels, shelf: Shelf, clock: Clock, challenge: Callable[[], str]
) -> None:
    challenge()
    look_again(models, clock)
    shelf.challenger.unlink()
    look_again(models, clock)
    models.settle()
    assert models.versions[1] == ""


def test_a_shadow_that_cannot_keep_up_is_left_behind_and_reports_go_on(
    shelf: Shelf, taxonomy: Taxonomy, clock: Clock, challenge: Callable[[], str]
) -> None:
    gate = threading.Event()

    def slow_key(_: str) -> str:
        gate.wait()
        return "k"

    version = challenge()
    models = LiveModels(shelf.folder, taxonomy, key_of=slow_key, clock=clock)
    answers = [models.classify(TEXT) for _ in range(live.WAITING * 2)]
    gate.set()
    models.settle()
    assert all(answer.top for answer in answers)
    assert len(list(read(shelf.shadow(answers[0].model_version, version)))) == live.WAITING


def test_the_challenger_rests_between_texts_so_that_it_takes_little_of_a_core(
    shelf: Shelf, taxonomy: Taxonomy, clock: Clock, challenge: Callable[[], str]
) -> None:
    rests: list[float] = []
    challenge()
    models = LiveModels(shelf.folder, taxonomy, key_of=str, clock=clock, rest=rests.append)
    start = time.perf_counter()
    for _ in range(3):
        models.classify(TEXT)
        models.settle()
    assert len(rests) == 3
    assert 0 < sum(rests) <= live.REST * (time.perf_counter() - start)


def test_a_failing_shadow_is_told_once_and_touches_no_report(
    shelf: Shelf, taxonomy: Taxonomy, clock: Clock, challenge: Callable[[], str]
) -> None:
    def broken(_: str) -> str:
        raise OSError

    told: list[tuple[str, str]] = []
    challenge()
    models = LiveModels(
        shelf.folder, taxonomy, key_of=broken, tell=lambda event, name: told.append((event, name)), clock=clock
    )
    assert all(models.classify(TEXT).top for _ in range(3))
    models.settle()
    assert told.count(("shadow.failed", "OSError")) == 1


def lines(*answers: tuple[str, str, str]) -> Iterator[Beside]:
    return iter([Beside(key, one, True, other, True) for key, one, other in answers])


def test_who_was_right_is_counted_once_a_person_decided() -> None:
    record = lines(("a", "event:0101", "event:0102"), ("b", "none", "none"), ("c", "event:0101", "event:0101"),
                   ("d", "event:0103", "event:0101"))  # fmt: skip
    found = tally(record, {"a": "event:0102", "b": "none", "c": "event:0103", "z": "none"})
    assert found == Tally(texts=4, agreed=2, decided=3, champion_right=1, challenger_right=2,
                          only_champion_right=0, only_challenger_right=1)  # fmt: skip


def test_an_abstention_is_kept_with_its_best_guess() -> None:
    guess = (Scored(Subclass.parse("event:0101"), 0.4),)
    unsure = Prediction(top=guess, abstained=True, model_version="a")
    outside = Prediction(top=guess, abstained=True, out_of_scope=True, model_version="b")
    line = beside("k", unsure, outside)
    assert (line.champion, line.champion_sure, line.challenger, line.challenger_sure) == ("event:0101", False, "none", True)


def test_a_full_record_takes_no_more_and_a_torn_line_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "record.jsonl"
    line = Beside("k", "none", True, "none", True)
    append(path, line)
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"key":')
    assert list(read(path)) == [line]
    monkeypatch.setattr(shadow, "MOST_BYTES", 10)
    size = path.stat().st_size
    append(path, line)
    assert path.stat().st_size == size
