"""The call screen gives a citizen on to colleagues who have a skill: offered by what they logged in with, kept with its result."""

from dataclasses import replace

from intake.call import Call
from intake.gateway import Gateway
from intake.model import Role
from intake.telephony import Ring
from intake.transfer import transfers_of
from tests.channels.desk_hall import Hall
from tests.channels.desk_people import Person, hire
from tests.channels.html_form import form_to
from tests.make import NOON, PHONE


async def talking(gateway: Gateway, hall: Hall, person: Person) -> tuple[Call, str]:
    """A call this operator talks in, and its page."""
    board = hall.board
    await board.lines.log_in(person.actor.user_id, "8001")
    await board.lines.ready(person.actor.user_id)
    call = await board.ring(Ring("pbx", "1.1", "12319", PHONE.removeprefix("+86"), NOON))
    await board.queued(call.call_id, "hotline")
    await board.answered(call.call_id, "8001")
    hall.exchange.calls.add(call.call_id)
    made = await hall.client.post(
        f"/desk/calls/by-call/{call.call_id}", data={"csrf": person.csrf}, headers=person.browser, allow_redirects=False
    )
    return call, made.headers["Location"]


async def test_a_citizen_is_given_on_for_a_skill_that_a_colleague_has(gateway: Gateway, hall: Hall) -> None:
    person, colleague = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.SHIFT_LEADER)
    call, path = await talking(gateway, hall, person)
    assert "转方言座席" not in await hall.page(person, path)
    await hall.board.lines.log_in(colleague.actor.user_id, "8002", skills=["dialect"])
    text = await hall.page(person, path)
    assert "转方言座席" in text
    assert "转老年人座席" not in text
    form = replace(form_to(text, path), action=f"{path}/phone")
    status, _, where = await hall.send(person, form, do="skill_dialect")
    assert (status, where) == (303, path)
    assert hall.exchange.of("queue_again") == [(call.call_id,)]
    assert "转座席 方言：正在等候" in await hall.page(person, path)
    assert [(one.how, one.to) for one in transfers_of(await hall.board.call(call.call_id))] == [("skill", "dialect")]


async def test_a_skill_nobody_has_or_that_does_not_exist_is_refused(gateway: Gateway, hall: Hall) -> None:
    person = await hire(gateway, Role.OPERATOR)
    _, path = await talking(gateway, hall, person)
    form = replace(form_to(await hall.page(person, path), path), action=f"{path}/phone")
    for name, words in (("skill_dialect", "现在没有这种座席签入"), ("skill_../x", "没有这项操作"), ("skill_", "没有这项操作")):
        status, text, _ = await hall.send(person, form, do=name)
        assert status == 422
        assert words in text
    assert hall.exchange.of("queue_again") == []
