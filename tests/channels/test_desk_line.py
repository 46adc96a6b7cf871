"""话务 without a browser: one's own telephone, the room for the shift leader, a citizen rung by a click and what came of it."""

import pytest

from intake.call import Call, LineState
from intake.gateway import Gateway
from intake.model import Case, ReplyKind, Role
from intake.records import Debt, HistoryEntry
from intake.telephony import Ring
from tests.channels.desk_hall import Hall
from tests.channels.desk_people import Person, hire, report, walk
from tests.channels.html_form import form_to
from tests.make import NOON, PHONE


async def test_an_operator_logs_in_is_ready_has_a_break_and_logs_out(gateway: Gateway, hall: Hall) -> None:
    person = await hire(gateway, Role.OPERATOR)
    assert "离线" in await hall.page(person)
    assert (await hall.act(person, do="log_in", extension="8001", skill_dialect="1"))[0] == 303
    assert (await hall.line(person)).skills == ("dialect",)
    assert hall.exchange.members == {"8001": True}
    assert "另接方言来电" in await hall.page(person)
    assert (await hall.act(person, do="ready"))[0] == 303
    assert hall.exchange.members == {"8001": False}
    assert (await hall.act(person, do="pause", reason="meal"))[0] == 303
    assert "小休（用餐）" in await hall.page(person)
    assert (await hall.act(person, do="log_out"))[0] == 303
    assert hall.exchange.members == {}
    assert (await hall.line(person)).state is LineState.OFFLINE


@pytest.mark.parametrize(("typed", "words"), [
    ({"do": "log_in", "extension": "8 0"}, "分机号应为"), ({"do": "log_in", "extension": "八零零一"}, "分机号应为"),
    ({"do": "log_in", "extension": ""}, "分机号应为"), ({"do": "ready"}, "请先登录分机"),
])  # fmt: skip
async def test_what_cannot_be_done_is_said_on_the_page(
    gateway: Gateway, hall: Hall, typed: dict[str, str], words: str
) -> None:
    person = await hire(gateway, Role.OPERATOR)
    status, text, _ = await hall.act(person, **typed)
    assert status == 422
    assert words in text


async def test_a_telephone_has_one_operator(gateway: Gateway, hall: Hall) -> None:
    one, other = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="other")
    await hall.act(one, do="log_in", extension="8001")
    status, text, _ = await hall.act(other, do="log_in", extension="8001")
    assert status == 422
    assert "已有其他受理员" in text


async def test_without_an_exchange_the_state_is_kept_for_later(gateway: Gateway, hall: Hall) -> None:
    hall.board.connect(None)
    person = await hire(gateway, Role.OPERATOR)
    assert (await hall.act(person, do="log_in", extension="8001"))[0] == 303
    assert "电话系统没有接通" in await hall.page(person)


async def talking(hall: Hall, extension: str) -> Call:
    call = await hall.board.ring(Ring("pbx", "1", "12319", PHONE.removeprefix("+86"), NOON))
    await hall.board.queued(call.call_id, "hotline-dialect")
    await hall.board.answered(call.call_id, extension)
    hall.exchange.calls.add(call.call_id)
    return call


async def test_the_shift_leader_listens_and_whispers_at_his_own_telephone(gateway: Gateway, hall: Hall) -> None:
    operator, leader = await hire(gateway, Role.OPERATOR), await hire(gateway, Role.SHIFT_LEADER)
    await hall.act(operator, do="log_in", extension="8001")
    call = await talking(hall, "8001")
    button = form_to(await hall.page(leader), "/desk/phone/listen")
    assert (await hall.send(leader, button, do="listen"))[0] == 422, "he has not logged in anywhere"
    await hall.act(leader, do="log_in", extension="8900")
    for how in ("listen", "whisper"):
        status, _, led = await hall.send(leader, button, do=how)
        assert (status, led) == (303, f"/desk/phone?overheard={how}")
    assert hall.exchange.of("listen") == hall.exchange.of("whisper") == [(call.call_id, "8900")]
    hall.exchange.calls.clear()
    assert (await hall.send(leader, button, do="listen"))[0] == 409, "the call is over"


