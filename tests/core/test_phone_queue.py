"""Who waits for an operator now, on both databases; and that a caller who asks for his place does not pay for all the others."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from intake.call import Call, CallBack
from intake.profile import City
from intake.switchboard_acts import STALE, waiting_now
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import NOON
from tests.phones import Hall


def call(number: int, *, minute: int = 0, **changes: object) -> Call:
    began = NOON - timedelta(minutes=30)
    queued = began + timedelta(minutes=minute)
    waits = Call(number, "in", "pbx", f"leg-{number}", "12319", began, queue="hotline", queued_at=queued)
    return replace(waits, **changes)  # type: ignore[arg-type]


CALLS = {
    "later": call(1, minute=9, queue="hotline-elder"),
    "first": call(2, minute=3),
    "has not come to the queue": call(3, queued_at=None),
    "is talked with": call(4, answered_at=NOON),
    "was given away, nobody has him": call(5, minute=5, answered_at=NOON, left_at=NOON, giving="busy"),
    "is asked for his rating": call(6, answered_at=NOON, left_at=NOON),
    "has hung up": call(7, ended_at=NOON),
    "was lost by a gateway that died": call(8, started_at=NOON - STALE - timedelta(seconds=1)),
}


async def test_who_waits_and_in_which_order(either_store: AnyStore) -> None:
    await either_store.write(lambda work: work.add(*CALLS.values()))
    waiting = await either_store.read(waiting_now)
    assert [one.call_id for one in waiting] == [CALLS[who].call_id for who in ("first", "was given away, nobody has him", "later")]
    assert [one.queued_at - (NOON - timedelta(minutes=30)) for one in waiting] == [timedelta(minutes=n) for n in (3, 5, 9)]
    assert waiting[-1].queue == "hotline-elder"


async def test_call_backs_whose_time_has_come_stand_in_the_order_of_their_places(either_store: AnyStore) -> None:
    def owed(number: int, *, minute: int, **changes: object) -> CallBack:
        place = NOON - timedelta(minutes=30 - minute)
        made = CallBack(number, number, f"+861990000{number:04d}", "12319", "abandoned", place, place, NOON - timedelta(minutes=1))
        return replace(made, **changes)  # type: ignore[arg-type]

    rows = (owed(1, minute=9), owed(2, minute=3), owed(3, minute=1, next_at=NOON + timedelta(days=9999)), owed(4, minute=2, state="done"))
    await either_store.write(lambda work: work.add(*rows))
    assert [one.callback_id for one in await either_store.read(lambda work: work.callbacks_due(most=9))] == [2, 1]
    assert [one.callback_id for one in await either_store.read(lambda work: work.callbacks_due(most=1))] == [2]


async def test_talks_of_the_last_calls_are_counted_in_seconds(either_store: AnyStore) -> None:
    long = call(1, answered_at=NOON, left_at=NOON + timedelta(minutes=9))
    talks = [call(n, answered_at=NOON, left_at=NOON + timedelta(seconds=n)) for n in (2, 3)]
    await either_store.write(lambda work: work.add(long, *talks, call(4)))
    assert await either_store.read(lambda work: work.last_talks_s(most=3)) == [3.0, 2.0]


async def test_a_place_costs_the_same_however_many_call(
    store: AnyStore, city: City, vault: Vault, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = Hall(store, city, vault, clock, tmp_path)
    await hall.seat()
    mine = await hall.ring()
    unseal, opened = Vault.unseal, list[int]()

    def counted(vault: Vault, *given: object) -> bytes:
        opened.append(1)
        return unseal(vault, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Vault, "unseal", counted)

    async def cost() -> int:
        opened.clear()
        assert (await hall.board.ask(mine.call_id, "queue_position", {}))[0] in ("free", "waiting")
        return len(opened)

    alone = await cost()
    for n in range(30):
        other = await hall.ring(f"199000001{n:02d}")
        await hall.board.queued(other.call_id, "hotline")
    clock.pass_time(seconds=1)
    assert await cost() == alone
