"""What each kind of node does when it is entered: the commands it gives, and the next node where it does not wait."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ivr import commands as do
from ivr import nodes
from ivr.position import FINISHED

if TYPE_CHECKING:
    from ivr.walk import Walk


def _enter_say(walk: "Walk", node: nodes.Say) -> str:
    walk.say(node.prompt)
    return walk.choose("next", node.next)


def _enter_ask(walk: "Walk", node: nodes.Ask) -> str:
    walk.say(node.prompt)
    menu = tuple(node.choices)
    # A single digit answers at once; longer numbers wait for the terminator.
    ending = node.terminator if node.next and node.max_digits > 1 else ""
    collect = do.Collect(node.min_digits, node.max_digits, ending, node.first_s, node.between_s, menu, node.secret)
    walk.commands.append(collect)
    return ""


def _enter_record(walk: "Walk", node: nodes.Record) -> str:
    walk.say(node.prompt)
    walk.commands.append(do.Record(node.save_as, node.max_s, node.silence_s))
    return ""


def _enter_branch(walk: "Walk", node: nodes.Branch) -> str:
    value = walk.position.known.get(node.on, "")
    if value in node.cases:
        return walk.choose(f"cases.{value}", node.cases[value])
    return walk.choose("otherwise", node.otherwise)


def _enter_act(walk: "Walk", node: nodes.Act) -> str:
    walk.say(node.prompt)
    walk.set(ticket=walk.position.ticket + 1)
    values = {name: walk.position.known.get(known, "") for name, known in node.given.items()}
    walk.commands.append(do.Ask(node.act, values, walk.position.ticket))
    return ""


def _enter_hand_over(walk: "Walk", node: nodes.HandOver) -> str:
    walk.say(node.prompt)
    keys = () if walk.position.limited else tuple(node.keys)
    walk.commands.append(do.HandOver(node.to, node.timeout_s, keys, keeps_place=walk.position.queued))
    walk.set(queued=True)
    return ""


def _enter_end(walk: "Walk", node: nodes.End) -> str:
    walk.end(node.outcome, how=FINISHED, call_back=node.call_back)
    return ""


ENTERING: Mapping[type, Callable[..., str]] = {
    nodes.Say: _enter_say, nodes.Ask: _enter_ask, nodes.Record: _enter_record, nodes.Branch: _enter_branch,
    nodes.Act: _enter_act, nodes.HandOver: _enter_hand_over, nodes.End: _enter_end,
}  # fmt: skip
"""What each kind of node does when it is entered; gives the next node, or "" to wait."""
