"""Notes of calls whose end the gateway has not seen: whatever the citizen said stands in a report afterwards, once."""

from pathlib import Path
from typing import Any

import pytest

from channels.phone import Server
from channels.phone.link import Link
from channels.phone.open_call import read_note, settle_open_calls
from channels.phone.steps import Steps
from channels.phone.told import Told
from intake.call import CallBack, CallRecording
from intake.profile import City
from intake.vault import Vault
from intake.wiring import AnyStore
from ivr import events as on
from ivr.engine import begin
from tests.fakes import FakeClock
from tests.phones import CALLER, Hall


class Notes(Link):
    """An Asterisk with one note."""

    def __init__(self, key: str, value: str) -> None:
        self.server, self.forgotten = Server("pbx"), [""]
        self._row = Told("DBGetTreeResponse", {"key": f"/hotline-open/{key}", "val": value})

    async def all_of(self, action: str, **values: Any) -> list[Told]:
        return [self._row]

    async def act(self, action: str, **values: Any) -> Told:
        self.forgotten.append(values["Variable"][0])
        return self._row


@pytest.fixture
def hall(store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Hall:
    return Hall(store, city, vault, clock, tmp_path)


async def speaking(hall: Hall) -> int:
    """A call in which the caller was asked to speak when the gateway was killed."""
    call = await hall.ring()
    steps = Steps(hall.board, hall.clock)
    events = on.Started({"number": "12319", "caller": CALLER}), on.ActResult("queue_position", "nobody", {}, 1), on.Digits("1")
    await steps.take_all(call.call_id, begin(steps.flow("hotline")), events)
    return call.call_id


async def settled(hall: Hall, leg: str, state: str, *, file: str, call_id: int, take: str) -> dict[str, int]:
    """The case of each recording, by its name at the exchange, after the notes were read twice."""
    began = int(hall.clock().timestamp())
    link = Notes(leg, f"{began},12319,{CALLER},{state},{file},{began + 30},{call_id or ''},{take}")
    board = hall.restarted()
    for _ in range(2):
        await settle_open_calls(link, board=board, steps=Steps(board, hall.clock))
    assert link.forgotten[1:] == [f"FORGET={leg}"] * 2
    found = await hall.store.read(lambda work: work.find(CallRecording))
    return {one.ref: one.case_no for one in found}


@pytest.mark.parametrize("state", ["ring", "fallback"])
async def test_a_message_under_way_is_kept_when_the_caller_hangs_up(hall: Hall, state: str) -> None:
    call_id = await speaking(hall)
    cases = await settled(hall, "leg-1", state, file="", call_id=call_id, take=f"message/{call_id}-message-9")
    assert len(cases) == 1
    assert all(cases.values())


async def test_a_second_message_in_the_fallback_does_not_replace_the_first(hall: Hall) -> None:
    call_id = await speaking(hall)
    take = f"message/{call_id}-message-9"
    cases = await settled(hall, "leg-1", "message", file="fallback/a-1", call_id=call_id, take=take)
    assert cases.keys() == {take, "fallback/a-1"}
    assert len(set(cases.values())) == 1
    assert all(cases.values())


async def test_a_talk_in_the_fallback_does_not_hide_the_message_before_it(hall: Hall) -> None:
    call_id = await speaking(hall)
    take = f"message/{call_id}-message-9"
    cases = await settled(hall, "leg-1", "talk", file="fallback/a-1-talk", call_id=call_id, take=take)
    assert cases.keys() == {take, "fallback/a-1-talk"}
    assert cases[take]


async def test_a_message_of_a_call_the_gateway_never_heard_of_is_a_report(hall: Hall) -> None:
    cases = await settled(hall, "9.9", "message", file="fallback/a-9", call_id=0, take="")
    assert len(cases) == 1
    assert all(cases.values())


@pytest.mark.parametrize("value", ["", "soon,12319", ",,,,,,,", "张三丰"])
def test_what_is_no_note_is_left_alone(value: str) -> None:
    assert read_note("/hotline-open/1.1", value) is None


async def test_a_message_in_the_fallback_is_a_report_though_the_call_had_its_end_already(hall: Hall) -> None:
    """One call's fault sends its caller into the fallback while the link stands and tells of his hang-up."""
    call = await hall.ring()
    steps = Steps(hall.board, hall.clock)
    await steps.take(call.call_id, begin(steps.flow("hotline")), on.Started({"number": "12319", "caller": CALLER}))
    await steps.caller_gone(call.call_id, hall.clock())
    cases = await settled(hall, "leg-1", "message", file="fallback/a-1", call_id=call.call_id, take="")
    assert cases["fallback/a-1"]


async def test_a_message_in_the_fallback_joins_the_report_of_what_was_said_before(hall: Hall) -> None:
    call_id = await speaking(hall)
    await Steps(hall.board, hall.clock).caller_gone(call_id, hall.clock())
    cases = await settled(hall, "leg-1", "message", file="fallback/a-1", call_id=call_id, take="")
    assert len(cases) == 2
    assert len(set(cases.values())) == 1
    assert all(cases.values())


@pytest.mark.parametrize(("state", "size"), [("message", ",44"), ("fallback", "")])
async def test_who_hung_up_before_the_tone_left_no_report_but_is_owed_a_call(hall: Hall, state: str, size: str) -> None:
    cases = await settled(hall, "9.9", state, file="fallback/a-9", call_id=0, take=size)
    assert cases == {}
    (owed,) = await hall.store.read(lambda work: work.find(CallBack))
    assert owed.state == "owed"


async def test_a_note_with_a_number_of_another_database_is_a_call_like_any_other(hall: Hall) -> None:
    cases = await settled(hall, "9.9", "message", file="fallback/a-9", call_id=987654321, take=",32044")
    assert list(cases) == ["fallback/a-9"]
    assert all(cases.values())
