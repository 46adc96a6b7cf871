"""Real calls that are given to another telephone which nobody picks up: the citizen comes back, and is not taken for served."""

from pathlib import Path

import pytest

from intake.call import Call, CallBack, Told
from intake.model import Role
from intake.profile import City
from intake.transfer import transfers_of
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.asterisk.calls import Telephone as Handset
from tests.asterisk.calls import answer, behave, rung
from tests.asterisk.gateway import until
from tests.asterisk.room import Room
from tests.fakes import FakeClock
from tests.journeys.test_call_faults import OPERATOR_7, at_the_desk, call_of, ended, settings_of, telephone
from tests.make import make_actor
from tests.phones import Hall

pytestmark = pytest.mark.servers
OPERATOR = make_actor(Role.OPERATOR, user_id=OPERATOR_7)
COLLEAGUE = 8
SERVED = ["to_person", "rating_ask", "rating_thanks", "goodbye"]


@pytest.fixture
def hall(store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Hall:
    return Hall(store, city, vault, clock, tmp_path)


async def taken(room: Room, hall: Hall, caller: str) -> tuple[Handset, Handset, Call]:
    """A citizen talks with the operator at 8001."""
    citizen = await room.citizen_rings(caller=caller)
    operator = await room.operator_answers("8001")
    call = await call_of(hall, citizen.caller)
    await until(lambda: hall.rows(Call, call_id=call.call_id), lambda found: bool(found[0].answered_at))  # type: ignore[index, misc]
    return citizen, operator, call


async def results(hall: Hall, call_id: int) -> list[str]:
    return [one.result for one in transfers_of(await hall.board.call(call_id))]


async def rings_again(room: Room, number: str, before: Handset) -> Handset:
    """The telephone rings for the second time."""
    event = await room.agents.event("UserEvent", UserEvent="PhoneRinging", where=lambda told: told["Number"] == number and told["Tag"] != before.tag)
    return Handset(room.desk, room.agents, event["Tag"], event["Channel"])


async def test_a_citizen_given_to_a_busy_telephone_goes_back_to_the_operator(room: Room, hall: Hall) -> None:
    await behave(room.agents, "8002", "busy")
    async with telephone(hall, settings_of(room.hotline)), at_the_desk(hall, room):
        citizen, operator, call = await taken(room, hall, "19900000041")
        await hall.board.transfers.to(call.call_id, "8002", OPERATOR, how="blind")
        again = await rings_again(room, "8001", operator)
        assert await results(hall, call.call_id) == ["busy"]
        assert not (await hall.board.call(call.call_id)).was_served
        await answer(again, "8001")
        await room.talk(citizen, again)
        await again.hang_up()
        await citizen.do("n&q1500&d1")
        await citizen.ended()
        assert room.prompts_on(citizen.heard, "given_back", "rating_ask", "goodbye") == ["given_back", "rating_ask", "goodbye"]
        assert room.is_on("operator", citizen.heard)
        done = await ended(hall, call.call_id)
        assert (done.end, done.rating, done.was_served) == ("served", 1, True)
        assert await hall.rows(CallBack) == []


async def test_who_gives_up_after_a_transfer_in_vain_is_owed_a_call(room: Room, hall: Hall) -> None:
    """Nobody is at the other telephone, the operator has gone for a break, the citizen waits in the queue and hangs up."""
    async with telephone(hall, settings_of(room.hotline)), at_the_desk(hall, room):
        citizen, _, call = await taken(room, hall, "19900000042")
        hall.clock.pass_time(seconds=30)
        await behave(room.agents, "8001", "busy")
        await hall.board.transfers.to(call.call_id, "8002", OPERATOR, how="blind")
        await until(lambda: joins(room, citizen) == 2)
        await citizen.hang_up()
        done = await ended(hall, call.call_id)
        assert (done.end, done.was_served) == ("abandoned", False)
        [owed] = await hall.rows(CallBack)
        assert (owed.number, owed.reason) == ("+8619900000042", "abandoned")


def joins(room: Room, citizen: Handset) -> int:
    """How often he has come into the queue, shown by his own number."""
    return sum(each["Event"] == "QueueCallerJoin" and each.get("CallerIDNum") == citizen.caller for each in room.pbx.seen)


async def test_an_operator_whose_third_is_busy_has_the_citizen_back(room: Room, hall: Hall) -> None:
    """110 asked in a warm transfer: the citizen on hold talks with the operator again, and that 110 was not reached is kept."""
    await behave(room.pstn, "110", "busy")
    async with telephone(hall, settings_of(room.hotline)), at_the_desk(hall, room):
        citizen, operator, call = await taken(room, hall, "19900000043")
        await hall.board.transfers.to(call.call_id, "110", OPERATOR, how="warm")
        await until(lambda: results(hall, call.call_id), lambda found: found == ["busy"])
        await until(lambda: room.pbx.command(f"confbridge list call-{call.call_id}"), lambda listed: str(listed).count("PJSIP/") == 2)
        await citizen.do(room.speak("citizen"))
        await operator.hang_up()
        await citizen.ended()
        await operator.ended()
        assert room.is_on("citizen", operator.heard)
        assert (await ended(hall, call.call_id)).was_served
        assert [(row.target, row.result) for row in await hall.rows(Told)] == [("110", "no_answer")]


async def test_an_operator_who_leaves_before_the_third_answers_has_not_served_him(room: Room, hall: Hall) -> None:
    await behave(room.pstn, "120", "ring")
    async with telephone(hall, settings_of(room.hotline)), at_the_desk(hall, room):
        citizen, operator, call = await taken(room, hall, "19900000044")
        await hall.board.transfers.to(call.call_id, "120", OPERATOR, how="warm")
        third = await rung(room.public, room.pstn, "120")
        await operator.hang_up()
        await until(lambda: hall.board.call(call.call_id), lambda held: held.giving == "ringing")  # type: ignore[attr-defined]
        await room.pstn.act("Hangup", Channel=third.channel, Cause=17)
        again = await rings_again(room, "8001", operator)
        await until(lambda: results(hall, call.call_id), lambda found: found == ["busy"])
        await answer(again, "8001")
        await room.talk(citizen, again)
        await citizen.hang_up()
        assert (await ended(hall, call.call_id)).was_served
        assert room.is_on("citizen", again.heard)


async def test_a_citizen_given_on_for_his_dialect_is_served_by_whoever_has_it_and_goes_there_at_once_next_time(
    room: Room, hall: Hall
) -> None:
    async with telephone(hall, settings_of(room.hotline)) as phone, at_the_desk(hall, room):
        await behave(room.agents, "8002", "ring")
        await hall.board.lines.log_in(COLLEAGUE, "8002", skills=["dialect"])
        await hall.board.lines.pause(COLLEAGUE, "meal")
        citizen, operator, call = await taken(room, hall, "19900000046")
        await hall.board.lines.ready(COLLEAGUE)
        await hall.board.transfers.to_skill(call.call_id, "dialect", OPERATOR)
        await operator.ended()
        other = await room.operator_answers("8002")
        await until(lambda: results(hall, call.call_id), lambda found: found == ["answered"])
        await room.talk(citizen, other)
        await other.hang_up()
        await citizen.do("n&q1500&d1#")
        await citizen.ended()
        assert room.prompts_on(citizen.heard, "to_person", "rating_ask", "rating_thanks", "goodbye") == SERVED
        done = await ended(hall, call.call_id)
        assert (done.end, done.rating, done.was_served, done.extension, done.queue) == ("served", 1, True, "8002", "hotline-dialect")
        await hall.board.lines.ready(COLLEAGUE)
        again = await room.citizen_rings(caller="19900000046")
        at_once = await rings_again(room, "8002", other)
        await answer(at_once, "8002")
        await again.hang_up()
        await phone.desk.log_out("8002")
