"""Transfers: whoever was given to a telephone that nobody picked up has not been served, and every attempt is kept."""

from datetime import timedelta

import pytest

from intake.call import Call, CallBack, LineState, OperatorLine, Told
from intake.errors import BadInput, NotAllowed, Refused, Unavailable
from intake.model import Role
from intake.switchboard_acts import waiting_now
from intake.transfer import Transfer, begun, ended, let_go, open_transfer, taken, transfers_of
from tests.make import make_actor
from tests.phones import CALLER_E164, Hall
from tests.phones import ended as outcome

OPERATOR = make_actor(Role.OPERATOR, user_id=7)


async def talking(hall: Hall) -> Call:
    """A citizen who waited ten seconds and talks with the operator at 8001."""
    await hall.seat()
    call = await hall.ring()
    await hall.board.queued(call.call_id, "hotline")
    hall.clock.pass_time(seconds=10)
    await hall.board.answered(call.call_id, "8001")
    hall.exchange.calls.add(call.call_id)
    return call


async def given_away(hall: Hall, to: str = "8002") -> Call:
    """The operator has given him on and is free; the other telephone rings."""
    call = await talking(hall)
    await hall.board.transfers.to(call.call_id, to, OPERATOR, how="blind")
    return await hall.board.left(call.call_id, "operator")


@pytest.mark.parametrize("result", ["busy", "no_answer", "refused"])
async def test_a_citizen_given_away_in_vain_is_owed_a_call_when_he_gives_up(hall: Hall, result: str) -> None:
    call = await given_away(hall)
    after = await hall.board.rang(call.call_id, result)
    assert not after.was_served
    assert await hall.store.read(lambda work: [one.call_id for one in waiting_now(work)]) == [call.call_id]
    await hall.board.hung_up(call.call_id, hall.clock())
    done = await hall.board.finish(call.call_id, outcome("abandoned", how="hung_up", queued=True))
    assert [one.result for one in transfers_of(done)] == [result]
    assert done.summary == "abandoned"
    (owed,) = await hall.rows(CallBack)
    assert (owed.number, owed.reason, owed.place_at) == (CALLER_E164, "abandoned", call.queued_at)


async def test_hanging_up_while_the_other_telephone_rings_is_no_service(hall: Hall) -> None:
    call = await given_away(hall)
    assert not call.was_served
    await hall.board.hung_up(call.call_id, hall.clock())
    done = await hall.board.finish(call.call_id, outcome("abandoned", how="hung_up", queued=True))
    assert [one.result for one in transfers_of(done)] == ["given_up"]
    assert len(await hall.rows(CallBack)) == 1


@pytest.mark.parametrize("taken_by", ["8001", "8002"])
async def test_whoever_takes_him_then_serves_him(hall: Hall, taken_by: str) -> None:
    """The one who was rung, or the operator who gave him and gets him back."""
    call = await given_away(hall)
    if taken_by == "8001":
        await hall.board.rang(call.call_id, "no_answer")
    await hall.board.answered(call.call_id, taken_by)
    await hall.board.left(call.call_id, "citizen")
    done = await hall.board.finish(call.call_id, outcome("served", queued=True, served=True))
    assert done.was_served
    assert [one.result for one in transfers_of(done)] == ["no_answer" if taken_by == "8001" else "answered"]
    assert await hall.rows(CallBack) == []


async def test_an_operator_who_stays_on_serves_him_whatever_the_third_does(hall: Hall) -> None:
    call = await talking(hall)
    await hall.board.transfers.to(call.call_id, "8002", OPERATOR, how="warm")
    after = await hall.board.rang(call.call_id, "busy")
    assert after.was_served
    assert [(one.how, one.result, one.by) for one in transfers_of(after)] == [("warm", "busy", 7)]


