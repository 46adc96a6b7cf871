"""Operators' lines and call-backs paid by them: states are rows, restarts know them, the exchange is only told."""

from datetime import timedelta

import pytest

from intake.call import CallBack, LineSpell, LineState, OperatorLine
from intake.errors import BadInput, NotAllowed, NotFound, Unavailable
from intake.model import Role
from intake.switchboard_marks import confirm_mark, marks_in_force
from tests.make import NOON, make_actor
from tests.phones import CALLER, LANDLINE, Hall, ended

OPERATOR = make_actor(Role.OPERATOR, user_id=7)


async def state_of(hall: Hall, user_id: int = 7) -> tuple[str, str]:
    line = await hall.board.lines.of(user_id)
    assert line is not None
    return line.state.value, line.reason


async def paid_with(hall: Hall, outcome: str) -> CallBack:
    """A call-back offered to the idle operator, whose attempt ended so."""
    await hall.seat()
    await hall.abandoned()
    assert await hall.board.callbacks.pay() == 1
    (line,) = await hall.rows(OperatorLine)
    await hall.board.finish(line.call_id, ended(outcome, flow="callback", served=outcome == "talked"))
    (owed,) = await hall.rows(CallBack)
    return owed  # type: ignore[no-any-return]


async def test_an_operators_day_is_written_down(hall: Hall) -> None:
    await hall.seat()
    hall.clock.pass_time(minutes=10)
    await hall.board.lines.pause(7, "meal")
    hall.clock.pass_time(minutes=30)
    await hall.board.lines.ready(7)
    await hall.served()
    assert await state_of(hall) == ("wrap_up", "")
    await hall.board.lines.finish_wrap_up(7)
    await hall.board.lines.log_out(7)
    spells = [(one.state.value, one.reason, (one.until_at - one.from_at).seconds) for one in await hall.rows(LineSpell)]
    assert spells == [("paused", "", 0), ("ready", "", 600), ("paused", "meal", 1800), ("ready", "", 0), ("ringing", "", 0),
                      ("talking", "", 60), ("wrap_up", "", 0), ("ready", "", 0)]  # fmt: skip
    assert hall.exchange.members == {}


async def test_lines_survive_a_restart_of_gateway_and_exchange(hall: Hall) -> None:
    await hall.seat()
    await hall.board.lines.pause(7, "training")
    hall.exchange.members.clear()
    (wanted,) = await hall.restarted().lines.wanted()
    assert (wanted.extension, wanted.state, wanted.reason, wanted.since_at) == ("8001", LineState.PAUSED, "training", NOON)


async def test_the_row_is_the_truth_while_the_exchange_is_away(hall: Hall) -> None:
    hall.exchange.connected = False
    await hall.seat()
    assert await state_of(hall) == ("ready", "")
    assert hall.exchange.members == {}


async def test_two_people_cannot_sit_at_one_telephone(hall: Hall) -> None:
    await hall.seat()
    with pytest.raises(BadInput):
        await hall.board.lines.log_in(8, "8001")
    await hall.board.lines.log_out(7)
    assert (await hall.board.lines.log_in(8, "8001")).user_id == 8


@pytest.mark.parametrize("extension", ["", "1", "8001;", "80 01", "0001", "1234567", "8001\r\nX"])
async def test_an_extension_is_three_to_six_digits(hall: Hall, extension: str) -> None:
    with pytest.raises(BadInput):
        await hall.board.lines.log_in(7, extension)


async def test_nobody_changes_his_state_in_the_middle_of_a_talk(hall: Hall) -> None:
    await hall.seat()
    call = await hall.ring()
    await hall.board.answered(call.call_id, "8001")
    for act in (hall.board.lines.ready(7), hall.board.lines.pause(7, "meal"), hall.board.lines.log_out(7)):
        with pytest.raises(BadInput):
            await act
    with pytest.raises(NotFound):
        await hall.board.lines.ready(9)
    with pytest.raises(BadInput):
        await hall.board.lines.pause(7, "golf")


