"""A call flow and the reader of its TOML document. Errors name file, node and key.

What makes a flow sound is judged in check.py; a node of kind "part" puts another flow in its place (parts.py).
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ivr.acts import ANSWER_S
from ivr.nodes import (
    DEFAULT_NONSENSE_PROMPT,
    DEFAULT_SILENCE_PROMPT,
    Act,
    Ask,
    Branch,
    Edge,
    End,
    HandOver,
    Node,
    Record,
    Say,
)
from ivr.problem import FlowError, Problem

FLOWS = Path(__file__).parent / "flows"
MENU_KEYS = frozenset("123456789*#")
MAX_STEPS = 400
MAX_WAIT_S = 3600


@dataclass(frozen=True, slots=True)
class Part:
    """Another flow stands here; `ends` maps each of its outcomes to a node of ours. Gone once parts are joined."""

    name: str
    flow: str
    ends: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Flow:
    """A call flow. `facts` are the values it is started with and what they are when nothing is handed in.

    `person` is the node `0` leads to, "" where nothing ever listens. `hang_up` names the outcome of a call cut short.
    `max_steps` bounds a call. `incoming`: a citizen is at the other end, what he says is taken in. `slots` maps each
    prompt to the values it needs, filled in when the flow is checked.
    """

    name: str
    title: str
    start: str
    person: str
    hang_up: str
    facts: Mapping[str, str]
    nodes: Mapping[str, Node]
    max_steps: int = MAX_STEPS
    incoming: bool = True
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)

    def with_slots(self, slots: Mapping[str, tuple[str, ...]]) -> "Flow":
        return replace(self, slots=slots)


def read_flow(text: str, *, file: str) -> Flow:
    """Read a document; parts are not yet joined. Raises FlowError with the first thing that cannot be read."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FlowError((Problem(file, "", "", f"不是有效的 TOML：{error}"),)) from error
    head = Table(raw, file=file)
    sections = {name: head.table("nodes").section(name) for name in head.table("nodes").names()}
    kinds = {name: section.text("kind") for name, section in sections.items()}
    made = {name: _node(name, kinds[name], sections[name]) for name in sections}
    flow = Flow(
        name=head.text("name"), title=head.text("title"), start=head.text("start"), person=head.text("person", ""),
        hang_up=head.text("hang_up"), facts=head.texts("facts"),
        max_steps=head.whole("max_steps", MAX_STEPS, within=(20, 10_000)),
        incoming=head.switch("incoming", default=True),
        nodes={name: node for name, node in made.items() if not isinstance(node, Part)},
        parts={name: node for name, node in made.items() if isinstance(node, Part)},
    )  # fmt: skip
    head.nothing_else()
    return flow


class Table:
    """One TOML table being read: takes each key once and complains about a wrong, missing or unknown one."""

    def __init__(self, raw: Mapping[str, Any], *, file: str, node: str = "", path: str = "") -> None:
        self._raw = raw
        self._file, self._node, self._path = file, node, path
        self._seen: set[str] = set()

    def names(self) -> list[str]:
        return list(self._raw)

    def wrong(self, key: str, words: str) -> FlowError:
        return FlowError((Problem(self._file, self._node, self._path + key, words),))

    def has(self, key: str) -> bool:
        return key in self._raw

    def _take(self, key: str, kind: type, words: str, default: Any) -> Any:
        self._seen.add(key)
        if key not in self._raw and default is not None:
            return default
        value = self._raw.get(key)
        if value is None:
            raise self.wrong(key, "缺少这个键")
        # bool is an int to Python, but a switch is no number of seconds.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"应为{words}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value: str = self._take(key, str, "文字", default)
        if not value and default is None:
            raise self.wrong(key, "不能为空")
        return value

    def whole(self, key: str, default: int, *, within: tuple[int, int]) -> int:
        low, high = within
        value: int = self._take(key, int, "整数", default)
        if not low <= value <= high:
            raise self.wrong(key, f"应在 {low} 到 {high} 之间")
        return value

    def switch(self, key: str, *, default: bool = False) -> bool:
        return bool(self._take(key, bool, "true 或 false", default))

    def table(self, key: str, default: Mapping[str, Any] | None = None) -> "Table":
        raw = self._take(key, dict, "表", default)
        return Table(raw, file=self._file, node=self._node, path=f"{self._path}{key}.")

    def section(self, name: str) -> "Table":
        """A node's own table; from here on errors name the node."""
        self.table(name)
        return Table(self._raw[name], file=self._file, node=name)

    def texts(self, key: str) -> dict[str, str]:
        inner = self.table(key, {})
        return {name: inner.text(name, "") for name in inner.names()}

    def edge(self, key: str) -> Edge:
        """`key = "node"`, or a table with `to`, and `times` with `then`, and `settles`."""
        if isinstance(self._raw.get(key), str) or not self.has(key):
            return Edge(self.text(key))
        inner = self.table(key)
        edge = Edge(inner.text("to"), inner.whole("times", 0, within=(0, 100)), inner.text("then", ""), inner.text("settles", ""))
        if bool(edge.times) != bool(edge.then):
            raise inner.wrong("then", "times 与 then 要一起写")
        inner.nothing_else()
        return edge

    def edge_or_none(self, key: str) -> Edge | None:
        return self.edge(key) if self.has(key) else None

    def edges(self, key: str, *, required: bool = True) -> dict[str, Edge]:
        inner = self.table(key, None if required else {})
        return {name: inner.edge(name) for name in inner.names()}

    def keys(self, key: str) -> dict[str, Edge]:
        """Edges by telephone key; 0 is not among them because it leads to a person everywhere."""
        edges = self.edges(key, required=False)
        for name in edges:
            if name == "0":
                raise self.wrong(f"{key}.0", "0 在任何地方都转人工，不能另作他用")
            if name not in MENU_KEYS:
                raise self.wrong(f"{key}.{name}", "应为一个电话按键")
        return edges

    def nothing_else(self) -> None:
        for name in self._raw:
            if name not in self._seen:
                raise self.wrong(name, "不认识这个键")


