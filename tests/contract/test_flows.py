"""What every call flow must satisfy (docs/house.md, A6), tried on each document and by walking each one."""

import random
from functools import cache

import pytest

from ivr import commands as do
from ivr import events as on
from ivr.acts import ACTS, results_of
from ivr.check import check, exits
from ivr.engine import begin, step
from ivr.flow import Flow
from ivr.library import flow_names, load_flow
from ivr.nodes import Act, Ask, HandOver, Record
from ivr.position import FINISHED, HUNG_UP, Outcome, Position, from_json, to_json
from ivr.prompts import load_prompts

NAMES = flow_names()
PROMPTS = load_prompts()
KEYS = ("1", "2", "3", "5", "9", "0", "*", "#", "", "26112000007", "123456", "9" * 30, "A", "一", "01012345678")
EVENTS: tuple[on.Event, ...] = (
    *(on.Digits(keys) for keys in KEYS), on.Silence(), on.Timeout(), on.PersonAnswered(), on.PersonLeft(),
    on.GivenBack(), on.GivenOn(), on.NobodyThere(), on.Resumed(), on.Started({}), on.Recorded("r", 12.5), on.Recorded("", 0), on.Recorded("r", 9999),
    on.Recorded("r", 3, key="0"), on.ActResult("no_such_act", "found"),
    *(on.ActResult(act, result, {"case_no": "x" * 5000}) for act in ACTS for result in (*results_of(act), "nonsense")),
)  # fmt: skip
FACTS = ({}, {"caller": "19900001234", "notice": "今晚八点至十点系统维护", "number": "96310"}, {"answered_by": "machine"})


@cache
def flow_of(name: str) -> Flow:
    return load_flow(name, prompts=PROMPTS)


