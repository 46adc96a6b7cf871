"""A call from ringing to its outcome: who is owed what, what becomes a report, and what survives an outage or a kill."""

import json
from datetime import timedelta

import pytest

from intake.call import Call, CallBack, CallRecording, OperatorLine, Told
from intake.errors import NotFound
from intake.model import Case, State
from intake.records import Attachment, Contact, FeedEvent, JournalEntry, Reporter
from intake.telephony import Found, Ring
from tests.make import NOON
from tests.phones import CALLER, CALLER_E164, LANDLINE, LANDLINE_E164, Hall, ended, take


async def test_the_same_leg_is_one_call(hall: Hall) -> None:
    ring = Ring("pbx", "1732.1", "12319", CALLER, NOON)
    first = await hall.board.ring(ring)
    assert (await hall.board.ring(ring)).call_id == first.call_id
    assert (await hall.restarted().ring(ring)).call_id == first.call_id
    assert len(await hall.rows(Call)) == 1


@pytest.mark.parametrize(
    ("raw", "name", "number", "kind", "shown"),
    [
        ("19900000001", "", CALLER_E164, "mobile", ""),
        ("+86 199 0000 0001", "12319 gateway", CALLER_E164, "mobile", ""),
        (LANDLINE, "张三", LANDLINE_E164, "landline", "张三"),
        ("anonymous", "Anonymous", "", "withheld", ""),
        ("", "", "", "withheld", ""),
        ("0085223456789", "", "+85223456789", "foreign", ""),
        ("99", "", "99", "unknown", ""),
        ("1" * 300, "", "", "withheld", ""),
        (CALLER, "李四".encode().decode("latin-1"), CALLER_E164, "mobile", "李四"),
        (CALLER, "王五".encode("gb18030").decode("latin-1"), CALLER_E164, "mobile", "王五"),
        (CALLER, "赵六\r\nAction: Originate", CALLER_E164, "mobile", "赵六Action: Originate"),
        ("'; DROP TABLE calls", "<sip:x@y>", "", "withheld", ""),
    ],
)
async def test_whatever_a_carrier_sends_gives_a_caller(
    hall: Hall, raw: str, name: str, number: str, kind: str, shown: str
) -> None:
    call = await hall.ring(raw, name=name)
    assert (call.caller, call.caller_kind, call.name) == (number, kind, shown)


async def test_who_queued_and_left_is_owed_one_call_back(hall: Hall) -> None:
    first = await hall.abandoned()
    assert (first.summary, first.end) == ("abandoned", "abandoned")
    hall.clock.pass_time(minutes=5)
    await hall.abandoned()
    (owed,) = await hall.rows(CallBack)
    assert (owed.number, owed.reason, owed.state) == (CALLER_E164, "abandoned", "owed")
    assert owed.place_at == first.queued_at


async def test_leaving_within_five_seconds_is_owed_nothing(hall: Hall) -> None:
    call = await hall.abandoned(after_s=4)
    assert call.summary == "gave_up"
    assert await hall.rows(CallBack) == []


@pytest.mark.parametrize("caller", ["anonymous", "0085223456789", "12345", "99"])
async def test_numbers_no_person_can_be_rung_at_are_owed_nothing(hall: Hall, caller: str) -> None:
    await hall.abandoned(caller)
    assert await hall.rows(CallBack) == []


async def test_ringing_again_and_being_served_settles_the_call_back(hall: Hall) -> None:
    await hall.seat()
    await hall.abandoned()
    await hall.served(LANDLINE)
    assert [one.state for one in await hall.rows(CallBack)] == ["owed"]
    await hall.board.lines.finish_wrap_up(7)
    await hall.served()
    assert [(one.state, one.outcome) for one in await hall.rows(CallBack)] == [("settled", "rang_again")]


async def test_the_place_in_the_queue_is_kept_when_he_comes_back_to_it(hall: Hall) -> None:
    call = await hall.ring()
    await hall.board.queued(call.call_id, "hotline")
    hall.clock.pass_time(seconds=50)
    again = await hall.board.queued(call.call_id, "hotline")
    assert again.queued_at == NOON


async def test_a_screen_is_told_before_the_operator_picks_up_and_learns_no_number(hall: Hall) -> None:
    await hall.seat()
    call = await hall.ring()
    await hall.board.ringing(call.call_id, "8001")
    events = await hall.store.read(lambda work: work.events_after(0))
    pop = [event for event in events if event.step == "phone.ringing"]
    assert [(event.version, event.unit, event.case_no) for event in pop] == [(call.call_id, "operator:7", 0)]
    assert CALLER not in json.dumps([str(event) for event in events])
    assert isinstance(pop[0], FeedEvent)


