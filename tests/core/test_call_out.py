"""Calls by operators, 来电小结, and who was told of a danger: each attempt is kept, each result pays the ledger's way."""

import pytest

from intake import call as words
from intake.call import Call, CallRecording, LineState, OperatorLine, Told
from intake.errors import BadInput, NotAllowed, Refused, Unavailable
from intake.model import Actor, Case, Role, State
from intake.records import Attachment, Debt, HistoryEntry, OutboxRow, Remark, Task, View
from intake.usecases import Command
from tests.make import make_actor, make_inbound
from tests.phones import CALLER_E164, LANDLINE_E164, Hall
from tests.phones import ended as outcome

OPERATOR, LEADER = make_actor(Role.OPERATOR, user_id=7), make_actor(Role.SHIFT_LEADER, user_id=9)


async def landline_case(hall: Hall, **changes: object) -> tuple[int, Debt]:
    """A refused report of a landline caller: its reply is an operator's call."""
    inbound = make_inbound(channel="phone", phone=LANDLINE_E164, address=LANDLINE_E164, wants_reply=True, **changes)
    received = await hall.gateway.take_in(inbound)
    fields = {"reason": "private", "way": "与邻居协商"}
    await hall.gateway.perform(Command(received.case_no, "reject", OPERATOR, fields=fields))
    (debt,) = await hall.rows(Debt, case_no=received.case_no)
    return received.case_no, debt


async def place(hall: Hall, actor: Actor = OPERATOR, **changes: object) -> Call:
    number, debt = await landline_case(hall)
    wanted: dict[str, object] = {"case_no": number, "purpose": "reply", "debt_id": debt.debt_id, "reason": "电话答复"}
    return await hall.board.outgoing.place(actor, **wanted | changes)  # type: ignore[arg-type]


async def test_a_landline_gets_no_text_message_but_an_operators_call(hall: Hall) -> None:
    await landline_case(hall)
    assert await hall.rows(OutboxRow) == []
    assert [task.kind for task in await hall.rows(Task)] == ["call_reply"]


async def test_click_to_call_rings_the_operator_and_hides_the_number(hall: Hall) -> None:
    await hall.seat()
    call = await place(hall)
    assert hall.exchange.of("call") == [("8001", "09905559001", call.call_id, "reply")]
    (line,) = await hall.rows(OperatorLine)
    assert (line.state, line.call_id) == (LineState.TALKING, call.call_id)
    (view,) = await hall.rows(View)
    assert (view.what, view.user_id) == ("call", 7)
    assert [remark.text for remark in await hall.rows(Remark, remark_id=view.reason_id)] == ["电话答复"]


@pytest.mark.parametrize(("result", "end", "tasks"), [("reached", "delivered", []), ("unreached", "", ["call_reply"]),
                                                      ("declined", "", ["call_reply"])])  # fmt: skip
async def test_the_result_pays_the_debt_or_leaves_it(hall: Hall, result: str, end: str, tasks: list[str]) -> None:
    await hall.seat()
    call = await place(hall)
    await hall.board.answered(call.call_id, "8001")
    await hall.board.left(call.call_id, "citizen")
    after = await hall.board.outgoing.end(call.call_id, OPERATOR, result=result)
    assert (after.result, after.case_no) == (result, call.case_no)
    assert [debt.end for debt in await hall.rows(Debt)] == [end]
    assert [task.kind for task in await hall.rows(Task, state="open")] == tasks
    steps = [line.step for line in await hall.rows(HistoryEntry)]
    assert steps.count("told_by_phone") == 1
    with pytest.raises(Refused):
        await hall.board.outgoing.end(call.call_id, OPERATOR, result=result)


async def test_each_attempt_is_kept(hall: Hall) -> None:
    await hall.seat()
    number, debt = await landline_case(hall)
    for _ in range(2):
        call = await hall.board.outgoing.place(OPERATOR, case_no=number, purpose="reply", debt_id=debt.debt_id, reason="答复")
        await hall.board.hung_up(call.call_id, hall.clock())
        await hall.board.outgoing.end(call.call_id, OPERATOR, result="unreached")
        assert (await hall.rows(OperatorLine))[0].state is LineState.WRAP_UP
    attempts = await hall.rows(Call, case_no=number)
    assert [one.result for one in attempts] == ["unreached", "unreached"]


