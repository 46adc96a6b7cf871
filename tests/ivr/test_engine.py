"""Stepping through flows: what is said, asked, counted and taken in."""

from dataclasses import replace
from pathlib import Path

import pytest

from ivr import commands as do
from ivr import events as on
from ivr.engine import begin, step
from ivr.flow import Flow
from ivr.library import load_flow
from ivr.position import FINISHED, HUNG_UP, LIMIT, LOST, Outcome, Position, Recording, from_json
from tests.ivr.small_flow import SMALL, load

CALLER = {"caller": "19900001234"}


def walked(flow: Flow, *events: on.Event, facts: dict[str, str] | None = None) -> tuple[Position, list[do.Command]]:
    """Start and give the events; the position and every command on the way."""
    position, told = begin(flow), []
    for event in (on.Started(facts or {}), *events):
        position, commands = step(position, event, flow=flow)
        told += commands
    return position, told


def said(told: list[do.Command]) -> list[str]:
    return [command.prompt for command in told if isinstance(command, do.Say)]


def outcome(told: list[do.Command]) -> Outcome:
    (ending,) = [command for command in told if isinstance(command, do.End)]
    return ending.outcome


def result(act: str, result: str, **values: str) -> on.ActResult:
    return on.ActResult(act, result, values)


@pytest.mark.parametrize(("number", "greeting"), [("12319", "greeting_12319"), ("96310", "greeting_96310"), ("1", "greeting_other")])
def test_each_number_is_greeted_as_its_own_and_told_of_the_recording(number: str, greeting: str) -> None:
    _, told = walked(load_flow("hotline"), facts={"number": number})
    assert said(told) == [greeting, "recording_notice"]
    assert told[-1] == do.Ask("queue_position", {}, 1)


def test_a_temporary_notice_is_said_only_while_in_force() -> None:
    _, told = walked(load_flow("hotline"), facts={"notice": "今晚停水"})
    assert do.Say("temporary_notice", {"notice": "今晚停水"}) in told


def test_no_menu_stands_before_a_free_operator() -> None:
    _, told = walked(load_flow("hotline"), result("queue_position", "free"), on.PersonAnswered())
    assert said(told) == ["greeting_12319", "recording_notice", "connecting"]
    assert told[-1] == do.HandOver("operators", 45, ("1", "2", "3"), keeps_place=False)


def test_a_failing_outside_still_leads_to_the_operators() -> None:
    _, told = walked(load_flow("hotline"), on.Timeout())
    assert isinstance(told[-1], do.HandOver)


def test_place_and_wait_are_told_and_the_place_is_kept_through_a_status_call() -> None:
    flow = load_flow("hotline")
    waiting = result("queue_position", "waiting", position="3", wait_s="200")
    known = result("case_status", "found", received_at="2026-11-20", place="x", subclass="y", words="z")
    events = [waiting, on.Digits("2"), on.Digits("26112000007"), on.Digits("123456"), known, on.Silence(), waiting]
    position, told = walked(flow, *events)
    assert do.Say("queue_place", {"position": "3", "wait_s": "200"}) in told
    assert isinstance(told[-1], do.HandOver)
    assert told[-1].keeps_place
    assert step(position, on.Hangup(), flow=flow)[1] == (do.End(Outcome(
        "hotline", "status_told", HUNG_UP, "queue", {"case_no": "26112000007"}, (), False, False, True, False,
    )),)  # fmt: skip


def test_three_wrong_codes_lead_to_a_person() -> None:
    events: list[on.Event] = []
    for _ in range(3):
        events += [on.Digits("26112000007"), on.Digits("111111"), result("case_status", "wrong")]
    position, told = walked(load_flow("status"), *events)
    assert said(told).count("wrong_code") == 2
    assert position.node == "person"


def test_a_case_of_this_number_still_needs_its_code() -> None:
    chosen = [result("cases_of_caller", "some", cases="26112000007"), on.Digits("1"), result("pick_case", "picked", case_no="7")]
    position, _ = walked(load_flow("status"), *chosen, facts=CALLER)
    assert position.node == "ask_code"


def test_a_query_code_stays_out_of_the_outcome() -> None:
    flow = load_flow("status")
    _, told = walked(flow, on.Digits("26112000007"), on.Digits("123456"), on.Hangup())
    assert outcome(told).answers == {"case_no": "26112000007"}


@pytest.mark.parametrize("keys", ["", "*", "1" * 30, "一二三", "12a", "１２３４５６７８９０１"])
def test_keys_that_are_no_number_are_asked_for_again_and_at_last_lead_to_a_person(keys: str) -> None:
    position, told = walked(load_flow("status"), *[on.Digits(keys)] * 3)
    assert said(told).count("not_understood") == 2
    assert position.node == "person"


