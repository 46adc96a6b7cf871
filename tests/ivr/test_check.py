"""Each rule of ivr/check.py refuses a flow that breaks it, and says where."""

from pathlib import Path

import pytest

from ivr.problem import FlowError
from ivr.prompts import read_prompts
from tests.ivr.small_flow import PROMPTS, SMALL, load, prompts, told

LOOP = '[nodes.round]\nkind = "branch"\non = "caller"\ncases = {}\notherwise = "menu"\n[nodes.bye]'
FAULTS = {
    "missing start": ('start = "hello"', 'start = "x"', "small.toml，键 start：没有节点 x"),
    "missing person": ('person = "person"', 'person = "x"', "small.toml，键 person：没有节点 x"),
    "missing target": ('next = "menu"', 'next = "x"', "small.toml，节点 hello，键 next：没有节点 x"),
    "missing target of a choice": ('{ 1 = "look" }', '{ 1 = "x" }', "节点 menu，键 choices.1：没有节点 x"),
    "missing target after times": ('silence = "bye"', 'silence = { to = "bye", times = 1, then = "x" }', "键 silence：没有节点 x"),
    "unreachable": ("[nodes.bye]", '[nodes.lost]\nkind = "end"\noutcome = "x"\n[nodes.bye]', "节点 lost：从开头走不到"),
    "no end": ('next = "menu"', 'next = "trap"\n[nodes.trap]\nkind = "say"\nprompt = "hello"\nnext = "trap"', "节点 trap：从这个节点走不到任何结局"),
    "silence unanswered": ('silence = "bye"\n', "", "节点 menu，键 silence：没有写无人应答时怎么办"),
    "nonsense unanswered": ('nonsense = "bye"\n', "", "节点 menu，键 nonsense：没有写按键无效时怎么办"),
    "nobody behind zero": ('person = "person"\n', "", "却没有写 person"),
    "zero leads to no person": ('person = "person"\n', 'person = "bye"\n', "节点 bye：按 0 之后接不到人"),
    "free circle": ('silence = "bye"', 'silence = "hello"', "节点 menu：来电人不动手，流程也会在这里无限循环"),
    "free circle through a branch": ('nonsense = "bye"\n', 'nonsense = "bye"\n[nodes.round]\nkind = "branch"\non = "caller"\ncases = { x = "bye" }\notherwise = "round"\n', "节点 round：来电人不动手"),
    "unknown act": ('"save_rating"', '"fly"', "节点 look，键 act：没有“fly”这种动作"),
    "result not gone by": ('already = "bye", ', "", "节点 look，键 results.already：这个结果没有接续"),
    "failure not gone by": (', failed = "bye"', "", "节点 look，键 results.failed：这个结果没有接续"),
    "result there is not": ('already = "bye"', 'already = "bye", x = "bye"', "节点 look，键 results.x：没有这个结果"),
    "argument left out": ('{ rating = "caller" }', "{ }", "节点 look，键 with.rating：缺少这个参数"),
    "argument made up": ('{ rating = "caller" }', '{ rating = "caller", x = "caller" }', "节点 look，键 with.x：没有这个参数"),
    "argument not known": ('{ rating = "caller" }', '{ rating = "mood" }', "节点 look，键 with.rating：走到这里时 mood 还不一定知道"),
    "no such prompt": ('prompt = "menu"', 'prompt = "nope"', "节点 menu，键 prompt：提示音 nope 没有 zh 的文字"),
    "value not known when said": ('prompt = "menu"', 'prompt = "told"', "节点 menu，键 prompt：走到这里时 place 还不一定知道"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), FAULTS.values(), ids=FAULTS)
def test_an_unsound_flow_is_refused_by_name(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert any(words in problem for problem in told(tmp_path, old, new))


def test_a_circle_is_allowed_where_it_is_bounded(tmp_path: Path) -> None:
    text = SMALL.replace('silence = "bye"', 'silence = { to = "hello", times = 2, then = "bye" }')
    assert load(tmp_path, text).nodes


def test_a_value_known_on_only_one_way_is_not_known(tmp_path: Path) -> None:
    text = SMALL.replace('choices = { 1 = "look" }', 'choices = { 1 = "look" }\nsave_as = "mood"')
    assert load(tmp_path, text.replace('rating = "caller"', 'rating = "mood"')).nodes
    around = text.replace('rating = "caller"', 'rating = "mood"').replace('silence = "bye"', 'silence = "look"')
    with pytest.raises(FlowError, match="mood 还不一定知道"):
        load(tmp_path, around)


def test_a_prompt_must_exist_in_every_language(tmp_path: Path) -> None:
    both = prompts() | {"en": read_prompts(PROMPTS.replace('hello = "您好"\n', ""), file="en.toml")}
    with pytest.raises(FlowError, match="提示音 hello 没有 en 的文字"):
        load(tmp_path, languages=both)


def test_a_prompt_must_ask_for_the_same_values_in_every_language(tmp_path: Path) -> None:
    both = prompts() | {"en": read_prompts(PROMPTS.replace("您好", "{caller:digits}您好"), file="en.toml")}
    with pytest.raises(FlowError, match="提示音 hello 在各语言中的空位不一致"):
        load(tmp_path, languages=both)


PARTS = {
    "end not mapped": ('ends = {}', "节点 menu，键 ends.done：这个结局没有接续"),
    "no such end": ('ends = { done = "bye", x = "bye" }', "节点 menu，键 ends.x：没有这个结局"),
}  # fmt: skip


@pytest.mark.parametrize(("ends", "words"), PARTS.values(), ids=PARTS)
def test_parts_that_do_not_fit_are_told(tmp_path: Path, ends: str, words: str) -> None:
    (tmp_path / "inner.toml").write_text(SMALL.replace('"small"', '"inner"'), encoding="utf-8")
    with pytest.raises(FlowError, match=words):
        load(tmp_path, _with_part(ends))


def test_a_part_is_joined_under_its_own_name_and_our_person(tmp_path: Path) -> None:
    (tmp_path / "inner.toml").write_text(SMALL.replace('"small"', '"inner"'), encoding="utf-8")
    flow = load(tmp_path, _with_part('ends = { done = "bye" }'))
    assert set(flow.nodes) == {"hello", "menu.hello", "menu.menu", "menu.look", "bye", "person"}


def test_a_part_whose_facts_are_not_ours_is_told(tmp_path: Path) -> None:
    inner = SMALL.replace('"small"', '"inner"').replace('caller = ""', 'caller = ""\nmood = ""')
    (tmp_path / "inner.toml").write_text(inner, encoding="utf-8")
    with pytest.raises(FlowError, match="inner 要用的事实 mood 没有写在 facts 里"):
        load(tmp_path, _with_part('ends = { done = "bye" }'))


def test_flows_that_hold_each_other_are_told(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="互相套用"):
        load(tmp_path, _with_part('ends = { done = "bye" }').replace('flow = "inner"', 'flow = "small"'))


def _with_part(ends: str) -> str:
    head, rest = SMALL.split("[nodes.menu]")
    return f'{head}[nodes.menu]\nkind = "part"\nflow = "inner"\n{ends}\n[nodes.bye]{rest.split("[nodes.bye]")[1]}'
