"""先行联系: a unit is connected with the citizen of its own case through the hotline, and no number is seen by anybody."""

import pytest

from intake.call import Call
from intake.errors import Refused
from intake.gateway import Gateway
from intake.model import Case, Role
from intake.records import HistoryEntry, Remark, View
from tests.channels.desk_hall import Hall
from tests.channels.desk_people import Person, hire, report, take_step, walk
from tests.channels.html_form import form_to
from tests.make import PHONE

NATIONAL = PHONE.removeprefix("+86")


async def dispatched(gateway: Gateway, **changes: object) -> tuple[int, Person]:
    """A case that is with a unit, and one of its people."""
    number = await report(gateway, **changes)
    await walk(gateway, number, until="take", forwarded_text="鼓楼广场北侧有一堆垃圾")
    case = await gateway.store.read(lambda work: work.get(Case, number))
    assert case is not None
    return number, await hire(gateway, Role.UNIT, unit=case.unit)


async def calls(gateway: Gateway, number: int) -> list[Call]:
    return await gateway.store.read(lambda work: work.find(Call, case_no=number, purpose="contact", order="call_id"))


async def ask(hall: Hall, person: Person, number: int) -> tuple[int, str]:
    path = f"/desk/cases/{number}/contact"
    return await hall.press(person, path, path)


async def test_the_unit_is_rung_at_its_own_telephone_and_then_the_citizen(gateway: Gateway, hall: Hall) -> None:
    number, person = await dispatched(gateway)
    assert f"/desk/cases/{number}/contact" in await hall.page(person, f"/desk/cases/{number}")
    status, text = await ask(hall, person, number)
    assert status == 200
    assert "正在呼叫" in text
    own = gateway.rules.units[person.actor.unit].duty_phone
    [(rung, then, call_id, kind)] = hall.exchange.of("call")
    assert (rung, then, kind) == (own.replace("-", ""), NATIONAL, "contact")
    assert NATIONAL not in text
    assert own not in text
    [view] = await gateway.store.read(lambda work: work.find(View, case_no=number, what="call"))
    assert view.user_id == person.actor.user_id
    assert [one.call_id for one in await calls(gateway, number)] == [call_id]


@pytest.mark.parametrize(("result", "words"), [("reached", "接通"), ("unreached", "未接"), ("declined", "拒访")])
async def test_each_attempt_is_kept_with_its_result(gateway: Gateway, hall: Hall, result: str, words: str) -> None:
    number, person = await dispatched(gateway)
    await ask(hall, person, number)
    [call] = await calls(gateway, number)
    if result != "unreached":
        await hall.board.answered(call.call_id, "")
    await hall.board.hung_up(call.call_id, gateway.now())
    path = f"/desk/cases/{number}/contact"
    status, text = await hall.press(person, path, f"{path}/{call.call_id}", result=result, opinion="约定下午三点到场")
    assert status == 200
    assert words in text
    [after] = await calls(gateway, number)
    assert (after.result, after.end) == (result, "ended")
    notes = await gateway.store.read(lambda work: work.find(HistoryEntry, case_no=number, step="note"))
    assert [note.actor_id for note in notes] == [person.actor.user_id]
    assert f"先行联系：{words}。约定下午三点到场" in await gateway.store.read(_remarks(number))
    await ask(hall, person, number)
    assert len(await calls(gateway, number)) == 2


def _remarks(number: int):  # type: ignore[no-untyped-def]
    return lambda work: [remark.text for remark in work.find(Remark, case_no=number)]


async def test_who_was_not_answered_cannot_say_he_was_reached(gateway: Gateway, hall: Hall) -> None:
    number, person = await dispatched(gateway)
    await ask(hall, person, number)
    [call] = await calls(gateway, number)
    await hall.board.hung_up(call.call_id, gateway.now())
    path = f"/desk/cases/{number}/contact"
    status, text = await hall.press(person, path, f"{path}/{call.call_id}", result="reached")
    assert status == 422
    assert "没有接听" in text


async def test_one_call_at_a_time(gateway: Gateway, hall: Hall) -> None:
    number, person = await dispatched(gateway)
    form = form_to(await hall.page(person, f"/desk/cases/{number}/contact"), f"/desk/cases/{number}/contact")
    assert (await hall.send(person, form))[0] == 303
    status, text, _ = await hall.send(person, form)
    assert status == 422
    assert "正在为您接通" in text
    assert len(hall.exchange.of("call")) == 1


async def test_a_confidential_citizen_is_never_connected_with_a_unit(gateway: Gateway, hall: Hall) -> None:
    number, person = await dispatched(gateway, confidential=True)
    assert f"/desk/cases/{number}/contact" not in await hall.page(person, f"/desk/cases/{number}")
    page = await hall.page(person, f"/desk/cases/{number}/contact")
    assert "保密" in page
    assert f'action="/desk/cases/{number}/contact"' not in page
    data = {"csrf": person.csrf}
    answer = await hall.client.post(f"/desk/cases/{number}/contact", data=data, headers=person.browser)
    assert answer.status in (403, 422)
    assert hall.exchange.asked == []


async def test_others_are_not_let_in(gateway: Gateway, hall: Hall) -> None:
    """Another unit does not see the case at all; the centre rings from its own telephones."""
    number, person = await dispatched(gateway)
    stranger = await hire(gateway, Role.UNIT, unit="another", name="another")
    operator = await hire(gateway, Role.OPERATOR, name="centre")
    assert (await hall.look(stranger, f"/desk/cases/{number}/contact"))[0] == 404
    assert (await hall.look(operator, f"/desk/cases/{number}/contact"))[0] == 403
    await ask(hall, person, number)
    [call] = await calls(gateway, number)
    colleague = await hire(gateway, Role.UNIT, unit=person.actor.unit, name="colleague")
    told = {"csrf": colleague.csrf, "result": "unreached"}
    answer = await hall.client.post(f"/desk/cases/{number}/contact/{call.call_id}", data=told, headers=colleague.browser)
    assert answer.status == 404
    assert (await calls(gateway, number))[0].result == ""


async def test_without_an_exchange_or_when_it_refuses_the_page_says_so(gateway: Gateway, hall: Hall) -> None:
    number, person = await dispatched(gateway)
    path = f"/desk/cases/{number}/contact"
    form = form_to(await hall.page(person, path), path)
    hall.exchange.refusals.append("call")
    status, text, _ = await hall.send(person, form)
    assert status == 409
    assert Refused.message in text or "请" in text
    assert [one.result for one in await calls(gateway, number)] == ["unreached"]
    hall.board.connect(None)
    assert "电话系统没有接通" in await hall.page(person, path)


async def test_a_case_that_is_no_longer_worked_on_is_not_rung_for(gateway: Gateway, hall: Hall) -> None:
    number, person = await dispatched(gateway)
    await take_step(gateway, number, ("feedback", Role.UNIT, {"result": "垃圾已清走，地面已冲洗"}))
    status, text = await hall.look(person, f"/desk/cases/{number}/contact")
    assert status == 200
    assert "不在办理中" in text