def test_a_recording_is_kept_when_the_caller_hangs_up_during_it() -> None:
    _, told = walked(load_flow("message"), on.Recorded("r1", 7.5), on.Hangup())
    ended = outcome(told)
    assert (ended.end, ended.how) == ("message_cut_short", HUNG_UP)
    assert (ended.taken_in, ended.call_back) == (True, True)
    assert ended.recordings == (Recording("message", "r1", 7.5),)


def test_hanging_up_after_the_message_is_saved_owes_nothing_more() -> None:
    saving = [on.Recorded("r1", 7.5), on.Digits("1"), result("save_message", "saved", case_no="7")]
    position, told = walked(load_flow("message"), *saving)
    ended = outcome(told)
    assert position.ended
    assert (ended.end, ended.taken_in, ended.call_back) == ("message_left", False, False)
    assert ended.recordings == (Recording("message", "r1", 7.5, saved=True),)


def test_a_message_nobody_could_save_is_taken_in_by_a_person() -> None:
    _, told = walked(load_flow("message"), on.Recorded("r1", 7.5), on.Silence(), on.Silence(), on.Timeout())
    ended = outcome(told)
    assert (ended.end, ended.how, ended.taken_in, ended.call_back) == ("message_unsaved", FINISHED, True, True)


def test_a_new_take_replaces_the_earlier_one_but_silence_does_not() -> None:
    again = on.Digits("2")
    position, _ = walked(load_flow("message"), on.Recorded("r1", 5), again, on.Recorded("r2", 6), again, on.Recorded("r3", 0.2))
    assert [each.ref for each in position.recordings] == ["r2"]


def test_takes_are_bounded_and_the_last_one_is_saved() -> None:
    events: list[on.Event] = [on.Recorded("r", 5)]
    for _ in range(4):
        events += [on.Digits("2"), on.Recorded("r", 5)]
    _, told = walked(load_flow("message"), *events)
    assert "no_more_takes" in said(told)
    assert told[-1] == do.Ask("save_message", {"recording": "r"}, 1)


def test_a_message_of_full_length_says_so() -> None:
    _, told = walked(load_flow("message"), on.Recorded("r", 180))
    assert said(told) == ["message_speak", "message_full", "message_review"]


@pytest.mark.parametrize("event", [on.Silence(), on.Recorded("", 0), on.Recorded("r", 0.3)], ids=repr)
def test_silence_is_recorded_again_once(event: on.Event) -> None:
    _, told = walked(load_flow("message"), event, event)
    assert said(told) == ["message_speak", "not_heard", "message_speak", "nothing_said"]


def test_zero_during_a_recording_keeps_it_and_leads_to_a_person() -> None:
    position, _ = walked(load_flow("message"), on.Recorded("r", 4, key="0"))
    assert position.node == "person"
    assert position.recordings == (Recording("message", "r", 4),)


def test_a_recording_nobody_took_in_survives_a_served_call() -> None:
    _, told = walked(load_flow("message"), on.Recorded("r", 4, key="0"), on.PersonAnswered(), on.Hangup())
    ended = outcome(told)
    assert (ended.served, ended.taken_in, ended.call_back) == (True, True, False)


def test_a_recording_that_arrives_after_the_walk_has_gone_on_is_kept() -> None:
    position, _ = walked(load_flow("message"), on.Digits("0"), on.Recorded("r", 4), on.Recorded("s", 5))
    assert position.node == "person"
    assert position.recordings == (Recording("late-1", "r", 4), Recording("late-2", "s", 5))


def test_the_line_is_rated_once_a_call() -> None:
    free = result("queue_position", "free")
    rated = [on.PersonAnswered(), on.PersonLeft(), on.Digits("2"), on.Digits("0"), free, on.PersonAnswered(), on.PersonLeft()]
    _, told = walked(load_flow("hotline"), free, *rated)
    assert said(told).count("rating_ask") == 1
    assert outcome(told).answers == {"rating": "2"}


def test_a_late_answer_to_an_older_question_is_not_taken() -> None:
    flow = load_flow("hotline")
    position, told = walked(flow, on.Digits("0"))
    tickets = [command.ticket for command in told if isinstance(command, do.Ask)]
    late = on.ActResult("queue_position", "closed", {}, ticket=tickets[0])
    assert step(position, late, flow=flow) == (position, ())
    assert step(position, replace(late, ticket=tickets[1]), flow=flow)[0].node == "offer_closed"


def test_a_result_nobody_declared_is_a_failure() -> None:
    position, _ = walked(load_flow("hotline"), result("queue_position", "full moon"))
    assert position.node == "queue"


def test_hanging_up_before_anything_was_keyed_owes_nothing_by_itself() -> None:
    _, told = walked(load_flow("hotline"), result("queue_position", "free"), on.Hangup())
    ended = outcome(told)
    assert (ended.end, ended.queued, ended.served) == ("abandoned", True, False)
    assert (ended.taken_in, ended.call_back) == (False, False)


