"""Scores of condition and urgency count what is marked, given the right class."""

from classifier.corpus import Example
from classifier.told_score import told_scores
from intake.taxonomy import Taxonomy

LOST = Example("井盖不见了", "component:0102", condition="缺失或移位")
LEAK = Example("楼道里燃气泄漏，味道很大", "event:0403", urgency="emergency")


def test_a_condition_told_as_marked_counts(taxonomy: Taxonomy) -> None:
    wrong = Example("井盖不见了", "component:0102", condition="松动异响")
    assert told_scores([LOST], taxonomy) == {"condition": 1.0}
    assert told_scores([LOST, wrong], taxonomy) == {"condition": 0.5}


def test_emergencies_are_measured_where_any_is_marked(taxonomy: Taxonomy) -> None:
    quiet = Example("路灯杆上贴了小广告", "event:0201")
    missed = Example("路灯杆上贴了很多小广告", "event:0201", urgency="emergency")
    assert told_scores([quiet], taxonomy) == {}
    assert told_scores([LEAK, quiet, missed], taxonomy) == {"emergency_recall": 0.5, "emergency_precision": 1.0}