async def test_a_forgotten_wrap_up_ends_by_itself(hall: Hall) -> None:
    await hall.seat()
    await hall.served()
    hall.clock.pass_time(seconds=29)
    assert await hall.board.lines.end_long_wrap_ups() == 0
    hall.clock.pass_time(seconds=1)
    assert await hall.board.lines.end_long_wrap_ups() == 1
    assert await state_of(hall) == ("ready", "")
    assert hall.exchange.members == {"8001": False}


async def test_telephones_that_rang_in_vain_are_free_again(hall: Hall) -> None:
    await hall.seat()
    await hall.seat(8, "8002")
    call = await hall.ring()
    for extension in ("8001", "8002"):
        await hall.board.ringing(call.call_id, extension)
    await hall.board.not_answered(call.call_id, "8001")
    assert await state_of(hall) == ("ready", "")
    await hall.board.ringing(call.call_id, "8001")
    await hall.board.answered(call.call_id, "8002")
    assert [await state_of(hall), await state_of(hall, 8)] == [("ready", ""), ("talking", "")]
    other = await hall.ring(LANDLINE)
    await hall.board.ringing(other.call_id, "8001")
    await hall.board.hung_up(other.call_id, hall.clock())
    assert await state_of(hall) == ("ready", "")


async def test_an_idle_operator_is_rung_first_and_the_citizen_only_by_his_key(hall: Hall) -> None:
    await hall.seat()
    await hall.abandoned(LANDLINE)
    hall.clock.pass_time(minutes=1)
    assert await hall.board.callbacks.pay() == 1
    assert await state_of(hall) == ("paused", "callback")
    ((extension, call_id),) = hall.exchange.of("offer_callback")
    assert extension == "8001"
    assert hall.exchange.of("dial_citizen") == []
    facts = await hall.board.facts(call_id)  # type: ignore[arg-type]
    assert facts == {"phone": "09905559001", "owed_s": "60", "rating": ""}
    answer = await hall.board.ask(call_id, "dial_citizen", {"phone": facts["phone"]})  # type: ignore[arg-type]
    assert answer == ("answered", {"target": "09905559001"})


async def test_a_paid_call_back_is_done_and_the_operator_sums_it_up(hall: Hall) -> None:
    owed = await paid_with(hall, "talked")
    assert (owed.state, owed.operator_id) == ("done", 7)
    assert await state_of(hall) == ("wrap_up", "")


@pytest.mark.parametrize(
    ("outcome", "state", "line"),
    [("no_answer", "owed", "ready"), ("busy", "owed", "ready"), ("postponed", "owed", "ready"), ("not_confirmed", "owed", "paused")],
)
async def test_an_attempt_in_vain_is_written_down_and_owed_again(hall: Hall, outcome: str, state: str, line: str) -> None:
    owed = await paid_with(hall, outcome)
    assert (owed.state, owed.outcome, owed.attempts) == (state, outcome, outcome in ("no_answer", "busy"))
    assert owed.next_at > hall.clock()
    assert (await state_of(hall))[0] == line
    assert await hall.board.callbacks.pay() == 0


async def test_no_citizen_is_rung_in_the_quiet_hours(hall: Hall) -> None:
    hall.night()
    await hall.seat()
    await hall.abandoned()
    assert await hall.board.callbacks.pay() == 0
    hall.morning()
    assert await hall.board.callbacks.pay() == 1
    (line,) = await hall.rows(OperatorLine)
    hall.night()
    assert (await hall.board.ask(line.call_id, "dial_citizen", {"phone": CALLER}))[0] == "refused"


async def test_those_who_did_not_answer_keep_nobody_behind_them_waiting(hall: Hall) -> None:
    """Two hundred were rung in vain and come again in an hour; the turn of the next one is now."""
    await hall.seat()
    before, again = hall.clock() - timedelta(hours=1), hall.clock() + timedelta(hours=1)
    tried = [CallBack(n, n, f"+8619900{n}", "12319", "abandoned", before, before, again, attempts=1) for n in range(10001, 10201)]
    await hall.store.write(lambda work: work.add(*tried))
    await hall.abandoned(LANDLINE)
    hall.clock.pass_time(minutes=1)
    assert await hall.board.callbacks.pay() == 1