def test_a_talk_is_not_disturbed_by_keys_or_time() -> None:
    flow = load_flow("hotline")
    position, _ = walked(flow, result("queue_position", "free"), on.PersonAnswered())
    for event in (on.Digits("0"), on.Digits("1"), on.Timeout(), on.NobodyThere(), on.Resumed(), on.Silence()):
        assert step(position, event, flow=flow) == (position, ())


def test_taking_up_again_asks_what_was_asked_and_forgets_no_try() -> None:
    flow = load_flow("status")
    position, _ = walked(flow, on.Silence(), on.Silence())
    again, told = step(position, on.Resumed(), flow=flow)
    assert [type(command) for command in told] == [do.Say, do.Collect]
    assert step(again, on.Silence(), flow=flow)[0].node == "person"


def test_a_node_that_is_gone_from_the_document_leads_to_a_person(tmp_path: Path) -> None:
    flow = load(tmp_path)
    position = replace(walked(flow)[0], node="renamed")
    assert step(position, on.Digits("1"), flow=flow)[0].node == "person"
    told = step(position, on.Silence(), flow=replace(flow, person=""))[1]
    assert outcome(list(told)).how == LOST


def test_a_caller_who_keys_without_end_is_led_to_a_person_and_at_last_let_go(tmp_path: Path) -> None:
    text = SMALL.replace('hang_up = "abandoned"', 'hang_up = "abandoned"\nmax_steps = 20')
    flow = load(tmp_path, text.replace('nonsense = "bye"', 'nonsense = "hello"'))
    position, _ = walked(flow, *[on.Digits("9")] * 60)
    assert (position.node, position.limited) == ("person", True)
    worn, told = step(replace(position, steps=40), on.Digits("0"), flow=flow)
    assert worn.ended
    assert outcome(list(told)).how == LIMIT


def test_events_before_the_start_and_after_the_end_mean_nothing() -> None:
    flow = load_flow("rating")
    assert step(begin(flow), on.Digits("1"), flow=flow) == (begin(flow), ())
    ended, told = step(begin(flow), on.Hangup(), flow=flow)
    assert outcome(list(told)).end == "not_rated"
    assert step(ended, on.Started(), flow=flow) == (ended, ())


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"flow": "x", "recordings": [1], "answered": []}'])
def test_a_position_that_was_not_stored_by_us_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


@pytest.mark.parametrize(("by", "end"), [("machine", "machine"), ("no_answer", "no_answer")])
def test_a_machine_hears_no_reply(by: str, end: str) -> None:
    _, told = walked(load_flow("reply_by_voice"), facts={"answered_by": by})
    assert said(told) == []
    assert outcome(told).end == end


def test_nobody_keying_is_no_proof_that_a_reply_was_heard() -> None:
    _, told = walked(load_flow("reply_by_voice"), *[on.Silence()] * 3)
    assert outcome(told).end == "no_key"


@pytest.mark.parametrize(("facts", "prompt", "owed"), [(CALLER, "all_busy_call_back", True), ({}, "all_busy_ring_again", False)])
def test_all_lines_busy_is_spoken_and_owes_a_call_back_where_there_is_a_number(
    facts: dict[str, str], prompt: str, owed: bool
) -> None:
    _, told = walked(load_flow("all_busy"), facts=facts)
    assert said(told) == [prompt]
    assert outcome(told).call_back is owed


def test_the_operator_confirms_before_a_citizen_is_rung() -> None:
    _, told = walked(load_flow("callback"), *[on.Silence()] * 3, facts={"phone": "19900001234"})
    assert outcome(told).end == "not_confirmed"
    assert not [command for command in told if isinstance(command, do.Ask)]
    assert not outcome(told).taken_in
    assert outcome(told).call_back


def test_what_was_keyed_before_a_person_answered_is_in_his_hands() -> None:
    free = result("queue_position", "free")
    _, told = walked(load_flow("hotline"), on.Digits("0"), free, on.PersonAnswered(), on.Hangup())
    ended = outcome(told)
    assert (ended.end, ended.served, ended.taken_in, ended.call_back) == ("served", True, False, False)


def test_a_caller_led_to_a_person_at_the_limit_can_no_longer_key_himself_away() -> None:
    flow = load_flow("hotline")
    position, _ = walked(flow)
    position, told = step(replace(position, steps=flow.max_steps), result("queue_position", "free"), flow=flow)
    position, told = step(position, result("queue_position", "free"), flow=flow)
    assert told[-1] == do.HandOver("operators", 45, (), keeps_place=False)
    assert step(position, on.Digits("1"), flow=flow)[0].node == "queue"


@pytest.mark.parametrize(("facts", "prompt", "owed"), [(CALLER, "will_call_back", True), ({}, "ring_again", False)])
def test_whoever_says_nothing_outside_hours_is_called_back_where_there_is_a_number(
    facts: dict[str, str], prompt: str, owed: bool
) -> None:
    _, told = walked(load_flow("hotline"), result("queue_position", "closed"), *[on.Silence()] * 3, facts=facts)
    assert said(told)[-1] == prompt
    assert outcome(told).call_back is owed
