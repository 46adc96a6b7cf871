"""What a call flow asks the outside and is answered: queue, state of a case, call-backs, ratings, danger, transfer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from intake.call import CallBack, Told
from intake.codes import query_code
from intake.model import State
from intake.phone_profile import TemporaryNotice
from intake.switchboard_acts import mean_talk_s
from ivr.acts import ACTS, results_of
from tests.make import NOON, make_inbound
from tests.phones import CALLER, CALLER_E164, LANDLINE_E164, Hall, ended

SAMPLES = {
    "cases_of_caller": {"caller": CALLER}, "pick_case": {"choice": "1", "cases": "26112000007"},
    "case_status": {"case_no": "26112000007", "code": "000000"}, "save_message": {"recording": "message/none"},
    "request_callback": {"number": CALLER}, "save_rating": {"rating": "1"}, "save_answer": {"case_no": "1", "answer": "1"},
    "transfer": {"target": "110"}, "dial_citizen": {"phone": CALLER},
}  # fmt: skip


async def reported(hall: Hall, **changes: object) -> tuple[int, str]:
    """A case of this caller with its query code."""
    inbound = make_inbound(phone=CALLER_E164, channel="phone", address=CALLER_E164, **changes)
    received = await hall.gateway.take_in(inbound)
    return received.case_no, query_code(received.case_no, 0, hall.gateway.vault.code_key)


@pytest.mark.parametrize("act", sorted(ACTS))
async def test_every_act_of_the_flows_has_a_lawful_answer(hall: Hall, act: str) -> None:
    call = await hall.ring()
    result, values = await hall.board.ask(call.call_id, act, SAMPLES.get(act, {}))
    assert result in results_of(act)
    assert set(results_of(act)[result]) <= set(values)


@pytest.mark.parametrize("act", sorted(ACTS))
async def test_no_act_raises_while_the_database_is_away(hall: Hall, act: str) -> None:
    call = await hall.ring()
    hall.store.away = True
    result, _ = await hall.board.ask(call.call_id, act, SAMPLES.get(act, {}))
    assert result in results_of(act)


@pytest.mark.parametrize("act", sorted(ACTS))
async def test_nonsense_values_fail_and_harm_nothing(hall: Hall, act: str) -> None:
    call = await hall.ring()
    for nonsense in ({}, dict.fromkeys(SAMPLES.get(act, {}), "9" * 30), dict.fromkeys(SAMPLES.get(act, {}), "#'\r\n\0")):
        result, _ = await hall.board.ask(call.call_id, act, nonsense)
        assert result in results_of(act)


async def test_outside_hours_is_told_apart_from_nobody_logged_in(hall: Hall) -> None:
    call = await hall.ring(line="96310")
    assert await hall.board.ask(call.call_id, "queue_position", {}) == ("nobody", {})
    hall.night()
    assert await hall.board.ask(call.call_id, "queue_position", {}) == ("closed", {})
    other = await hall.ring(line="12319")
    assert await hall.board.ask(other.call_id, "queue_position", {}) == ("nobody", {})


async def test_position_and_expected_wait_count_only_those_before(hall: Hall) -> None:
    await hall.seat()
    call = await hall.ring()
    assert await hall.board.ask(call.call_id, "queue_position", {}) == ("free", {})
    for number in range(2, 5):
        other = await hall.ring(f"1990000000{number}")
        await hall.board.queued(other.call_id, "hotline")
        hall.clock.pass_time(seconds=10)
    result, values = await hall.board.ask(call.call_id, "queue_position", {})
    assert (result, values) == ("waiting", {"position": "4", "wait_s": str(4 * 180)})
    assert (await hall.board.ask(other.call_id, "queue_position", {}))[1]["position"] == "3"


def test_expected_wait_follows_from_the_talks_of_the_last_hours() -> None:
    assert mean_talk_s([30.0, 90.0] * 5, 180) == 60
    assert mean_talk_s([30.0] * 9, 180) == 180


async def test_the_state_by_keypad_is_the_same_as_on_the_web(hall: Hall) -> None:
    number, code = await reported(hall)
    call = await hall.ring()
    result, values = await hall.board.ask(call.call_id, "case_status", {"case_no": str(number), "code": code})
    status = await hall.gateway.status(number, code, address="test")
    assert result == "found"
    assert (values["words"], values["place"], values["subclass"]) == (status.words, status.place, status.subclass)
    assert values["received_at"] == "2026-11-20T12:00:00"


async def test_wrong_code_unknown_number_and_thirty_digits_are_told_alike_and_then_locked(hall: Hall) -> None:
    number, _ = await reported(hall)
    call = await hall.ring()
    wrong = [{"case_no": case_no, "code": "000000"} for case_no in (str(number), "26112099999", "1" * 30, "")]
    assert [(await hall.board.ask(call.call_id, "case_status", one))[0] for one in wrong] == ["wrong"] * 4
    for _ in range(10):
        await hall.board.ask(call.call_id, "case_status", wrong[0])
    assert await hall.board.ask(call.call_id, "case_status", wrong[0]) == ("locked", {})


async def test_a_callers_cases_are_named_newest_first_without_confidential_ones(hall: Hall) -> None:
    numbers = [(await reported(hall))[0] for _ in range(10)]
    await reported(hall, confidential=True)
    call = await hall.ring()
    result, values = await hall.board.ask(call.call_id, "cases_of_caller", {"caller": CALLER})
    assert (result, values["cases"].split(";")) == ("some", [str(n) for n in sorted(numbers, reverse=True)[:8]])
    other = await hall.ring("anonymous")
    assert await hall.board.ask(other.call_id, "cases_of_caller", {"caller": ""}) == ("none", {})


@pytest.mark.parametrize(("choice", "result"), [("1", "picked"), ("2", "picked"), ("3", "unknown"), ("0", "unknown"), ("", "unknown")])
async def test_a_case_is_picked_by_its_place_in_the_list(hall: Hall, choice: str, result: str) -> None:
    call = await hall.ring()
    answer = await hall.board.ask(call.call_id, "pick_case", {"choice": choice, "cases": "26112000007;26112000003"})
    assert answer[0] == result


async def test_asking_to_be_called_keeps_the_place_and_is_kept_once(hall: Hall) -> None:
    call = await hall.ring()
    await hall.board.queued(call.call_id, "hotline")
    hall.clock.pass_time(seconds=90)
    asked = {"number": LANDLINE_E164}
    assert [(await hall.board.ask(call.call_id, "request_callback", asked))[0] for _ in range(2)] == ["kept", "already"]
    await hall.board.finish(call.call_id, ended("callback_requested", queued=True))
    (owed,) = await hall.rows(CallBack)
    assert (owed.number, owed.reason, owed.place_at) == (LANDLINE_E164, "requested", NOON)
    assert (await hall.board.call(call.call_id)).summary == "callback"


async def test_service_and_foreign_numbers_are_not_rung_back(hall: Hall) -> None:
    call = await hall.ring()
    for number in ("110", "12345", "0085223456789", "99", ""):
        assert (await hall.board.ask(call.call_id, "request_callback", {"number": number}))[0] == "refused"
    assert await hall.rows(CallBack) == []


async def test_a_call_is_rated_once(hall: Hall) -> None:
    call = await hall.ring()
    assert [(await hall.board.ask(call.call_id, "save_rating", {"rating": r}))[0] for r in "21"] == ["saved", "already"]
    assert (await hall.board.call(call.call_id)).rating == 2
    assert (await hall.board.facts(call.call_id))["rating"] == "2"


async def test_the_duty_is_told_and_that_is_written_before_anything_is_filed(hall: Hall) -> None:
    call = await hall.ring()
    result, values = await hall.board.ask(call.call_id, "emergency", {})
    assert (result, values["target"]) == ("duty", "09905550090")
    (told,) = await hall.rows(Told)
    assert (told.target, told.at, told.case_no, told.call_id) == ("duty", NOON, 0, call.call_id)
    await hall.board.answered(call.call_id, "")
    after = await hall.board.finish(call.call_id, ended("served", served=True))
    assert after.summary == "transferred"


async def test_an_emergency_reaches_the_duty_with_the_database_away_and_is_written_later(hall: Hall) -> None:
    call = await hall.ring()
    hall.store.away = True
    assert (await hall.board.ask(call.call_id, "emergency", {}))[0] == "duty"
    hall.store.away = False
    await hall.board.sweep()
    assert [(one.target, one.at) for one in await hall.rows(Told)] == [("duty", NOON)]


@pytest.mark.parametrize(
    ("target", "result", "number"),
    [("119", "ready", "119"), ("unit:drainage", "ready", "09905550021"), ("8002", "ready", "8002"),
     ("0019005551234", "refused", None), ("8001\r\nX", "refused", None)],
)  # fmt: skip
async def test_transfers_lead_only_to_the_directory_and_to_extensions(
    hall: Hall, target: str, result: str, number: str | None
) -> None:
    call = await hall.ring()
    answer, values = await hall.board.ask(call.call_id, "transfer", {"target": target})
    assert (answer, values.get("target")) == (result, number)
    assert len(await hall.rows(Told)) == (result == "ready" and not target.startswith("8"))


async def test_a_caller_last_served_in_dialect_is_told_his_place_among_those(hall: Hall) -> None:
    await hall.seat()
    await hall.board.lines.log_in(8, "8002", skills=("dialect",))
    earlier = await hall.ring()
    await hall.board.queued(earlier.call_id, "hotline-dialect")
    await hall.board.answered(earlier.call_id, "8002")
    await hall.board.left(earlier.call_id, "citizen")
    await hall.board.finish(earlier.call_id, ended("served", queued=True, served=True))
    call = await hall.ring()
    assert await hall.board.queue_of(call.call_id) == "hotline-dialect"
    # The general operator is ready, but cannot serve him; the one who can is still writing.
    assert await hall.board.ask(call.call_id, "queue_position", {}) == ("waiting", {"position": "1", "wait_s": "180"})
    for number in (3, 4):
        other = await hall.ring(f"1990000000{number}")
        await hall.board.queued(other.call_id, await hall.board.queue_of(other.call_id))
        assert (await hall.board.call(other.call_id)).queue == "hotline"
        hall.clock.pass_time(seconds=5)
    _, values = await hall.board.ask(call.call_id, "queue_position", {})
    assert values == {"position": "3", "wait_s": str(2 * 180)}
    await hall.board.lines.log_out(8)
    assert await hall.board.queue_of(call.call_id) == "hotline"
    assert (await hall.board.ask(call.call_id, "queue_position", {}))[1]["position"] == "3"
    hall.store.away = True
    assert await hall.board.queue_of(call.call_id) == "hotline"


async def test_outside_hours_the_flow_is_told_so_unless_somebody_is_there(hall: Hall) -> None:
    """96310 is answered from seven to ten in the evening, 12319 always."""
    hall.night()
    facts = {line: await hall.board.facts((await hall.ring(line=line)).call_id) for line in ("96310", "12319")}
    assert {line: found["closed"] for line, found in facts.items()} == {"96310": "yes", "12319": ""}
    call = await hall.ring(line="96310")
    hall.store.away = True
    assert (await hall.board.facts(call.call_id))["closed"] == "yes"
    hall.store.away = False
    await hall.board.lines.log_in(7, "8001")
    assert (await hall.board.facts(call.call_id))["closed"] == ""


async def test_facts_of_the_hotline_name_number_caller_and_the_notice_in_force(hall: Hall) -> None:
    call = await hall.ring("0990-5559001", line="96310")
    assert await hall.board.facts(call.call_id) == {"number": "96310", "caller": "09905559001", "notice": "", "rating": "", "closed": ""}
    rules = hall.board.book.rules()
    assert rules.notices == ()
    assert hall.board.greeting_of("96310").startswith("您好")


async def test_a_void_case_is_not_offered(hall: Hall) -> None:
    number, _ = await reported(hall)

    def void(work):  # type: ignore[no-untyped-def]
        from intake.model import Case

        case = work.get(Case, number)
        work.change(case, replace(case, state=State.VOID, version=2))

    await hall.store.write(void)
    call = await hall.ring()
    assert await hall.board.ask(call.call_id, "cases_of_caller", {"caller": CALLER}) == ("none", {})


async def test_a_notice_is_wanted_before_it_is_in_force_and_as_soon_as_it_is_written(hall: Hall) -> None:
    now = hall.clock()
    spans = {"现在": (0, 1), "半小时后": (0.5, 24), "明天": (24, 48), "过去": (-24, 0)}
    later = [TemporaryNotice(text, now + timedelta(hours=a), now + timedelta(hours=b)) for text, (a, b) in spans.items()]
    assert hall.board.notices() == []
    hall.board.book._rules = replace(hall.board.book.rules(), notices=tuple(later))
    assert hall.board.notices() == ["现在", "半小时后"]
