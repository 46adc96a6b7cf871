"""Hanging up at every node of every flow, in every command of the real driver: each call has its end, nothing said is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from channels.phone import leg as leg_module
from channels.phone.steps import Steps
from ivr import commands as do
from ivr import events as on
from ivr.library import shipped_flow
from ivr.nodes import Act, Ask, HandOver, Node, Record
from ivr.position import Position, from_json
from tests.phone.agi_peer import AgiPeer, Spoken
from tests.phone.conftest import Gateway, opened
from tests.phone.fake_board import NOW

CASE_NO, CODE, OTHER_PHONE = "26112000007", "123456", "19900005678"
AWAITED = (Ask, Record, HandOver)
"""Kinds of node at which a call waits for the caller; a prompt is said on the way to one."""
NEVER_AWAITED = {("callback", "citizen")}
"""The dialplan rings the citizen while the flow stands at the act before."""


@dataclass(frozen=True)
class Leg:
    """One connection of Asterisk's: its address, what stands behind it, what the caller does."""

    path: str
    arguments: tuple[str, ...]
    script: tuple[str | Spoken, ...] = ()


def rings(*script: str | Spoken) -> Leg:
    return Leg("hotline", ("pbx", "12319"), script)


def back(how: str, status: str, *script: str | Spoken, who: str = "") -> Leg:
    return Leg("resume", ("pbx", "1", how, status, who), script)


@dataclass(frozen=True)
class Walk:
    """A call from its beginning to its end; `acts` and `given` are what the switchboard answers."""

    legs: tuple[Leg, ...]
    acts: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)


OPERATOR = "PJSIP/8001"
CALLBACK = {"phone": "19900001234", "owed_s": "600"}
REPLY = {"answered_by": "person", "case_no": CASE_NO, "reply": "鼓楼广场北侧的垃圾已经清运干净"}
WALKS: Mapping[str, Walk] = {
    "a message while waiting": Walk((
        rings(), back("queue", "TIMEOUT"), back("queue", "TIMEOUT", "1", Spoken(8.0, "#"), "9", "1"),
    )),
    "waiting on, a talk, its rating": Walk((
        rings(), back("queue", "TIMEOUT"), back("queue", "TIMEOUT", ""), back("queue", "CONTINUE", "1", who=OPERATOR),
    )),
    "an emergency outside hours": Walk((rings("5"), back("dial", "ANSWER", who="PJSIP/trunk-1")), {"queue_position": "closed"}),
    "his own case, another, then a call-back elsewhere": Walk(
        (rings("2", "1", f"{CODE}#", "1", f"{CASE_NO}#", f"{CODE}#", "#", "3", "2", f"{OTHER_PHONE}#", "1"),),
        {"queue_position": "nobody"},
    ),
    "a call-back to the number he calls from": Walk((rings("3", "1"),), {"queue_position": "nobody"}),
    "a call-back to an operator": Walk(
        (Leg("callback", ("pbx", "1"), ("9", "1")), back("dial", "ANSWER", who="PJSIP/trunk-1")), given=CALLBACK
    ),
    "an operator wants the leader": Walk((Leg("callback", ("pbx", "1"), ("0",)), back("dial", "ANSWER")), given=CALLBACK),
    "a reply by voice": Walk((Leg("voice-reply", ("pbx", "1", "person"), ("9", "1")),), given=REPLY),
    "a reply by voice that leads to a person": Walk(
        (Leg("voice-reply", ("pbx", "1", "person"), ("0",)), back("queue", "CONTINUE", who=OPERATOR)), given=REPLY
    ),
}  # fmt: skip


