"""The figures of an evaluation, on answers made by hand."""

from classifier.corpus import Example
from classifier.decide import Judgement, Ranked
from classifier.evaluate import Answer, judge_all, report
from intake.model import Subclass
from intake.taxonomy import Taxonomy

RANKED = ("event:0101", "event:0102", "none", "event:0103")


def answer(
    truth: str, *, also: tuple[str, ...] = (), said: tuple[str, ...] = RANKED, confidence: float = 0.9, unsure: bool = False
) -> Answer:
    return Answer(truth, frozenset((truth, *also)), said, confidence, 0.5, unsure)


def test_a_second_acceptable_class_counts_but_not_strictly() -> None:
    scores = report([answer("event:0101"), answer("event:0102", also=("event:0101",))]).scores
    assert scores["top1"] == 1.0
    assert scores["top1_strict"] == 0.5


def test_the_third_place_counts_for_top3() -> None:
    scores = report([answer("none"), answer("event:0103")]).scores
    assert (scores["top1"], scores["top3"]) == (0.0, 0.5)


def test_confusions_are_counted_most_first() -> None:
    found = report([answer("event:0102"), answer("event:0103"), answer("event:0103")])
    assert found.confusions == (("event:0103", "event:0101", 2), ("event:0102", "event:0101", 1))


def test_class_scores_are_precision_recall_and_f1() -> None:
    found = report([answer("event:0101"), answer("event:0102"), answer("event:0102", said=RANKED[1:])])
    second = next(line for line in found.classes if line.name == "event:0102")
    assert (second.texts, second.precision, second.recall) == (2, 1.0, 0.5)
    assert round(second.f1, 4) == 0.6667


def test_abstention_is_judged_by_what_it_kept_back() -> None:
    found = report([answer("event:0101"), answer("event:0102", unsure=True), answer("event:0101", unsure=True)]).scores
    assert found["precision_when_sure"] == 1.0
    assert found["wrong_among_unsure"] == 0.5
    assert round(found["abstention_rate"], 4) == 0.6667


def test_optional_classes_that_are_off_count_as_their_base_class(taxonomy: Taxonomy) -> None:
    ranked = tuple(Ranked(Subclass.parse(label), 0.5) for label in ("event:0506", "event:0102"))
    judged = Judgement(ranked, abstained=False, out_of_scope=False, redirect="")
    found = judge_all(lambda _: judged, [Example("单车", "event:09011")], taxonomy)
    assert found[0].is_right
