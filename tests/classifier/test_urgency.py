"""How urgent a report is, and why."""

import pytest

from classifier.urgency import rows, urgency_of
from intake.model import Subclass, Urgency
from intake.taxonomy import Taxonomy

LAMP, MANHOLE, ADS, COLLAPSE = "component:0118", "component:0102", "event:0201", "event:0401"

CASES = (
    (LAMP, "不亮", "路灯不亮", Urgency.ROUTINE),
    (LAMP, "漏电、带电外露", "灯杆检修口开着", Urgency.EMERGENCY),
    (LAMP, "不亮", "路灯不亮，昨晚有老人摔倒了", Urgency.URGENT),
    (MANHOLE, "", "污水井盖有问题", Urgency.URGENT),
    (MANHOLE, "松动异响", "井盖响", Urgency.ROUTINE),
    (MANHOLE, "松动异响", "井盖响，没有人摔倒", Urgency.ROUTINE),
    (ADS, "", "墙上贴满小广告", Urgency.ROUTINE),
    (ADS, "", "墙上贴满小广告，学校门口，孩子们差点被铁皮割到", Urgency.URGENT),
    (ADS, "", "贴小广告的把消防通道堵了", Urgency.URGENT),
    (COLLAPSE, "塌陷、下沉", "路面塌了个大坑", Urgency.EMERGENCY),
    (COLLAPSE, "", "上周反映的路面塌陷已经修复，谢谢", Urgency.ROUTINE),
    (ADS, "", "楼道里有很重的煤气味", Urgency.EMERGENCY),
)


@pytest.mark.parametrize(("subclass", "condition", "text", "wanted"), CASES)
def test_the_level_follows_danger_condition_class_and_words(
    taxonomy: Taxonomy, subclass: str, condition: str, text: str, wanted: Urgency
) -> None:
    assert urgency_of(text, Subclass.parse(subclass), condition, taxonomy).level is wanted


def test_the_reason_is_told_in_words(taxonomy: Taxonomy) -> None:
    urged = urgency_of("路灯不亮，昨晚有老人摔倒了", Subclass.parse(LAMP), "不亮", taxonomy)
    assert "有人已经受伤或摔倒" in urged.reasons
    assert urgency_of("煤气泄漏", None, "", taxonomy).reasons == ("燃气泄漏",)


def test_another_bodys_matter_is_routine_unless_words_raise_it(taxonomy: Taxonomy) -> None:
    assert urgency_of("工资拖欠三个月", None, "", taxonomy).level is Urgency.ROUTINE


@pytest.mark.parametrize("text", ["", "。", "\n\n", "\ud800", "已修好" * 40_000, "孩子危险" * 30_000])
def test_any_text_has_a_level(taxonomy: Taxonomy, text: str) -> None:
    assert urgency_of(text, Subclass.parse(LAMP), "", taxonomy).level in Urgency


def test_no_expression_can_run_over_any_length() -> None:
    for row in rows():
        for pattern in filter(None, (row.words, row.near)):
            assert "*" not in pattern.pattern
            assert "+" not in pattern.pattern
