"""What every flow must satisfy, run when it loads: nobody gets stuck, nothing is left unanswered, everything can be said.

Each rule is a function of a flow (and the prompts) that yields problems; RULES lists them all. Reading stands in flow.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from ivr.acts import ACTS, results_of
from ivr.flow import Flow
from ivr.nodes import LISTENING, Act, Ask, Branch, Edge, End, Exit, HandOver, Node, Record
from ivr.problem import Problem
from ivr.prompts import Prompts

Fault = tuple[str, str, str]
"""Node, key, what is wrong."""


def check(flow: Flow, prompts: Mapping[str, Prompts], *, file: str) -> list[Problem]:
    """Everything that is wrong with a flow. Targets come first: while one is missing the rest cannot be judged."""
    wrong = list(missing_targets(flow))
    if not wrong:
        wrong = [fault for rule in RULES for fault in rule(flow)] + list(prompt_faults(flow, prompts))
    if not wrong:
        wrong = list(unknown_values(flow, prompts))
    return [Problem(file, node, key, words) for node, key, words in dict.fromkeys(wrong)]


def exits(flow: Flow, node: Node) -> list[Exit]:
    """The exits of a node with the one every waiting node has: 0 to a person."""
    leaving = list(node.exits())
    if flow.person and isinstance(node, LISTENING):
        leaving.append(Exit("0", Edge(flow.person), by_caller=True))
    return leaving


def missing_targets(flow: Flow) -> Iterator[Fault]:
    if flow.start not in flow.nodes:
        yield "", "start", f"没有节点 {flow.start}"
    if flow.person and flow.person not in flow.nodes:
        yield "", "person", f"没有节点 {flow.person}"
    for node in flow.nodes.values():
        for leaving in node.exits():
            for target in leaving.edge.targets():
                if target not in flow.nodes:
                    yield node.name, leaving.name, f"没有节点 {target}"


def unreachable(flow: Flow) -> Iterator[Fault]:
    reached = _closure([flow.start], {name: _targets(exits(flow, node)) for name, node in flow.nodes.items()})
    yield from ((name, "", "从开头走不到这个节点") for name in flow.nodes if name not in reached)


def endless(flow: Flow) -> Iterator[Fault]:
    """Nodes from which no end can be reached."""
    back: dict[str, set[str]] = {name: set() for name in flow.nodes}
    for name, node in flow.nodes.items():
        for target in _targets(exits(flow, node)):
            back[target].add(name)
    ends = [name for name, node in flow.nodes.items() if isinstance(node, End)]
    ending = _closure(ends, back)
    yield from ((name, "", "从这个节点走不到任何结局") for name in flow.nodes if name not in ending)


def unanswered(flow: Flow) -> Iterator[Fault]:
    """Questions without an answer to silence or nonsense; recordings without one to silence."""
    for node in flow.nodes.values():
        if isinstance(node, Ask | Record) and node.silence is None:
            yield node.name, "silence", "没有写无人应答时怎么办"
        if isinstance(node, Ask) and node.nonsense is None:
            yield node.name, "nonsense", "没有写按键无效时怎么办"


def no_person(flow: Flow) -> Iterator[Fault]:
    """Where something listens, 0 must lead to a hand-over without the caller's having to do more."""
    listening = [node for node in flow.nodes.values() if isinstance(node, LISTENING)]
    if listening and not flow.person:
        yield listening[0].name, "", "流程要听按键，却没有写 person（按 0 转人工）"
    elif flow.person:
        free = {name: {t for e in node.exits() if not e.by_caller for t in e.edge.targets()} for name, node in flow.nodes.items()}
        if not any(isinstance(flow.nodes[name], HandOver) for name in _closure([flow.person], free)):
            yield flow.person, "", "按 0 之后接不到人"


def circling(flow: Flow) -> Iterator[Fault]:
    """Circles that turn without the caller's doing and without a bound."""
    free: dict[str, set[str]] = {}
    for name, node in flow.nodes.items():
        edges = [leaving.edge for leaving in exits(flow, node) if not leaving.by_caller]
        free[name] = {edge.then if edge.times else edge.to for edge in edges}
    for name in flow.nodes:
        if name in _closure(free[name], free):
            yield name, "", "来电人不动手，流程也会在这里无限循环；请给一条出路加上 times 和 then"


def act_faults(flow: Flow) -> Iterator[Fault]:
    """Unknown acts, results nobody goes by, results there are not, arguments left out or made up."""
    for node in flow.nodes.values():
        if not isinstance(node, Act):
            continue
        if node.act not in ACTS:
            yield node.name, "act", f"没有“{node.act}”这种动作，应为 {'、'.join(ACTS)} 之一"
            continue
        results, given = results_of(node.act), ACTS[node.act].given
        yield from ((node.name, f"results.{name}", "这个结果没有接续") for name in results if name not in node.results)
        yield from ((node.name, f"results.{name}", "没有这个结果") for name in node.results if name not in results)
        yield from ((node.name, f"with.{name}", "缺少这个参数") for name in given if name not in node.given)
        yield from ((node.name, f"with.{name}", "没有这个参数") for name in node.given if name not in given)


def prompt_faults(flow: Flow, prompts: Mapping[str, Prompts]) -> Iterator[Fault]:
    """Prompts missing in a language, or asking for other values there than elsewhere."""
    for node in flow.nodes.values():
        for name in node.prompts():
            lacking = [language for language, each in prompts.items() if name not in each.by_name]
            if lacking:
                yield node.name, "prompt", f"提示音 {name} 没有 {'、'.join(lacking)} 的文字"
            elif len({frozenset(each.by_name[name].slots()) for each in prompts.values()}) > 1:
                yield node.name, "prompt", f"提示音 {name} 在各语言中的空位不一致"


def unknown_values(flow: Flow, prompts: Mapping[str, Prompts]) -> Iterator[Fault]:
    """Values that are said, gone by or handed out before they are known on every way there."""
    known = known_before(flow)
    for node in flow.nodes.values():
        wanted = [("prompt", slot) for name in node.prompts() for slot in _slots(name, prompts)]
        if isinstance(node, Branch):
            wanted.append(("on", node.on))
        if isinstance(node, Act):
            wanted += [(f"with.{name}", value) for name, value in node.given.items()]
        for key, value in wanted:
            if value not in known[node.name]:
                yield node.name, key, f"走到这里时 {value} 还不一定知道"


def known_before(flow: Flow) -> dict[str, frozenset[str]]:
    """The values known on every way to each node (a forward analysis, shrinking until nothing changes)."""
    everything = frozenset(flow.facts).union(*(e.gives for node in flow.nodes.values() for e in node.exits()))
    known = dict.fromkeys(flow.nodes, everything) | {flow.start: frozenset(flow.facts)}
    changed = True
    while changed:
        changed = False
        for name, node in flow.nodes.items():
            for leaving in exits(flow, node):
                for target in leaving.edge.targets():
                    less = known[target] & (known[name] | frozenset(leaving.gives))
                    changed = changed or less != known[target]
                    known[target] = less
    return known


def _slots(name: str, prompts: Mapping[str, Prompts]) -> tuple[str, ...]:
    return next(iter(prompts.values())).by_name[name].slots()


def _targets(leaving: Iterable[Exit]) -> set[str]:
    return {target for each in leaving for target in each.edge.targets()}


def _closure(start: Iterable[str], arrows: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += arrows[name]
    return found


RULES: tuple[Callable[[Flow], Iterator[Fault]], ...] = (
    unreachable, endless, unanswered, no_person, circling, act_faults,
)  # fmt: skip
"""Every rule of the graph; those about prompts and values need more than the flow and run after them."""
