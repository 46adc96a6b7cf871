"""先行联系, for real: a unit asks the hotline, its own telephone rings, then the citizen's; each sees the hotline's number alone."""

from pathlib import Path

import pytest

from intake.call import Call, CallRecording
from intake.model import Actor, Case, Role
from intake.profile import City
from intake.records import Remark
from intake.usecases import Command
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.asterisk.calls import behave, rung
from tests.asterisk.gateway import until
from tests.asterisk.room import Room
from tests.core.test_usecases import OPERATOR
from tests.fakes import FakeClock
from tests.journeys.test_call_faults import settings_of, telephone
from tests.make import make_actor, make_inbound
from tests.phones import Hall

pytestmark = pytest.mark.servers
CITIZEN = "19900000061"


@pytest.fixture
def hall(store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Hall:
    return Hall(store, city, vault, clock, tmp_path)


async def with_a_unit(hall: Hall) -> tuple[Case, Actor, str]:
    """A case that a unit works on, one of its people, and its duty telephone as it is dialled."""
    received = await hall.gateway.take_in(make_inbound(phone=f"+86{CITIZEN}"))
    number, taxonomy = received.case_no, hall.gateway.city.taxonomy
    for step, actor, fields in (
        ("accept", OPERATOR, {"subclass": "event:0102"}),
        ("file", OPERATOR, {"waive_verify": "clear_evidence"}),
        ("dispatch", make_actor(Role.DISPATCHER), {"unit": "cityadmin"}),
    ):
        [held] = await hall.rows(Case, case_no=number)
        given = fields | ({"condition": taxonomy.conditions(held.subclass)[0]} if step == "file" else {})
        await hall.gateway.perform(Command(number, step, actor, fields=given))
    [case] = await hall.rows(Case, case_no=number)
    return case, make_actor(Role.UNIT, unit=case.unit, user_id=20), hall.gateway.rules.units[case.unit].duty_phone.replace("-", "")


async def test_a_unit_talks_with_its_citizen_and_neither_sees_the_others_number(room: Room, hall: Hall) -> None:
    case, person, duty = await with_a_unit(hall)
    await behave(room.pstn, duty, "answer", "w0")
    await behave(room.pstn, CITIZEN, "answer", "w0")
    async with telephone(hall, settings_of(room.hotline)):
        call = await hall.board.contacts.place(person, case_no=case.case_no, reason="先行联系")
        unit = await rung(room.public, room.pstn, duty)
        citizen = await rung(room.public, room.pstn, CITIZEN)
        for number in (duty, CITIZEN):
            told = await room.pstn.user_event("PhoneRinging", Number=number)
            assert told["From"] == "12319"
        await until(lambda: hall.rows(Call, call_id=call.call_id), lambda found: bool(found[0].answered_at))  # type: ignore[index, misc]
        await unit.do(room.speak("operator"))
        await citizen.do(room.speak("citizen"))
        await unit.hang_up()
        await citizen.ended()
        assert room.is_on("operator", citizen.heard)
        assert room.is_on("citizen", unit.heard)
        assert room.prompts_on(citizen.heard, "rating_ask") == []
        await until(lambda: hall.rows(Call, call_id=call.call_id), lambda found: bool(found[0].ended_at))  # type: ignore[index, misc]
        await hall.board.contacts.end(call.call_id, person, result="reached", opinion="约定下午三点到场")
    assert "先行联系：接通。约定下午三点到场" in [remark.text for remark in await hall.rows(Remark)]
    assert [one.kind for one in await hall.rows(CallRecording, call_id=call.call_id)] == ["talk"]


async def test_a_citizen_who_does_not_answer_is_an_attempt(room: Room, hall: Hall) -> None:
    case, person, duty = await with_a_unit(hall)
    await behave(room.pstn, duty, "answer", "w0")
    await behave(room.pstn, CITIZEN, "busy")
    async with telephone(hall, settings_of(room.hotline)):
        call = await hall.board.contacts.place(person, case_no=case.case_no, reason="先行联系")
        await rung(room.public, room.pstn, duty)
        await until(lambda: hall.rows(Call, call_id=call.call_id), lambda found: bool(found[0].ended_at))  # type: ignore[index, misc]
        hall.clock.pass_time(seconds=61)
        await hall.board.sweep()
        held = await hall.board.call(call.call_id)
        assert (held.answered_at, held.result) == (None, "unreached")
