"""Place names in drafts of speech are matched by sound, and what was heard stays visible."""

import pytest

from intake.echoes import Echoes
from intake.pinyin import initials, rough_sounds

NAMES = ("滨江路", "人民路", "鼓楼广场", "世纪大道", "和平里", "河坪里", "西街")


@pytest.mark.parametrize(
    ("heard", "mended"),
    [
        ("冰江路的井盖坏了", "滨江路（听作“冰江路”）的井盖坏了"),
        ("在人名路和古楼广场", "在人民路（听作“人名路”）和鼓楼广场（听作“古楼广场”）"),
        ("四季大道", "世纪大道（听作“四季大道”）"),
        ("滨江路的井盖坏了", "滨江路的井盖坏了"),
        ("没有地名", "没有地名"),
        ("", ""),
    ],
)
def test_names_that_sound_alike_are_put_beside_what_was_heard(heard: str, mended: str) -> None:
    assert Echoes(NAMES).mended(heard) == mended


def test_of_several_names_that_sound_alike_none_is_preferred() -> None:
    assert Echoes(NAMES).mended("何平里着火了") == "何平里着火了"


def test_a_name_of_two_characters_is_not_looked_for() -> None:
    assert Echoes(NAMES).mended("吸街") == "吸街"


def test_tones_and_mixed_up_sounds_are_left_out() -> None:
    assert rough_sounds("宁静") == rough_sounds("林今")
    assert rough_sounds("A1路") == ("A", "1", "lu")


def test_initials_keep_letters_and_figures() -> None:
    assert initials("G104国道") == "g104gd"
