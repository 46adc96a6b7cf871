"""What events mean, and what is put right after a reconnection."""

from dataclasses import replace
from datetime import timedelta

import pytest

from channels.phone.happening import Happening, happening
from channels.phone.open_call import OpenCall, read_note
from channels.phone.roster import Leg, Member, Repair, Truth, Waiting, repairs, vanished
from channels.phone.told import Told
from intake.call import Call, LineState, OperatorLine
from tests.phone.fake_board import NOW


def told(event: str, **values: str) -> Told:
    return Told(event, {name.lower(): value for name, value in values.items()})


@pytest.mark.parametrize(("event", "meaning"), [
    (told("AgentCalled", ChanVariable="CALL_ID=7", DestChannel="PJSIP/8001-0000000a"), Happening("ringing", 7, "8001")),
    (told("AgentConnect", DestChanVariable="X=1\nCALL_ID=7", Interface="PJSIP/8001"), Happening("answered", 7, "8001")),
    (told("AgentRingNoAnswer", ChanVariable="CALL_ID=7", Interface="PJSIP/8001"), Happening("not_answered", 7, "8001")),
    (told("DialBegin", DestChanVariable="CALL_ID=7", DestChannel="PJSIP/8001-0000000a"), Happening("ringing", 7, "8001")),
    (told("DialBegin", Channel="PJSIP/trunk-1", Context="hotline-next", ChanVariable="CALL_ID=7", DestChannel="PJSIP/8001-0000000a"), None),
    (told("DialEnd", Channel="PJSIP/8001-0000000a", Context="hotline-dial", ChanVariable="CALL_ID=7", DestChannel="PJSIP/trunk-0000000b",
          DialStatus="ANSWER"), Happening("answered", 7, "8001")),
    (told("DialEnd", Channel="PJSIP/trunk-1", Context="hotline-next", ChanVariable="CALL_ID=7", DialStatus="ANSWER"), None),
    (told("DialEnd", DestChannel="PJSIP/8001-0000000a", DestChanVariable="CALL_ID=7", DialStatus="NOANSWER"), Happening("not_answered", 7, "8001")),
    (told("Hangup", Uniqueid="1.1", Linkedid="1.1", ChanVariable="CALL_ID=7", Cause="16"), Happening("gone", 7, "", "16")),
    (told("Hangup", Uniqueid="1.2", Linkedid="1.1", ChanVariable="CALL_ID=7", Cause="16"), None),
    (told("Hangup", Uniqueid="third-7-1", Linkedid="third-7-1", ChanVariable="CALL_ID=7"), Happening("room", 7, in_room=True)),
    (told("Hangup", Uniqueid="1.2", Linkedid="1.1", ChanVariable="CALL_ID=7", Context="hotline-out", Exten="conference"), Happening("room", 7, in_room=True)),
    (told("Hangup", Uniqueid="1.1", Linkedid="1.1", ChanVariable="CALL_ID=0"), None),
    (told("Hangup", Uniqueid="1.1", Linkedid="1.1"), None),
    (told("Hangup", Uniqueid="1.1", Linkedid="1.1", ChanVariable="CALL_ID=drop table"), None),
    (told("OriginateResponse", ActionID="call/7/3", Response="Failure", Reason="0", Channel="PJSIP/8001"), Happening("gone", 7, "8001", "originate-0")),
    (told("OriginateResponse", ActionID="call/7/3", Response="Success"), None),
    (told("OriginateResponse", ActionID="third/7/3", Response="Failure"), Happening("third", 7, cause="no_answer")),
    (told("OriginateResponse", ActionID="somebody else", Response="Failure"), None),
    (told("QueueCallerJoin", ChanVariable="CALL_ID=7"), Happening("joined", 7)),
    (told("VarSet", ChanVariable="CALL_ID=7"), None),
])  # fmt: skip
def test_an_event_means_one_thing_or_nothing(event: Told, meaning: Happening | None) -> None:
    assert happening(event) == meaning


CALL = Call(7, "in", "pbx", "1.1", "12319", NOW - timedelta(minutes=1))


@pytest.mark.parametrize(("call", "is_gone"), [
    (CALL, False),
    (replace(CALL, leg_id="1.9"), False),  # another leg carries its number
    (replace(CALL, call_id=8, leg_id="1.9"), True),
    (replace(CALL, call_id=8, leg_id="1.9", server="other"), False),
    (replace(CALL, call_id=8, leg_id="1.9", started_at=NOW), False),  # began while the legs were listed
    (replace(CALL, call_id=8, leg_id="out:8", server=""), True),  # one that we placed
])  # fmt: skip
def test_a_call_without_any_leg_has_vanished(call: Call, is_gone: bool) -> None:
    truth = Truth((Leg("PJSIP/trunk-1", "1.1", "1.1", 7),))
    assert vanished([call], truth, server="pbx", now=NOW) == ([call] if is_gone else [])


