"""The automatic voice reply: off by default, never for confidential cases, heard only by a key, else an operator's task."""

from dataclasses import replace
from pathlib import Path

import pytest

from intake import outbox
from intake.call import Call
from intake.courier import Courier
from intake.errors import SendError
from intake.gateway import Gateway
from intake.ledger import offered_to, route_for
from intake.model import Case, Outbound
from intake.phone_profile import PhoneRules, VoiceRules
from intake.profile import City
from intake.records import Debt, OutboxRow, Reporter, Task
from intake.usecases import Command
from intake.vault import Vault
from intake.voice_reply import for_the_ear
from intake.wiring import AnyStore
from tests.core.test_usecases import OPERATOR
from tests.fakes import FakeClock
from tests.make import NOON, make_inbound
from tests.phones import CALLER_E164, LANDLINE_E164, Hall, ended


@pytest.fixture
def hall(store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path) -> Hall:
    """A city that has switched voice replies on, and sends text messages to nobody."""
    hall = Hall(store, city, vault, clock, tmp_path)
    rules = city.rules(offered=("phone",))
    hall.gateway = Gateway(hall.store, city, rules, hall.gateway.judge, vault, clock, hall.gateway.feed, hall.admission)
    hall.restarted()
    switch(hall, enabled=True)
    return hall


def switch(hall: Hall, *, enabled: bool) -> None:
    hall.board.book._rules = PhoneRules(voice=VoiceRules(enabled=enabled))


def courier(hall: Hall) -> Courier:
    return Courier(hall.store, hall.gateway.rules, {"phone": hall.board.voice}, name="gw", run_id="one")


async def reply_owed(hall: Hall, **changes: object) -> int:
    usual: dict[str, object] = {"channel": "phone", "phone": CALLER_E164, "address": CALLER_E164, "wants_reply": True}
    received = await hall.gateway.take_in(make_inbound(**usual | changes))
    fields = {"reason": "private", "way": "与邻居协商"}
    await hall.gateway.perform(Command(received.case_no, "reject", OPERATOR, fields=fields))
    return received.case_no


async def rung(hall: Hall) -> int:
    """The voice call that was placed now."""
    await courier(hall).send_due()
    number, call_id = hall.exchange.of("reply_by_voice")[-1]
    assert number == "19900000001"
    return int(str(call_id))


async def row(hall: Hall) -> OutboxRow:
    found = await hall.rows(OutboxRow)
    return found[-1]  # type: ignore[no-any-return]


async def open_tasks(hall: Hall) -> list[str]:
    return [task.kind for task in await hall.rows(Task, state="open")]


def test_only_people_who_did_not_ask_for_secrecy_are_rung_by_a_machine() -> None:
    offered = ("sms", "phone")
    assert offered_to(offered, number=CALLER_E164, confidential=False) == {"sms", "phone"}
    assert offered_to(offered, number=CALLER_E164, confidential=True) == {"sms"}
    assert offered_to(offered, number=LANDLINE_E164, confidential=False) == {"phone"}
    assert offered_to(offered, number="+85223456789", confidential=False) == {"sms"}
    reporter = Reporter(1, 1, "phone", NOON, contact_id=1)
    routes = [route_for(reporter, has_phone=True, has_address=True, offered=offered, tried=tried)
              for tried in ((), ("sms",), ("sms", "phone"))]  # fmt: skip
    assert routes == ["sms", "phone", "call"]


async def test_a_pressed_key_is_the_receipt(hall: Hall) -> None:
    await reply_owed(hall)
    call_id = await rung(hall)
    facts = await hall.board.facts(call_id)
    assert "不能立案" in facts["reply"]
    assert (await row(hall)).state == outbox.SENT
    assert await hall.board.ask(call_id, "save_answer", {"case_no": facts["case_no"], "answer": "1"}) == ("saved", {})
    await hall.board.finish(call_id, ended("answered", flow="reply_by_voice"))
    assert [debt.end for debt in await hall.rows(Debt)] == ["delivered"]
    stored = await hall.board.call(call_id)
    assert (stored.result, stored.rating, stored.purpose) == ("reached", 1, "voice")
    assert await open_tasks(hall) == []


async def test_the_words_are_ready_before_anybody_is_rung(hall: Hall) -> None:
    number = await reply_owed(hall)
    await rung(hall)
    assert [asked[0] for asked in hall.exchange.asked] == ["prepare_reply", "reply_by_voice"]
    words, case_no = hall.exchange.of("prepare_reply")[0]
    assert case_no == number
    assert "不能立案" in words
    assert "【" not in words


