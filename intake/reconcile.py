"""Comparing what a provider knows with journal and outbox, and making good what never reached us.

A provider that keeps a list (Twilio) is asked for it: messages that never came are heard now, reports that never came are
recorded, unknown fates are looked up; a second look must then find nothing. Where there is no list nothing can be
compared: what may be missing is shown (liveness.py), never claimed to be found.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from intake import delivery, outbox
from intake.courier import outbound_of
from intake.errors import IntakeError, SendError
from intake.joining import Piece
from intake.liveness import Gap, Run, gaps, note_running
from intake.model import DeliveryReport, Inbound, Receipt
from intake.ports import Store, Work
from intake.records import JournalEntry, OutboxRow, Task
from intake.rules import Rules

BATCH = 200
BACK = timedelta(days=2)
EVERY_S = 3600.0
TICK_S = 60.0
MAKES_A_DIFFERENCE = {
    "delivered": (outbox.SENT, outbox.UNKNOWN, outbox.FAILED),
    "failed": (outbox.SENT,),
}
"""The states of a message that a report of this outcome would change (delivery.record_delivery)."""
REDELIVERS = {"telegram": timedelta(hours=24), "wechat": timedelta(seconds=15)}
"""How long a kind of provider offers a message again, where the channel does not say (core.telegram.org/bots/api#getupdates;
WeChat: three tries of 5 s)."""
Emit = Callable[[Inbound], Awaitable[None]]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one channel's comparison found and made good. `left` differs still; `foreign` are messages of the account that
    we never sent; `gaps` are stretches nobody can look into; `unsure` messages whose fate nobody knows."""

    channel: str
    has_list: bool = False
    listed: int = 0
    missed: int = 0
    late: int = 0
    looked_up: int = 0
    left: int = 0
    foreign: int = 0
    unsure: int = 0
    redelivers_for: timedelta = timedelta(0)
    gaps: tuple[Gap, ...] = ()
    fault: str = ""


async def reconcile(
    store: Store, rules: Rules, name: str, channel: Any, *, emit: Emit, since: datetime
) -> Outcome:  # fmt: skip
    """Compare and make good for one channel. A provider that cannot be asked now is told in `fault`."""
    redelivers = getattr(channel, "redelivers_for", REDELIVERS.get(channel.kind, timedelta(0)))
    if not hasattr(channel, "listed"):
        runs = await store.read(lambda work: work.find(Run))
        found = gaps(runs, since=since, longer_than=redelivers)
        unsure = await store.read(lambda work: len(_unsure(work, channel.kind, since)))
        return Outcome(name, redelivers_for=redelivers, gaps=tuple(found), unsure=unsure)
    outcome = Outcome(name, has_list=True)
    try:
        outcome = replace(outcome, looked_up=await _look_up(store, rules, channel, since))
        outcome = await _compare(store, rules, channel, outcome, emit=emit, since=since)
        again = await _compare(store, rules, channel, Outcome(name), emit=None, since=since)
    except (SendError, IntakeError) as error:
        return replace(outcome, fault=getattr(error, "outcome", error.code))
    unsure = await store.read(lambda work: len(_unsure(work, channel.kind, since)))
    return replace(outcome, left=again.missed + again.late, unsure=unsure)


async def _compare(
    store: Store, rules: Rules, channel: Any, outcome: Outcome, *, emit: Emit | None, since: datetime
) -> Outcome:  # fmt: skip
    """One walk through the list; without `emit` it only counts."""
    batch: list[Inbound | DeliveryReport] = []
    async for thing in channel.listed(since):
        batch.append(thing)
        if len(batch) >= BATCH:
            outcome = await _settle(store, rules, batch, outcome, emit=emit)
            batch = []
    return await _settle(store, rules, batch, outcome, emit=emit)


async def _settle(
    store: Store, rules: Rules, batch: Sequence[Inbound | DeliveryReport], outcome: Outcome, *, emit: Emit | None
) -> Outcome:  # fmt: skip
    missed, late, foreign = await store.read(lambda work: _differences(work, batch))
    if emit is not None:
        for inbound in sorted(missed, key=lambda one: one.received_at):
            await emit(inbound)
        for report in late:
            await store.write(lambda work, one=report: delivery.record_delivery(work, one, rules))  # type: ignore[misc]
    return replace(
        outcome, listed=outcome.listed + len(batch), missed=outcome.missed + len(missed), late=outcome.late + len(late),
        foreign=outcome.foreign + foreign,
    )  # fmt: skip


