"""How values are said: as an operator would read them, and never failing on what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.speech import KINDS, LONGEST, VOCABULARY, cardinal, say, text_of

SAID = {
    "number": {"0": "零", "2": "二", "10": "十", "12": "十二", "20": "二十", "105": "一百零五", "110": "一百一十", "1005": "一千零五",
               "10010": "一万零一十", "20500": "两万零五百", "22000": "两万两千", "110000": "十一万", "100001": "十万零一"},
    "amount": {"2": "两", "12": "十二"},
    "digits": {"26112000007": "二六幺幺二零，零零零零七", "19900001234": "幺九九，零零零零，幺二三四", "12319": "幺二三幺九",
               "01012345678": "零幺零，幺二三四，五六七八", "0990-5550001": "零九九零，五五五零，零零幺", "123456": "幺二三，四五六"},
    "day": {"2026-11-20": "十一月二十日", "2026-01-02T08:00:00": "一月二日"},
    "full_day": {"2026-11-20": "二零二六年十一月二十日"},
    "clock": {"2026-11-20T15:20:00": "下午三点二十分", "2026-11-20T15:05:00": "下午三点零五分", "2026-11-20T14:00:00": "下午两点",
              "2026-11-20T00:30:00": "凌晨零点半", "2026-11-20T12:00:00": "中午十二点", "2026-11-20T22:00:00": "晚上十点",
              "2026-11-20T08:10:00": "早上八点十分"},
    "moment": {"2026-11-20T09:30:00": "十一月二十日上午九点半"},
    "duration": {"0": "不到半分钟", "20": "半分钟", "60": "约一分钟", "95": "约两分钟", "3600": "约一小时", "3720": "约一小时零二分钟",
                 "7200": "约两小时", "604800": "约七天"},
    "place": {"中山路123弄4号": "中山路幺二三弄四号", "12#楼": "十二号楼", "3-2-501室": "三杠二杠五零幺室", "东门（南侧）": "东门，南侧，",
              "G104国道": "G幺零四国道"},
    "text": {"清运3.5吨，2个人": "清运三点五吨，两个人", "拨打110": "拨打幺幺零", "2000元": "两千元", "200棵": "二百棵", "2026年11月20日": "二零二六年十一月二十日"},
    "choices": {"26112000007;26111900012": "十一月二十日尾号零零零七的请按一，十一月十九日尾号零零幺二的请按二"},
}  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "words"), [(k, v, w) for k, row in SAID.items() for v, w in row.items()])
def test_a_value_is_said_as_a_person_would_say_it(kind: str, value: str, words: str) -> None:
    assert text_of(say(kind, value)) == words


@pytest.mark.parametrize("kind", ["number", "digits", "day", "clock", "duration", "choices", "moment"])
def test_what_a_kind_cannot_read_is_said_as_it_stands(kind: str) -> None:
    assert text_of(say(kind, "不详")) == "不详"
    assert say(kind, "") == ()


@pytest.mark.parametrize("kind", ["number", "amount", "digits", "day", "full_day", "clock", "moment", "duration", "choices"])
def test_figures_are_joined_from_the_vocabulary_alone(kind: str) -> None:
    for value in SAID[kind]:
        pieces = say(kind, value)
        assert {piece.kind for piece in pieces} <= {"word", "pause"}
        assert {piece.text for piece in pieces if piece.kind == "word"} <= set(VOCABULARY)


@given(st.sampled_from(sorted(KINDS)), st.text())
def test_any_text_can_be_said(kind: str, value: str) -> None:
    pieces = say(kind, value)
    assert len(pieces) <= 10 * LONGEST
    assert all(piece.text.isprintable() for piece in pieces)


@given(st.integers(0, 99_999_999))
def test_two_numbers_never_sound_the_same(whole: int) -> None:
    assert _heard(cardinal(whole)) == whole


def _heard(words: str) -> int:
    """Read a spoken number back, written apart from the code that says it."""
    total, section, digit = 0, 0, 0
    for char in "一" + words if words.startswith("十") else words:
        if char == "万":
            total, section, digit = (section + digit) * 10_000, 0, 0
        elif char in "十百千":
            section += max(digit, 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
        else:
            digit = "零一二三四五六七八九".find(char.replace("两", "二"))
    return total + section + digit


def test_a_recording_is_played_by_its_reference() -> None:
    assert [(piece.kind, piece.name) for piece in say("recording", "abc")] == [("recording", "abc")]
