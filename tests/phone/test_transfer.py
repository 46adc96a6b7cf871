"""A caller is given to another telephone, over FastAGI against a scripted Asterisk: what he hears, and what the flow makes of it."""

from dataclasses import replace

import pytest

from channels.phone.happening import Happening, happening
from channels.phone.told import Told
from intake.call import LineState, OperatorLine
from tests.phone.agi_peer import Spoken
from tests.phone.conftest import Gateway
from tests.phone.fake_board import NOW


async def test_a_caller_given_away_in_vain_goes_back_to_whoever_gave_him_and_then_to_the_queue(gateway: Gateway) -> None:
    """Said to him first; the attempt is told to the switchboard, and nobody has served him when he hangs up."""
    await gateway.call()
    await gateway.driver.steps.person_answered(1, "8001")
    gateway.board.lines.rows = [OperatorLine(5, "8001", LineState.WRAP_UP, NOW, call_id=1)]
    back = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "BUSY", ""))
    assert (back.variables["GW_NEXT"], back.variables["GW_DIAL"]) == ("dial", "PJSIP/8001")
    assert back.heard == ["zh/given_back"]
    assert gateway.board.events("rang") == [("rang", 1, "busy")]
    queued = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "NOANSWER", ""))
    assert (queued.variables["GW_NEXT"], queued.variables["GW_PLACE"]) == ("queue", "3")
    assert len(gateway.board.events("rang")) == 1
    await gateway.driver.steps.caller_gone(1, NOW)
    outcome = gateway.board.outcomes[1]
    assert (outcome.end, outcome.served) == ("abandoned", False)


@pytest.mark.parametrize("state", [LineState.TALKING, LineState.RINGING, LineState.OFFLINE])
async def test_whoever_is_busy_again_is_not_rung_for_the_caller_he_gave_away(gateway: Gateway, state: LineState) -> None:
    await gateway.call()
    await gateway.driver.steps.person_answered(1, "8001")
    gateway.board.lines.rows = [OperatorLine(5, "8001", state, NOW)]
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "NOANSWER", ""))
    assert peer.variables["GW_NEXT"] == "queue"


async def test_a_caller_who_hangs_up_while_he_is_given_away_was_not_served(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.driver.steps.person_answered(1, "8001")
    gateway.board.calls[1] = replace(gateway.board.calls[1], giving="ringing")
    await gateway.call(path="ended", arguments=("pbx", "1", "dial", "CANCEL", ""))
    assert (gateway.board.outcomes[1].end, gateway.board.outcomes[1].served) == ("abandoned", False)


async def test_a_caller_given_on_for_a_skill_waits_again_at_his_place(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.driver.steps.person_answered(1, "8001")
    gateway.board.given = {"queue": "hotline-dialect"}
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "given", "", ""))
    assert peer.heard == ["zh/to_person"]
    assert [peer.variables[name] for name in ("GW_NEXT", "GW_QUEUE", "GW_PLACE")] == ["queue", "hotline-dialect", "3"]
    assert gateway.board.events("left")[-1] == ("left", 1, "operator")
    await gateway.driver.steps.caller_gone(1, NOW)
    assert (gateway.board.outcomes[1].end, gateway.board.outcomes[1].served) == ("abandoned", False)


async def test_a_gateway_that_dies_meanwhile_leaves_him_waiting_for_that_skill(gateway: Gateway) -> None:
    """The dialplan asks a second time when the first answer never came."""
    await gateway.call()
    await gateway.driver.steps.person_answered(1, "8001")
    gateway.board.given = {"queue": "hotline-dialect"}
    await gateway.call(path="resume", arguments=("pbx", "1", "given", "", ""))
    again = await gateway.call(path="resume", arguments=("pbx", "1", "again"))
    assert (again.variables["GW_NEXT"], again.variables["GW_QUEUE"]) == ("queue", "hotline-dialect")


