"""What intake gets for one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.classify import TextClassifier
from classifier.corpus import Example
from classifier.registry import StoredModel
from intake.model import Prediction, Subclass
from intake.taxonomy import Taxonomy, load_taxonomy

NOTHING_TO_JUDGE = ("", " ", "坏", "。", "😀😀😀", "13800000000", "\x00\x07", "hello", "\ud800")
SHARED_BIKES = Subclass.parse("event:09011")
BIKES = Subclass.parse("event:0506")


@pytest.mark.parametrize("text", NOTHING_TO_JUDGE)
def test_a_text_without_words_is_abstained_from(classifier: TextClassifier, text: str) -> None:
    prediction = classifier.classify(text)
    assert prediction.abstained
    assert prediction.best is None
    assert not prediction.out_of_scope


@given(st.text() | st.text(alphabet="路灯不亮井盖abcあжش😀1\x00", max_size=200))
def test_any_text_gives_a_well_formed_prediction(classifier: TextClassifier, taxonomy: Taxonomy, text: str) -> None:
    prediction = classifier.classify(text)
    assert len(prediction.top) == 5
    confidences = [scored.confidence for scored in prediction.top]
    assert confidences == sorted(confidences, reverse=True)
    assert 0.0 <= confidences[-1] <= confidences[0] <= 1.0
    # 其他 (event:9999) is optional and falls back to itself: what nothing else takes has no other base class.
    assert all(taxonomy.effective(scored.subclass) == scored.subclass for scored in prediction.top)


def test_a_huge_text_is_judged_by_its_beginning(classifier: TextClassifier) -> None:
    start = "路灯不亮，" * 400
    assert classifier.judge(start + "油烟" * 50_000) == classifier.judge(start)


def test_its_own_texts_are_recognised(classifier: TextClassifier, examples: tuple[Example, ...]) -> None:
    lamps = [example.text for example in examples if example.label == "component:0118"]
    assert {str(classifier.judge(text).ranked[0].subclass) for text in lamps} == {"component:0118"}


def test_a_matter_of_another_body_is_redirected(classifier: TextClassifier) -> None:
    prediction = classifier.classify("公司拖欠工资，社保也不给交，找劳动局怎么投诉")
    assert prediction.out_of_scope
    assert prediction.abstained
    assert prediction.redirect == "12333"


def test_a_switched_off_optional_class_gives_its_weight_to_the_base_class(stored: StoredModel) -> None:
    text = "一大片坏的共享单车扔在桥下没人收"
    off = _weights(TextClassifier(stored, load_taxonomy(optional_on=())), text)
    on = _weights(TextClassifier(stored, load_taxonomy(optional_on=("event:09011",))), text)
    assert SHARED_BIKES not in off
    assert SHARED_BIKES in on
    assert off[BIKES] > on.get(BIKES, 0.0)


def test_the_prediction_names_its_model(classifier: TextClassifier, stored: StoredModel) -> None:
    prediction: Prediction = classifier.classify("路灯不亮")
    assert prediction.model_version == stored.version == classifier.version


def _weights(classifier: TextClassifier, text: str) -> dict[Subclass | None, float]:
    return {ranked.subclass: ranked.confidence for ranked in classifier.judge(text).ranked}
