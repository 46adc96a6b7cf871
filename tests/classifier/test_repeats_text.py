"""Reading for repeats: one place under several writings, boilerplate and denials left out, numbers and shops kept."""

import pytest

from classifier.repeats_text import MAX_CHARS, agreements, disagreements, read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("市第三中学门口", "市三中门口"),
        ("第一人民医院急诊", "一院急诊"),
        ("妇幼保健院门前", "妇保院门前"),
        ("师范学院东门", "师院东门"),
        ("文昌农贸市场", "文昌菜市场"),
        ("新村十八号楼", "新村18栋"),
        ("新村18#楼", "新村18幢"),
        ("人民路解放路交叉口", "人民路解放路十字路口"),
        ("萬達廣場", "万达广场"),
    ],
)
def test_one_place_under_two_writings_reads_the_same(one: str, other: str) -> None:
    assert read(one).pairs == read(other).pairs


def test_what_every_call_taker_writes_is_left_out() -> None:
    assert read("市民来电反映：桃园路路灯不亮，请相关部门核实处理").pairs == read("桃园路路灯不亮").pairs


def test_a_text_of_nothing_but_boilerplate_can_still_be_compared() -> None:
    assert read("请相关部门核实处理").pairs


def test_a_typed_place_is_read_like_the_text() -> None:
    assert "滨河路" in read("水管爆了", place="滨河路88号").names
    assert read("水管爆了", place="滨河路88号").numbers["号"] == {"88"}


@pytest.mark.parametrize(
    ("one", "other", "unit"),
    [
        ("3栋", "18栋", "栋"),
        ("88号", "97号", "号"),
        ("北门", "南门", "门"),
        ("西侧", "东侧", "侧"),
        ("“阿强”", "“老王”", "店"),
    ],
)
def test_different_numbers_disagree_and_equal_ones_agree(one: str, other: str, unit: str) -> None:
    mine, theirs = read(one).numbers, read(other).numbers
    assert disagreements(mine, theirs) == (unit,)
    assert agreements(mine, theirs) == disagreements(mine, mine) == ()
    assert agreements(mine, mine) == (unit,)


def test_who_names_no_number_disagrees_with_nobody() -> None:
    assert disagreements(read("凤凰新村").numbers, read("凤凰新村18栋").numbers) == ()


@pytest.mark.parametrize(
    "text", ["路" * 100_000, "不是一回事" * 30_000, "“" * 50_000, "一" * 50_000, "\ud83d\x00", "十号"]
)
def test_any_text_can_be_read(text: str) -> None:
    assert len(read(text).pairs) <= 2 * MAX_CHARS
