"""The table of danger words: what alarms, what does not, and that neither jieba nor a model is needed."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.rules import danger, numbers_to_call, rules

ALARMS = (
    ("楼道里有很浓的煤气味，快来人", "gas"),
    ("不知道是不是煤气味，楼道里很重", "gas"),
    ("施工队把燃气管道挖断了", "gas"),
    ("物业说已处理，但还是有煤气味", "gas"),
    ("煤气泄漏，请尽快处理", "gas"),
    ("路口电线断了掉在地上还冒火花", "live_wire"),
    ("公园灯杆漏电，手一摸发麻", "live_wire"),
    ("电线杆要倒了", "live_wire"),
    ("工地脚手架塌了", "collapse"),
    ("机动车道突然陷下去一个大洞，下面是空的", "collapse"),
    ("中山路路中间的井盖不见了", "open_shaft"),
    ("解放路与人民路交叉口窨井盖被偷", "open_shaft"),
    ("快车道上有个没盖的窨井", "open_shaft"),
    ("有老人掉进窨井里了", "person_hurt"),
    ("树枝掉下来砸到人了，流血了", "person_hurt"),
    ("有人要跳楼", "person_hurt"),
    ("楼道起火了，浓烟很大", "fire"),
    ("调压箱旁边有一股臭鸡蛋味", "gas_signs"),
    ("墙上黄色管子嘶嘶响，像在冒气", "gas_signs"),
    ("燃气表那里闻着头晕，味道很重", "gas_signs"),
    ("挖机挖到天然气管了", "gas"),
    ("高压线松了，下垂到一人高", "live_wire"),
    ("几根线垂到路上，骑车的被勒到脖子", "live_wire"),
    ("街口的井盖不见了，洞口黑乎乎的闻得到臭味，估计有三四米深，就在机动车道内侧", "open_shaft"),
    ("煤氣管漏氣", "gas"),
    ("水管爆了，水柱有三米多高", "burst_main"),
    ("外墙瓷砖不断掉，随时会砸到人", "falling"),
    ("油罐车侧翻了", "hazard"),
    ("摊贩持刀威胁人", "violence"),
    ("下穿隧道里有人被困，水很深", "trapped"),
)

CALM = (
    "没有闻到煤气味",
    "不是煤气味，是油漆味",
    "昨天煤气泄漏已经修好了，谢谢",
    "水管爆裂的事已处理，来电表扬",
    "担心着火，希望清理楼道杂物",
    "容易引发火灾",
    "堆这么多纸箱着火咋办",
    "去年有人摔伤过",
    "没有人受伤",
    "小区草坪里有个井盖丢了",
    "井盖松动，汽车压过咣当响",
    "不是井盖坏了",
    "路边有块板写着小心触电警示",
    "防止孩子落水",
    "摊贩私自杀猪卖肉",
    "弱电线垂得低，高个子碰头，不通电的",
    "光缆井盖翘边把人绊倒",
    "光缆箱占去一米宽",
    "菜市场的臭鸡蛋没人清",
    "轮胎漏气的车停在燃气公司门口",
    "燃气柜不漏气，就是柜子歪了",
    "电线杆贴满广告",
    "厂家跳楼价甩卖，喇叭太吵",
    "烧烤摊油烟大",
    "路灯不亮",
    "",
)


@pytest.mark.parametrize(("text", "rule"), ALARMS)
def test_danger_is_seen(text: str, rule: str) -> None:
    assert rule in {hit.rule for hit in danger(text)}


@pytest.mark.parametrize("text", CALM)
def test_negated_settled_feared_and_harmless_words_do_not_alarm(text: str) -> None:
    assert danger(text) == ()


@given(st.lists(st.sampled_from([text for text, _ in ALARMS] + list(CALM) + ["，", "\n", "😀"])).map("".join) | st.text())
def test_hits_are_spans_of_the_text_in_order(text: str) -> None:
    hits = danger(text)
    assert all(text[hit.start : hit.end] == hit.word for hit in hits)
    assert all(one.end <= other.start for one, other in pairwise(hits))


@pytest.mark.parametrize("piece", ["煤气", "电线被", "没有没有", "井盖路口", "已经已经修", "担心担心着火", "a"])
def test_a_huge_text_is_read(piece: str) -> None:
    assert len(danger(piece * (100_000 // len(piece)))) <= 50_000


def test_no_expression_can_run_over_any_length() -> None:
    for rule in rules():
        for pattern in filter(None, (rule.words, rule.near, rule.apart)):
            assert "*" not in pattern.pattern
            assert "+" not in pattern.pattern


def test_every_rule_can_alarm_and_has_a_title() -> None:
    assert {rule.name for rule in rules()} == {rule for _, rule in ALARMS}
    assert all(rule.title for rule in rules())


def test_numbers_come_once_in_table_order() -> None:
    assert numbers_to_call(danger("楼道起火了，有人受伤，煤气味很重")) == ("119", "120")
    assert numbers_to_call(()) == ()


def test_the_table_needs_neither_jieba_nor_numpy() -> None:
    code = "import sys, classifier.rules as r; r.danger('煤气味'); print([m for m in ('jieba','numpy') if m in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