async def test_operators_neither_see_the_room_nor_listen(gateway: Gateway, hall: Hall) -> None:
    one, other = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="other")
    await hall.act(one, do="log_in", extension="8001")
    call = await talking(hall, "8001")
    text = await hall.page(other)
    assert "坐席" not in text
    posted = await hall.client.post("/desk/phone/listen", data={"csrf": other.csrf, "do": "listen", "call_id": str(call.call_id)},
                                    headers=other.browser)  # fmt: skip
    assert posted.status == 403
    assert hall.exchange.of("listen") == []


async def test_who_waits_is_shown_in_order_with_numbers_masked(gateway: Gateway, hall: Hall) -> None:
    person = await hire(gateway, Role.OPERATOR)
    call = await hall.board.ring(Ring("pbx", "1", "96310", PHONE.removeprefix("+86"), NOON))
    await hall.board.queued(call.call_id, "hotline-dialect")
    text = await hall.page(person)
    assert "排队 1 人" in text
    assert "找方言受理员" in text
    assert PHONE.removeprefix("+86") not in text


async def owed(gateway: Gateway, number: int, kind: ReplyKind) -> Debt:
    [debt] = await gateway.store.read(lambda work: work.find(Debt, case_no=number, kind=kind, end=""))
    return debt


async def ring_by_click(hall: Hall, person: Person, number: int, purpose: str) -> str:
    """The path of the call's page."""
    text = await hall.page(person, f"/desk/cases/{number}")
    at = text.index(f'name="purpose" value="{purpose}"')
    form = form_to(text[text.rindex("<form", 0, at):], "/desk/phone/calls")
    status, said, led = await hall.send(person, form)
    assert status == 303, said[:600]
    return led


@pytest.mark.parametrize(("result", "end"), [("reached", "delivered"), ("unreached", ""), ("declined", "")])
async def test_a_reply_by_click_is_told_by_phone(gateway: Gateway, hall: Hall, result: str, end: str) -> None:
    number = await report(gateway)
    await walk(gateway, number, until="file")
    person = await hire(gateway, Role.OPERATOR)
    await hall.act(person, do="log_in", extension="8001")
    debt = await owed(gateway, number, ReplyKind.FILING)
    led = await ring_by_click(hall, person, number, "reply")
    [asked] = hall.exchange.of("call")
    assert (asked[0], asked[3]) == ("8001", "reply")
    page = await hall.page(person, led)
    assert PHONE.removeprefix("+86") not in page, "the number stays hidden"
    assert (await hall.send(person, form_to(page, led), result=""))[0] == 422
    status, _, to_case = await hall.send(person, form_to(page, led), result=result)
    assert (status, to_case) == (303, f"/desk/cases/{number}#course")
    history = await gateway.store.read(lambda work: work.find(HistoryEntry, case_no=number, step="told_by_phone"))
    assert [line.refs["debt"] for line in history] == [debt.debt_id]
    after = await gateway.store.read(lambda work: work.get(Debt, debt.debt_id))
    assert after is not None
    assert after.end == end
    assert "结果已登记" in await hall.page(person, led)


async def test_a_call_by_click_needs_a_telephone_first(gateway: Gateway, hall: Hall) -> None:
    number = await report(gateway)
    person = await hire(gateway, Role.OPERATOR)
    form = form_to(await hall.page(person, f"/desk/cases/{number}"), "/desk/phone/calls")
    status, text, _ = await hall.send(person, form)
    assert status == 422
    assert "请先登录分机" in text
    assert hall.exchange.asked == []


async def test_a_strangers_call_is_not_shown(gateway: Gateway, hall: Hall) -> None:
    number = await report(gateway)
    one, other = await hire(gateway, Role.OPERATOR, name="one"), await hire(gateway, Role.OPERATOR, name="other")
    await hall.act(one, do="log_in", extension="8001")
    led = await ring_by_click(hall, one, number, "contact")
    for path in (led, "/desk/phone/calls/1", "/desk/phone/calls/x"):
        answer = await hall.client.get(path, headers=other.browser)
        assert answer.status == 404
    assert await gateway.store.read(lambda work: work.get(Case, number)) is not None