@cache
def waiting_positions(name: str) -> tuple[Position, ...]:
    """One position for every way of waiting a walk can get into: node, failed tries, talking or not."""
    flow: Flow = flow_of(name)
    found: dict[tuple[object, ...], Position] = {}
    waiting = [step(begin(flow), on.Started(facts), flow=flow)[0] for facts in FACTS]
    # A wait that runs out again and again uses up its bounded edges and comes where nothing else does.
    for position in list(waiting):
        for _ in range(60):
            position, _told = step(position, on.Timeout(), flow=flow)
            waiting.append(position)
    while waiting:
        position = waiting.pop()
        caller = bool(position.known.get("caller"))
        key = (position.node, position.tries, position.talking, position.pending, bool(position.settled), caller)
        if position.ended or key in found:
            continue
        found[key] = position
        waiting += [step(position, event, flow=flow)[0] for event in EVENTS]
    return tuple(found.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_flow_passes_every_check(name: str) -> None:
    assert check(flow_of(name), PROMPTS, file=name) == []


def test_the_flows_the_hotline_needs_are_there() -> None:
    wanted = {"hotline", "status", "message", "callback", "request_callback", "reply_by_voice", "rating", "all_busy"}
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_node_is_reached(name: str) -> None:
    flow = flow_of(name)
    reached, waiting = set(), [flow.start]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += [target for leaving in exits(flow, flow.nodes[node]) for target in leaving.edge.targets()]
    assert reached == set(flow.nodes)


@pytest.mark.parametrize("name", NAMES)
def test_every_waiting_node_is_really_got_into_by_walking(name: str) -> None:
    flow = flow_of(name)
    listening = {node.name for node in flow.nodes.values() if isinstance(node, Ask | Record | Act | HandOver)}
    assert listening - {position.node for position in waiting_positions(name)} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_question_answers_silence_nonsense_and_hang_up(name: str) -> None:
    flow = flow_of(name)
    for position in waiting_positions(name):
        node = flow.nodes[position.node]
        if isinstance(node, Ask | Record):
            assert step(position, on.Silence(), flow=flow)[1], position.node
        if isinstance(node, Ask):
            assert step(position, on.Digits("*" * 9), flow=flow)[1], position.node
        after, told = step(position, on.Hangup(), flow=flow)
        assert after.ended
        assert [type(command) for command in told] == [do.End]


@pytest.mark.parametrize("name", NAMES)
def test_zero_leads_to_a_person_from_everywhere(name: str) -> None:
    flow = flow_of(name)
    for position in waiting_positions(name):
        if not position.talking:
            after, told = step(position, on.Digits("0"), flow=flow)
            assert told, position.node
            # The person stands at a hand-over, or behind the question how long the queue is.
            assert after.node == flow.person or isinstance(flow.nodes[after.node], HandOver)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_was_keyed_or_said_is_taken_in_when_the_caller_hangs_up(name: str) -> None:
    flow = flow_of(name)
    for position in waiting_positions(name):
        outcome = _outcome(step(position, on.Hangup(), flow=flow)[1])
        if position.pending and not position.served:
            assert outcome.call_back
            assert outcome.taken_in == flow.incoming
        assert outcome.how == HUNG_UP


def _outcome(told: tuple[do.Command, ...]) -> Outcome:
    (ending,) = [command for command in told if isinstance(command, do.End)]
    return ending.outcome


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("event", [on.Silence(), on.Timeout(), on.NobodyThere(), on.Digits("*"), on.Recorded("r", 5)], ids=repr)
def test_a_caller_who_only_ever_does_one_thing_comes_to_an_end(name: str, event: on.Event) -> None:
    flow = flow_of(name)
    for position in waiting_positions(name):
        after = position
        for _ in range(6 * flow.max_steps):
            # What does not concern a node is answered by time passing: an act fails, a wait runs out, a talk ends.
            for each in (event, on.Silence(), on.PersonLeft(), on.Timeout()):
                after, _told = step(after, each, flow=flow)
            if after.ended:
                break
        assert after.ended, position.node


@pytest.mark.parametrize("name", NAMES)
def test_every_walk_without_the_callers_doing_ends_by_its_flow(name: str) -> None:
    flow = flow_of(name)
    for facts in FACTS:
        position, told = step(begin(flow), on.Started(facts), flow=flow)
        while not position.ended:
            for event in (on.Silence(), on.Timeout()):
                position, told = step(position, event, flow=flow) if not position.ended else (position, told)
        assert _outcome(told).how == FINISHED


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_a_walk_says_exists_in_every_language_with_all_its_values(name: str) -> None:
    flow = flow_of(name)
    for position in waiting_positions(name):
        for event in EVENTS:
            for command in step(position, event, flow=flow)[1]:
                if isinstance(command, do.Say):
                    for prompts in PROMPTS.values():
                        assert set(command.values) == set(prompts.by_name[command.prompt].slots())
                        prompts.spoken(command.prompt, command.values)


@pytest.mark.parametrize("name", NAMES)
def test_of_the_commands_of_a_step_only_the_last_one_waits(name: str) -> None:
    flow = flow_of(name)
    for position in waiting_positions(name):
        for event in EVENTS:
            told = step(position, event, flow=flow)[1]
            assert all(isinstance(command, do.Say) for command in told[:-1])
            assert not told or not isinstance(told[-1], do.Say)


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_position_goes_on_as_if_nothing_had_happened(name: str) -> None:
    flow = flow_of(name)
    for position in waiting_positions(name):
        stored = from_json(to_json(position))
        assert stored == position
        for event in EVENTS:
            assert step(stored, event, flow=flow) == step(position, event, flow=flow)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [*range(20), None])
def test_random_walks_never_raise_and_end(name: str, seed: int | None) -> None:
    seed = random.SystemRandom().randrange(10**9) if seed is None else seed
    print(f"seed {seed}")
    chance, flow = random.Random(seed), flow_of(name)
    position, _ = step(begin(flow), on.Started(chance.choice(FACTS)), flow=flow)
    for _ in range(300):
        position, told = step(position, chance.choice(EVENTS), flow=flow)
        assert position.ended == any(isinstance(command, do.End) for command in told) or not told
    if not position.ended:
        position, told = step(position, on.Hangup(), flow=flow)
        assert _outcome(told).flow == name
    assert position.ended
    assert step(position, chance.choice(EVENTS), flow=flow) == (position, ())


@pytest.mark.parametrize("name", NAMES)
def test_keys_without_end_never_go_on_past_twice_the_limit(name: str) -> None:
    flow = flow_of(name)
    for position in waiting_positions(name)[:5]:
        worn = position
        for _ in range(4 * flow.max_steps):
            for event in (on.Digits("9"), on.Digits("2"), on.Recorded("r", 4), on.ActResult("queue_position", "closed")):
                worn, _told = step(worn, event, flow=flow)
        assert worn.steps <= 2 * flow.max_steps + 1
