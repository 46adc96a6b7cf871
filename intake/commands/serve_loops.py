"""The loops of a running gateway: kept up when a fault ends one, ended together when the gateway is told to stop."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

import structlog

LOOP_REST_S = 1.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stop:
    """Set by SIGINT or SIGTERM."""

    event: asyncio.Event

    @classmethod
    def on_signals(cls) -> "Stop":
        event = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, event.set)
        return cls(event)


async def keep_up(name: str, loop: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run a loop that should never end, and start it again when a fault ended it: one fault must not stop the rest."""
    while True:
        try:
            await loop()
        except Exception as error:
            log.error("gateway.loop_failed", loop=name, error=type(error).__name__)
        await asyncio.sleep(LOOP_REST_S)


async def cancel(tasks: list["asyncio.Task[None]"]) -> None:
    """End them all. Asked again each second, so that one which swallowed a cancellation cannot keep the gateway up."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=LOOP_REST_S)
        if left:
            log.warning("gateway.slow_to_end", parts=sorted(task.get_name() for task in left))
    await asyncio.gather(*tasks, return_exceptions=True)


async def wait_for_end(stop: Stop, tasks: list["asyncio.Task[None]"]) -> None:
    """Until a signal comes; a loop that ended for good (it cannot, short of a fault here) is a failure of the gateway."""
    asked = asyncio.create_task(stop.event.wait())
    done, _ = await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if asked not in done:
        asked.cancel()
        log.critical("gateway.part_ended", parts=[task.get_name() for task in done])
        raise SystemExit(4)
