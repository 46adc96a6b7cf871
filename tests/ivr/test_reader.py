"""The reader of flow documents: every error names file, node and key."""

from pathlib import Path

import pytest

from ivr.problem import FlowError
from tests.ivr.small_flow import SMALL, load, told

ERRORS = {
    "no toml": ('start = "hello"', "start = ", "small.toml：不是有效的 TOML"),
    "no start": ('start = "hello"', "", "small.toml，键 start：缺少这个键"),
    "empty title": ('title = "小流程"', 'title = ""', "small.toml，键 title：不能为空"),
    "another name": ('name = "small"', 'name = "other"', "small.toml，键 name：应与文件名一致"),
    "unknown head key": ('title = "小流程"', 'title = "x"\ncolour = "red"', "small.toml，键 colour：不认识这个键"),
    "no kind": ('[nodes.hello]\nkind = "say"', "[nodes.hello]", "small.toml，节点 hello，键 kind：缺少这个键"),
    "unknown kind": ('kind = "say"', 'kind = "sing"', "small.toml，节点 hello，键 kind：没有“sing”这种节点"),
    "missing key": ('prompt = "hello"\n', "", "small.toml，节点 hello，键 prompt：缺少这个键"),
    "unknown key": ('prompt = "hello"', 'prompt = "hello"\nloud = 1', "small.toml，节点 hello，键 loud：不认识这个键"),
    "wrong type": ('prompt = "hello"', "prompt = 5", "small.toml，节点 hello，键 prompt：应为文字"),
    "node is no table": ('[nodes.bye]\nkind = "end"\noutcome = "done"', "", "节点 menu，键 silence：没有节点 bye"),
    "neither choices nor next": ('choices = { 1 = "look" }', "", "节点 menu，键 choices：choices 与 next 至少要有一个"),
    "next keeps no answer": ('choices = { 1 = "look" }', 'next = "look"', "节点 menu，键 save_as：缺少这个键"),
    "zero taken": ("choices = { 1", "choices = { 0", "节点 menu，键 choices.0：0 在任何地方都转人工"),
    "no telephone key": ("choices = { 1", "choices = { x", "节点 menu，键 choices.x：应为一个电话按键"),
    "two keys": ("choices = { 1", "choices = { 12", "节点 menu，键 choices.12：应为一个电话按键"),
    "number out of range": ('prompt = "menu"', 'prompt = "menu"\nretries = 99', "节点 menu，键 retries：应在 0 到 5 之间"),
    "switch for a number": ('prompt = "menu"', 'prompt = "menu"\nretries = true', "节点 menu，键 retries：应为整数"),
    "most below least": ('prompt = "menu"', 'prompt = "menu"\nmin_digits = 6\nmax_digits = 4', "键 max_digits：应在 6 到 30"),
    "times without then": ('silence = "bye"', 'silence = { to = "bye", times = 2 }', "节点 menu，键 silence.then：times 与 then"),
    "unknown key of an edge": ('silence = "bye"', 'silence = { to = "bye", x = 2 }', "节点 menu，键 silence.x：不认识这个键"),
    "edge without target": ('silence = "bye"', "silence = { }", "节点 menu，键 silence.to：缺少这个键"),
    "edge is a number": ('silence = "bye"', "silence = 3", "节点 menu，键 silence：应为表"),
    "text for a switch": ('outcome = "done"', 'outcome = "done"\ncall_back = "yes"', "节点 bye，键 call_back：应为true 或 false"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), ERRORS.values(), ids=ERRORS)
def test_a_wrong_document_is_told_with_file_node_and_key(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert any(words in problem for problem in told(tmp_path, old, new))


def test_the_small_flow_itself_is_sound(tmp_path: Path) -> None:
    assert set(load(tmp_path).nodes) == {"hello", "menu", "look", "bye", "person"}


def test_a_node_that_is_no_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"键 nodes\.bye：应为表"):
        load(tmp_path, "[nodes]\nbye = 3\n" + SMALL.split("[nodes.hello]")[0].split("[facts]")[0])


def test_a_flow_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    from ivr.library import load_flow

    load(tmp_path)
    with pytest.raises(FlowError, match="没有这个流程，现有：small"):
        load_flow("../small", folder=tmp_path)