def _differences(
    work: Work, batch: Sequence[Inbound | DeliveryReport]
) -> tuple[list[Inbound], list[DeliveryReport], int]:
    missed, late, foreign = [], [], 0
    for thing in batch:
        if isinstance(thing, Inbound):
            if not _is_known(work, thing):
                missed.append(thing)
            continue
        rows = work.find(OutboxRow, channel=thing.channel, provider_id=thing.provider_id, limit=1)
        foreign += not rows
        if rows and rows[0].state in MAKES_A_DIFFERENCE.get(thing.outcome, ()):
            late.append(thing)
    return missed, late, foreign


def _is_known(work: Work, inbound: Inbound) -> bool:
    where: dict[str, Any] = {"channel": inbound.channel, "provider_id": inbound.provider_id}
    return bool(work.find(JournalEntry, limit=1, **where) or work.find(Piece, limit=1, **where))


def _unsure(work: Work, channel: str, since: datetime) -> list[OutboxRow]:
    found = work.find(OutboxRow, state=outbox.UNKNOWN, channel=channel)
    return [row for row in found if not row.provider_id and row.created_at >= since]


async def _look_up(store: Store, rules: Rules, channel: Any, since: datetime) -> int:
    """Messages of unknown fate that the provider's list knows after all."""
    unsure = await store.read(lambda work: [delivery.with_words(work, row) for row in _unsure(work, channel.kind, since)])
    found = 0
    for one in unsure:
        receipt = await channel.find(outbound_of(one)) if one.address and one.text else None
        if receipt is not None:
            sent = partial(_was_sent, row=one.row, receipt=receipt, rules=rules)
            found += await store.write(sent)
    return found


def _was_sent(work: Work, row: OutboxRow, receipt: Receipt, rules: Rules) -> bool:
    """It did go out: the operator need not find out any more. Where it is known already that it did not arrive, the next
    route opens."""
    held = work.get(OutboxRow, row.outbox_id, lock=True)
    taken = work.find(OutboxRow, channel=row.channel, provider_id=receipt.provider_id, limit=1)
    if held is None or held.state != outbox.UNKNOWN or taken:
        return False
    delivery.record_sent(work, held, receipt, rules)
    for task in work.find(Task, case_no=row.case_no, kind="unknown_fate", state="open"):
        if task.outbox_id == row.outbox_id:
            work.change(task, replace(task, state="done", closed_at=work.now, outcome="sent"))
    return True


async def run_reconciling(
    store: Store, rules: Rules, by_name: Mapping[str, Any], *, emit_of: Callable[[Any], Emit], run_id: str, gateway: str
) -> None:  # fmt: skip
    """Note that we run, each minute; compare at the start and each hour, until cancelled. A fault is told and comes again."""
    turn = 0
    while True:
        await store.write(lambda work: note_running(work, run_id, gateway))
        if turn % int(EVERY_S / TICK_S) == 0:
            for name, channel in by_name.items():
                since = await store.read(lambda work: work.now) - BACK
                tell(await reconcile(store, rules, name, channel, emit=emit_of(channel), since=since))
        turn += 1
        await asyncio.sleep(TICK_S)


def tell(outcome: Outcome) -> None:
    """One line in the log where there is something to tell."""
    if outcome.fault:
        log.warning("reconcile.failed", channel=outcome.channel, reason=outcome.fault)
    elif outcome.missed or outcome.late or outcome.looked_up or outcome.left:
        log.warning("reconcile.made_good", channel=outcome.channel, missed=outcome.missed, late=outcome.late,
                    looked_up=outcome.looked_up, left=outcome.left)  # fmt: skip
    for gap in outcome.gaps:
        log.warning("reconcile.gap", channel=outcome.channel, start=gap.start_at.isoformat(), end=gap.end_at.isoformat())
