"""Words and search tokens."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from classifier.corpus import Example
from classifier.tokens import _RUN, _tokenizer, cut, own_words, search_tokens, warm


@given(st.text() | st.text(alphabet="路灯井盖雨水篦子没了的12号abAB%-.，。 \n人民广场交叉口", max_size=60))
def test_cuts_are_those_of_jieba(text: str) -> None:
    theirs = [word for word in _tokenizer().cut(text, HMM=False) if _RUN.match(word)]
    assert cut(text) == theirs


def test_cuts_of_whole_texts_are_those_of_jieba(examples: tuple[Example, ...]) -> None:
    for example in examples:
        assert cut(example.text) == [w for w in _tokenizer().cut(example.text, HMM=False) if _RUN.match(w)]


def test_own_words_are_cut_whole() -> None:
    assert cut("雨水篦子堵了") == ["雨水篦子", "堵", "了"]
    assert "飞线充电" in cut("楼上飞线充电")


def test_phrases_of_the_class_table_do_not_hide_their_words() -> None:
    assert "井盖" in cut("门口井盖丢了")
    assert "井盖丢了" not in own_words()


@given(st.text(alphabet=st.characters(exclude_categories=("Z", "C")), min_size=2, max_size=60), st.data())
def test_any_two_character_substring_is_a_search_token(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 2))
    wanted = text[start : start + 2].casefold()
    tokens = search_tokens(text)
    assert all(wanted[place : place + 2] in tokens for place in range(len(wanted) - 1))


def test_search_tokens_hold_the_words_inside_long_words() -> None:
    assert {"雨水", "篦子", "雨水篦子"} <= set(search_tokens("雨水篦子"))


def test_search_tokens_fold_case_and_skip_blanks() -> None:
    tokens = search_tokens("KTV 噪音")
    assert "ktv" in tokens
    assert not any(any(map(str.isspace, token)) for token in tokens)


def test_no_cache_is_left_in_the_temp_folder() -> None:
    warm()
    assert not list(Path(tempfile.gettempdir()).glob("jieba*.cache"))
