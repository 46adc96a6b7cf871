"""待回拨 and 骚扰标记 at the desk: dialled by hand, cancelled for a reason, ruled on by the shift leader only."""

from datetime import timedelta

from intake.call import CallBack, Mark
from intake.model import Role
from intake.telephony import Ring
from tests.channels.desk_hall import Hall
from tests.channels.desk_people import hire
from tests.make import NOON, PHONE
from tests.phones import ended


async def owed_to(hall: Hall, *, leg: str = "1", danger: bool = False) -> CallBack:
    """A call-back owed to somebody who queued for a minute and hung up."""
    call = await hall.board.ring(Ring("pbx", leg, "12319", PHONE.removeprefix("+86"), NOON - timedelta(minutes=1)))
    await hall.board.queued(call.call_id, "hotline")
    if danger:
        await hall.board.ask(call.call_id, "emergency", {})
    await hall.board.finish(call.call_id, ended("unserved", how="hung_up", queued=True, call_back=True))
    return (await hall.board.callbacks.owed())[-1]


async def test_an_operator_dials_the_call_back_he_chooses(hall: Hall) -> None:
    operator, owed = await hire(hall.gateway, Role.OPERATOR), await owed_to(hall)
    status, text = await hall.look(operator, "/desk/callbacks")
    assert status == 200
    assert "199****0001" in text
    assert PHONE[3:] not in text
    action = f"/desk/callbacks/{owed.callback_id}/dial"
    assert (await hall.press(operator, "/desk/callbacks", action))[0] == 422
    await hall.board.lines.log_in(operator.actor.user_id, "8001")
    status, text = await hall.press(operator, "/desk/callbacks", action)
    assert (status, "正在拨您的话机" in text) == (200, True)
    assert [extension for extension, _ in hall.exchange.of("offer_callback")] == ["8001"]
    assert action not in (await hall.look(operator, "/desk/callbacks"))[1]


async def test_a_call_back_is_cancelled_for_a_reason_only(hall: Hall) -> None:
    operator, owed = await hire(hall.gateway, Role.OPERATOR), await owed_to(hall)
    action = f"/desk/callbacks/{owed.callback_id}/cancel"
    assert (await hall.press(operator, "/desk/callbacks", action, reason=" "))[0] == 422
    assert len(await hall.board.callbacks.owed()) == 1
    assert (await hall.press(operator, "/desk/callbacks", action, reason="已用短信联系"))[0] == 200
    stored = (await hall.gateway.store.read(lambda work: work.find(CallBack)))[0]
    assert (stored.state, stored.outcome, stored.closed_by) == ("cancelled", "已用短信联系", operator.actor.user_id)


async def test_the_leader_rules_on_a_mark_with_its_evidence_before_him(hall: Hall) -> None:
    operator, leader = await hire(hall.gateway, Role.OPERATOR), await hire(hall.gateway, Role.SHIFT_LEADER, name="leader")
    call = await hall.board.ring(Ring("pbx", "9", "12319", PHONE.removeprefix("+86"), NOON))
    await hall.board.lines.log_in(operator.actor.user_id, "8001")
    await hall.board.answered(call.call_id, "8001")
    mark = await hall.board.marks.add(call.call_id, operator.actor, reason="反复辱骂")
    assert (await hall.look(operator, "/desk/marks"))[0] == 403
    status, text = await hall.look(leader, "/desk/marks")
    assert (status, "反复辱骂" in text, "199****0001" in text, "2月18日" in text) == (200, True, True, True)
    assert (await hall.press(leader, "/desk/marks", f"/desk/marks/{mark.mark_id}/confirm"))[0] == 200
    assert "已确认" in (await hall.look(leader, "/desk/marks"))[1]
    lift = f"/desk/marks/{mark.mark_id}/lift"
    assert (await hall.press(leader, "/desk/marks", lift, reason=""))[0] == 422
    assert (await hall.press(leader, "/desk/marks", lift, reason="误标"))[0] == 200
    stored = (await hall.gateway.store.read(lambda work: work.find(Mark)))[0]
    assert (stored.confirmed_by, stored.lifted_by) == (leader.actor.user_id, leader.actor.user_id)


async def test_a_marked_number_in_danger_is_shown_as_both_and_can_be_dialled(hall: Hall) -> None:
    operator = await hire(hall.gateway, Role.OPERATOR)
    await hall.board.lines.log_in(operator.actor.user_id, "8001")
    heard = await hall.board.ring(Ring("pbx", "9", "12319", PHONE.removeprefix("+86"), NOON))
    await hall.board.answered(heard.call_id, "8001")
    await hall.board.marks.add(heard.call_id, operator.actor, reason="反复辱骂")
    await hall.board.finish(heard.call_id, ended("served", served=True))
    owed = await owed_to(hall, danger=True)
    text = (await hall.look(operator, "/desk/callbacks"))[1]
    assert ("涉险" in text, "骚扰标记" in text) == (True, True)
    assert f"/desk/callbacks/{owed.callback_id}/dial" in text
