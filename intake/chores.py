"""What must happen without anybody asking: build reports whose first building failed, move on from messages without a
receipt, sweep what has served. One owner starts and stops it; everything it waits for is a row, so a restart loses none.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from intake import delivery
from intake.alarms import fire_due
from intake.pieces import forget_pieces
from intake.ports import Store, Work
from intake.receive import Judged, build_pending, inbound_of
from intake.records import JournalEntry
from intake.rules import Rules

EVERY_S = 10.0
SWEEP_ROUNDS = 60
TRIES_KEPT = timedelta(days=1)
MAX_BUILDS = 50
FIRST = "attempts,entry_id"
"""What was tried least comes first, so that messages which can never be built keep no other waiting."""
log = structlog.get_logger()


async def run_chores(store: Store, rules: Rules, judge: Callable[[str], Judged], *, feed_keep: int) -> None:
    """Go round until cancelled; a chore that fails is logged and comes again with the next round."""
    turn = 0
    while True:
        try:
            await build_waiting(store, rules, judge)
            await store.write(lambda work: delivery.give_up_waiting(work, rules))
            while await store.write(fire_due):
                pass
            if turn % SWEEP_ROUNDS == 0:
                await store.write(lambda work: sweep(work, feed_keep=feed_keep))
        except Exception as error:
            log.error("chores.failed", error=type(error).__name__)
        turn += 1
        await asyncio.sleep(EVERY_S)


async def build_waiting(store: Store, rules: Rules, judge: Callable[[str], Judged]) -> int:
    """Build the cases of journal rows whose first building failed; returns how many are built now."""
    waiting = await store.read(lambda work: work.find(JournalEntry, state="pending", order=FIRST, limit=MAX_BUILDS))
    built = 0
    for entry in waiting:
        judged = {entry.entry_id: judge(inbound_of(entry).text)}
        ok = await store.write(lambda work, e=entry, j=judged: build_pending(work, e.entry_id, j, rules))  # type: ignore[misc]
        built += ok
        if not ok:
            log.error("journal.not_built", entry_id=entry.entry_id, attempts=entry.attempts + 1)
    return built


def sweep(work: Work, *, feed_keep: int) -> None:
    work.sweep(feed_keep=feed_keep, tries_before=work.now - TRIES_KEPT)
    forget_pieces(work)
