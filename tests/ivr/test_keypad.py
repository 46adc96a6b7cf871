"""Keys cut into answers."""

import pytest

from ivr.commands import Collect
from ivr.keypad import FLOOD, Gathered, gather

MENU = Collect(1, 1, "", 6, 4, menu=("1", "2"))
NUMBER = Collect(11, 14, "#", 10, 6)
EITHER = Collect(2, 4, "#", 10, 6, menu=("9",))
CUT = [
    (MENU, "", Gathered("", "", complete=False)),
    (MENU, "1", Gathered("1", "", complete=True)),
    (MENU, "1#", Gathered("1", "", complete=True)),
    (MENU, "12", Gathered("1", "2", complete=True)),
    (MENU, "7", Gathered("7", "", complete=True)),
    (MENU, "#", Gathered("#", "", complete=True)),
    (NUMBER, "26112000007", Gathered("26112000007", "", complete=False)),
    (NUMBER, "26112000007#123456#", Gathered("26112000007", "123456#", complete=True)),
    (NUMBER, "#", Gathered("", "", complete=True)),
    (NUMBER, "9" * 1000, Gathered("9" * FLOOD, "", complete=True)),
    (EITHER, "9", Gathered("9", "", complete=True)),
    (EITHER, "12", Gathered("12", "", complete=False)),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "typed", "gathered"), CUT)
def test_keys_are_cut_into_answers(asked: Collect, typed: str, gathered: Gathered) -> None:
    assert gather(typed, asked) == gathered
