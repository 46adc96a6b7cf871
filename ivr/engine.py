"""Stepping through a flow: position and event give the next position and what the driver is to do. Pure.

Every event is answered at every node, most often by nothing. 0 leads to a person wherever the walk waits, hang-up ends it
everywhere. How a node is entered stands in entering.py, what it does about an event in reacting.py.
"""

from ivr import events as on
from ivr.commands import Command
from ivr.flow import Flow
from ivr.nodes import Record
from ivr.position import Position
from ivr.reacting import REACTIONS, keep_take
from ivr.walk import Walk

LATE = "late"
"""What a recording is called that arrives when the walk has already gone on: it is kept all the same."""


def begin(flow: Flow) -> Position:
    """The position before anything has happened."""
    return Position(flow=flow.name)


def step(position: Position, event: on.Event, *, flow: Flow) -> tuple[Position, tuple[Command, ...]]:
    """Take one event. Never raises for a checked flow; events that mean nothing here change nothing."""
    if position.ended:
        return position, ()
    walk = Walk(position, flow)
    if isinstance(event, on.Hangup):
        walk.hang_up()
    elif not position.node:
        if isinstance(event, on.Started):
            walk.start(event.facts)
    elif position.node not in flow.nodes:
        # The document was changed while this call was on; a person is the only safe place.
        walk.lost()
    else:
        _react(walk, event)
    return walk.position, tuple(walk.commands)


def _react(walk: Walk, event: on.Event) -> None:
    node = walk.flow.nodes[walk.position.node]
    if isinstance(event, on.Resumed):
        _resume(walk)
    elif isinstance(event, on.Digits) and event.keys == "0" and walk.flow.person and not walk.position.talking:
        walk.touch()
        walk.go(walk.flow.person)
    elif isinstance(event, on.Recorded) and not isinstance(node, Record):
        keep_take(walk, event, name=f"{LATE}-{len(walk.position.recordings) + 1}")
    elif reaction := REACTIONS.get((type(node), type(event))):
        reaction(walk, node, event)


def _resume(walk: Walk) -> None:
    """Ask again what was asked last. A talk goes on without the flow, an act is asked anew."""
    if not walk.position.talking:
        tries = walk.position.tries
        walk.go(walk.position.node)
        walk.set(tries=tries)
