"""Words and search tokens."""

import os
import re
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from classifier.corpus import Example
from classifier.tokens import _RUN, _tokenizer, cut, own_words, search_tokens
from intake.text import bigrams


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


@given(st.text(min_size=2, max_size=60))
def test_what_a_search_looks_for_is_a_search_token(text: str) -> None:
    assert {pair for pair in bigrams(text) if len(pair) == 2} <= set(search_tokens(text))


@given(st.text(alphabet="市政井盖路灯雨水篦子管委会大街停车场物业公司三轮车a9，。 ", max_size=60))
def test_search_tokens_hold_what_jieba_would_search_for(text: str) -> None:
    runs = re.findall(r"[^\W_]+", text)
    assert {word for run in runs for word in _tokenizer().cut_for_search(run, HMM=False)} <= set(search_tokens(text))


def test_search_tokens_hold_the_words_inside_long_words() -> None:
    assert {"雨水", "篦子", "雨水篦子"} <= set(search_tokens("雨水篦子"))


def test_search_tokens_fold_case_and_skip_blanks() -> None:
    tokens = search_tokens("KTV 噪音")
    assert "ktv" in tokens
    assert not any(any(map(str.isspace, token)) for token in tokens)


def test_no_cache_is_left_in_the_temp_folder(tmp_path: Path) -> None:
    code = "from classifier.tokens import cut, warm; warm(); cut('路灯不亮')"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, env=os.environ | {"TMPDIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
