"""Joining flows: a part is replaced by the nodes of another flow under its own prefix, so that the engine sees one graph.

The ends of the other flow become the nodes its outcomes are mapped to, and its person becomes ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from ivr.flow import Flow, Part
from ivr.nodes import Edge, End, Node
from ivr.problem import FlowError, Problem

MAX_DEPTH = 4


def join_parts(flow: Flow, *, file: str, read: Callable[[str], Flow], depth: int = 0) -> Flow:
    """The flow without parts. `read` gives another flow by name; raises FlowError where parts do not fit together."""
    if not flow.parts:
        return flow
    if depth >= MAX_DEPTH:
        raise FlowError((Problem(file, next(iter(flow.parts)), "flow", "流程互相套用，层数过多"),))
    nodes = dict(flow.nodes)
    entries: dict[str, str] = {}
    for part in flow.parts.values():
        inner = join_parts(read(part.flow), file=f"{part.flow}.toml", read=read, depth=depth + 1)
        _fits(part, inner, flow, file)
        entries[part.name] = f"{part.name}.{inner.start}"
        nodes |= _moved(part, inner, flow)
    joined = replace(flow, nodes=nodes, parts={}, start=entries.get(flow.start, flow.start))
    return _renamed(joined, entries)


def _fits(part: Part, inner: Flow, outer: Flow, file: str) -> None:
    outcomes = {node.outcome for node in _without_person(inner).values() if isinstance(node, End)}
    problems = [Problem(file, part.name, f"ends.{name}", "这个结局没有接续") for name in sorted(outcomes - part.ends.keys())]
    problems += [Problem(file, part.name, f"ends.{name}", "没有这个结局") for name in sorted(part.ends.keys() - outcomes)]
    missing = sorted(inner.facts.keys() - outer.facts.keys())
    problems += [Problem(file, part.name, "flow", f"{part.flow} 要用的事实 {name} 没有写在 facts 里") for name in missing]
    if problems:
        raise FlowError(tuple(problems))


def _without_person(inner: Flow) -> dict[str, Node]:
    """The nodes reached without entering the inner person, which our own takes the place of."""
    found: dict[str, Node] = {}
    waiting = [inner.start]
    while waiting:
        name = waiting.pop()
        if name in found or name == inner.person or name not in inner.nodes:
            continue
        found[name] = inner.nodes[name]
        waiting += [target for leaving in found[name].exits() for target in leaving.edge.targets()]
    return found


def _moved(part: Part, inner: Flow, outer: Flow) -> dict[str, Node]:
    reached = _without_person(inner)
    ends = {name: part.ends[node.outcome] for name, node in reached.items() if isinstance(node, End)}
    kept = {name: f"{part.name}.{name}" for name in reached if name not in ends}
    leads = kept | ends | ({inner.person: outer.person} if inner.person else {})
    return {kept[name]: _lead_node(reached[name], kept[name], leads) for name in kept}


def _renamed(flow: Flow, entries: Mapping[str, str]) -> Flow:
    nodes = {name: _lead_node(node, name, entries) for name, node in flow.nodes.items()}
    return replace(flow, nodes=nodes, person=entries.get(flow.person, flow.person))


def _lead_node(node: Node, name: str, leads: Mapping[str, str]) -> Node:
    """The node under another name, its edges going where `leads` says."""

    def lead(value: object) -> object:
        if isinstance(value, Edge):
            return replace(value, to=leads.get(value.to, value.to), then=leads.get(value.then, value.then))
        if isinstance(value, dict):
            return {key: lead(inner) for key, inner in value.items()}
        return value

    changes: dict[str, Any] = {each.name: lead(getattr(node, each.name)) for each in fields(node)}
    return replace(node, **changes | {"name": name})
