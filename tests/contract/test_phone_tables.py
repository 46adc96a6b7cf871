"""The telephone's tables on both databases: sealed numbers found by hash, one open call-back for a number, one call a leg."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from intake.call import Call, CallBack, CallRecording, LineSpell, LineState, Mark, OperatorLine, Playback, Told
from intake.callback_work import claim, open_callback, owed_callbacks
from intake.profile import City
from intake.store.work import Work
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import NOON
from tests.phones import CALLER_E164, LANDLINE_E164, Hall, ended

CALL = Call(
    1, "in", "pbx", "17.1", "12319", NOON, caller=CALLER_E164, caller_kind="mobile", name="张三", position='{"code": "1"}',
    queue="hotline", queued_at=NOON, answered_at=NOON, left_at=NOON, ended_at=NOON, extension="8001", operator_id=7,
    cause="16", end="served", how="finished", summary="praise", summed_by=7, note="谢谢", rating=1, emergency_at=NOON,
)  # fmt: skip
RECORDS = (
    CALL,
    CallRecording(2, 1, "message", "message", "message/1", "t" * 43, "pbx", 12_340, NOON, transcript="路灯坏了", confidence_pct=70),
    CallBack(3, 1, CALLER_E164, "12319", "abandoned", NOON, NOON, NOON + timedelta(minutes=1)),
    OperatorLine(7, "8001", LineState.WRAP_UP, NOON, "rest", 1, ("dialect", "elder")),
    LineSpell(4, 7, LineState.TALKING, "", NOON, NOON + timedelta(minutes=3)),
    Mark(5, CALLER_E164, 1, "辱骂", 7, NOON, NOON + timedelta(days=90)),
    Told(6, 1, "119", NOON, 7, "李工", "told", 0),
    Playback(8, 2, 1, 7, NOON, "整理留言"),
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
async def test_each_record_comes_back_as_it_was(either_store: AnyStore, record: object) -> None:
    await either_store.write(lambda work: work.add(record))
    assert await either_store.read(lambda work: work.find(type(record))) == [record]


async def test_numbers_are_found_by_hash_and_stand_nowhere_in_the_open(either_store: AnyStore, vault: Vault) -> None:
    await either_store.write(lambda work: work.add(*RECORDS))
    hashed = vault.lookup_hash(CALLER_E164, "phone")
    for kind in (Call, CallBack, Mark):
        assert len(await either_store.read(lambda work, kind=kind: work.find(kind, number_hash=hashed))) == 1  # type: ignore[misc]

    def everything(work: Work) -> str:
        rows = [work.connection.exec_driver_sql(f"SELECT * FROM {name}").all()
                for name in ("calls", "recordings", "callbacks", "marks")]  # fmt: skip
        return repr(rows)

    stored = await either_store.read(everything)
    assert [secret for secret in (CALLER_E164[3:], "张三", "路灯坏了", "谢谢", "辱骂") if secret in stored] == []


async def test_a_number_is_never_owed_two_calls_at_once(either_store: AnyStore, vault: Vault) -> None:
    first = RECORDS[2]
    assert isinstance(first, CallBack)
    await either_store.write(lambda work: work.add(first))
    with pytest.raises(sa.exc.IntegrityError):
        await either_store.write(lambda work: work.add(replace(first, callback_id=30)))
    other = replace(first, callback_id=31, number=LANDLINE_E164)
    await either_store.write(lambda work: work.add(other))

    def close_and_owe_again(work: Work) -> None:
        work.change(first, replace(first, state="done"))
        work.add(replace(first, callback_id=32))

    await either_store.write(close_and_owe_again)
    hashed = vault.lookup_hash(CALLER_E164, "phone")
    found = await either_store.read(lambda work: open_callback(work, hashed))
    assert found is not None
    assert found.callback_id == 32


async def test_a_leg_is_one_call_whoever_tells_of_it(either_store: AnyStore) -> None:
    await either_store.write(lambda work: work.add(CALL))
    with pytest.raises(sa.exc.IntegrityError):
        await either_store.write(lambda work: work.add(replace(CALL, call_id=2)))
    await either_store.write(lambda work: work.add(replace(CALL, call_id=3, server="pbx2")))


async def test_a_call_back_is_claimed_by_one_only(either_store: AnyStore) -> None:
    await either_store.write(lambda work: work.add(RECORDS[2]))
    claims = [await either_store.write(lambda work: claim(work, 3, 7)) for _ in range(2)]
    assert [one is not None for one in claims] == [True, False]
    assert await either_store.read(owed_callbacks) == []


async def test_a_call_lives_and_ends_on_both_databases(
    either_store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path
) -> None:
    hall = Hall(either_store, city, vault, clock, tmp_path)
    await hall.seat()
    await hall.abandoned()
    call = await hall.served(LANDLINE_E164)
    await hall.board.finish(call.call_id, ended("served", served=True))
    assert await hall.board.live() == []
    assert await hall.board.sweep() == 0
    assert len(await hall.board.callbacks.owed()) == 1
