"""Committed changes to listeners, in order, resumable by the last id they saw.

One reader for the whole gateway asks the store after each wake-up; an event is encoded once and the same bytes go to
every listener. A listener that is too slow is let go: it comes back with its last id and misses nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from intake.errors import Unavailable
from intake.ports import Store
from intake.records import FeedEvent

QUEUE_BOUND = 1000
PAGE = 500
OUTAGE_REST_S = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """An event and its server-sent form, made once for all listeners."""

    event: FeedEvent
    frame: bytes


def frame_of(event: FeedEvent) -> bytes:
    """The event as a server-sent event. No personal data: number, step, state, version, unit, urgency, time."""
    data = {"case_no": str(event.case_no), "step": event.step, "state": event.state, "version": event.version,
            "unit": event.unit, "urgency": event.urgency, "at": event.at.isoformat()}  # fmt: skip
    return f"id: {event.feed_id}\nevent: change\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


@dataclass(eq=False, slots=True)
class Listener:
    """One open console. `lost` is set when it was too slow and must come again."""

    queue: "asyncio.Queue[Told]" = field(default_factory=lambda: asyncio.Queue(QUEUE_BOUND))
    lost: bool = False


class Feed:
    """Reads the feed table and hands events on. `changed` may be replaced by whatever tells of foreign commits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wake = asyncio.Event()
        self._listeners: set[Listener] = set()
        self._last: int | None = None
        self.started = asyncio.Event()
        store.on_feed(self._wake.set)

    async def run(self, watch: Callable[[Callable[[], None]], Coroutine[None, None, None]] | None = None) -> None:
        """Read until cancelled. `watch` wakes us for commits of other processes (NOTIFY, data_version)."""
        async with asyncio.TaskGroup() as group:
            if watch:
                group.create_task(watch(self._wake.set))
            group.create_task(self._read_on())

    async def _read_on(self) -> None:
        while True:
            try:
                await self._read_new()
            except Unavailable:
                # The database is away; what was committed meanwhile is read when it is back. The store logs the outage.
                await asyncio.sleep(OUTAGE_REST_S)
                self._wake.set()
            await self._wake.wait()
            self._wake.clear()

    async def _read_new(self) -> None:
        if self._last is None:
            self._last = await self._store.read(lambda work: work.last_event_id())
            self.started.set()
        while events := await self._store.read(lambda work: work.events_after(self._last)):
            self._last = events[-1].feed_id
            for event in events:
                self._hand_on(Told(event, frame_of(event)))
            if len(events) < PAGE:
                return

    def _hand_on(self, told: Told) -> None:
        for listener in tuple(self._listeners):
            try:
                listener.queue.put_nowait(told)
            except asyncio.QueueFull:
                listener.lost = True
                self._listeners.discard(listener)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """Hear everything committed from now on."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def missed_since(self, last_id: int) -> list[Told]:
        """At most one page of events after `last_id`, for a listener that comes back."""
        events = await self._store.read(lambda work: work.events_after(last_id))
        return [Told(event, frame_of(event)) for event in events]

    @property
    def listener_count(self) -> int:
        return len(self._listeners)

