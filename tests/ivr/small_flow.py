"""A small sound flow in which a test breaks one thing, and the prompts it needs."""

from pathlib import Path

from ivr.flow import Flow
from ivr.library import load_flow
from ivr.problem import FlowError
from ivr.prompts import Prompts, read_prompts

PROMPTS = """[prompts]
not_heard = "没听到"
not_understood = "不对"
hello = "您好"
menu = "请按一"
told = "您{place:place}的问题"
"""
SMALL = """name = "small"
title = "小流程"
start = "hello"
person = "person"
hang_up = "abandoned"
[facts]
caller = ""
[nodes.hello]
kind = "say"
prompt = "hello"
next = "menu"
[nodes.menu]
kind = "ask"
prompt = "menu"
choices = { 1 = "look" }
silence = "bye"
nonsense = "bye"
[nodes.look]
kind = "act"
act = "save_rating"
with = { rating = "caller" }
results = { saved = "bye", already = "bye", failed = "bye" }
[nodes.bye]
kind = "end"
outcome = "done"
[nodes.person]
kind = "hand_over"
to = "operators"
timeout = "bye"
unavailable = "bye"
after = "bye"
"""


def prompts(text: str = PROMPTS) -> dict[str, Prompts]:
    return {"zh": read_prompts(text, file="zh.toml")}


def load(folder: Path, text: str = SMALL, *, languages: dict[str, Prompts] | None = None) -> Flow:
    (folder / "small.toml").write_text(text, encoding="utf-8")
    return load_flow("small", prompts=languages or prompts(), folder=folder)


def told(folder: Path, old: str, new: str) -> list[str]:
    """What is told about the small flow after one change of its text; fails when it loads."""
    assert old in SMALL
    try:
        load(folder, SMALL.replace(old, new, 1))
    except FlowError as error:
        return [str(problem) for problem in error.problems]
    raise AssertionError("the flow was taken")
