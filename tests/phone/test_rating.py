"""The rating after a call that an operator made, over FastAGI against a scripted Asterisk: the citizen's leg comes alone."""

from dataclasses import replace

import pytest

from intake.call import Call, LineState, OperatorLine
from tests.phone.conftest import Gateway
from tests.phone.fake_board import NOW

CITIZEN, OPERATOR = "PJSIP/trunk-00000009", "PJSIP/8001-00000001"


def placed(gateway: Gateway, purpose: str, **changes: object) -> None:
    """Call 1 was placed by the operator at 8001, and the citizen answered."""
    call = Call(1, purpose, "", "out:1", "", NOW, flow="", extension="8001", answered_at=NOW)
    gateway.board.calls[1] = replace(call, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("purpose", ["reply", "revisit"])
async def test_the_citizen_who_stays_on_the_line_is_asked_and_thanked(gateway: Gateway, purpose: str) -> None:
    placed(gateway, purpose)
    peer = await gateway.call("2", path="rating", arguments=("pbx", "1"), agi_channel=CITIZEN)
    assert peer.heard == ["zh/rating_ask", "zh/rating_thanks"]
    assert gateway.board.told[-1] == ("ask", 1, "save_rating", {"rating": "2"})
    assert peer.variables["GW_DONE"] == "1"
    assert ("hung_up", 1, "") in gateway.board.told


@pytest.mark.parametrize("keys", ["2#", "22", "2*1#"])
async def test_the_last_word_is_said_whatever_is_keyed_behind_the_answer(gateway: Gateway, keys: str) -> None:
    placed(gateway, "reply")
    peer = await gateway.call(keys, path="rating", arguments=("pbx", "1"), agi_channel=CITIZEN)
    assert peer.heard == ["zh/rating_ask", "zh/rating_thanks"]
    assert peer.variables["GW_DONE"] == "1"


async def test_one_who_is_not_to_be_asked_hears_nothing(gateway: Gateway) -> None:
    gateway.board.given = {"rating": "not_asked"}
    placed(gateway, "contact")
    peer = await gateway.call(path="rating", arguments=("pbx", "1"), agi_channel=CITIZEN)
    assert peer.heard == []
    assert peer.variables["GW_DONE"] == "1"


async def test_the_operators_leg_is_never_asked(gateway: Gateway) -> None:
    placed(gateway, "reply")
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "ANSWER", "PJSIP/trunk-1"), agi_channel=OPERATOR)
    assert peer.heard == []
    assert peer.variables["GW_DONE"] == "1"


async def test_a_unit_whose_citizen_did_not_answer_has_not_talked(gateway: Gateway) -> None:
    """Its own telephone is behind the trunk as well."""
    placed(gateway, "contact", answered_at=None, extension="")
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "NOANSWER", ""), agi_channel=CITIZEN)
    assert peer.variables["GW_DONE"] == "1"
    assert gateway.board.events("answered") == []


async def test_news_of_the_operators_hang_up_does_not_end_the_question(gateway: Gateway) -> None:
    """It may come before the citizen has answered, or after."""
    placed(gateway, "reply")
    peer = await gateway.call("h", path="rating", arguments=("pbx", "1"), agi_channel=CITIZEN)
    assert peer.heard == ["zh/rating_ask"]
    asked = len(gateway.board.outcomes)
    gateway.board.positions[1] = gateway.board.kept[-1]
    gateway.board.calls[1] = replace(gateway.board.calls[1], end="")
    await gateway.driver.steps.caller_gone(1, NOW)
    assert len(gateway.board.outcomes) == asked


async def test_a_call_back_that_was_talked_is_paid_before_its_citizen_is_asked(gateway: Gateway) -> None:
    gateway.board.given = {"phone": "19900001234", "owed_s": "600"}
    gateway.board.calls[1] = Call(1, "callback", "", "out:1", "12319", NOW, flow="callback", extension="8001")
    dialled = await gateway.call("1", path="callback", arguments=("pbx", "1"))
    assert dialled.variables["GW_RATE"] == "1"
    # The operator hangs up first: his leg is gone, the citizen's comes.
    await gateway.call("1", path="rating", arguments=("pbx", "1"), agi_channel=CITIZEN)
    ends = [line.name for line in gateway.lines if line.kind == "ended"]
    assert ends == ["talked", "rated"]


async def test_a_citizen_given_away_in_vain_goes_back_to_whoever_rang_him(gateway: Gateway) -> None:
    placed(gateway, "reply", giving="ringing")
    gateway.board.lines.rows = [OperatorLine(5, "8001", LineState.WRAP_UP, NOW, call_id=1)]
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "BUSY", ""), agi_channel=CITIZEN)
    assert peer.heard == ["zh/given_back"]
    assert (peer.variables["GW_NEXT"], peer.variables["GW_DIAL"]) == ("dial", "PJSIP/8001")
    assert gateway.board.events("rang") == [("rang", 1, "busy")]
    queued = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "NOANSWER", ""), agi_channel=CITIZEN)
    assert queued.variables["GW_NEXT"] == "queue"
