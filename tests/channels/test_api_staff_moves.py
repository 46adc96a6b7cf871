"""A program that knows no step by name: it reads the moves offered, fills what they ask for and takes them.

From every state of a case, every move that is offered to somebody must then be taken by the gateway too.
"""

from datetime import timedelta

import pytest

from intake.gateway import Gateway
from intake.model import Actor, Role, State
from intake.permission import STAFF
from intake.usecases import Command
from tests.channels.desk_people import Client, Person, hire, report, walk
from tests.make import NOON

FAR = (NOON + timedelta(days=200)).isoformat()
LEADER = Actor(901, "leader", Role.SHIFT_LEADER)
MAX_CHOICES = 10
OPERATOR = Actor(902, "operator", Role.OPERATOR)
DISPATCHER = Actor(903, "dispatcher", Role.DISPATCHER)


def filled(move: dict[str, object], *, other_case: int) -> dict[str, object]:
    """What a program puts into the fields it must fill, by their type alone."""
    fields = move["fields"]
    assert isinstance(fields, list)
    return {field["name"]: _value(field, other_case) for field in fields if field["required"]}


def _value(field: dict[str, object], other_case: int) -> object:
    choices = field.get("choices")
    if isinstance(choices, list):
        return choices[0]["value"]
    return {"moment": FAR, "case": str(other_case), "bool": True}.get(str(field["type"]), "按要求填写")


async def full(client: Client, person: Person, number: int) -> dict[str, object]:
    answer = await client.get(f"/api/v1/cases/{number}/full", headers=person.bearer)
    found = await answer.json(content_type=None)
    return found if answer.status == 200 else {"moves": []}


async def take(
    client: Client, person: Person, case: dict[str, object], move: dict[str, object], known: dict[str, object]
) -> dict[str, object]:
    """A choice that does not fit this case is refused by its name; then the program tries the next one."""
    number = case["case_no"]
    body = {"move": move["move"], "version": case["version"]} | known
    for _ in range(MAX_CHOICES):
        answer = await client.post(f"/api/v1/cases/{number}/moves", json=body, headers=person.bearer)
        told = await answer.json(content_type=None)
        others = _choices_after(move, str(told.get("field")), body)
        if answer.status != 422 or not others:
            break
        body[told["field"]] = others[0]
    assert answer.status == 200, (move["move"], told)
    assert isinstance(told, dict)
    return told


def _choices_after(move: dict[str, object], name: str, body: dict[str, object]) -> list[object]:
    fields = move["fields"]
    assert isinstance(fields, list)
    choices = [choice["value"] for field in fields if field["name"] == name for choice in field.get("choices") or ()]
    return choices[choices.index(body[name]) + 1 :] if body.get(name) in choices else []


def _offer(case: dict[str, object], name: str) -> list[dict[str, object]]:
    moves = case["moves"]
    assert isinstance(moves, list)
    return [move for move in moves if move["move"] == name]


async def everybody(gateway: Gateway, unit: str) -> dict[Role, Person]:
    return {role: await hire(gateway, role, unit=unit if role is Role.UNIT else "") for role in sorted(STAFF)}


async def test_a_case_goes_its_whole_way_by_following_the_moves(gateway: Gateway, client: Client) -> None:
    number, other = await report(gateway), await report(gateway)
    unit = (await walk(gateway, await report(gateway), until="dispatch")).unit
    people = await everybody(gateway, unit)
    way = ("accept", "verify", "verified", "file", "dispatch", "take", "feedback", "check", "checked", "close",
           "told_by_phone", "told_by_phone")  # fmt: skip
    state = ""
    for step in way:
        seen = [(person, await full(client, person, number)) for person in people.values()]
        offered = [
            (person, case, move)
            for person, case in seen
            for move in case["moves"]  # type: ignore[attr-defined]
            if move["move"] == step
        ]
        assert offered, step
        person, case, move = offered[0]
        state = str((await take(client, person, case, move, filled(move, other_case=other)))["state"])
    assert state == "archived"


async def reach(gateway: Gateway, state: str, main: int) -> int:
    """A fresh case in a state, with whatever requests and debts may hang on it there."""
    number = await report(gateway)
    for step, actor, fields in BEYOND.get(state, ()):
        if step == "walk":
            await walk(gateway, number, until=str(fields))
            continue
        case = await gateway.case_file(number, LEADER)
        given = {"main_case": str(main), "reason": "同一处"} if step == "merge" else dict(fields)  # type: ignore[call-overload]
        doer = actor or Actor(904, "unit", Role.UNIT, case.case.unit)
        await gateway.perform(Command(number, step, doer, fields=given))
    return number


REASON = {"reason": "情况如此"}
BEYOND: dict[str, tuple[tuple[str, Actor | None, object], ...]] = {
    "reported": (),
    "accepted": (("walk", None, "accept"),),
    "verifying": (("walk", None, "accept"), ("verify", OPERATOR, {})),
    "filed": (("walk", None, "file"), ("ask_void", DISPATCHER, REASON)),
    "dispatched": (("walk", None, "dispatch"), ("ask_return", None, REASON | {"basis": "派遣目录"})),
    "handling": (("walk", None, "take"), ("ask_extension", None, REASON | {"until": FAR}),
                 ("ask_suspension", None, REASON | {"until": FAR}), ("ask_void", DISPATCHER, REASON),
                 ("supervise", LEADER, REASON)),
    "suspended": (("walk", None, "take"), ("ask_suspension", None, REASON | {"until": FAR}),
                  ("decide_suspension", LEADER, REASON | {"decision": "grant"})),
    "done": (("walk", None, "feedback"),),
    "checking": (("walk", None, "check"),),
    "closed": (("walk", None, "close"),),
    "rejected": (("reject", OPERATOR, {"reason": "private", "way": "协商解决"}),),
    "redirected": (("redirect", OPERATOR, {"body": "供电公司", "other": "95598"}),),
    "answered": (("answer", OPERATOR, {"answer": "已说明"}),),
    "merged": (("merge", OPERATOR, {}),),
}  # fmt: skip


@pytest.mark.parametrize("state", sorted(BEYOND))
async def test_every_offered_move_is_taken(gateway: Gateway, client: Client, state: str) -> None:
    main = await report(gateway)
    first = await reach(gateway, state, main)
    file = await gateway.case_file(first, LEADER)
    assert file.case.state is State(state)
    people = await everybody(gateway, file.case.unit)
    offered: dict[str, tuple[Person, dict[str, object]]] = {}
    for person in people.values():
        for move in (await full(client, person, first))["moves"]:  # type: ignore[attr-defined]
            offered.setdefault(move["move"], (person, move))
    assert {"note", "rotate_code"} <= offered.keys()
    number = first
    for name, (person, _) in offered.items():
        case = await full(client, person, number)
        if case.get("state") != state or not _offer(case, name):
            # A step before led on; a step that leaves everything else as it was does not need a case of its own.
            number = await reach(gateway, state, main)
            case = await full(client, person, number)
        [move] = _offer(case, name)
        await take(client, person, case, move, filled(move, other_case=main))