@pytest.mark.parametrize(("elsewhere", "is_gone"), [(None, False), ((), True), ((Leg("PJSIP/8001-1", "5.1", "5.1", 8),), False)])
def test_a_call_we_placed_has_vanished_when_no_server_has_it(elsewhere: tuple[Leg, ...] | None, is_gone: bool) -> None:
    placed = replace(CALL, call_id=8, leg_id="out:8", server="")
    assert vanished([placed], Truth(), server="pbx", now=NOW, elsewhere=elsewhere) == ([placed] if is_gone else [])


def line(state: LineState, *skills: str, extension: str = "8001") -> OperatorLine:
    return OperatorLine(1, extension, state, NOW, reason="meal" if state is LineState.PAUSED else "", skills=skills)


def test_members_are_added_taken_out_paused_and_let_on() -> None:
    members = (
        Member("hotline", "8002", False, True), Member("hotline", "8003", False, True), Member("hotline", "8004", True, True),
        Member("hotline-fallback", "8002", False, False),
    )  # fmt: skip
    lines = [
        line(LineState.READY, "dialect"), line(LineState.OFFLINE, extension="8002"), line(LineState.PAUSED, extension="8003"),
        line(LineState.READY, extension="8004"),
    ]  # fmt: skip
    done = [(each.action, each.values["Queue"], each.values["Interface"], each.values.get("Paused")) for each in repairs(lines, Truth(members=members))]
    assert done == [
        ("QueueRemove", "hotline", "PJSIP/8002", None),
        ("QueueAdd", "hotline", "PJSIP/8001", "false"), ("QueueAdd", "hotline-dialect", "PJSIP/8001", "false"),
        ("QueuePause", "hotline", "PJSIP/8003", "true"), ("QueuePause", "hotline", "PJSIP/8004", "false"),
    ]  # fmt: skip


def test_what_is_right_is_left_alone() -> None:
    lines = [line(LineState.TALKING), line(LineState.WRAP_UP, extension="8002")]
    assert repairs(lines, Truth(members=(Member("hotline", "8001", False, True), Member("hotline", "8002", True, True)))) == list[Repair]()


def test_who_comes_back_to_the_queue_gets_his_place_again() -> None:
    waiting = Waiting()
    for moment, call_id in enumerate((1, 2, 3)):
        waiting.joined(call_id, moment)
    waiting.unqueued(2)
    assert [waiting.place(call_id) for call_id in (1, 2, 3, 4)] == [1, 2, 2, 0]
    waiting.gone(1)
    assert waiting.place(2) == 1


def test_a_place_is_one_among_those_who_wait_in_the_same_queue() -> None:
    """Who is given on for a skill comes before the newcomers there, however many wait for everybody."""
    waiting = Waiting()
    for moment, call_id in enumerate((1, 2, 3)):
        waiting.joined(call_id, moment)
    waiting.unqueued(3)
    waiting.joined(4, 4.0, queue="hotline-dialect")
    assert (waiting.place(3), waiting.place(3, "hotline-dialect")) == (3, 1)
    waiting.reread(Truth((Leg("a", "1.1", "1.1", 1), Leg("b", "1.2", "1.2", 3)), waits_s={"1.1": 30.0, "1.2": 20.0},
                         queues={"1.1": "hotline", "1.2": "hotline-dialect"}), 100.0)  # fmt: skip
    assert (waiting.place(3), waiting.place(3, "hotline-dialect")) == (2, 1)


def test_places_are_known_again_after_a_reconnection() -> None:
    waiting = Waiting()
    legs = (Leg("a", "1.1", "1.1", 1), Leg("b", "1.2", "1.2", 2))
    waiting.reread(Truth(legs, waits_s={"1.1": 30.0, "1.2": 60.0, "9.9": 5.0}), 100.0)
    assert (waiting.place(2), waiting.place(1)) == (1, 2)


def test_a_note_of_the_dialplan_is_read() -> None:
    note = read_note("/hotline-open/pbx-1.1", "1795230419,12319,19900000001,message,fallback/a-1,1795230479,12")
    assert note is not None
    assert (note.leg_id, note.line, note.state, note.recording, note.call_id) == ("pbx-1.1", "12319", "message", "fallback/a-1", 12)
    assert note.ended_at is not None
    assert (note.ended_at - note.began_at).total_seconds() == 60


@pytest.mark.parametrize("value", ["", ",,,", "soon,12319", "1" * 40])
def test_any_note_is_read_or_passed_over(value: str) -> None:
    assert isinstance(read_note("/hotline-open/x", value), OpenCall | None)