@pytest.mark.parametrize("status", ["JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL"])
async def test_a_queue_of_a_skill_that_is_empty_leads_to_everybodys(gateway: Gateway, status: str) -> None:
    """He is not told that nobody is there: somebody is, only not with that skill."""
    gateway.board.given = {"queue": "hotline-dialect"}
    await gateway.call()
    gateway.board.calls[1] = replace(gateway.board.calls[1], queue="hotline-dialect")
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "queue", status, ""))
    assert [peer.variables[name] for name in ("GW_NEXT", "GW_QUEUE", "GW_PLACE")] == ["queue", "hotline", "3"]
    assert peer.heard == []
    gateway.board.calls[1] = replace(gateway.board.calls[1], queue="hotline")
    nobody = await gateway.call("h", path="resume", arguments=("pbx", "1", "queue", status, ""))
    assert nobody.heard == ["zh/offer_nobody"]


async def test_a_transfer_answered_while_the_link_was_down_is_a_talk(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.driver.steps.person_answered(1, "8001")
    gateway.board.calls[1] = replace(gateway.board.calls[1], giving="ringing")
    await gateway.call(path="ended", arguments=("pbx", "1", "dial", "ANSWER", "PJSIP/8002-00000001"))
    assert gateway.board.events("answered")[-1] == ("answered", 1, "8002")
    assert (gateway.board.outcomes[1].end, gateway.board.outcomes[1].served) == ("served", True)


async def test_what_came_of_ringing_the_duty_is_told(gateway: Gateway) -> None:
    gateway.board.acts = {"queue_position": "closed"}
    peer = await gateway.call("5")
    assert peer.variables["GW_NEXT"] == "dial"
    await gateway.call(Spoken(3.0, "#"), "1", path="resume", arguments=("pbx", "1", "dial", "CHANUNAVAIL", ""))
    assert gateway.board.events("rang") == [("rang", 1, "refused")]
    assert gateway.board.outcomes[1].end == "message_left"


@pytest.mark.parametrize(("response", "reason", "result"), [("Success", "4", "answered"), ("Failure", "5", "busy"), ("Failure", "3", "no_answer"),
                                                             ("Failure", "1", "no_answer"), ("Failure", "8", "refused")])  # fmt: skip
def test_what_came_of_calling_somebody_in_is_known_by_the_name_of_the_action(response: str, reason: str, result: str) -> None:
    told = Told("OriginateResponse", {"actionid": "third/7/1", "response": response, "reason": reason})
    assert happening(told) == Happening("third", 7, cause=result)


@pytest.mark.parametrize(("status", "result"), [("BUSY", "busy"), ("NOANSWER", "no_answer"), ("CHANUNAVAIL", "refused")])
def test_why_a_third_did_not_come_is_told_by_the_end_of_the_dial(status: str, result: str) -> None:
    """The answer to the action says 0 for a busy telephone as for one that is not there."""
    told = Told("DialEnd", {"channel": "", "destchannel": "PJSIP/8002-00000002", "destuniqueid": "third-7-1", "dialstatus": status,
                            "destchanvariable": "CALL_ID=7"})  # fmt: skip
    assert happening(told) == Happening("rang", 7, "8002", result)
    outside = Told("DialEnd", {**told.values, "destchannel": "PJSIP/trunk-00000002"})
    assert happening(outside) == Happening("rang", 7, "", result)
    assert happening(Told("DialEnd", {**told.values, "dialstatus": "ANSWER"})) is None


def test_a_colleague_who_lets_it_ring_is_free_again() -> None:
    told = Told("DialEnd", {"channel": "PJSIP/trunk-00000001", "context": "hotline-dial", "dialstatus": "NOANSWER",
                            "destchannel": "PJSIP/8002-00000002", "chanvariable": "CALL_ID=7"})  # fmt: skip
    assert happening(told) == Happening("not_answered", 7, "8002")
