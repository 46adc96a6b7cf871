"""The prompt files: what is refused, and how a prompt is cut into pieces."""

from pathlib import Path

import pytest

from ivr.library import flow_names, load_flow
from ivr.problem import FlowError
from ivr.prompts import load_prompts, read_prompts
from ivr.speech import text_of

WRONG = {
    "no toml": ("[prompts", "不是有效的 TOML"),
    "no section": ("a = 1", "缺少"),
    "empty": ('[prompts]\nx = " "', "键 prompts.x：应为文字，不能为空"),
    "number": ("[prompts]\nx = 5", "键 prompts.x：应为文字，不能为空"),
    "unknown reading": ('[prompts]\nx = "{a:song}"', "键 prompts.x：没有“song”这种读法"),
    "slot without reading": ('[prompts]\nx = "{a}"', "键 prompts.x：花括号里应为"),
    "figures": ('[prompts]\nx = "请按1"', "键 prompts.x：数字要写成读出来的汉字"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_prompt_file_is_told_by_file_and_key(text: str, words: str) -> None:
    with pytest.raises(FlowError, match=words) as caught:
        read_prompts(text, file="zh.toml")
    assert str(caught.value).startswith("zh.toml")


def test_a_folder_without_languages_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="没有任何语言"):
        load_prompts(tmp_path)


def test_a_prompt_is_cut_into_phrases_slots_and_pauses() -> None:
    prompts = read_prompts('[prompts]\nx = "您前面有{n:amount}位，{w:duration}。"\ny = "您好。"', file="zh.toml")
    pieces = prompts.spoken("x", {"n": "2", "w": "60"})
    assert [(piece.kind, piece.text, piece.name) for piece in pieces] == [
        ("phrase", "您前面有", "x-1"), ("word", "两", ""), ("phrase", "位，", "x-2"),
        ("word", "约", ""), ("word", "一", ""), ("word", "分钟", ""), ("pause", "。", ""),
    ]  # fmt: skip
    assert [piece.name for piece in prompts.by_name["y"].phrases()] == ["y"]
    assert prompts.text("x", {}) == "您前面有位，。"


def test_no_wording_is_kept_that_nobody_says() -> None:
    said = {name for flow in flow_names() for node in load_flow(flow).nodes.values() for name in node.prompts()}
    for prompts in load_prompts().values():
        assert sorted(prompts.by_name.keys() - said) == []


def test_file_names_of_phrases_are_unlike() -> None:
    for prompts in load_prompts().values():
        names = [piece.name for prompt in prompts.by_name.values() for piece in prompt.phrases()]
        assert len(names) == len(set(names))


@pytest.mark.parametrize(("position", "said"), [("1", "您排在第一位"), ("2", "您排在第二位"), ("12", "您排在第十二位")])
def test_a_caller_hears_his_own_place_and_not_how_many_are_ahead(position: str, said: str) -> None:
    """Places count from 1: whoever is next in line has nobody before him."""
    pieces = load_prompts()["zh"].spoken("queue_place", {"position": position, "wait_s": "180"})
    assert text_of(pieces) == f"受理员正忙，{said}，预计等候约三分钟。"