async def test_two_gateways_do_not_ring_one_citizen_twice(hall: Hall) -> None:
    await hall.seat()
    await hall.seat(8, "8002")
    await hall.abandoned()
    first, second = hall.board, hall.restarted()
    assert await first.callbacks.pay() + await second.callbacks.pay() == 1


async def test_a_free_operator_takes_the_queue_until_the_call_backs_share_is_saved_up(hall: Hall) -> None:
    await hall.seat()
    await hall.abandoned()
    hall.clock.pass_time(minutes=1)
    waiting = await hall.ring(LANDLINE)
    await hall.board.queued(waiting.call_id, "hotline")
    assert await hall.board.callbacks.pay() == 0, "somebody waits: he is about to be rung"
    turns = []
    for number in range(2, 7):
        await hall.served(f"1990000000{number}")
        await hall.board.lines.finish_wrap_up(7)
        turns.append(len(hall.exchange.of("offer_callback")))
    assert turns == [0, 0, 0, 1, 1]


async def test_a_refusing_exchange_leaves_the_debt_and_the_operator_free(hall: Hall) -> None:
    await hall.seat()
    await hall.abandoned()
    hall.exchange.refusals = ["offer_callback"]
    assert await hall.board.callbacks.pay() == 0
    (owed,) = await hall.rows(CallBack)
    assert (owed.state, owed.outcome, owed.attempts) == ("owed", "cannot_dial", 0)
    assert await state_of(hall) == ("ready", "")


async def test_a_claim_nobody_ended_is_owed_again(hall: Hall) -> None:
    await hall.seat()
    await hall.abandoned()
    await hall.board.callbacks.pay()
    hall.clock.pass_time(minutes=11)
    assert await hall.restarted().callbacks.tidy() == 1
    assert [(one.state, one.outcome) for one in await hall.rows(CallBack)] == [("owed", "orphaned")]


async def test_a_marked_number_is_not_rung_but_one_in_danger_is(hall: Hall) -> None:
    await hall.seat()
    nuisance = await hall.served()
    await hall.board.lines.finish_wrap_up(7)
    mark = await hall.board.marks.add(nuisance.call_id, OPERATOR, reason="反复辱骂")
    assert (await hall.abandoned()).summary == "gave_up"
    assert await hall.rows(CallBack) == []

    call = await hall.ring()
    await hall.board.queued(call.call_id, "hotline")
    assert (await hall.board.ask(call.call_id, "emergency", {}))[0] == "duty"
    hall.clock.pass_time(seconds=30)
    await hall.board.finish(call.call_id, ended("abandoned", how="hung_up", queued=True))
    assert await hall.board.callbacks.pay() == 1, "a mark never stops a call for help"
    assert mark.expires_at > hall.clock()


async def test_marks_need_evidence_expire_and_are_lifted_by_the_leader(hall: Hall) -> None:
    await hall.seat()
    silent = await hall.abandoned(after_s=2)
    with pytest.raises(BadInput):
        await hall.board.marks.add(silent.call_id, OPERATOR, reason="无声")
    heard = await hall.served()
    with pytest.raises(BadInput):
        await hall.board.marks.add(heard.call_id, OPERATOR, reason=" ")
    with pytest.raises(NotAllowed):
        await hall.board.marks.add(heard.call_id, make_actor(Role.UNIT), reason="骚扰电话")
    mark = await hall.board.marks.add(heard.call_id, OPERATOR, reason="骚扰电话")
    assert [one.mark_id for one in await hall.board.marks.of_call(heard.call_id)] == [mark.mark_id]
    with pytest.raises(NotAllowed):
        await hall.board.marks.lift(mark.mark_id, OPERATOR, reason="误标")
    await hall.board.marks.lift(mark.mark_id, make_actor(Role.SHIFT_LEADER), reason="误标")
    assert await hall.board.marks.of_call(heard.call_id) == []
    await hall.board.marks.add(heard.call_id, OPERATOR, reason="骚扰电话")
    hall.clock.pass_time(days=91)
    assert await hall.board.marks.of_call(heard.call_id) == []