async def test_the_first_operator_hears_it_ring_again_and_stays_out_of_the_queue(hall: Hall) -> None:
    call = await given_away(hall)
    await hall.board.rang(call.call_id, "no_answer")
    await hall.board.ringing(call.call_id, "8001")
    (line,) = await hall.rows(OperatorLine)
    assert (line.state, line.call_id) == (LineState.WRAP_UP, call.call_id)
    await hall.board.answered(call.call_id, "8001")
    (line,) = await hall.rows(OperatorLine)
    assert line.state is LineState.TALKING


async def test_what_the_exchange_refuses_is_an_attempt_that_failed(hall: Hall) -> None:
    call = await talking(hall)
    hall.exchange.refusals.append("transfer")
    with pytest.raises(Refused):
        await hall.board.transfers.to(call.call_id, "8002", OPERATOR, how="warm")
    hall.exchange.connected = False
    with pytest.raises(Unavailable):
        await hall.board.transfers.to(call.call_id, "8003", OPERATOR, how="blind")
    held = await hall.board.call(call.call_id)
    assert [(one.to, one.result) for one in transfers_of(held)] == [("8002", "refused"), ("8003", "refused")]
    assert held.was_served
    with pytest.raises(BadInput):
        await hall.board.transfers.to(call.call_id, "8003", OPERATOR, how="somehow")
    with pytest.raises(NotAllowed):
        await hall.board.transfers.to(call.call_id, "8003", make_actor(Role.UNIT), how="warm")


@pytest.mark.parametrize(("how", "result", "told"), [("warm", "answered", "transferred"), ("three_way", "answered", "three_way"),
                                                     ("blind", "no_answer", "no_answer")])  # fmt: skip
async def test_who_of_the_emergency_services_was_reached_is_written_down(hall: Hall, how: str, result: str, told: str) -> None:
    call = await talking(hall)
    began = hall.clock()
    await hall.board.transfers.to(call.call_id, "119", OPERATOR, how=how)
    hall.clock.pass_time(seconds=30)
    await hall.board.rang(call.call_id, result)
    (row,) = await hall.rows(Told)
    assert (row.target, row.result, row.at, row.by) == ("119", told, began, 7)


@pytest.mark.parametrize(("result", "told"), [("answered", "transferred"), ("no_answer", "no_answer")])
async def test_a_duty_that_did_not_answer_was_not_told(hall: Hall, result: str, told: str) -> None:
    call = await hall.ring()
    assert (await hall.board.ask(call.call_id, "emergency", {}))[0] == "duty"
    await hall.board.rang(call.call_id, result)
    assert [row.result for row in await hall.rows(Told)] == [told]
    if result == "no_answer":
        hall.clock.pass_time(seconds=10)
        await hall.board.hung_up(call.call_id, hall.clock())
        done = await hall.board.finish(call.call_id, outcome("abandoned", how="hung_up", call_back=True))
        assert done.summary == "unserved"
        assert len(await hall.rows(CallBack)) == 1


async def test_a_gateway_killed_while_he_is_given_away_finds_him_not_served(hall: Hall) -> None:
    call = await given_away(hall)
    await hall.board.keep_position(call.call_id, '{"flow": "hotline", "served": true, "recordings": []}')
    board = hall.restarted()
    await board.hung_up(call.call_id, hall.clock())
    hall.clock.pass_time(seconds=61)
    await board.sweep()
    done = await board.call(call.call_id)
    assert (done.end, len(await hall.rows(CallBack))) == ("abandoned", 1)


@pytest.mark.parametrize(("told", "kept"), [(("refused", "busy"), "busy"), (("busy", "refused"), "busy"), (("refused", "no_answer"), "refused")])
async def test_the_true_reason_is_kept_in_whatever_order_it_is_told(hall: Hall, told: tuple[str, str], kept: str) -> None:
    call = await given_away(hall)
    for result in told:
        after = await hall.board.rang(call.call_id, result)
    assert ([one.result for one in transfers_of(after)], after.giving, after.was_served) == ([kept], kept, False)


DIALECT = "hotline-dialect"


async def colleague(hall: Hall, *, skills: tuple[str, ...] = ("dialect",)) -> None:
    await hall.board.lines.log_in(8, "8002", skills=skills)
    await hall.board.lines.ready(8)