async def test_nothing_is_rung_without_an_exchange_a_line_or_a_debt(hall: Hall) -> None:
    with pytest.raises(BadInput):
        await place(hall)
    await hall.seat()
    with pytest.raises(BadInput):
        await place(hall, debt_id=0)
    with pytest.raises(BadInput):
        await place(hall, reason=" ")
    hall.exchange.connected = False
    with pytest.raises(Unavailable):
        await place(hall)
    assert [one.end for one in await hall.rows(Call)] == ["not_placed"]
    assert (await hall.rows(OperatorLine))[0].state is LineState.READY
    hall.board.connect(None)
    with pytest.raises(Unavailable):
        await place(hall)


async def test_a_unit_reaches_the_citizen_of_its_own_case_through_the_desk(hall: Hall) -> None:
    received = await hall.gateway.take_in(make_inbound(phone=CALLER_E164))
    unit = make_actor(Role.UNIT, unit="*", user_id=20)
    await hall.seat(20, "8020")
    for step, actor, fields in (
        ("accept", OPERATOR, {"subclass": "event:0102"}),
        ("file", OPERATOR, {"condition": hall.gateway.city.taxonomy.conditions(_rubbish())[0], "waive_verify": "night"}),
        ("dispatch", make_actor(Role.DISPATCHER), {"unit": "cityadmin"}),
    ):
        await hall.gateway.perform(Command(received.case_no, step, actor, fields=fields))
    call = await hall.board.outgoing.place(unit, case_no=received.case_no, purpose="contact", reason="先行联系")
    assert hall.exchange.of("call")[0][1] == "19900000001"
    await hall.board.outgoing.end(call.call_id, unit, result="reached", opinion="约定下午三点到场")
    assert "先行联系：接通。约定下午三点到场" in [remark.text for remark in await hall.rows(Remark)]
    with pytest.raises(NotAllowed):
        await hall.board.outgoing.place(unit, case_no=received.case_no, purpose="revisit", reason="回访")


def _rubbish():  # type: ignore[no-untyped-def]
    from intake.model import Subclass

    return Subclass.parse("event:0102")


async def test_every_talk_ends_with_a_summary_of_the_list(hall: Hall) -> None:
    await hall.seat()
    call = await hall.served()
    with pytest.raises(BadInput):
        await hall.board.sum_up(call.call_id, OPERATOR, summary="chat")
    with pytest.raises(BadInput):
        await hall.board.sum_up(call.call_id, OPERATOR, summary="new_case")
    with pytest.raises(NotAllowed):
        await hall.board.sum_up(call.call_id, make_actor(Role.OPERATOR, user_id=8), summary="praise")
    after = await hall.board.sum_up(call.call_id, OPERATOR, summary="praise", note="表扬环卫工人")
    assert (after.summary, after.summed_by, after.note) == ("praise", 7, "表扬环卫工人")
    assert await hall.board.unsummed(7) == []
    assert len(words.SUMMARIES) == 15


async def test_a_talks_recording_goes_to_the_case_it_made(hall: Hall) -> None:
    await hall.seat()
    call = await hall.served()
    await hall.board.recorded(call.call_id, "talk", f"talk/{call.call_id}", 58.2, kind="talk")
    received = await hall.gateway.take_in(make_inbound(phone=CALLER_E164))
    await hall.board.sum_up(call.call_id, OPERATOR, summary="new_case", case_no=received.case_no)
    (recording,) = await hall.rows(CallRecording)
    (attachment,) = await hall.rows(Attachment)
    assert (recording.case_no, recording.duration_ms, attachment.token) == (received.case_no, 58200, recording.token)


