"""Which condition of its class a text tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.conditions import OTHER, condition_of, implied_by, rows
from intake.model import Subclass
from intake.taxonomy import Taxonomy

MANHOLE, LAMP, TREE, BUILDING = "component:0102", "component:0118", "component:0402", "event:0101"

TOLD = (
    (MANHOLE, "主路中间的污水井盖不见了，汽车都绕着走", "缺失或移位，在车行道上"),
    (MANHOLE, "小区草坪上污水井盖被人偷走了", "缺失或移位"),
    (MANHOLE, "污水井盖碎成好几块", "破损"),
    (MANHOLE, "井盖一压就咣当响，整夜睡不好", "松动异响"),
    (MANHOLE, "井盖周围的水泥全沉下去了", "井周下沉破损"),
    (MANHOLE, "井盖没有丢，就是一过车就响", "松动异响"),
    (LAMP, "门口路灯三天不亮", "不亮"),
    (LAMP, "路灯大白天亮着浪费电", "未按时亮灭"),
    (LAMP, "路灯杆被车撞倒了横在路边", "倒伏"),
    (LAMP, "灯杆下面的线头露在外面，怕孩子摸到", "漏电、带电外露"),
    (LAMP, "路燈唔亮咗", "不亮"),
    (TREE, "行道树整棵枯死了", "枯死"),
    (TREE, "树枝压在电线上", "压车、压线"),
    (BUILDING, "楼顶正在砌墙，工人今天还在干", "正在搭建"),
    (BUILDING, "邻居前年在院里加盖了一间房", "已建成"),
    ("event:0116", "饭馆的油烟往家里灌", "油烟扰民"),
    ("event:0505", "面包车堵住车库出口", "堵门或占盲道"),
    (MANHOLE, "请问污水井盖归谁管", ""),
    (LAMP, "希望在巷子里加装路灯", ""),
    (LAMP, "路灯不亮的问题已经修好了，感谢", ""),
)


@pytest.mark.parametrize(("subclass", "text", "wanted"), TOLD)
def test_the_condition_is_told(taxonomy: Taxonomy, subclass: str, text: str, wanted: str) -> None:
    assert condition_of(text, Subclass.parse(subclass), taxonomy).condition == wanted


def test_the_words_that_tell_it_are_a_span(taxonomy: Taxonomy) -> None:
    text = "門口路燈不亮"
    told = condition_of(text, Subclass.parse(LAMP), taxonomy)
    assert text[told.start : told.end] == "不亮"


def test_every_active_condition_has_words_or_goes_without_saying(taxonomy: Taxonomy) -> None:
    for subclass in taxonomy.entries:
        for condition in taxonomy.conditions(subclass):
            assert condition in rows() or condition == OTHER or implied_by(subclass, taxonomy) == condition


def test_every_row_is_a_condition_of_the_class_table(taxonomy: Taxonomy) -> None:
    known = {condition for subclass in taxonomy.entries for condition in taxonomy.conditions(subclass)}
    assert rows().keys() <= known


@given(st.text(), st.data())
def test_any_text_gives_a_condition_of_the_class_or_none(taxonomy: Taxonomy, text: str, data: st.DataObject) -> None:
    subclass = data.draw(st.sampled_from(sorted(taxonomy.entries, key=str)))
    told = condition_of(text, subclass, taxonomy)
    assert told.condition in ("", *taxonomy.conditions(subclass))
    assert told.condition != OTHER


@pytest.mark.parametrize("piece", ["井盖", "没有", "路灯被", "倒", "已经修"])
def test_a_huge_text_is_read(taxonomy: Taxonomy, piece: str) -> None:
    condition_of(piece * (100_000 // len(piece)), Subclass.parse(MANHOLE), taxonomy)
