"""The change feed: listeners hear every commit in order, also commits of another process; the slow are let go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from intake import feed as feeds
from intake.feed import Feed, Told
from intake.records import FeedEvent
from intake.store.postgres import PostgresStore
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.store.work import Work
from intake.wiring import AnyStore
from tests.make import NOON

DEADLINE_S = 60


def tell(number: int) -> object:
    def unit(work: Work) -> None:
        work.tell(FeedEvent(number, NOON, "receive", "reported", 1, "roads", "routine"))

    return unit


@pytest.fixture
async def feed(either_store: AnyStore) -> AsyncIterator[Feed]:
    feed = Feed(either_store)
    task = asyncio.create_task(feed.run(either_store.watch))
    await feed.started.wait()
    yield feed
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def hear(listener: feeds.Listener, count: int) -> list[Told]:
    async with asyncio.timeout(DEADLINE_S):
        return [await listener.queue.get() for _ in range(count)]


async def test_every_change_is_heard_once_and_in_order(either_store: AnyStore, feed: Feed) -> None:
    async with feed.listening() as listener:
        await asyncio.gather(*(either_store.write(tell(number)) for number in range(1, 300)))  # type: ignore[arg-type]
        told = await hear(listener, 299)
    ids = [one.event.feed_id for one in told]
    assert ids == sorted(set(ids))
    assert sorted(one.event.case_no for one in told) == list(range(1, 300))


async def test_all_listeners_are_handed_the_very_same_bytes(either_store: AnyStore, feed: Feed) -> None:
    async with feed.listening() as one, feed.listening() as other:
        await either_store.write(tell(7))  # type: ignore[arg-type]
        heard = [(await hear(listener, 1))[0].frame for listener in (one, other)]
    assert heard[0] is heard[1]
    assert heard[0].startswith(b"id: ")
    assert heard[0].endswith(b"\n\n")


async def test_a_commit_of_another_process_is_heard_too(
    either_store: AnyStore, feed: Feed, setting: StoreSetting, tmp_path: Path
) -> None:
    other = type(either_store)(either_store.path if isinstance(either_store, SqliteStore) else either_store.url, setting)  # type: ignore[arg-type, call-arg]
    assert isinstance(other, SqliteStore | PostgresStore)
    await other.open()
    async with feed.listening() as listener:
        await other.write(tell(9))  # type: ignore[arg-type]
        told = await hear(listener, 1)
    await other.close()
    assert told[0].event.case_no == 9


async def test_a_listener_that_does_not_keep_up_is_let_go_and_may_come_again(either_store: AnyStore, feed: Feed) -> None:
    async with feed.listening() as slow, feed.listening() as quick:
        heard = 0
        while not slow.lost:
            await asyncio.gather(*(either_store.write(tell(number)) for number in range(1, 101)))  # type: ignore[arg-type]
            heard += len(await hear(quick, 100))
        last = (await hear(slow, 1))[0].event.feed_id
        missed = await feed.missed_since(last)
    assert heard > feeds.QUEUE_BOUND
    assert missed[0].event.feed_id == last + 1
