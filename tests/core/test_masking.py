"""Masks in common use, and personal data found in free text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.masking import (
    Span,
    find_personal,
    is_id_number,
    mask_address,
    mask_email,
    mask_id,
    mask_name,
    mask_phone,
    mask_plate,
    mask_text,
)

# The specimen number printed in GB 11643-1999 itself.
SPECIMEN_ID = "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "mask"),
    [
        ("15400001234", "154****1234"),
        ("+8615400001234", "154****1234"),
        ("１５４ ００００ １２３４", "154****1234"),
        ("0512-65000000", "****0000"),
        ("+8651265001234", "****1234"),
        ("+12025550123", "****0123"),
        ("12319", "12319"),
        ("400-800-0000", "4008000000"),
        ("8001", "****"),
        ("anonymous", "****"),
        ("", ""),
        ("154****1234", "154****1234"),
        ("****0000", "****0000"),
    ],
)
def test_a_phone_number_keeps_three_and_four_or_only_four_digits(number: str, mask: str) -> None:
    assert mask_phone(number) == mask


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("张三", "张*"),
        ("张三丰", "张*"),
        ("欧阳修", "欧阳*"),
        ("张先生", "张先生"),
        ("欧阳女士", "欧阳女士"),
        ("张三先生", "张*先生"),
        ("市民", "市民"),
        ("先生", "先生"),
        ("张*", "张*"),
        ("John Smith", "J*"),
        ("", ""),
    ],
)
def test_a_name_keeps_the_surname_and_the_title(name: str, mask: str) -> None:
    assert mask_name(name) == mask


@pytest.mark.parametrize(
    ("address", "mask"),
    [
        ("幸福里小区3栋2单元501室", "幸福里小区3栋"),
        ("滨江路18号3单元402", "滨江路18号"),
        ("锦绣花园12号楼1203", "锦绣花园12号楼"),
        ("人民路88号院5号楼302室", "人民路88号院5号楼"),
        ("幸福里3-2-501", "幸福里3"),
        ("中山路5号12楼", "中山路5号"),
        ("新华里东单元302", "新华里"),
        ("１栋１０１", "１栋"),
        ("中山路18-2号", "中山路18-2号"),
        ("解放路100号人民大厦", "解放路100号人民大厦"),
        ("滨江路与江南大道交叉口", "滨江路与江南大道交叉口"),
    ],
)
def test_an_address_is_cut_to_the_building(address: str, mask: str) -> None:
    assert mask_address(address) == mask


def test_identity_numbers_plates_and_mail_keep_their_ends() -> None:
    assert mask_id(SPECIMEN_ID) == "1" + "*" * 16 + "X"
    assert mask_id("12345") == "*****"
    assert mask_plate("苏E·00A45") == "苏E***45"
    assert mask_email("zhang.san@example.org") == "z***@example.org"


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        (SPECIMEN_ID, True),
        (SPECIMEN_ID.lower(), True),
        ("110105194912310021", False),
        ("11010519491331002X", False),
        ("1101051949123100", False),
    ],
)
def test_an_identity_number_has_a_birthday_and_a_check_digit(number: str, valid: bool) -> None:
    assert is_id_number(number) is valid


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请打15400001234联系张建国先生", "请打154****1234联系张*先生"),
        ("我叫李明我家住3栋，电话65000000", "我叫李*我家住3栋，电话****0000"),
        ("联系人：王芳，手机１５４ ００００ １２３４", "联系人：王*，手机154****1234"),
        ("(0512)65000000或+86 154-0000-1234", "****0000或154****1234"),
        ("电话幺五四零零零零一二三四一共三次", "电话154****1234一共三次"),
        (f"身份证{SPECIMEN_ID}。", "身份证1****************X。"),
        ("身份证号：110105194912310021", "身份证号：1****************1"),
        ("车牌苏E00A45乱停", "车牌苏E***45乱停"),
        ("邮箱zhang.san@example.org吧", "邮箱z***@example.org吧"),
        ("姓名 张三丰 身份证号", "姓名 张* 身份证号"),
        ("投诉人陈静（电话15400001234）", "投诉人陈*（电话154****1234）"),
        ("本人申请撤回，平时晚上也吵", "本人申请撤回，平时晚上也吵"),
        ("本人欧阳修，住泽城区", "本人欧阳*，住泽城区"),
    ],
)
def test_personal_data_in_text_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "网格320508001001001，受理编号26010100001，部件3205080101000001",
        "热线12319，400-800-0000，110，拨打12345投诉",
        "坐标120.15400001234,31.2",
        "我是高层住户，反映人行道破损",
        "业主安装的雨棚占了消防通道",
        "关于人民路18号路灯不亮3天",
        "110105194912310021",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert find_personal(text) == ()
    assert mask_text(text) == text


def test_spans_count_characters_of_the_original() -> None:
    text = "😀联系人：王芳，手机１５４００００１２３４"
    spans = find_personal(text)
    assert [(text[s.start : s.end], s.kind) for s in spans] == [("王芳", "name"), ("１５４００００１２３４", "phone")]


def test_a_surname_with_a_title_is_told_though_its_mask_is_itself() -> None:
    assert find_personal("关于张先生反映") == (Span(2, 5, "name"),)


@given(st.text(max_size=100) | st.text(alphabet="0123456789０１+- ()一幺张李先生@a.苏E", max_size=100))
def test_spans_are_in_order_and_apart_for_any_text(text: str) -> None:
    spans = find_personal(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    mask_text(text)


@given(st.text(alphabet="路灯坏了，。 abc", max_size=20), st.integers(0, 9999), st.text(alphabet="路，。 ", max_size=9))
def test_no_mobile_number_survives_masking(before: str, last: int, behind: str) -> None:
    number = f"1540000{last:04d}"
    assert number not in mask_text(before + number + behind)


@pytest.mark.parametrize("unit", ["1", "1-", "a", "a@", "张", "1 5", "+1", "身份证1"])
def test_masking_a_long_nonsense_text_ends(unit: str) -> None:
    # A rule that looks back again and again would not come to an end here within anybody's patience.
    text = unit * 20_000
    assert len(mask_text(text)) <= len(text) * 5
