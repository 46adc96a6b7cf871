"""Normal forms, refusals, and the cutting of replies into short messages."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.errors import Refused
from intake.text import (
    EmptyText,
    NoContent,
    TextRefused,
    TextTooLong,
    bigrams,
    clean_report,
    has_content,
    normalise,
    sms_parts,
    ucs2_units,
)

FAMILY = "👨\u200d👩\u200d👧"

NORMAL_FORMS = {
    "ＡＢＣ１２３ａｂｃ": "ABC123abc",
    "路灯不亮！（三天了）；请修：谢谢？": "路灯不亮！（三天了）；请修：谢谢？",
    "①号楼½小时…": "①号楼½小时…",
    "　人民路\t \t18号　": "人民路 18号",
    "井\u200b盖\ufeff坏\u202e了\x00": "井盖坏了",
    "第一行\r\n第二行\r第三行\u2028第四行": "第一行\n第二行\n第三行\n第四行",
    "一\n\n\n \n\n二": "一\n\n二",
    "⼈⽔": "人水",
    "𝟏𝟑𝟖㎡": "138m2",
    "cafe\u0301": "caf\u00e9",
    f"全家{FAMILY}": f"全家{FAMILY}",
    "隐\u200d藏": "隐藏",
    "半\ud83d个": "半个",
    "\ud83d\ude00好": "😀好",
    "\u3164\u2060": "",
}


@pytest.mark.parametrize(("given_text", "normal"), NORMAL_FORMS.items())
def test_text_takes_its_normal_form(given_text: str, normal: str) -> None:
    assert normalise(given_text) == normal


@given(st.text(alphabet=st.characters(codec=None), max_size=80))
def test_normalising_twice_changes_nothing_and_leaves_nothing_invisible(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} and char != "\n" for char in once)
    assert once == once.strip()
    once.encode("utf-8")


@pytest.mark.parametrize("text", ["", "   \n\t", "\u200b\u3164", "\x00\x01"])
def test_an_empty_report_is_refused_as_empty(text: str) -> None:
    with pytest.raises(EmptyText) as refusal:
        clean_report(text, max_chars=100)
    assert refusal.value.reason == "empty"


@pytest.mark.parametrize("text", ["！！！？？", "😡😡👍🏽", "……——", "❤️", "___"])
def test_a_report_of_signs_alone_is_refused(text: str) -> None:
    with pytest.raises(NoContent) as refusal:
        clean_report(text, max_chars=100)
    assert refusal.value.reason == "no_content"


def test_length_is_counted_on_the_normal_form() -> None:
    assert clean_report("井盖坏了" + " " * 500, max_chars=4) == "井盖坏了"
    with pytest.raises(TextTooLong) as refusal:
        clean_report("井盖坏了呀", max_chars=4)
    assert (refusal.value.reason, refusal.value.length, refusal.value.max_chars) == ("too_long", 5, 4)


def test_a_refused_text_is_both_a_value_error_and_one_of_our_refusals() -> None:
    assert issubclass(TextRefused, ValueError)
    assert issubclass(TextRefused, Refused)


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("好", True), ("a", True), ("。", False), ("😀", False)])
def test_content_means_a_letter_or_a_digit(text: str, expected: bool) -> None:
    assert has_content(text) is expected


def test_bigrams_do_not_reach_across_punctuation() -> None:
    assert bigrams("井盖坏，A1 路") == ("井盖", "盖坏", "a1", "路")
    assert bigrams("！？") == ()


def test_units_count_two_beyond_the_basic_plane() -> None:
    assert ucs2_units("井a😀") == 4


def test_seventy_units_are_one_message_and_seventy_one_are_two() -> None:
    assert sms_parts("字" * 70) == ["字" * 70]
    assert [len(part) for part in sms_parts("字" * 71)] == [67, 4]
    assert sms_parts("") == []


@pytest.mark.parametrize("sign", ["😀", FAMILY, "👍🏽", "🇨🇳", "e\u0301", "1\ufe0f\u20e3"])
def test_a_visible_character_is_not_cut(sign: str) -> None:
    for before in range(60, 70):
        text = "字" * before + sign * 3 + "字" * 20
        parts = sms_parts(text)
        assert "".join(parts) == text
        assert sum(part.count(sign) for part in parts) == 3


def test_a_sign_longer_than_a_message_is_still_sent() -> None:
    text = "a" + "\u0301" * 200
    parts = sms_parts(text)
    assert "".join(parts) == text
    assert max(map(ucs2_units, parts)) <= 67


@given(st.text(alphabet="字a😀\u200d\ufe0f👩🇨🇳\u0301\r\n👍🏽", max_size=300))
def test_parts_join_to_the_text_and_none_is_too_long(text: str) -> None:
    parts = sms_parts(text)
    assert "".join(parts) == text
    assert all(0 < ucs2_units(part) <= (70 if len(parts) == 1 else 67) for part in parts)