async def test_a_message_becomes_a_report_with_its_sound(hall: Hall) -> None:
    call = await hall.ring()
    ref = await hall.spoken(call)
    result, values = await hall.board.ask(call.call_id, "save_message", {"recording": ref})
    assert result == "saved"
    await hall.board.finish(call.call_id, ended("message_left", recordings=(take(ref, saved=True),)))

    (case,) = await hall.rows(Case)
    assert (str(case.case_no), case.channel, case.state) == (values["case_no"], "phone", State.REPORTED)
    (attachment,) = await hall.rows(Attachment)
    (recording,) = await hall.rows(CallRecording)
    assert (attachment.token, attachment.mime, attachment.case_no) == (recording.token, "audio/wav", case.case_no)
    (contact,) = await hall.rows(Contact)
    assert contact.phone == CALLER_E164
    stored = await hall.board.call(call.call_id)
    assert (stored.case_no, stored.summary, stored.end) == (case.case_no, "message", "message_left")
    assert await hall.rows(CallBack) == []


async def test_a_message_saved_twice_is_one_report(hall: Hall) -> None:
    call = await hall.ring()
    ref = await hall.spoken(call)
    answers = [await hall.board.ask(call.call_id, "save_message", {"recording": ref}) for _ in range(2)]
    await hall.board.finish(call.call_id, ended("message_left", recordings=(take(ref),), taken_in=True))
    await hall.board.finish(call.call_id, ended("message_left", recordings=(take(ref),), taken_in=True))
    assert answers[0] == answers[1]
    assert len(await hall.rows(Case)) == 1
    assert len(await hall.rows(JournalEntry)) == 1


async def test_hanging_up_while_speaking_keeps_the_message_and_owes_a_call(hall: Hall) -> None:
    call = await hall.ring()
    ref = await hall.spoken(call, seconds=3)
    cut = ended("message_cut_short", how="hung_up", recordings=(take(ref, seconds=3),), taken_in=True, call_back=True)
    after = await hall.board.finish(call.call_id, cut)
    assert after.case_no
    assert (await hall.rows(Attachment))[0].case_no == after.case_no
    assert [one.reason for one in await hall.rows(CallBack)] == ["unserved"]


async def test_a_second_take_replaces_the_first(hall: Hall) -> None:
    call = await hall.ring()
    await hall.spoken(call, seconds=9)
    hall.clock.pass_time(seconds=20)
    await hall.spoken(call, seconds=4)
    assert [one.duration_ms for one in await hall.rows(CallRecording)] == [4000]


async def test_keys_of_a_caller_nobody_can_ring_are_kept_in_a_report(hall: Hall) -> None:
    call = await hall.ring("anonymous")
    keyed = ended("abandoned", how="hung_up", answers={"callback_number": "88880000"}, taken_in=True, call_back=True)
    after = await hall.board.finish(call.call_id, keyed)
    (case,) = await hall.rows(Case, case_no=after.case_no)
    assert "88880000" in case.description
    (reporter,) = await hall.rows(Reporter)
    assert reporter.contact_id == 0


async def test_keys_of_a_known_caller_owe_him_a_call_and_no_case(hall: Hall) -> None:
    call = await hall.ring()
    await hall.board.keep_position(call.call_id, '{"known": {"code": "123456"}}')
    keyed = ended("abandoned", how="hung_up", answers={"case_no": "26112000007"}, taken_in=True, call_back=True)
    after = await hall.board.finish(call.call_id, keyed)
    assert await hall.rows(Case) == []
    assert [one.reason for one in await hall.rows(CallBack)] == ["unserved"]
    assert "26112000007" in after.note
    assert after.position == "", "query codes are not kept once the call is over"


async def test_a_served_call_waits_for_the_operators_summary(hall: Hall) -> None:
    await hall.seat()
    call = await hall.served()
    assert [one.call_id for one in await hall.board.unsummed(7)] == [call.call_id]
    assert await hall.board.unsummed(8) == []


async def test_positions_survive_a_restart_and_stand_sealed(hall: Hall) -> None:
    call = await hall.ring()
    await hall.board.keep_position(call.call_id, '{"node": "ask_code", "known": {"code": "654321"}}')
    assert await hall.restarted().position_of(call.call_id) == '{"node": "ask_code", "known": {"code": "654321"}}'
    raw = await hall.store.read(lambda work: work.connection.exec_driver_sql("SELECT * FROM calls").all())
    assert b"654321" not in b"|".join(v for v in raw[0] if isinstance(v, bytes))
    assert CALLER_E164 not in str(raw)