async def test_without_a_synthesiser_the_reply_is_an_operators(hall: Hall) -> None:
    hall.exchange.speaks = False
    await reply_owed(hall)
    await courier(hall).send_due()
    assert hall.exchange.asked == []
    assert (await row(hall)).outcome == "no_voice"
    assert await open_tasks(hall) == ["call_reply"]
    assert await hall.rows(Call) == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("【城管热线】编号26112000007已办结：垃圾已清走。满意回复1，不满意回复2。咨询请拨12319。", "已办结：垃圾已清走。咨询请拨12319。"),
        ("【城管热线】编号26112000007：因汛期需延长时间，预计12月1日前办结，请您谅解。", "因汛期需延长时间，预计12月1日前办结，请您谅解。"),
        ("已现场回复1次，详见https://example.test/status?no=1。", "已现场回复1次，详见。"),
        ("编号26112000008与您的编号26112000007合并办理。", "编号26112000008与您的编号26112000007合并办理。"),
    ],
)
def test_a_reply_for_the_eye_is_turned_into_one_for_the_ear(written: str, said: str) -> None:
    assert for_the_ear(written, case_no=26112000007) == said


async def test_going_to_a_person_by_0_is_a_receipt_too(hall: Hall) -> None:
    await reply_owed(hall)
    await hall.board.finish(await rung(hall), ended("served", flow="reply_by_voice", served=True))
    assert [debt.end for debt in await hall.rows(Debt)] == ["delivered"]


@pytest.mark.parametrize("end", ["machine", "no_answer", "no_key", "cut_short"])
async def test_what_is_no_proof_is_tried_again_and_then_an_operators(hall: Hall, end: str) -> None:
    await reply_owed(hall)
    await hall.board.finish(await rung(hall), ended(end, flow="reply_by_voice"))
    waiting = await row(hall)
    assert (waiting.state, waiting.outcome) == (outbox.WAITING, end)
    assert (waiting.next_at - hall.clock()).total_seconds() == 3600
    assert await courier(hall).send_due() == 0
    hall.clock.pass_time(minutes=61)
    await hall.board.finish(await rung(hall), ended(end, flow="reply_by_voice"))
    assert (await row(hall)).state == outbox.FAILED
    assert await open_tasks(hall) == ["call_reply"]
    assert [debt.end for debt in await hall.rows(Debt)] == [""]


async def test_nobody_is_rung_by_a_machine_in_the_evening(hall: Hall) -> None:
    hall.night()
    await reply_owed(hall)
    await courier(hall).send_due()
    assert hall.exchange.asked == []
    waiting = await row(hall)
    assert f"{waiting.next_at.astimezone(hall.gateway.city.zone):%H:%M}" == "09:00"


async def test_a_case_that_became_confidential_meanwhile_is_not_read_out(hall: Hall) -> None:
    await reply_owed(hall)

    def make_secret(work):  # type: ignore[no-untyped-def]
        case = work.find(Case)[0]
        work.change(case, replace(case, confidential=True, version=case.version + 1))

    await hall.store.write(make_secret)
    await courier(hall).send_due()
    assert hall.exchange.asked == []
    assert await open_tasks(hall) == ["call_reply"]


async def test_confidential_and_foreign_reporters_get_a_task_from_the_start(hall: Hall) -> None:
    await reply_owed(hall, confidential=True)
    await reply_owed(hall, phone="+85223456789", address="+85223456789")
    assert await open_tasks(hall) == ["call_reply", "call_reply"]
    assert await hall.rows(OutboxRow) == []


async def test_switched_off_it_rings_nobody_even_for_rows_that_wait(hall: Hall) -> None:
    await reply_owed(hall)
    switch(hall, enabled=False)
    await courier(hall).send_due()
    assert hall.exchange.asked == []
    assert await open_tasks(hall) == ["call_reply"]


async def test_an_exchange_that_is_away_puts_it_off_and_one_that_refuses_hands_it_on(hall: Hall) -> None:
    await reply_owed(hall)
    hall.exchange.connected = False
    await courier(hall).send_due()
    assert ((await row(hall)).state, (await row(hall)).outcome) == (outbox.WAITING, "unavailable")
    hall.exchange.connected, hall.exchange.refusals = True, ["reply_by_voice"]
    hall.clock.pass_time(minutes=1)
    await courier(hall).send_due()
    assert await open_tasks(hall) == ["call_reply"]
    assert {one.end for one in await hall.rows(Call)} == {"cannot_dial"}


async def test_after_a_crash_the_call_that_was_written_first_answers_for_the_message(hall: Hall) -> None:
    await reply_owed(hall)
    call_id = await rung(hall)
    message = Outbound(ref=(await hall.board.call(call_id)).ref, channel="phone", address=CALLER_E164, parts=("",))
    receipt = await hall.board.voice.find(message)
    assert receipt is not None
    assert receipt.provider_id == str(call_id)
    assert await hall.board.voice.find(replace(message, ref="r99999")) is None
    with pytest.raises(SendError):
        await hall.board.voice.send(replace(message, ref="r99999"))