async def test_a_call_back_can_be_cancelled_by_the_centre_only(hall: Hall) -> None:
    await hall.abandoned()
    (owed,) = await hall.board.callbacks.owed()
    with pytest.raises(NotAllowed):
        await hall.board.callbacks.cancel(owed.callback_id, make_actor(Role.UNIT), "已联系")
    after = await hall.board.callbacks.cancel(owed.callback_id, OPERATOR, "已用短信联系")
    assert (after.state, after.closed_by) == ("cancelled", 7)
    assert await hall.board.callbacks.owed() == []


async def test_an_operator_dials_a_call_back_of_his_choice_by_hand(hall: Hall) -> None:
    await hall.abandoned(LANDLINE)
    await hall.abandoned()
    first, second = await hall.board.callbacks.owed()
    with pytest.raises(BadInput, match="分机"):
        await hall.board.callbacks.dial(second.callback_id, OPERATOR)
    await hall.board.lines.log_in(7, "8001")
    await hall.board.lines.log_in(8, "8002")
    call = await hall.board.callbacks.dial(second.callback_id, OPERATOR)
    assert hall.exchange.of("offer_callback") == [("8001", call.call_id)]
    assert await state_of(hall) == ("paused", "callback")
    with pytest.raises(BadInput, match="已有人在拨"):
        await hall.board.callbacks.dial(second.callback_id, make_actor(Role.OPERATOR, user_id=8))
    await hall.board.finish(call.call_id, ended("talked", flow="callback", served=True))
    rows = {one.callback_id: one for one in await hall.rows(CallBack)}
    assert (rows[second.callback_id].state, rows[second.callback_id].operator_id) == ("done", 7)
    assert rows[first.callback_id].state == "owed"


async def test_no_citizen_is_rung_by_hand_at_night_and_a_dead_exchange_leaves_the_debt(hall: Hall) -> None:
    await hall.seat()
    await hall.abandoned()
    (owed,) = await hall.board.callbacks.owed()
    with pytest.raises(NotAllowed):
        await hall.board.callbacks.dial(owed.callback_id, make_actor(Role.UNIT))
    hall.exchange.refusals = ["offer_callback"]
    with pytest.raises(Unavailable):
        await hall.board.callbacks.dial(owed.callback_id, OPERATOR)
    assert [(one.state, one.outcome) for one in await hall.rows(CallBack)] == [("owed", "cannot_dial")]
    hall.night()
    with pytest.raises(BadInput, match="免打扰"):
        await hall.board.callbacks.dial(owed.callback_id, OPERATOR)


async def test_the_leader_rules_on_marks_and_the_undecided_stand_first(hall: Hall) -> None:
    await hall.seat()
    leader, marks = make_actor(Role.SHIFT_LEADER), []
    for _ in range(2):
        call = await hall.served()
        await hall.board.lines.finish_wrap_up(7)
        marks.append(await hall.board.marks.add(call.call_id, OPERATOR, reason="反复辱骂"))
    with pytest.raises(NotAllowed):
        await hall.store.write(lambda work: confirm_mark(work, marks[1].mark_id, OPERATOR))
    confirmed = await hall.store.write(lambda work: confirm_mark(work, marks[1].mark_id, leader))
    again = await hall.store.write(lambda work: confirm_mark(work, marks[1].mark_id, leader))
    assert (again.confirmed_by, again.confirmed_at) == (leader.user_id, confirmed.confirmed_at)
    listed = await hall.store.read(lambda work: marks_in_force(work, limit=10))
    assert [one.mark_id for one in listed] == [marks[0].mark_id, marks[1].mark_id]
    with pytest.raises(BadInput):
        await hall.board.marks.lift(marks[0].mark_id, leader, reason=" ")
    await hall.board.marks.lift(marks[0].mark_id, leader, reason="误标")
    with pytest.raises(NotFound):
        await hall.board.marks.lift(marks[0].mark_id, leader, reason="误标")
    hall.clock.pass_time(days=91)
    assert await hall.store.read(lambda work: marks_in_force(work, limit=10)) == []
