"""One step under way: the position as it becomes, and the commands gathered. Edges are counted and calls ended here."""

from collections.abc import Mapping
from dataclasses import replace

from ivr import commands as do
from ivr import nodes
from ivr.entering import ENTERING
from ivr.flow import Flow
from ivr.nodes import Edge
from ivr.position import HUNG_UP, LIMIT, LOST, Outcome, Position

MAX_VALUE = 1000
"""Characters kept of any value handed in."""


class Walk:
    """Mutable for the length of one step; nothing keeps it afterwards."""

    def __init__(self, position: Position, flow: Flow) -> None:
        self.position = position
        self.flow = flow
        self.commands: list[do.Command] = []

    def set(self, **changes: object) -> None:
        self.position = replace(self.position, **changes)  # type: ignore[arg-type]

    def start(self, facts: Mapping[str, str]) -> None:
        self.know(dict(self.flow.facts) | dict(facts))
        self.go(self.flow.start)

    def know(self, values: Mapping[str, str]) -> None:
        clipped = {name: str(value)[:MAX_VALUE] for name, value in values.items()}
        self.set(known={**self.position.known, **clipped})

    def follow(self, name: str, edge: Edge) -> None:
        self.go(self.choose(name, edge))

    def choose(self, name: str, edge: Edge) -> str:
        """The target of an edge, counted where it is bounded; a settling edge settles."""
        if edge.settles:
            self.set(settled=edge.settles, pending=False)
        if not edge.times:
            return edge.to
        key = f"{self.position.node}/{name}"
        count = self.position.taken.get(key, 0)
        self.set(taken={**self.position.taken, key: min(count + 1, edge.times)})
        return edge.to if count < edge.times else edge.then

    def go(self, name: str) -> None:
        """Enter nodes one after the other until one waits or the call ends."""
        while name and not self.position.ended:
            if self._too_long():
                return
            self.set(node=name, tries=0, talking=False, steps=self.position.steps + 1)
            node = self.flow.nodes[name]
            name = ENTERING[type(node)](self, node)

    def _too_long(self) -> bool:
        """At the limit the caller is led to a person, once; at twice the limit the call ends."""
        if self.position.steps >= 2 * self.flow.max_steps or (self._over() and not self.flow.person):
            self.end("too_long", how=LIMIT, call_back=True)
            return True
        if self._over() and not self.position.limited:
            self.set(limited=True)
            self.go(self.flow.person)
            return True
        return False

    def _over(self) -> bool:
        return self.position.steps >= self.flow.max_steps

    def lost(self) -> None:
        if self.flow.person:
            self.go(self.flow.person)
        else:
            self.end("lost", how=LOST, call_back=True)

    def say(self, prompt: str) -> None:
        if prompt:
            known = self.position.known
            values = {slot: known.get(slot, "") for slot in self.flow.slots.get(prompt, ())}
            self.commands.append(do.Say(prompt, values))

    def touch(self) -> None:
        self.set(pending=True)

    def hang_up(self) -> None:
        node = self.flow.nodes.get(self.position.node)
        if isinstance(node, nodes.HandOver) and self.position.talking:
            self.end(node.outcome, how=HUNG_UP)
        elif self.position.settled and (self.position.served or not self._unsettled()):
            self.end(self.position.settled, how=HUNG_UP)
        else:
            # Nothing a caller has said or keyed is dropped because he did not wait for the end.
            self.end(self.flow.hang_up, how=HUNG_UP, call_back=self._unsettled() and not self.position.served)

    def _unsettled(self) -> bool:
        """Something was keyed or said that nobody and nothing has taken in."""
        return self.position.pending or any(not each.saved for each in self.position.recordings)

    def end(self, outcome: str, *, how: str, call_back: bool = False) -> None:
        at = self.position
        secret = {node.save_as for node in self.flow.nodes.values() if isinstance(node, nodes.Ask) and node.secret}
        self.commands.append(do.End(Outcome(
            flow=at.flow, end=outcome, how=how, node=at.node,
            answers={name: at.known[name] for name in at.answered if name not in secret},
            recordings=at.recordings, taken_in=self.flow.incoming and self._unsettled(), call_back=call_back,
            queued=at.queued, served=at.served,
        )))  # fmt: skip
        self.set(ended=True, talking=False)