async def test_a_whole_call_while_the_database_is_away_is_there_afterwards(hall: Hall) -> None:
    await hall.board.live()  # the store has leased its numbers
    hall.store.away = True
    call = await hall.ring()
    await hall.board.queued(call.call_id, "hotline")
    hall.clock.pass_time(seconds=30)
    ref = await hall.spoken(call)
    result, values = await hall.board.ask(call.call_id, "save_message", {"recording": ref})
    assert result == "saved"
    await hall.board.finish(call.call_id, ended("message_left", recordings=(take(ref, saved=True),), queued=True))
    other = await hall.ring(LANDLINE)
    await hall.board.queued(other.call_id, "hotline")
    hall.clock.pass_time(seconds=30)
    await hall.board.finish(other.call_id, ended("abandoned", how="hung_up", queued=True))

    hall.store.away = False
    assert await hall.restarted().sweep() >= 2
    await hall.admission.replay_waiting()
    await hall.board.sweep()
    (case,) = await hall.rows(Case)
    assert str(case.case_no) == values["case_no"]
    stored = await hall.board.call(call.call_id)
    assert (stored.case_no, stored.summary) == (case.case_no, "message")
    assert [(one.number, one.reason) for one in await hall.rows(CallBack)] == [(LANDLINE_E164, "abandoned")]
    assert len(await hall.rows(CallRecording)) == 1
    assert list((hall.folder / "spool").glob("*.call")) == []


async def test_an_outage_in_the_middle_of_a_call_loses_no_step_of_it(hall: Hall) -> None:
    call = await hall.ring()
    hall.store.away = True
    await hall.board.queued(call.call_id, "hotline")
    await hall.board.keep_position(call.call_id, '{"node": "queue"}')
    hall.store.away = False
    board = hall.restarted()
    assert await board.position_of(call.call_id) == '{"node": "queue"}'
    await board.sweep()
    stored = await board.call(call.call_id)
    assert (stored.queued_at, stored.position) == (NOON, '{"node": "queue"}')


async def test_a_summary_written_while_the_call_waits_on_the_disk_is_kept(hall: Hall) -> None:
    call = await hall.ring()
    hall.store.away = True
    await hall.board.queued(call.call_id, "hotline")
    hall.store.away = False
    await hall.store.write(lambda work: work.change(held := work.get(Call, call.call_id), _summed(held)))
    await hall.board.sweep()
    stored = await hall.board.call(call.call_id)
    assert (stored.summary, stored.queued_at) == ("praise", NOON)


def _summed(call: Call) -> Call:
    from dataclasses import replace

    return replace(call, summary="praise", summed_by=7)


async def test_a_call_whose_driver_died_is_ended_from_what_is_stored(hall: Hall) -> None:
    call = await hall.ring()
    await hall.board.queued(call.call_id, "hotline")
    ref = await hall.spoken(call)
    await hall.board.keep_position(call.call_id, json.dumps({
        "node": "review", "pending": True, "recordings": [{"name": "message", "ref": ref, "seconds": 12.0, "saved": False}],
    }))  # fmt: skip
    hall.clock.pass_time(seconds=40)
    board = hall.restarted()
    await board.hung_up(call.call_id, hall.clock(), "killed")
    assert await board.sweep() == 0, "the driver may still be at it"
    hall.clock.pass_time(seconds=61)
    assert await board.sweep() >= 1
    stored = await board.call(call.call_id)
    assert stored.end == "abandoned"
    assert stored.case_no
    assert len(await hall.rows(CallBack)) == 1


async def test_calls_found_in_the_queue_log_are_owed_a_call_back_once(hall: Hall) -> None:
    found = Found("pbx", "17.5", "96310", CALLER, NOON, NOON + timedelta(seconds=40), queued_at=NOON + timedelta(seconds=8))
    hall.clock.pass_time(minutes=20)
    for _ in range(2):
        call = await hall.board.found(found)
    assert (call.summary, call.line) == ("abandoned", "96310")
    (owed,) = await hall.rows(CallBack)
    assert owed.place_at == NOON + timedelta(seconds=8)


async def test_a_found_call_that_was_served_settles_what_was_owed(hall: Hall) -> None:
    await hall.abandoned()
    hall.clock.pass_time(minutes=20)
    at = hall.clock() - timedelta(minutes=5)
    await hall.board.found(Found("pbx", "17.6", "12319", CALLER, at, at + timedelta(minutes=2), queued_at=at,
                                 answered_at=at + timedelta(seconds=9), extension="8001"))  # fmt: skip
    assert [one.state for one in await hall.rows(CallBack)] == ["settled"]


async def test_a_leg_the_roster_does_not_find_ends_its_call(hall: Hall) -> None:
    call = await hall.ring()
    await hall.board.queued(call.call_id, "hotline")
    hall.clock.pass_time(seconds=30)
    after = await hall.board.gone(call.call_id, hall.clock())
    assert (after.end, after.summary) == ("abandoned", "abandoned")
    assert await hall.board.live() == []


async def test_an_unknown_call_is_told_as_such(hall: Hall) -> None:
    with pytest.raises(NotFound):
        await hall.board.call(4711)
    assert await hall.board.ask(4711, "save_rating", {"rating": "1"}) == ("failed", {})
    assert await hall.rows(Told) == []
    assert await hall.rows(OperatorLine) == []
