"""The shipped corpus keeps its own rules; and the rules notice what breaks them."""

import pytest

from classifier.corpus import Example, read_split
from classifier.corpus_rules import copies, misplaced, read_floors, too_few
from classifier.likeness import grams, pairs_alike
from intake.taxonomy import Taxonomy

SPLITS = ("train", "dev", "test")
LONG = "人民路和中山路交叉口的雨水井盖不见了，夜里看不清，怕有人掉下去"


@pytest.fixture(scope="module")
def shipped(taxonomy: Taxonomy) -> dict[str, tuple[Example, ...]]:
    return {split: read_split(split, taxonomy) for split in SPLITS}


def test_every_class_has_enough_texts(shipped: dict[str, tuple[Example, ...]], taxonomy: Taxonomy) -> None:
    assert too_few(shipped["train"] + shipped["dev"], taxonomy, read_floors()["corpus"]) == {}


def test_every_place_stands_in_its_text(shipped: dict[str, tuple[Example, ...]]) -> None:
    assert [text for examples in shipped.values() for text in misplaced(examples)] == []


def test_no_text_is_a_copy_of_another(shipped: dict[str, tuple[Example, ...]]) -> None:
    assert copies(shipped) == []


def test_a_missing_class_is_told_with_numbers(taxonomy: Taxonomy) -> None:
    fewest = {"event": 2, "component": 0, "optional": 0, "outside": 1}
    found = too_few([Example("a", "event:0101"), Example("b", "none:12333")], taxonomy, fewest)
    assert found["event:0101"] == (1, 2)
    assert "none" not in found
    assert "component:0118" not in found


def test_a_copy_is_found_inside_a_class_and_across_splits() -> None:
    twin = LONG.replace("怕有人掉下去", "请尽快补上")
    one, same, other = (Example(text, label) for text, label in ((LONG, "a"), (twin, "a"), (twin, "b")))
    assert len(copies({"train": (one, same)})) == 1
    assert copies({"train": (one, other)}) == []
    assert len(copies({"train": (one,), "test": (other,)})) == 1


def test_equal_short_texts_are_copies_but_a_short_text_may_stand_inside_a_long_one() -> None:
    assert [pair.share for pair in pairs_alike(["路灯不亮", "路灯，不亮！"])] == [1.0]
    assert pairs_alike(["井盖不见了夜里看不清", LONG]) == []


def test_exactly_half_is_allowed() -> None:
    half, rest = "甲乙丙丁戊己庚辛壬癸子丑寅", "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往"
    text = half + rest[: len(grams(half)) + 3]
    assert len(grams(half)) == 10
    assert len(pairs_alike([half, text])) == 1
    eight = half[:8]
    assert pairs_alike([half, eight + rest]) == []


def test_a_place_from_elsewhere_is_found() -> None:
    assert misplaced([Example("人民路路灯不亮", "component:0118", place="中山路")]) == ["人民路路灯不亮"]
