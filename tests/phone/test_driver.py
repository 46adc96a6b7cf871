"""Call flows over FastAGI against a scripted Asterisk: equal keys give the transcript the keyboard gives."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from channels.phone import leg, talk
from intake.call import Call
from intake.commands.dial import FACTS, sample_outside
from ivr import events as on
from ivr.engine import begin, step
from ivr.keyboard import Surroundings, walk
from ivr.library import shipped_flow
from ivr.position import from_json, to_json
from ivr.transcript import Line
from tests.phone.agi_peer import Spoken
from tests.phone.conftest import PROMPTS, Gateway
from tests.phone.fake_board import NOW, FakeBoard

CASE_NO = "26112000007"


def keyboard(flow: str, facts: dict[str, str], *typed: str, acts: dict[str, str] | None = None) -> list[Line]:
    lines: list[Line] = []
    keys: Iterator[str] = iter(typed)
    around = Surroundings(read=lambda: next(keys, "h"), answer=sample_outside(acts or {}), write=lines.append)
    walk(shipped_flow(flow), facts, prompts=PROMPTS, around=around)
    return lines


async def test_the_hotline_says_its_greeting_and_leaves_the_caller_to_the_queue(gateway: Gateway) -> None:
    peer = await gateway.call()
    assert peer.heard[:2] == ["zh/greeting_12319", "zh/recording_notice"]
    assert peer.variables["GW_NEXT"] == "queue"
    assert (peer.variables["GW_QUEUE"], peer.variables["GW_TIMEOUT"], peer.variables["GW_PLACE"]) == ("hotline", "45", "")
    assert peer.variables["__CALL_ID"] == "1"
    assert "GW_DONE" not in peer.variables
    assert gateway.board.events("queued") == [("queued", 1, "hotline")]


async def test_the_other_number_has_a_greeting_of_its_own(gateway: Gateway) -> None:
    peer = await gateway.call(arguments=("pbx", "96310"))
    assert peer.heard[0] == "zh/greeting_96310"


async def test_a_talk_and_its_rating_give_the_transcript_of_the_keyboard(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.driver.steps.person_answered(1, "8001")
    peer = await gateway.call("1", path="resume", arguments=("pbx", "1", "queue", "CONTINUE", "PJSIP/8001"))
    assert peer.variables["GW_DONE"] == "1"
    assert gateway.lines == keyboard("hotline", {"caller": "19900001234"}, "p", "l", "1")
    assert gateway.board.outcomes[1].end == "served"


async def test_a_message_left_while_waiting_gives_the_transcript_of_the_keyboard(gateway: Gateway) -> None:
    await gateway.call()
    peer = await gateway.call(Spoken(8.0, "#"), "9", "1", path="resume", arguments=("pbx", "1", "key", "1"))
    assert gateway.lines == keyboard("hotline", {"caller": "19900001234"}, "1", "四" * 32 + "#", "9", "1")
    assert peer.variables["GW_DONE"] == "1"
    (recorded,) = gateway.board.events("recorded")
    assert recorded[2:] == ("message", recorded[3], 8.0, "message")
    assert f"/rec/{recorded[3]}" in peer.heard


async def test_a_case_is_looked_up_by_keypad_like_at_the_keyboard(gateway: Gateway) -> None:
    await gateway.call()
    script = ("9", f"{CASE_NO}#", "000000#", f"{CASE_NO}#", "123456#", "#")
    peer = await gateway.call(*script, path="resume", arguments=("pbx", "1", "key", "2"))
    assert gateway.lines == keyboard("hotline", {"caller": "19900001234"}, "2", *script)[: len(gateway.lines)]
    assert ("ask", 1, "case_status", {"case_no": CASE_NO, "code": "123456"}) in gateway.board.told
    assert peer.variables["GW_PLACE"] == "3", "he keeps his place"


async def test_hash_behind_a_single_key_does_not_answer_the_next_question(gateway: Gateway) -> None:
    await gateway.call()
    peer = await gateway.call("9#", f"{CASE_NO}#", "123456#", "#", path="resume", arguments=("pbx", "1", "key", "2"))
    assert ("ask", 1, "case_status", {"case_no": CASE_NO, "code": "123456"}) in gateway.board.told
    assert peer.heard.count("zh/ask_case_no") == 2, "the question is put again from its beginning"


async def test_hang_up_while_speaking_keeps_the_recording(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leg, "TONE_S", -4.0)  # as if he had spoken for four seconds
    await gateway.call()
    await gateway.call(Spoken(4.0, gone=True), path="resume", arguments=("pbx", "1", "key", "1"))
    outcome = gateway.board.outcomes[1]
    assert outcome.taken_in
    assert [round(take.seconds) for take in outcome.recordings] == [4]
    assert gateway.board.events("recorded")[0][2] == "message"


async def test_silence_is_told_apart_from_speech(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.call(Spoken(0.0), Spoken(0.0), path="resume", arguments=("pbx", "1", "key", "1"))
    assert gateway.board.events("recorded") == []
    assert gateway.lines[-1].kind == "handed"


@pytest.mark.parametrize(("status", "event"), [("TIMEOUT", "timeout"), ("JOINEMPTY", "nobody"), ("FULL", "nobody"), ("LEAVEEMPTY", "nobody")])
async def test_what_the_queue_came_to_is_told_to_the_flow(gateway: Gateway, status: str, event: str) -> None:
    await gateway.call()
    await gateway.call(path="resume", arguments=("pbx", "1", "queue", status))
    assert event in [line.kind for line in gateway.lines]


async def test_a_caller_who_hangs_up_in_the_queue_has_an_outcome(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.driver.steps.caller_gone(1, NOW, "16")
    outcome = gateway.board.outcomes[1]
    assert (outcome.end, outcome.how, outcome.queued, outcome.served) == ("abandoned", "hung_up", True, False)
    assert gateway.board.told[-1] == ("hung_up", 1, "16")


async def test_the_dialplan_may_tell_of_the_end_and_is_told_that_it_is_kept(gateway: Gateway) -> None:
    await gateway.call()
    peer = await gateway.call(path="ended", arguments=("pbx", "1", "queue", "", ""))
    assert peer.variables["GW_DONE"] == "1"
    again = await gateway.call(path="ended", arguments=("pbx", "1", "queue", "", ""))
    assert again.variables["GW_DONE"] == "1"
    assert gateway.board.outcomes[1].how == "hung_up"


async def test_a_talk_the_citizen_ended_is_recorded_although_ami_was_away(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.call(path="ended", arguments=("pbx", "1", "queue", "", "PJSIP/8001"))
    assert ("answered", 1, "8001") in gateway.board.told
    assert ("left", 1, "citizen") in gateway.board.told
    assert gateway.board.events("recorded")[0][3] == "talk/1"
    assert gateway.board.outcomes[1].served is False or gateway.board.outcomes[1].end == "served"


async def test_a_restarted_gateway_takes_up_where_the_call_stood(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.call(Spoken(4.0, "#"), path="resume", arguments=("pbx", "1", "key", "1"))
    gateway.board.calls[1] = replace(gateway.board.calls[1], end="")
    gateway.board.positions[1] = gateway.board.kept[-1]  # what a gateway killed at the review would have left
    peer = await gateway.call("1", path="resume", arguments=("pbx", "1", "again", ""))
    assert peer.heard[0] == "zh/message_review"
    assert peer.variables["GW_DONE"] == "1"


async def test_what_was_said_while_the_gateway_was_killed_is_taken_up(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.call("h", path="resume", arguments=("pbx", "1", "key", "2"))
    said = begin_message(gateway)
    peer = await gateway.call("1", path="resume", arguments=("pbx", "1", "again", ""), variables={"GW_TAKE": f"DTMF:64044:/rec/{said}"})
    assert gateway.board.events("recorded")[0][3:5] == (said, 4.0)
    assert peer.heard[0] == "zh/message_review"
    assert peer.variables["GW_DONE"] == "1"


async def test_who_hangs_up_while_the_gateway_is_away_has_his_message_looked_for(gateway: Gateway) -> None:
    await gateway.call()
    said = begin_message(gateway)
    await gateway.call(path="ended", arguments=("pbx", "1", "", "", ""))
    assert gateway.board.events("recorded")[0][3] == said
    assert gateway.board.outcomes[1].taken_in


def begin_message(gateway: Gateway) -> str:
    """A call whose caller is being asked to speak, as a killed gateway left it; the name of his recording."""
    flow = shipped_flow("hotline")
    position = begin(flow)
    for event in (on.Started({"caller": "19900001234"}), on.ActResult("queue_position", "free"), on.Digits("1")):
        position, _ = step(position, event, flow=flow)
    gateway.board.calls[1] = replace(gateway.board.calls[1], end="")
    gateway.board.positions[1] = to_json(position)
    return f"message/1-message-{position.steps}"


async def test_a_call_that_has_ended_is_only_hung_up(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.driver.steps.caller_gone(1, NOW)
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "again", ""))
    assert peer.heard == []
    assert peer.variables["GW_DONE"] == "1"


async def test_the_same_leg_ringing_twice_is_one_call(gateway: Gateway) -> None:
    await gateway.call()
    peer = await gateway.call()
    assert len(gateway.board.calls) == 1
    assert peer.variables["GW_NEXT"] == "queue"


async def test_a_call_goes_on_while_the_database_is_away(gateway: Gateway) -> None:
    gateway.board.is_down = True
    peer = await gateway.call()
    assert peer.variables["GW_NEXT"] == "queue"


async def test_a_position_nobody_can_read_begins_the_call_anew(gateway: Gateway) -> None:
    await gateway.call()
    gateway.board.positions[1] = "no position"
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "again", ""))
    assert peer.heard[0] == "zh/greeting_12319"


async def test_a_callback_is_dialled_by_the_dialplan_and_its_result_is_told(gateway: Gateway) -> None:
    gateway.board.given = {"phone": "19900001234", "owed_s": "600"}
    await gateway.call()  # makes call 1
    gateway.board.positions.clear()
    gateway.lines.clear()
    peer = await gateway.call("1", path="callback", arguments=("pbx", "1"))
    assert (peer.variables["GW_NEXT"], peer.variables["GW_DIAL"]) == ("dial", "PJSIP/19900001234@trunk")
    assert from_json(gateway.board.positions[1]).flow == "callback"
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "BUSY", ""))
    assert gateway.lines == keyboard("callback", {"phone": "19900001234", "owed_s": "600"}, "1", acts={"dial_citizen": "busy"})
    assert gateway.board.outcomes[1].end == "busy"


async def test_a_callback_that_was_answered_ends_as_talked(gateway: Gateway) -> None:
    gateway.board.given = {"phone": "19900001234", "owed_s": "600"}
    await gateway.call()
    gateway.board.positions.clear()
    await gateway.call("1", path="callback", arguments=("pbx", "1"))
    await gateway.call(path="resume", arguments=("pbx", "1", "dial", "ANSWER", "PJSIP/trunk-00000001"))
    assert gateway.board.outcomes[1].end == "talked"
    assert gateway.board.events("recorded")[0][5] == "talk"


async def test_a_reply_by_voice_knows_a_machine(gateway: Gateway) -> None:
    gateway.board.given = dict(FACTS["reply_by_voice"]) | {"answered_by": "person", "case_no": CASE_NO}
    await gateway.call()
    gateway.board.positions.clear()
    peer = await gateway.call(path="voice-reply", arguments=("pbx", "1", "machine"))
    assert peer.heard == []
    assert gateway.board.outcomes[1].end == "machine"


async def test_a_call_by_click_ends_without_a_flow(gateway: Gateway) -> None:
    await gateway.call()
    gateway.board.positions.clear()
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "ANSWER", "PJSIP/trunk-00000001"))
    assert peer.variables["GW_DONE"] == "1"
    assert ("left", 1, "operator") in gateway.board.told
    assert gateway.board.outcomes == {}


@pytest.mark.parametrize(("purpose", "end"), [("voice", "no_answer"), ("callback", "not_confirmed"), ("in", "abandoned"), ("reply", "")])
async def test_a_call_that_nobody_answered_has_the_outcome_of_its_flow(gateway: Gateway, purpose: str, end: str) -> None:
    gateway.board.calls[7] = Call(7, purpose, "pbx", "", "12319", NOW)
    await gateway.driver.steps.caller_gone(7, NOW, "19")
    assert gateway.board.calls[7].end == end
    assert gateway.board.told[-1] == ("hung_up", 7, "19")


async def test_beyond_the_limit_a_caller_hears_that_all_lines_are_busy(gateway: Gateway) -> None:
    gateway.server.max_calls = 0
    peer = await gateway.call()
    assert peer.heard == ["zh/all_busy_call_back"]
    assert peer.variables["GW_DONE"] == "1"
    assert gateway.board.outcomes[1].call_back


async def test_the_first_word_renews_the_guard_and_no_word_lifts_it(gateway: Gateway) -> None:
    await gateway.call()
    peer = await gateway.call(Spoken(4.0, "#"), "1", path="resume", arguments=("pbx", "1", "key", "1"))
    assert peer.commands[0] == 'SET VARIABLE "TIMEOUT(absolute)" "4"'
    assert not [line for line in peer.commands if "TIMEOUT(absolute)" in line and '"0"' in line]


async def test_while_the_switchboard_thinks_the_guard_is_renewed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "RENEW_S", 0.01)
    answer = FakeBoard.ask

    async def slowly(board: FakeBoard, call_id: int, act: str, values: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        await asyncio.sleep(0.05)
        return await answer(board, call_id, act, values)

    monkeypatch.setattr(FakeBoard, "ask", slowly)
    peer = await gateway.call()
    assert peer.variables["GW_NEXT"] == "queue"
    assert sum("TIMEOUT(absolute)" in line for line in peer.commands) >= 3


async def test_a_switchboard_that_never_answers_is_a_failed_act(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "RENEW_S", 0.01)
    monkeypatch.setattr(talk, "ANSWER_S", 0.03)

    async def never(board: FakeBoard, call_id: int, act: str, values: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    monkeypatch.setattr(FakeBoard, "ask", never)
    peer = await gateway.call()
    assert "timeout" in [line.kind for line in gateway.lines]
    assert peer.variables["GW_NEXT"] == "queue"


@pytest.mark.parametrize("flood", ["1234567890" * 20, "#" * 40, "****", "ABCD", "2" * 30 + "#"])
async def test_floods_of_keys_end_like_wrong_answers(gateway: Gateway, flood: str) -> None:
    await gateway.call()
    peer = await gateway.call("9", flood, flood, flood, flood, path="resume", arguments=("pbx", "1", "key", "2"))
    assert peer.variables.get("GW_NEXT") == "queue" or gateway.board.outcomes
    assert all(len(line.encode()) < 2048 for line in peer.commands)


@pytest.mark.parametrize("caller", ["", "unknown", "anonymous", "张三丰", "+85298765432", "1\"; System(rm)", "x" * 300])
async def test_any_calling_number_is_a_call(gateway: Gateway, caller: str) -> None:
    peer = await gateway.call(agi_callerid=caller, agi_calleridname="城管\\局\"")
    assert peer.variables["GW_NEXT"] == "queue"
    assert gateway.board.calls[1].caller == ("" if caller in ("unknown", "anonymous") else caller)


async def test_a_caller_given_to_somebody_who_does_not_answer_waits_for_another(gateway: Gateway) -> None:
    await gateway.call()
    await gateway.driver.steps.person_answered(1, "8001")
    peer = await gateway.call(path="resume", arguments=("pbx", "1", "dial", "NOANSWER", ""))
    assert peer.variables["GW_NEXT"] == "queue"
    assert gateway.board.events("left") == [("left", 1, "operator")]
    assert gateway.board.events("recorded")[-1][5] == "talk"
    assert 1 not in gateway.board.outcomes


async def test_nothing_but_hash_is_no_number_and_leads_to_a_person(gateway: Gateway) -> None:
    await gateway.call()
    peer = await gateway.call("9", "#", "#", "#", "#", path="resume", arguments=("pbx", "1", "key", "2"))
    assert [event for event in gateway.board.told if event[0] == "ask" and event[2] == "case_status"] == []
    assert peer.variables["GW_NEXT"] == "queue"


async def test_nothing_but_hash_is_no_message(gateway: Gateway) -> None:
    await gateway.call()
    peer = await gateway.call(Spoken(0.0, "#"), Spoken(0.0, "#"), path="resume", arguments=("pbx", "1", "key", "1"))
    assert gateway.board.events("recorded") == []
    assert "zh/nothing_said" in peer.heard


async def test_a_click_instead_of_another_take_leaves_the_first_in_its_place(gateway: Gateway) -> None:
    await gateway.call()
    peer = await gateway.call(Spoken(8.0, "#"), "2", Spoken(0.0, "#"), Spoken(0.0, "#"), path="resume", arguments=("pbx", "1", "key", "1"))
    [recorded] = gateway.board.events("recorded")
    assert recorded[4] == 8.0
    await gateway.call(path="ended", arguments=("pbx", "1", "", "", ""))
    assert [take.ref for take in gateway.board.outcomes[1].recordings] == [recorded[3]]
    assert peer.files
