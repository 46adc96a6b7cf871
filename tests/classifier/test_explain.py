"""Why a text was given its class, and everything else told about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.classify import TextClassifier
from classifier.corpus import Example
from classifier.explain import MOST_REASONS, reasons
from classifier.features import features
from classifier.registry import StoredModel
from intake.gazetteer import Gazetteer, GazetteerRow
from intake.model import Urgency
from intake.taxonomy import Taxonomy, load_taxonomy

STRANGE = (
    "",
    "路",
    "。",
    "😀" * 50,
    "hello world",
    "13800000000",
    "\x00\x1b[31m",
    "\ud83d",
    "路灯 lamp лампа 街燈",
    "路" * 100_000,
)


@pytest.mark.parametrize("label", [0, 3])
def test_shares_and_what_no_feature_has_sum_to_the_score(
    stored: StoredModel, examples: tuple[Example, ...], label: int
) -> None:
    for example in examples:
        scores = stored.model.scores(example.text)
        told = sum(stored.model.shares(features(example.text), label)) + stored.model.unshared(example.text, label)
        assert told == pytest.approx(float(scores[label] - scores.mean()), abs=1e-4)


def test_the_word_that_decides_is_told_first(classifier: TextClassifier) -> None:
    why = classifier.explain("麻烦看一下，我家楼下的路灯坏了好几天").why
    assert "路灯" in why[0].text


def test_reasons_are_spans_of_the_text_as_given(stored: StoredModel) -> None:
    text = "樓下路燈　不亮，ＫＴＶ旁邊"
    found = reasons(stored.model, text, stored.model.labels.index("component:0118"))
    assert found
    assert all(text[reason.start : reason.end] == reason.text for reason in found)


@given(st.text() | st.text(alphabet="路灯不亮井盖堵了油烟12号，。\n😀", max_size=200))
def test_any_text_is_explained_with_spans_of_its_own(classifier: TextClassifier, taxonomy: Taxonomy, text: str) -> None:
    told = classifier.explain(text)
    assert told.judgement == classifier.judge(text)
    assert len(told.why) <= MOST_REASONS
    assert all(text[reason.start : reason.end] == reason.text != "" for reason in told.why)
    assert [reason.weight for reason in told.why] == sorted((reason.weight for reason in told.why), reverse=True)
    assert sum(reason.weight for reason in told.why) <= 1.001
    best = told.judgement.ranked[0].subclass
    assert told.condition in ("", *(taxonomy.conditions(best) if best else ()))
    assert told.place is None or text[told.place.start : told.place.end] == told.place.text != ""


@pytest.mark.parametrize("text", STRANGE)
def test_strange_texts_are_explained(classifier: TextClassifier, text: str) -> None:
    told = classifier.explain(text)
    assert told == classifier.explain(text)
    assert told.urged.level is Urgency.ROUTINE


def test_a_text_without_words_is_given_no_reasons(classifier: TextClassifier) -> None:
    told = classifier.explain("13800000000")
    assert (told.why, told.condition, told.place) == ((), "", None)


def test_the_citys_own_gazetteer_gives_the_grid(stored: StoredModel) -> None:
    row = GazetteerRow(
        id="1", name="银杏路", kind="road", aliases=(), initials="yxl", lon=113.0, lat=28.0, grid_code="430000000000001",
        community="", street="", district="", address="",
    )  # fmt: skip
    classifier = TextClassifier(stored, load_taxonomy(optional_on=()), Gazetteer([row]))
    place = classifier.explain("银杏路的路灯不亮").place
    assert place is not None
    assert place.grid == "430000000000001"
    assert place.candidates[0].row == row
