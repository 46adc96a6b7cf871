"""What is kept of a person beside his cases: told to him and erased on his word, and by the clock."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from intake.call import Call, CallBack, CallRecording, Mark, Playback
from intake.caller_past import caller_key
from intake.commands.retention import count_served, erase_all, periods_of
from intake.desk_record import CallSummary, Draft
from intake.errors import NotFound, Refused
from intake.joining import Piece
from intake.model import Inbound, Part, Role
from intake.order import News, Order, SheetHeld
from intake.person import contacts_of, erase_person, export_person, number_of_case
from intake.pieces import keep_piece
from intake.profile import City
from intake.retention import Erased
from intake.sounds import keep_sound, path_of
from intake.traces import traces_of
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.core.test_retention import ended
from tests.core.test_usecases import reported
from tests.fakes import FakeClock
from tests.make import NOON, PHONE, make_actor

OTHER = "+8619900000002"
LEADER = make_actor(Role.SHIFT_LEADER)
REASON = "本人申请，第12号申请表"


def call(number: int, phone: str, **more: Any) -> Call:
    return Call(number, "in", "main", f"leg{number}", "12319", NOON, caller=phone, name="张三丰", note="反映路灯",
                **{"ended_at": NOON, "summary": "enquiry"} | more)  # fmt: skip


@pytest.fixture
async def token(either_store: AnyStore, vault: Vault, tmp_path: Path) -> str:
    """A call of one person and one of another, with everything that may hang on a call."""
    sound = keep_sound(vault, tmp_path, b"RIFFsound", mime="audio/wav")
    typed = json.dumps({"what": "路灯不亮", "phone": PHONE}, ensure_ascii=False)
    await either_store.write(lambda work: work.add(
        call(1, PHONE), call(2, OTHER),
        CallRecording(3, 1, "talk", "talk", "talk/1", sound.token, "main", 9000, NOON, sound.sha256, sound.size, stored_at=NOON,
                      transcript="我叫张三丰"),
        CallBack(4, 1, PHONE, "12319", "abandoned", NOON, NOON, NOON),
        Mark(5, PHONE, 1, "辱骂", 7, NOON, NOON + timedelta(days=30)),
        CallSummary(6, 8, 7, NOON, "enquiry", 1, caller_key=caller_key(vault, PHONE), note="张三丰问路灯"),
        CallSummary(7, 9, 7, NOON, "enquiry", 2, caller_key=caller_key(vault, OTHER), note="别人"),
        Draft(8, 7, NOON, NOON, call_id=1, caller=PHONE, typed=typed),
        Draft(9, 7, NOON, NOON, typed=typed),
        Draft(10, 7, NOON, NOON, caller=OTHER, typed="{}"),
        SheetHeld(7, "12345", NOON, json.dumps([{"phone": "199 0000 0001"}])),
        SheetHeld(8, "12345", NOON, json.dumps([{"phone": OTHER}])),
    ))  # fmt: skip
    return sound.token


async def export(store: AnyStore, vault: Vault, phone: str = PHONE) -> dict[str, Any]:
    return await store.write(
        lambda work: export_person(work, contacts_of(work, vault, phone), phone=phone, actor=LEADER, reason=REASON,
                                   traces=traces_of(work, vault, phone))
    )  # fmt: skip


async def erase(store: AnyStore, vault: Vault, phone: str = PHONE) -> list[Erased]:
    return await store.write(
        lambda work: erase_person(work, contacts_of(work, vault, phone), phone=phone, actor=LEADER, reason=REASON,
                                  also_open=False, traces=traces_of(work, vault, phone))
    )  # fmt: skip


async def rows(store: AnyStore, kind: type[Any]) -> list[Any]:
    return await store.read(lambda work: work.find(kind))


async def test_a_copy_holds_his_calls_and_nothing_of_other_callers(either_store: AnyStore, vault: Vault, token: str) -> None:
    told = await export(either_store, vault)
    [his] = told["calls"]
    assert (his["name"], his["note"], his["recordings"][0]["transcript"]) == ("张三丰", "反映路灯", "我叫张三丰")
    assert (len(told["call_backs"]), len(told["marks"]), told["call_notes"][0]["text"]) == (1, 1, "张三丰问路灯")
    assert [one["typed"]["what"] for one in told["drafts"]] == ["路灯不亮"] * 2
    assert "别人" not in json.dumps(told, ensure_ascii=False)
    assert [(one.call_id, one.recording_id, one.reason) for one in await rows(either_store, Playback)] == [(1, 0, REASON)]


async def test_erasing_reaches_everything_but_a_mark_in_force_and_other_callers(
    either_store: AnyStore, vault: Vault, token: str
) -> None:
    [done] = await erase(either_store, vault)
    assert (done.case_no, done.files) == (0, (token,))
    mine, other = await rows(either_store, Call)
    assert (mine.caller, mine.name, mine.note, mine.summary, other.caller) == ("", "", "", "enquiry", OTHER)
    [sound] = await rows(either_store, CallRecording)
    assert (sound.size, sound.transcript, sound.erased_at is not None, sound.duration_ms) == (0, "", True, 9000)
    [owed] = await rows(either_store, CallBack)
    assert (owed.number, owed.state, owed.outcome) == ("", "cancelled", "erased")
    assert [one.number for one in await rows(either_store, Mark)] == [PHONE]
    assert [one.note for one in await rows(either_store, CallSummary)] == ["", "别人"]
    assert [(one.caller, one.typed) for one in await rows(either_store, Draft)] == [("", ""), ("", ""), (OTHER, "{}")]
    assert [one.user_id for one in await rows(either_store, SheetHeld)] == [8]
    again = await export(either_store, vault)
    assert (again["calls"], again["call_backs"], again["call_notes"], again["drafts"]) == ([], [], [], [])


async def test_nothing_is_erased_while_he_talks_or_his_message_is_not_whole(either_store: AnyStore, vault: Vault) -> None:
    await either_store.write(lambda work: work.add(call(1, PHONE, ended_at=None)))
    with pytest.raises(Refused, match="通话"):
        await erase(either_store, vault)
    piece = Inbound("sms", "1", NOON, "半", address=OTHER, phone=OTHER, part=Part("7", 1, 2))
    await either_store.write(lambda work: keep_piece(work, piece, "sender"))
    with pytest.raises(Refused, match="短信"):
        await erase(either_store, vault, OTHER)


async def test_who_has_no_number_is_found_by_his_case(either_store: AnyStore, city: City, vault: Vault) -> None:
    number = await reported(either_store, city, channel="wechat", address="openid-7", phone="")
    found = await either_store.read(lambda work: number_of_case(work, number))
    assert [one.address for one in await either_store.read(lambda work: contacts_of(work, vault, found))] == ["openid-7"]
    nobody = await reported(either_store, city, anonymous=True)
    with pytest.raises(NotFound):
        await either_store.read(lambda work: number_of_case(work, nobody))


async def test_the_clock_erases_what_the_desk_kept_beside_cases(
    either_store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path, token: str
) -> None:
    periods = periods_of(city)
    await either_store.write(lambda work: work.add(Piece(11, "sms", "x", "sender", NOON, '"{}"')))
    clock.pass_time(days=6)
    assert await count_served(either_store, periods) == {}
    clock.pass_time(days=2)
    assert await erase_all(either_store, periods, tmp_path) == {"sheets": 2}
    clock.pass_time(days=periods.days["messages"])
    assert await count_served(either_store, periods) == {"drafts": 3, "summaries": 2, "pieces": 1}
    assert await erase_all(either_store, periods, tmp_path) == {"drafts": 3, "summaries": 2, "pieces": 1}
    assert {one.note + one.caller_key for one in await rows(either_store, CallSummary)} == {""}
    assert await erase_all(either_store, periods, tmp_path) == {}


async def test_a_call_waits_for_its_mark_and_its_call_back_and_then_goes_whole(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path, token: str
) -> None:
    periods = periods_of(city)
    clock.pass_time(days=max(periods.days.values()) + 1)
    [owed] = await rows(either_store, CallBack)
    assert (await erase_all(either_store, periods, tmp_path))["calls"] == 1
    assert path_of(tmp_path, token).exists()
    await either_store.write(lambda work: work.change(owed, CallBack(4, 1, PHONE, "12319", "abandoned", NOON, NOON, NOON, "done")))
    assert (await erase_all(either_store, periods, tmp_path))["calls"] == 1
    assert not path_of(tmp_path, token).exists()
    assert [one.number for one in await rows(either_store, CallBack) + await rows(either_store, Mark)] == ["", ""]


async def test_what_a_source_was_told_loses_what_is_personal_with_the_words_of_the_case(
    either_store: AnyStore, city: City, clock: FakeClock, tmp_path: Path
) -> None:
    number = await ended(either_store, city)
    told = News(22, 21, "12345", "answer_order", NOON, {"text": f"已电话{PHONE}告知", "state": "closed", "photos": ["t" * 43]})
    await either_store.write(lambda work: work.add(Order(21, "12345", "A-1", number, NOON), told))
    clock.pass_time(days=periods_of(city).days["messages"] + 400)
    await erase_all(either_store, periods_of(city), tmp_path)
    [after] = await rows(either_store, News)
    assert PHONE.removeprefix("+86") not in after.body["text"]
    assert (after.body["state"], list(after.body["photos"])) == ("closed", ["t" * 43])
