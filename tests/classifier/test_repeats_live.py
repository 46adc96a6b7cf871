"""The index of open cases beside a running gateway: whatever happens at the same moment, it ends when it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from classifier.repeats_live import LiveRepeats
from intake.feed import Listener, Told, frame_of
from intake.records import FeedEvent
from tests.make import NOON

DEADLINE_S = 60
EVENT = FeedEvent(1, NOON, "receive", "reported", 1, "roads", "routine")


@dataclass
class OneListener:
    """A feed with one listener, spoken into by the test."""

    listener: Listener = field(default_factory=Listener)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        yield self.listener


class NoCases:
    async def read(self, question: Callable[..., object]) -> dict[int, object]:
        """No page of open cases at the start, no case behind a number later."""
        return {}


@pytest.mark.parametrize("turns", range(12))
async def test_told_to_end_in_the_moment_a_change_arrives_it_ends(turns: int) -> None:
    """A stop that met the news of a commit was swallowed, and the gateway stayed up for ever."""
    feed = OneListener()
    feed.started.set()
    repeats = LiveRepeats(NoCases(), feed, lambda text: ("", None))  # type: ignore[arg-type]
    running = asyncio.create_task(repeats.run())
    for _ in range(20):
        await asyncio.sleep(0)
    feed.listener.queue.put_nowait(Told(EVENT, frame_of(EVENT)))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=DEADLINE_S)
    assert done
    assert running.cancelled()
