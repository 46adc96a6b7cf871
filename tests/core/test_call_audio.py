"""Recordings: sealed at rest, bound to their case, heard only with a reason, drafted by a machine, erased with the rest."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from intake.call import CallBack, CallRecording, Playback
from intake.commands.retention import erase_calls
from intake.errors import BadInput, Misconfigured, NotAllowed, NotFound
from intake.model import Case, Role, Urgency
from intake.records import Attachment, HistoryEntry, Task, View
from intake.retention import delete_files, erase, load_periods
from intake.switchboard_audio import DRAFT, MAX_ATTEMPTS
from tests.make import NOON, make_actor
from tests.phones import Hall, ended, take

SOUND = b"RIFF" + bytes(range(256)) * 20
OPERATOR, LEADER = make_actor(Role.OPERATOR, user_id=7), make_actor(Role.SHIFT_LEADER, user_id=9)


async def message(hall: Hall, *, sha256: str = "") -> CallRecording:
    """A message that became a report; its sound is still at the exchange."""
    call = await hall.ring()
    ref = f"message/{call.call_id}-message"
    recording = await hall.board.recorded(call.call_id, "message", ref, 12.0, sha256=sha256)
    await hall.board.ask(call.call_id, "save_message", {"recording": ref})
    await hall.board.finish(call.call_id, ended("message_left", recordings=(take(ref, saved=True),)))
    return recording


async def test_a_fetched_sound_is_sealed_and_shown_in_its_case(hall: Hall) -> None:
    recording = await message(hall)
    assert [one.token for one in await hall.board.audio.wanted()] == [recording.token]
    stored = await hall.board.audio.store(recording.token, SOUND)
    assert await hall.board.audio.wanted() == []
    assert (stored.size, stored.sha256) == (len(SOUND), hashlib.sha256(SOUND).hexdigest())
    (attachment,) = await hall.rows(Attachment)
    assert (attachment.size, attachment.sha256) == (stored.size, stored.sha256)
    (file,) = (hall.folder / "media").glob("??/*")
    assert file.name == f"{recording.token}.sealed"
    assert SOUND[:64] not in file.read_bytes()
    assert await hall.board.audio.read(recording.token) == SOUND


def at_the_exchange(number: int, **changes: object) -> CallRecording:
    made = CallRecording(number, number, "message", "message", f"message/{number}", f"token-{number}", "pbx", 9000, NOON)
    return replace(made, **changes)  # type: ignore[arg-type]


MANY = 1000
GIVEN_UP = {"attempts": MAX_ATTEMPTS}
NOTHING_ON_THE_WAY: dict[str, dict[str, object]] = {
    "given up": GIVEN_UP, "erased": {"erased_at": NOON}, "made without a file": {"ref": ""}, "here": {"stored_at": NOON, "size": 9},
}  # fmt: skip


@pytest.mark.parametrize("others", NOTHING_ON_THE_WAY.values(), ids=NOTHING_ON_THE_WAY)
async def test_no_number_of_lost_recordings_keeps_a_new_one_from_being_fetched(hall: Hall, others: dict[str, object]) -> None:
    lost = [at_the_exchange(n, **others) for n in range(MANY)]
    await hall.store.write(lambda work: work.add(*lost, at_the_exchange(MANY)))
    assert [one.recording_id for one in await hall.board.audio.wanted()] == [MANY]


NEVER_WRITTEN: dict[str, dict[str, object]] = {
    "given up": GIVEN_UP, "erased": {"stored_at": NOON, "erased_at": NOON}, "talks": {"kind": "talk", "stored_at": NOON, "size": 9},
    "written": {"stored_at": NOON, "size": 9, "transcribed_at": NOON},
}  # fmt: skip


@pytest.mark.parametrize("others", NEVER_WRITTEN.values(), ids=NEVER_WRITTEN)
async def test_no_number_of_recordings_without_a_draft_keeps_a_new_one_from_getting_its_own(hall: Hall, others: dict[str, object]) -> None:
    before = [at_the_exchange(n, **others) for n in range(MANY)]
    await hall.store.write(lambda work: work.add(*before, at_the_exchange(MANY, stored_at=NOON, size=9)))
    assert [one.recording_id for one in await hall.board.audio.untranscribed()] == [MANY]


async def test_another_sound_than_announced_is_refused(hall: Hall) -> None:
    recording = await message(hall, sha256=hashlib.sha256(SOUND).hexdigest())
    with pytest.raises(BadInput):
        await hall.board.audio.store(recording.token, SOUND + b"x")
    with pytest.raises(BadInput):
        await hall.board.audio.store(recording.token, b"")
    assert (await hall.board.audio.store(recording.token, SOUND)).size == len(SOUND)


async def test_a_changed_file_is_noticed(hall: Hall) -> None:
    recording = await message(hall)
    await hall.board.audio.store(recording.token, SOUND)
    (file,) = (hall.folder / "media").glob("??/*")
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(Misconfigured):
        await hall.board.audio.read(recording.token)


async def test_fetching_is_given_up_after_a_while_and_says_why(hall: Hall) -> None:
    recording = await message(hall)
    for _ in range(MAX_ATTEMPTS):
        await hall.board.audio.failed(recording.token, "404")
    assert await hall.board.audio.wanted() == []
    assert [one.error for one in await hall.rows(CallRecording)] == ["404"]


async def test_listening_is_written_down_with_its_reason(hall: Hall) -> None:
    recording = await message(hall)
    await hall.board.audio.store(recording.token, SOUND)
    with pytest.raises(BadInput):
        await hall.board.audio.open(recording.token, OPERATOR, reason=" ")
    assert await hall.rows(Playback) == []
    held, sound = await hall.board.audio.open(recording.token, OPERATOR, reason="整理留言")
    assert sound == SOUND
    assert [(one.user_id, one.reason) for one in await hall.rows(Playback)] == [(7, "整理留言")]
    assert [(one.what, one.case_no) for one in await hall.rows(View)] == [("recording", held.case_no)]


@pytest.mark.parametrize("role", [Role.UNIT, Role.INSPECTOR, Role.ADMINISTRATOR, Role.DISPATCHER])
async def test_posts_outside_the_centre_hear_nothing(hall: Hall, role: Role) -> None:
    recording = await message(hall)
    await hall.board.audio.store(recording.token, SOUND)
    with pytest.raises(NotAllowed):
        await hall.board.audio.open(recording.token, make_actor(role), reason="想听")


async def test_confidential_recordings_open_to_the_leader_only(hall: Hall) -> None:
    recording = await message(hall)
    await hall.board.audio.store(recording.token, SOUND)

    def make_secret(work):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        case = work.find(Case)[0]
        work.change(case, replace(case, confidential=True, version=case.version + 1))

    await hall.store.write(make_secret)
    with pytest.raises(NotAllowed):
        await hall.board.audio.open(recording.token, OPERATOR, reason="整理留言")
    assert (await hall.board.audio.open(recording.token, LEADER, reason="整理留言"))[1] == SOUND


async def test_a_draft_is_a_suggestion_and_danger_in_it_alarms_at_once(hall: Hall) -> None:
    recording = await message(hall)
    await hall.board.audio.store(recording.token, SOUND)
    assert [one.token for one in await hall.board.audio.untranscribed()] == [recording.token]
    await hall.board.audio.transcribe(recording.token, "小区里有煤气味，垃圾也没人清", confidence=0.71)
    assert await hall.board.audio.untranscribed() == []
    (case,) = await hall.rows(Case)
    assert case.description.endswith(f"{DRAFT}小区里有煤气味，垃圾也没人清")
    assert (case.urgency, case.subclass) == (Urgency.EMERGENCY, None), "a suggestion, not a decision"
    assert str(case.prediction.best.subclass) == "event:0102"
    assert [task.kind for task in await hall.rows(Task)] == ["emergency"]
    assert [line.step for line in await hall.rows(HistoryEntry)] == ["receive", "transcribe"]
    (held,) = await hall.rows(CallRecording)
    assert (held.transcript, held.confidence_pct) == ("小区里有煤气味，垃圾也没人清", 71)


async def test_an_empty_draft_leaves_the_list_and_the_case_alone(hall: Hall) -> None:
    recording = await message(hall)
    await hall.board.audio.store(recording.token, SOUND)
    await hall.board.audio.transcribe(recording.token, "  ")
    assert await hall.board.audio.untranscribed() == []
    assert [line.step for line in await hall.rows(HistoryEntry)] == ["receive"]


async def test_a_case_somebody_works_on_is_not_rewritten_by_a_draft(hall: Hall) -> None:
    recording = await message(hall)
    await hall.board.audio.store(recording.token, SOUND)
    (case,) = await hall.rows(Case)
    from intake.usecases import Command

    fields = {"subclass": "event:0102", "place": "人民路1号"}
    await hall.gateway.perform(Command(case.case_no, "accept", OPERATOR, fields=fields))
    await hall.board.audio.transcribe(recording.token, "别的内容")
    assert DRAFT not in (await hall.rows(Case))[0].description


async def test_a_sound_fetched_while_its_report_waits_on_the_disk_comes_to_its_case_later(hall: Hall) -> None:
    call = await hall.ring()
    ref = await hall.spoken(call)
    recording = (await hall.rows(CallRecording))[0]
    hall.store.away = True
    await hall.board.ask(call.call_id, "save_message", {"recording": ref})
    await hall.board.finish(call.call_id, ended("message_left", recordings=(take(ref, saved=True),)))
    hall.store.away = False
    await hall.board.audio.store(recording.token, SOUND)
    await hall.board.sweep()
    await hall.admission.replay_waiting()
    await hall.board.sweep()
    (attachment,) = await hall.rows(Attachment)
    assert (attachment.token, attachment.size) == (recording.token, len(SOUND))


async def test_retention_erases_sound_draft_and_file_for_good(hall: Hall) -> None:
    recording = await message(hall)
    await hall.board.audio.store(recording.token, SOUND)
    await hall.board.audio.transcribe(recording.token, "张三丰家门口的垃圾")
    hall.clock.pass_time(days=2000)
    from intake.retention import AFTER_END

    erased = await hall.store.write(lambda work: erase(work, work.find(Case)[0], ["recordings"], masks=AFTER_END))
    assert delete_files(hall.folder / "media", erased.files) == 1
    await hall.board.sweep()
    (held,) = await hall.rows(CallRecording)
    assert (held.size, held.transcript) == (0, "")
    assert held.erased_at is not None
    assert (await hall.rows(Attachment))[0].size == 0
    with pytest.raises(NotFound):
        await hall.board.audio.read(recording.token)
    assert hall.clock() - held.made_at >= timedelta(days=2000)


async def test_calls_lose_number_name_and_sound_after_their_period_and_keep_their_figures(hall: Hall) -> None:
    hall.board.book.rules()
    call = await hall.abandoned()
    recording = await hall.board.recorded(call.call_id, "talk", f"talk/{call.call_id}", 8.0, kind="talk")
    await hall.board.audio.store(recording.token, SOUND)
    with_case = await message(hall)
    periods = load_periods(hall.gateway.city.folder / "retention.toml", reopen_days=hall.gateway.city.reopen_days)
    hall.clock.pass_time(days=1094)
    media = hall.folder / "media"
    assert await erase_calls(hall.store, periods, media) == 0  # type: ignore[arg-type]
    await hall.board.callbacks.tidy()
    hall.clock.pass_time(days=2)
    assert await erase_calls(hall.store, periods, media) == 1  # type: ignore[arg-type]
    stored = await hall.board.call(call.call_id)
    assert (stored.caller, stored.summary, stored.queued_at) == ("", "abandoned", call.queued_at)
    assert (await hall.board.call(with_case.call_id)).caller, "its case has not ended"
    assert list(media.glob("??/*")) == []
    assert [one.number for one in await hall.rows(CallBack)] == [""]
    assert await erase_calls(hall.store, periods, media) == 0  # type: ignore[arg-type]
