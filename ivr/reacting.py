"""What a waiting node does about an event. Hang-up, 0 for a person and taking up again are the same everywhere: engine.py."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ivr import events as on
from ivr import nodes
from ivr.acts import FAILED, results_of
from ivr.nodes import Edge
from ivr.position import Recording
from ivr.walk import Walk

PHONE_KEYS = frozenset("0123456789*#ABCD")


def _keyed(walk: Walk, node: nodes.Ask, event: on.Digits) -> None:
    walk.touch()
    keys = event.keys
    chosen = node.choices.get(keys)
    fits = keys.isascii() and keys.isdigit() and node.min_digits <= len(keys) <= node.max_digits
    edge = chosen or (node.next if fits else None)
    if edge is None:
        _again(walk, node, prompt=node.nonsense_prompt, name="nonsense", edge=node.nonsense)
        return
    if node.save_as:
        walk.know({node.save_as: keys})
        walk.set(answered=tuple(dict.fromkeys([*walk.position.answered, node.save_as])))
    walk.follow(f"choices.{keys}" if chosen else "next", edge)


def _unanswered(walk: Walk, node: nodes.Ask | nodes.Record, event: on.Event) -> None:
    _again(walk, node, prompt=node.silence_prompt, name="silence", edge=node.silence)


def _again(walk: Walk, node: nodes.Ask | nodes.Record, *, prompt: str, name: str, edge: Edge | None) -> None:
    """Put the question once more, or take the exit when it has been put often enough."""
    if edge is None:
        raise ValueError(f"{node.name}: an unchecked flow")
    tries = walk.position.tries + 1
    if tries > node.retries:
        walk.follow(name, edge)
        return
    walk.say(prompt)
    walk.go(node.name)
    if walk.position.node == node.name:
        walk.set(tries=tries)


def _recorded(walk: Walk, node: nodes.Record, event: on.Recorded) -> None:
    earlier = any(each.name == node.save_as for each in walk.position.recordings)
    # A click of the key is no reason to throw away the take before it.
    if event.seconds >= node.min_s or not earlier:
        keep_take(walk, event, name=node.save_as)
    if event.key == "0" and walk.flow.person:
        walk.touch()
        walk.go(walk.flow.person)
    elif event.seconds < node.min_s or not event.ref:
        _unanswered(walk, node, event)
    elif event.seconds >= node.max_s:
        walk.follow("full", node.full)
    else:
        walk.follow("next", node.next)


def keep_take(walk: Walk, event: on.Recorded, *, name: str) -> None:
    """Keep what was said under a name, in place of an earlier take of that name; nothing said, nothing kept."""
    if event.seconds > 0 and event.ref:
        others = tuple(each for each in walk.position.recordings if each.name != name)
        walk.touch()
        walk.set(recordings=(*others, Recording(name, event.ref, event.seconds)))
        walk.know({name: event.ref})


def _key_ignored(walk: Walk, node: nodes.Node, event: on.Digits) -> None:
    """Keys where none are asked for: remembered as something the caller did, the walk stays."""
    if not walk.position.talking and PHONE_KEYS.issuperset(event.keys) and event.keys:
        walk.touch()


def _result(walk: Walk, node: nodes.Act, event: on.ActResult) -> None:
    if event.name != node.act or event.ticket not in (None, walk.position.ticket):
        return
    result, edge = node.edge_for(event.result)
    brought = {name: event.values.get(name, "") for name in results_of(node.act)[result]}
    walk.know(brought)
    if edge.settles:
        # What this act was given is taken in; a recording it was not given still waits for somebody.
        handed = {walk.position.known.get(known) for known in node.given.values()}
        recordings = tuple(replace(each, saved=each.saved or each.ref in handed) for each in walk.position.recordings)
        walk.set(recordings=recordings)
    walk.follow(f"results.{result}", edge)


def _no_result(walk: Walk, node: nodes.Act, event: on.Timeout) -> None:
    _result(walk, node, on.ActResult(node.act, FAILED))


def _key_while_waiting(walk: Walk, node: nodes.HandOver, event: on.Digits) -> None:
    edge = node.keys.get(event.keys)
    if walk.position.talking:
        return
    if edge is None or walk.position.limited:
        _key_ignored(walk, node, event)
        return
    walk.touch()
    walk.follow(f"keys.{event.keys}", edge)


def _answered(walk: Walk, node: nodes.HandOver, event: on.PersonAnswered) -> None:
    walk.set(talking=True, served=True, pending=False)


def _left(walk: Walk, node: nodes.HandOver, event: on.PersonLeft) -> None:
    if walk.position.talking:
        walk.set(settled=node.outcome)
        walk.follow("after", node.after)


def _given_back(walk: Walk, node: nodes.HandOver, event: on.GivenBack | on.GivenOn) -> None:
    """Nobody serves him now, so he is as far as one who waits."""
    if walk.position.talking:
        walk.set(talking=False, served=False)
        walk.say(node.back_prompt if isinstance(event, on.GivenBack) else node.on_prompt)
        walk.go(node.name)


def _nobody(walk: Walk, node: nodes.HandOver, event: on.NobodyThere) -> None:
    if not walk.position.talking:
        walk.follow("unavailable", node.unavailable)


def _waited(walk: Walk, node: nodes.HandOver, event: on.Timeout) -> None:
    if not walk.position.talking:
        walk.follow("timeout", node.timeout)


REACTIONS: Mapping[tuple[type, type], Callable[..., None]] = {
    (nodes.Ask, on.Digits): _keyed,
    (nodes.Ask, on.Silence): _unanswered,
    (nodes.Ask, on.Timeout): _unanswered,
    (nodes.Record, on.Recorded): _recorded,
    (nodes.Record, on.Silence): _unanswered,
    (nodes.Record, on.Timeout): _unanswered,
    (nodes.Record, on.Digits): _key_ignored,
    (nodes.Act, on.ActResult): _result,
    (nodes.Act, on.Timeout): _no_result,
    (nodes.Act, on.Digits): _key_ignored,
    (nodes.HandOver, on.Digits): _key_while_waiting,
    (nodes.HandOver, on.PersonAnswered): _answered,
    (nodes.HandOver, on.PersonLeft): _left,
    (nodes.HandOver, on.GivenBack): _given_back,
    (nodes.HandOver, on.GivenOn): _given_back,
    (nodes.HandOver, on.NobodyThere): _nobody,
    (nodes.HandOver, on.Timeout): _waited,
}
"""What a waiting node does about an event; pairs that are not listed change nothing."""
