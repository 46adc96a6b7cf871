"""Telling sources what became of their orders: news waiting in rows, pushed in order, tried again, given up to a person.

At least once: the receiver knows a repeat by its news id. A source without an address picks its news up instead (held).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import takewhile

import structlog

from intake.errors import SendError
from intake.model import Role
from intake.order import News, Order
from intake.outbox import after_failure
from intake.ports import Store, Work
from intake.records import Task

POLL_S = 5.0
BATCH = 10
CLAIM = timedelta(minutes=2)
"""Longer than a whole batch may take (OrderWebhook waits 10 s for each), so that nobody pushes what another is pushing."""
Push = Callable[[News, Order], Awaitable[None]]
"""Delivers one piece of news; raises SendError with an outcome of outbox.FAILURES."""
log = structlog.get_logger()


class Herald:
    """Pushes for one gateway; `pushes` are the sources that gave an address."""

    def __init__(self, store: Store, pushes: Mapping[str, Push]) -> None:
        self._store, self._pushes = store, pushes
        self._wake = asyncio.Event()
        self._down: set[str] = set()
        if pushes:
            store.on_feed(self._wake.set)  # without anybody to push to, looking now and then is enough

    async def run(self) -> None:
        """Push until cancelled."""
        while True:
            try:
                done = await self.push_due()
            except Exception as error:
                log.error("orders.failed", error=type(error).__name__)
                done = 0
            if not done:
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def push_due(self) -> int:
        """Push what is due, one source after the other in the order things happened; returns how many were tried."""
        claimed = await self._store.write(lambda work: claim(work, set(self._pushes)))
        failed: set[str] = set()
        for news, order in claimed:
            if news.source in failed:
                await self._store.write(lambda work, one=news: release(work, one))  # type: ignore[misc]
            elif not await self._push_one(news, order):
                failed.add(news.source)
        return len(claimed)

    async def _push_one(self, news: News, order: Order) -> bool:
        try:
            await self._push(news, order)
        except SendError as failure:
            if news.source not in self._down:
                self._down.add(news.source)
                log.warning("orders.source_down", source=news.source, outcome=failure.outcome)
            outcome, wait = failure.outcome, failure.retry_after_s
            await self._store.write(lambda work: record_failure(work, news, outcome, retry_after_s=wait))
            return False
        if news.source in self._down:
            self._down.discard(news.source)
            log.warning("orders.source_up", source=news.source)
        await self._store.write(lambda work: _finish(work, news, "sent"))
        return True

    async def _push(self, news: News, order: Order) -> None:
        try:
            await self._pushes[news.source](news, order)
        except SendError:
            raise
        except Exception as error:
            # A fault of ours about one piece of news is counted like any failure, or it would hold all others up for ever.
            log.error("orders.push_failed", source=news.source, error=type(error).__name__)
            raise SendError("unknown") from error


def claim(work: Work, pushed: set[str]) -> list[tuple[News, Order]]:
    """Take what is due for a while; what nobody can push is held until it is picked up."""
    for news in work.find(News, state="waiting", order="next_at,news_id", limit=BATCH):
        if news.source not in pushed:
            work.change(news, replace(news, state="held", next_at=None))
    found = []
    for news in [one for source in sorted(pushed) for one in _due(work, source)][:BATCH]:
        # Looked at again under its lock: another gateway may have taken it a moment ago.
        held, order = work.get(News, news.news_id, lock=True), work.get(Order, news.order_id)
        if held is not None and order is not None and held.state == news.state and held.next_at == news.next_at:
            found.append((work.change(held, replace(held, state="sending", next_at=work.now + CLAIM)), order))
    return found


def _due(work: Work, source: str) -> list[News]:
    """A source's news up to the first that has to wait, so that it hears of things in the order in which they happened."""
    pending = [one for state in ("sending", "waiting")
               for one in work.find(News, source=source, state=state, order="news_id", limit=BATCH)]  # fmt: skip
    pending.sort(key=lambda one: one.news_id)
    return list(takewhile(lambda one: one.next_at is not None and one.next_at <= work.now, pending))


def release(work: Work, news: News) -> None:
    """Put back what was claimed and not tried: it waits behind what came before it."""
    held = work.get(News, news.news_id, lock=True)
    if held is not None and held.state == "sending":
        work.change(held, replace(held, state="waiting", next_at=work.now))


def record_failure(work: Work, news: News, outcome: str, *, retry_after_s: float | None = None) -> None:
    """Put news off by the policy of all sending, or give it up and put it before a person."""
    tried = replace(news, attempts=news.attempts + 1, outcome=outcome)
    verdict = after_failure(outcome, attempts=tried.attempts, now=work.now, retry_after_s=retry_after_s)
    next_at = work.now + timedelta(minutes=5) if verdict.unsure and tried.attempts < 5 else verdict.next_at
    if next_at is not None:
        work.change(news, replace(tried, state="waiting", next_at=next_at))
        return
    work.change(news, replace(tried, state="failed", next_at=None))
    order = work.get(Order, news.order_id)
    if order:
        work.add(Task(work.new_id(), "order_push", order.case_no, work.now, Role.OPERATOR))


def _finish(work: Work, news: News, state: str) -> None:
    held = work.get(News, news.news_id, lock=True)
    if held is not None:
        work.change(held, replace(held, state=state, attempts=held.attempts + 1, next_at=None, outcome=""))
