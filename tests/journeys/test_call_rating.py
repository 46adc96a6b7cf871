"""Real calls of operators to citizens: whoever stays on the line when the operator hangs up is asked for his rating, once."""

from pathlib import Path

import pytest

from intake.call import Call, CallBack
from intake.model import Role
from intake.profile import City
from intake.records import Debt
from intake.usecases import Command
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.asterisk.calls import Telephone as Handset
from tests.asterisk.calls import answer, behave, rung
from tests.asterisk.desks import first_ring
from tests.asterisk.gateway import until
from tests.asterisk.room import Room
from tests.core.test_usecases import OPERATOR as CLERK
from tests.fakes import FakeClock
from tests.journeys.test_call_faults import OPERATOR_7, at_the_desk, settings_of, telephone
from tests.make import make_actor, make_inbound
from tests.phones import Hall

pytestmark = pytest.mark.servers
OPERATOR = make_actor(Role.OPERATOR, user_id=OPERATOR_7)
ASKED = ("rating_ask", "rating_thanks", "goodbye")


@pytest.fixture
def hall(store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Hall:
    return Hall(store, city, vault, clock, tmp_path)


async def reply_owed(hall: Hall, number: str, **changes: object) -> Debt:
    """A refused report: its reply is told by telephone."""
    phone = f"+86{number}"
    received = await hall.gateway.take_in(make_inbound(channel="phone", phone=phone, address=phone, wants_reply=True, **changes))
    await hall.gateway.perform(Command(received.case_no, "reject", CLERK, fields={"reason": "private", "way": "与邻居协商"}))
    [debt] = await hall.rows(Debt, case_no=received.case_no)
    return debt


async def talk_of(room: Room, hall: Hall, number: str, *, purpose: str = "reply", **changes: object) -> tuple[Call, Handset, Handset]:
    """The operator at 8001 rings a citizen by a click and talks with him."""
    debt = await reply_owed(hall, number, **changes)
    await behave(room.pstn, number, "answer", "w0")
    given = {"debt_id": debt.debt_id} if purpose == "reply" else {}
    call = await hall.board.outgoing.place(OPERATOR, case_no=debt.case_no, purpose=purpose, reason="答复", **given)
    _, operator = await first_ring(room, "8001")
    await answer(operator, "8001")
    citizen = await rung(room.public, room.pstn, number)
    await citizen.ami.user_event("PhoneAnswered", Number=number)
    await room.talk(citizen, operator)
    return call, citizen, operator


@pytest.mark.parametrize("keys", ["2", "2#"], ids=["the key alone", "ended with #"])
async def test_after_a_reply_told_the_citizen_rates_it_once(room: Room, hall: Hall, keys: str) -> None:
    """Thanks are the last word: whatever is keyed meanwhile, it is said to its end."""
    async with telephone(hall, settings_of(room.hotline)), at_the_desk(hall, room):
        call, citizen, operator = await talk_of(room, hall, "19900000051")
        await operator.hang_up()
        await citizen.do(f"n&q1500&d{keys}")
        await citizen.ended()
        assert room.prompts_on(citizen.heard, *ASKED) == ["rating_ask", "rating_thanks"]
        held = await hall.board.call(call.call_id)
        assert (held.rating, held.was_served) == (2, True)
        done = await hall.board.outgoing.end(call.call_id, OPERATOR, result="reached")
        assert (done.end, done.rating, done.operator_id) == ("ended", 2, OPERATOR_7)


async def test_a_citizen_who_was_on_hold_is_asked_too(room: Room, hall: Hall) -> None:
    """Being moved about does not make his leg forget where it goes afterwards."""
    async with telephone(hall, settings_of(room.hotline)) as phone, at_the_desk(hall, room):
        call, citizen, operator = await talk_of(room, hall, "19900000052")
        listed = f"confbridge list call-{call.call_id}"
        await phone.desk.hold(call.call_id)
        await until(lambda: room.pbx.command(listed), lambda told: str(told).count("PJSIP/") == 1)
        await phone.desk.unhold(call.call_id)
        await until(lambda: room.pbx.command(listed), lambda told: str(told).count("PJSIP/") == 2)
        await operator.hang_up()
        await citizen.do("n&q1500&d1")
        await citizen.ended()
        assert room.prompts_on(citizen.heard, *ASKED) == ["rating_ask", "rating_thanks"]
        assert (await hall.board.call(call.call_id)).rating == 1


@pytest.mark.parametrize(("number", "purpose", "confidential"), [("19900000053", "reply", True), ("19900000054", "contact", False)])
async def test_nobody_is_asked_in_a_confidential_case_or_after_a_first_contact(
    room: Room, hall: Hall, number: str, purpose: str, *, confidential: bool
) -> None:
    async with telephone(hall, settings_of(room.hotline)), at_the_desk(hall, room):
        call, citizen, operator = await talk_of(room, hall, number, purpose=purpose, confidential=confidential)
        await operator.hang_up()
        await citizen.ended()
        assert room.prompts_on(citizen.heard, *ASKED) == []
        assert (await hall.board.call(call.call_id)).rating == 0


async def test_after_a_call_back_the_citizen_is_asked_and_the_debt_is_paid(room: Room, hall: Hall) -> None:
    await hall.abandoned("19900000055")
    async with telephone(hall, settings_of(room.hotline)), at_the_desk(hall, room):
        await behave(room.pstn, "19900000055", "answer", "w0")
        [call] = await hall.rows(Call, purpose="callback")  # whoever becomes free is offered what is owed
        operator = await room.operator_answers("8001")
        await operator.do("n&q1500&d1")
        citizen = await rung(room.public, room.pstn, "19900000055")
        await room.talk(citizen, operator)
        await operator.hang_up()
        await citizen.do("n&q1500&d1")
        await citizen.ended()
        assert room.prompts_on(citizen.heard, *ASKED) == ["rating_ask", "rating_thanks"]
        held = await hall.board.call(call.call_id)
        assert (held.rating, held.end, held.result) == (1, "talked", "reached")
        assert [one.state for one in await hall.rows(CallBack)] == ["done"]


async def test_outside_hours_the_city_says_so_first(room: Room, hall: Hall) -> None:
    hall.night()
    async with telephone(hall, settings_of(room.hotline)):
        citizen = await room.citizen_rings("96310", caller="19900000056", script="n&q2500&h")
        await citizen.ended()
        heard = room.prompts_on(citizen.heard, "closed_greeting_96310", "greeting_96310", "recording_notice", "offer_closed")
        assert heard[:2] == ["closed_greeting_96310", "recording_notice"]
