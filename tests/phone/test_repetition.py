"""What a recogniser invents is taken out; what people say is not."""

import pytest

from channels.phone.speech_pack.repetition import is_going_round, without_repeats


@pytest.mark.parametrize(
    ("heard", "kept"),
    [
        ("路灯坏了路灯坏了路灯坏了路灯坏了路灯坏了", "路灯坏了"),
        ("我要反映问题，" + "谢谢，" * 40, "我要反映问题，谢谢"),
        ("垃圾没人清请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", "垃圾没人清"),
        ("字幕由爱好者社区提供", ""),
        ("井盖坏了。谢谢观看", "井盖坏了。"),
    ],
)
def test_invented_words_are_taken_out(heard: str, kept: str) -> None:
    assert without_repeats(heard) == (kept, True)


@pytest.mark.parametrize(
    "said", ["快点快点快点，水漫上来了", "电话是一三八八八八八八八二零", "138888888", "对对对，就是人民路那里", ""]
)
def test_what_people_say_stays(said: str) -> None:
    assert without_repeats(said) == (said, False)


def test_a_sequence_going_round_is_noticed() -> None:
    assert is_going_round([5, *[7, 8, 9] * 4])
    assert is_going_round([3] * 8)


def test_three_times_is_not_yet_going_round() -> None:
    assert not is_going_round([5, *[7, 8, 9] * 3])
    assert not is_going_round([3] * 7)
    assert not is_going_round([])