async def test_who_was_told_first_stands_in_the_case_afterwards(hall: Hall) -> None:
    """先通知后补单: the unit's duty and 119 were told at 12:01; the case came at 12:11 and holds both, with the true time."""
    await hall.seat()
    call = await hall.served()
    hall.clock.pass_time(seconds=0)
    await hall.board.emergency(call.call_id, "unit:drainage", OPERATOR, person="值班李工")
    await hall.board.emergency(call.call_id, "119", OPERATOR, result="transferred")
    assert [(one.target, one.case_no) for one in await hall.rows(Told)] == [("unit:drainage", 0), ("119", 0)]
    hall.clock.pass_time(minutes=10)
    received = await hall.gateway.take_in(make_inbound(phone=CALLER_E164))
    await hall.board.sum_up(call.call_id, OPERATOR, summary="new_case", case_no=received.case_no)
    steps = [line.step for line in await hall.rows(HistoryEntry, case_no=received.case_no)]
    assert steps == ["receive", "alert", "note"]
    texts = " ".join(remark.text for remark in await hall.rows(Remark, case_no=received.case_no))
    assert "11月20日 12:01" in texts
    assert "消防救援" in texts
    assert {one.case_no for one in await hall.rows(Told)} == {received.case_no}
    (case,) = await hall.rows(Case)
    assert case.state is State.REPORTED
    with pytest.raises(BadInput):
        await hall.board.emergency(call.call_id, "nobody", OPERATOR)


async def test_the_screen_pop_shows_what_came_before(hall: Hall) -> None:
    await hall.seat()
    first = await hall.served()
    await hall.board.lines.finish_wrap_up(7)
    await hall.abandoned()
    received = await hall.gateway.take_in(make_inbound(phone=CALLER_E164))
    call = await hall.ring()
    view = await hall.board.caller_view(call.call_id, OPERATOR)
    assert [one.call_id for one in view.earlier][-1] == first.call_id
    assert [case.case_no for case in view.cases] == [received.case_no]
    assert view.owed is not None
    assert (await hall.board.recent("199 0000 0001"))[0].call_id == call.call_id
    with pytest.raises(NotAllowed):
        await hall.board.caller_view(call.call_id, make_actor(Role.UNIT))
    withheld = await hall.ring("anonymous")
    assert (await hall.board.caller_view(withheld.call_id, OPERATOR)).earlier == ()


@pytest.mark.parametrize(("purpose", "confidential", "rating"), [("reply", False, ""), ("reply", True, "not_asked"), ("contact", False, "not_asked")])
async def test_after_which_calls_the_citizen_is_asked_to_rate(hall: Hall, purpose: str, rating: str, *, confidential: bool) -> None:
    await hall.seat()
    number, debt = await landline_case(hall, confidential=confidential)
    given = {"debt_id": debt.debt_id} if purpose == "reply" else {}
    call = await hall.board.outgoing.place(OPERATOR, case_no=number, purpose=purpose, reason="答复", **given)
    assert await hall.board.facts(call.call_id) == {"rating": rating}
    assert await hall.board.ask(call.call_id, "save_rating", {"rating": "2"}) == ("saved", {})
    assert await hall.board.facts(call.call_id) == {"rating": "2"}, "once a call"


async def test_the_rating_ends_no_call_of_ours(hall: Hall) -> None:
    """The operator writes down what came of it before or after, and whoever the citizen speaks with then, the call stays his."""
    await hall.seat()
    call = await place(hall)
    await hall.board.answered(call.call_id, "8001")
    await hall.board.hung_up(call.call_id, hall.clock())
    await hall.board.keep_position(call.call_id, '{"flow": "rating"}')
    await hall.board.ask(call.call_id, "save_rating", {"rating": "1"})
    held = await hall.board.finish(call.call_id, outcome("rated", flow="rating"))
    assert (held.end, held.position, held.rating) == ("", "", 1)
    await hall.seat(8, "8002")
    assert (await hall.board.answered(call.call_id, "8002")).operator_id == 7
    done = await hall.board.outgoing.end(call.call_id, OPERATOR, result="reached")
    assert (done.end, done.result, done.rating) == ("ended", "reached", 1)


async def test_an_attempt_nobody_answered_is_so_written_down_by_itself(hall: Hall) -> None:
    await hall.seat()
    call = await place(hall)
    await hall.board.hung_up(call.call_id, hall.clock())
    hall.clock.pass_time(seconds=61)
    await hall.board.sweep()
    assert (await hall.board.call(call.call_id)).result == "unreached"