async def given_for_dialect(hall: Hall) -> Call:
    call = await talking(hall)
    await hall.board.transfers.to_skill(call.call_id, "dialect", OPERATOR)
    return await hall.board.left(call.call_id, "operator")


async def test_a_citizen_given_on_for_a_skill_waits_for_it_at_his_place_and_it_is_remembered(hall: Hall) -> None:
    await colleague(hall)
    call = await given_for_dialect(hall)
    assert hall.exchange.of("queue_again") == [(call.call_id,)]
    assert await hall.board.queue_of(call.call_id) == DIALECT
    waits = await hall.board.queued(call.call_id, DIALECT)
    assert (waits.queued_at, waits.was_served, [one.words for one in transfers_of(waits)]) == (call.queued_at, False, ["转座席 方言：正在等候"])
    await hall.board.answered(call.call_id, "8002")
    await hall.board.left(call.call_id, "citizen")
    done = await hall.board.finish(call.call_id, outcome("served", queued=True, served=True))
    assert [(one.to, one.how, one.by, one.result) for one in transfers_of(done)] == [("dialect", "skill", 7, "answered")]
    assert done.was_served
    again = await hall.ring()
    assert await hall.board.queue_of(again.call_id) == DIALECT


async def test_who_waits_for_a_skill_that_nobody_has_any_more_waits_with_everybody(hall: Hall) -> None:
    await colleague(hall)
    call = await given_for_dialect(hall)
    await hall.board.lines.log_out(8)
    assert await hall.board.queue_of(call.call_id) == "hotline"
    waits = await hall.board.queued(call.call_id, "hotline")
    assert (waits.queued_at, waits.was_served, [one.result for one in transfers_of(waits)]) == (call.queued_at, False, ["no_answer"])
    await hall.board.hung_up(call.call_id, hall.clock())
    await hall.board.finish(call.call_id, outcome("abandoned", how="hung_up", queued=True))
    assert len(await hall.rows(CallBack)) == 1


async def test_nobody_is_sent_to_wait_for_a_skill_that_no_colleague_has(hall: Hall) -> None:
    """One's own skill is none to be given on for: the citizen is talking with whoever has it."""
    await colleague(hall, skills=("elder",))
    await hall.board.lines.log_in(7, "8001", skills=["dialect"])
    assert await hall.board.transfers.skills(OPERATOR) == {"elder": 1}
    call = await talking(hall)
    with pytest.raises(BadInput, match="没有这种座席"):
        await hall.board.transfers.to_skill(call.call_id, "dialect", OPERATOR)
    assert (await hall.board.call(call.call_id)).transfers == ""


async def test_a_citizen_whom_the_exchange_cannot_lead_on_stays_with_his_operator(hall: Hall) -> None:
    await colleague(hall)
    call = await talking(hall)
    hall.exchange.refusals.append("queue_again")
    with pytest.raises(Refused):
        await hall.board.transfers.to_skill(call.call_id, "dialect", OPERATOR)
    held = await hall.board.call(call.call_id)
    assert (held.was_served, [one.result for one in transfers_of(held)]) == (True, ["refused"])
    assert await hall.board.queue_of(call.call_id) == "hotline"


def test_an_attempt_is_open_until_something_came_of_it(clock_at: Call) -> None:
    attempt = Transfer("8002", "blind", 7, clock_at.started_at)
    ringing = let_go(begun(clock_at, attempt))
    assert (ringing.giving, open_transfer(ringing)) == ("ringing", attempt)
    assert (ended(ringing, "busy").giving, taken(ringing).giving) == ("busy", "")
    again = begun(ended(ringing, "busy"), Transfer("8003", "warm", 7, clock_at.started_at + timedelta(seconds=9)))
    assert [one.result for one in transfers_of(taken(again))] == ["busy", "answered"]
    assert let_go(clock_at) == clock_at


@pytest.fixture
def clock_at(hall: Hall) -> Call:
    return Call(1, "in", "pbx", "leg", "12319", hall.clock(), answered_at=hall.clock())
