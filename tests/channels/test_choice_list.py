"""Options of a select: every choice once, one selected, nothing unescaped."""

import pytest

from channels.web.choice_list import options
from channels.web.desk_form import Choices

GROUPS = (Choices("", (("a", "甲"), ("b&c", "乙<b>"))), Choices('事件"', (("event:0102", "暴露垃圾"),)))


@pytest.mark.parametrize("chosen", ["a", "b&c", "event:0102"])
def test_the_chosen_one_is_selected_and_no_other(chosen: str) -> None:
    text = str(options(GROUPS, chosen))
    assert text.count("<option") == 3
    assert text.count(" selected>") == 1
    before = text[: text.index(" selected>")]
    assert before.endswith(f'value="{chosen.replace("&", "&amp;")}"')


@pytest.mark.parametrize("chosen", ["", "missing", '"><script>'])
def test_what_is_not_among_them_selects_nothing(chosen: str) -> None:
    text = str(options(GROUPS, chosen))
    assert "selected" not in text
    assert "<script" not in text


def test_words_are_escaped() -> None:
    text = str(options(GROUPS, ""))
    assert "乙&lt;b&gt;" in text
    assert 'label="事件&#34;"' in text