def _node(name: str, kind: str, table: Table) -> Node | Part:
    if kind not in KINDS:
        raise table.wrong("kind", f"没有“{kind}”这种节点，应为 {'、'.join(KINDS)} 之一")
    node = KINDS[kind](name, table)
    table.nothing_else()
    return node


def _say(name: str, table: Table) -> Say:
    return Say(name, table.text("prompt"), table.edge("next"))


def _ask(name: str, table: Table) -> Ask:
    choices, following = table.keys("choices"), table.edge_or_none("next")
    if not choices and following is None:
        raise table.wrong("choices", "choices 与 next 至少要有一个")
    save_as = table.text("save_as") if following else table.text("save_as", "")
    least = table.whole("min_digits", 1, within=(1, 30))
    return Ask(
        name, table.text("prompt"), choices, following, table.edge_or_none("silence"), table.edge_or_none("nonsense"),
        save_as=save_as, min_digits=least, max_digits=table.whole("max_digits", least, within=(least, 30)),
        first_s=table.whole("first_s", 6, within=(1, 60)), between_s=table.whole("between_s", 4, within=(1, 30)),
        retries=table.whole("retries", 2, within=(0, 5)), secret=table.switch("secret"),
        silence_prompt=table.text("silence_prompt", DEFAULT_SILENCE_PROMPT),
        nonsense_prompt=table.text("nonsense_prompt", DEFAULT_NONSENSE_PROMPT),
    )  # fmt: skip


def _record(name: str, table: Table) -> Record:
    following = table.edge("next")
    return Record(
        name, table.text("prompt"), following, table.edge_or_none("silence"), table.edge_or_none("full") or following,
        table.text("save_as"), max_s=table.whole("max_s", 180, within=(5, MAX_WAIT_S)),
        min_s=table.whole("min_s", 1, within=(1, 10)),
        silence_s=table.whole("silence_s", 5, within=(1, 60)), retries=table.whole("retries", 1, within=(0, 5)),
    )  # fmt: skip


def _branch(name: str, table: Table) -> Branch:
    return Branch(name, table.text("on"), table.edges("cases"), table.edge("otherwise"))


def _act(name: str, table: Table) -> Act:
    return Act(name, table.text("act"), table.texts("with"), table.edges("results"), table.text("prompt", ""))


def _hand_over(name: str, table: Table) -> HandOver:
    return HandOver(
        name, table.text("to"), table.whole("timeout_s", 60, within=(ANSWER_S, MAX_WAIT_S)), table.edge("timeout"),
        table.edge("unavailable"), table.edge("after"), table.keys("keys"), table.text("prompt", ""),
        table.text("outcome", "served"), table.text("back_prompt", ""), table.text("on_prompt", ""),
    )  # fmt: skip


def _end(name: str, table: Table) -> End:
    return End(name, table.text("outcome"), table.switch("call_back"))


def _part(name: str, table: Table) -> Part:
    return Part(name, table.text("flow"), table.texts("ends"))


KINDS: Mapping[str, Callable[[str, Table], Node | Part]] = {
    "say": _say, "ask": _ask, "record": _record, "branch": _branch, "act": _act, "hand_over": _hand_over, "end": _end,
    "part": _part,
}  # fmt: skip
"""The word in the document to the function that reads the node."""