@dataclass
class Watched:
    """Where callers hung up."""

    seen: set[tuple[str, str]] = field(default_factory=set)

    def over(self, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
        take = steps.take

        async def watched(call_id: int, before: Position, event: on.Event) -> tuple[Position, tuple[do.Command, ...]]:
            if isinstance(event, on.Hangup):
                self.seen.add((before.flow, before.node))
            return await take(call_id, before, event)

        monkeypatch.setattr(Steps, "take", lambda _, *given: watched(*given))


async def walk_until(gateway: Gateway, walk: Walk, *, leg: int, at: int) -> list[AgiPeer]:
    """Walk until command `at` of leg number `leg`, in which the caller hangs up; 0: between that leg and the next."""
    if walk.legs[0].path != "hotline":
        await gateway.call(hangs_up_at=1)  # makes call 1, which this one is about
        forget(gateway)
    peers = []
    for number, part in enumerate(walk.legs[: leg + 1]):
        peers.append(await gateway.call(*part.script, path=part.path, arguments=part.arguments, hangs_up_at=at if number == leg else 0))
    if any("__CALL_ID" in peer.variables for peer in peers):
        await gateway.call(path="ended", arguments=("pbx", "1", "", "", ""))
    return peers


def forget(gateway: Gateway) -> None:
    board = gateway.board
    for memory in (board.positions, board.outcomes, board.told, board.kept):
        memory.clear()
    call = board.calls[1]
    board.calls[1] = type(call)(call.call_id, "in", call.server, call.leg_id, call.line, call.started_at, caller=call.caller)


def check_end(gateway: Gateway, peers: list[AgiPeer]) -> None:
    """The call has an outcome, and with it every take and every number that was keyed."""
    outcome = gateway.board.outcomes[1]
    if any("__CALL_ID" in peer.variables for peer in peers):
        assert gateway.board.events("hung_up")
    told = {event[3] for event in gateway.board.events("recorded")}
    taken = {take.ref for take in outcome.recordings}
    for path in (path for peer in peers for path in peer.files):
        assert path.removeprefix("/rec/") in told & taken
    if gateway.board.kept:
        last = from_json(gateway.board.kept[-1])
        assert {take.ref for take in last.recordings} <= taken
        public = {name: last.known[name] for name in last.answered if name in last.known and name != "code"}
        assert public.items() <= dict(outcome.answers).items()


@pytest.mark.parametrize("name", WALKS)
async def test_hanging_up_in_any_command_ends_the_call_well(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leg_module, "TONE_S", -4.0)  # as if he had spoken for four seconds when he hung up at the tone
    walk = WALKS[name]
    given = {"acts": walk.acts, "given": walk.given}
    for number in range(len(walk.legs)):
        async with opened(**given) as gateway:
            whole = await walk_until(gateway, walk, leg=number, at=0)
            check_end(gateway, whole)
        for at in range(1, len(whole[number].commands) + 1):
            async with opened(**given) as gateway:
                check_end(gateway, await walk_until(gateway, walk, leg=number, at=at))


async def test_those_calls_hang_up_at_every_node_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    for walk in WALKS.values():
        for number in range(len(walk.legs)):
            async with opened(acts=walk.acts, given=walk.given) as gateway:
                whole = await walk_until(gateway, walk, leg=number, at=0)
            for at in range(len(whole[number].commands) + 1):
                async with opened(acts=walk.acts, given=walk.given) as gateway:
                    with monkeypatch.context() as patch:
                        watched.over(gateway.driver.steps, patch)
                        await walk_until(gateway, walk, leg=number, at=at)
    assert awaited(*AWAITED) - watched.seen == NEVER_AWAITED


async def test_a_gateway_killed_at_any_node_leaves_a_call_that_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Acts too, at which no caller can hang up because their answer comes whatever becomes of the leg."""
    kept: set[tuple[str, str]] = set()
    for walk in WALKS.values():
        async with opened(acts=walk.acts, given=walk.given) as gateway:
            await walk_until(gateway, walk, leg=len(walk.legs) - 1, at=0)
        for stored in tuple(gateway.board.kept):
            position = from_json(stored)
            kept.add((position.flow, position.node))
            forget(gateway)
            gateway.board.positions[1] = stored
            await Steps(gateway.board, lambda: NOW).caller_gone(1, NOW, "vanished")
            outcome = gateway.board.outcomes[1]
            assert {take.ref for take in position.recordings} <= {take.ref for take in outcome.recordings}
            assert gateway.board.events("hung_up")
    assert awaited(*AWAITED, Act) <= kept


def awaited(*kinds: type[Node]) -> set[tuple[str, str]]:
    """Every node of the flows at which a call may stand."""
    flows = {name: shipped_flow(name).nodes for name in ("hotline", "callback", "reply_by_voice")}
    return {(name, node.name) for name, nodes in flows.items() for node in nodes.values() if isinstance(node, kinds)}
