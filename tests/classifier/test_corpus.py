"""Reading labelled texts."""

import json
from collections import Counter
from pathlib import Path

import pytest

from classifier.corpus import BadExample, Example, digest, fold_of, read_examples, read_split
from classifier.train import with_common_redirects
from intake.taxonomy import Taxonomy

ROW = {"text": "路灯不亮", "kind": "component", "subclass_code": "0118", "register": "sms", "place": ""}


def written(folder: Path, *rows: object) -> Path:
    path = folder / "train.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_labels_are_read_with_what_else_is_acceptable(tmp_path: Path, taxonomy: Taxonomy) -> None:
    also = [{"kind": "component", "subclass_code": "0106"}, "event:0102"]
    outside = {"text": "拖欠工资", "kind": "none", "redirect": "12333"}
    first, second, third = read_examples(
        written(tmp_path, {**ROW, "also": also}, outside, {**outside, "redirect": ""}), taxonomy
    )
    assert first == Example("路灯不亮", "component:0118", ("component:0106", "event:0102"), "sms", "")
    assert second.label == "none:12333"
    assert third.label == "none:"


@pytest.mark.parametrize(
    "row",
    [[], {}, {"text": "x"}, {**ROW, "subclass_code": "9999"}, {**ROW, "kind": "thing"}, {**ROW, "also": [3]}, "x"],
)
def test_a_bad_line_is_named(tmp_path: Path, taxonomy: Taxonomy, row: object) -> None:
    with pytest.raises(BadExample, match=r"train\.jsonl:2"):
        read_examples(written(tmp_path, ROW, row), taxonomy)


def test_a_missing_split_is_empty(tmp_path: Path, taxonomy: Taxonomy) -> None:
    assert read_split("dev", taxonomy, folder=tmp_path) == ()


def test_folds_deal_out_every_label() -> None:
    examples = [Example(str(number), label) for number in range(9) for label in ("event:0101", "event:0102")]
    dealt = Counter(zip((example.label for example in examples), fold_of(examples, 3), strict=True))
    assert set(dealt.values()) == {3}


def test_the_digest_follows_texts_labels_and_order() -> None:
    one, two = Example("a", "event:0101"), Example("b", "event:0102")
    assert digest([one, two]) == digest([one, two])
    assert len({digest([one, two]), digest([two, one]), digest([one]), digest([Example("a", "event:0102")])}) == 4


def test_rare_destinations_are_merged() -> None:
    rare, common = [Example("a", "none:12318")], [Example(str(number), "none:12333") for number in range(8)]
    assert {example.label for example in with_common_redirects(rare + common)} == {"none:", "none:12333"}
