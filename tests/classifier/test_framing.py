"""What stands around any complaint is left out, what tells the matter is kept, and training learns the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.around import framed
from classifier.corpus import Example
from classifier.features import features, fold
from classifier.framing import BLANK, without_framing

LAMP = "南门路的路灯坏了三盏"
FRAMES = (
    "市民来电反映：{}，请相关部门核实处理。",
    "【热线】来电时间：2024-03-15 09:21:33，来电人反映{}，要求尽快处理并回复。",
    "诉求标题：投诉 诉求内容：{} 事发时间：2023年8月2日 是否回访",
    "尊敬的领导：您好！{}。此问题已多次拨打12345热线反映，至今无人处理，谢谢！",
    "来电人（×女士，联系电话1990000××××）称{}，市民对此不满。",
)


def words(text: str) -> set[str]:
    return {feature for feature in features(text) if len(feature) > 1}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_hardly_adds_a_feature(frame: str) -> None:
    added = words(frame.format(LAMP)) - words(LAMP)
    assert words(LAMP) <= words(frame.format(LAMP))
    assert len(added) <= 12
    assert len(words(frame.format(""))) <= 12


@pytest.mark.parametrize(
    "matter",
    ["请清理垃圾", "没人清扫落叶", "无人看管的工地", "晚上11点还在施工", "领导门前的路灯", "群众演员拍戏放喇叭", "投诉烧烤店油烟", "建议增设垃圾桶"],
)
def test_what_tells_the_matter_stays(matter: str) -> None:
    kept = without_framing(fold(matter)).replace(BLANK, "")
    assert len(kept) >= len(matter) - 2


@given(st.text(max_size=200))
def test_positions_stay_true(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert without_framing(fold(text)) == fold(text)


def test_frames_are_the_same_every_time_and_hold_the_text() -> None:
    examples = [Example(f"第{number}号井盖丢了", "component:0102", place="井盖") for number in range(200)]
    once, again = (tuple(framed(examples, share=0.5, weight=0.7, seed=3)) for _ in range(2))
    assert once == again
    assert 60 < len(once) < 140
    texts = {example.text for example in examples}
    assert all(any(text in each.text for text in texts) and each.text not in texts for each in once)
    assert {(each.label, each.place, each.weight) for each in once} == {("component:0102", "", 0.7)}
    assert tuple(framed(examples, share=0.0, weight=1.0, seed=3)) == ()
