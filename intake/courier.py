"""The loop that sends waiting replies: claim, send side by side, record. And what to do with claims of the dead.

One owner starts and stops it. A claim is durable before anything is sent, so after a crash a message is either still
waiting or claimed; a claimed one may have gone out and is looked up or put before an operator, never just sent again.
"""

import asyncio
import time
from collections.abc import Mapping

import structlog

from intake import delivery, outbox
from intake.delivery import Claimed
from intake.errors import SendError
from intake.model import Outbound, Receipt
from intake.ports import Sends, Store, Work
from intake.records import OutboxRow
from intake.rules import Rules
from intake.text import sms_parts

SEND_TIMEOUT_S = 45.0
BATCH = 20
POLL_S = 5.0
ORPHANS_EVERY_S = 60.0
REST_S = 0.2
"""Between two looks, so that a storm of commits does not become a storm of look-ups."""
log = structlog.get_logger()


class Courier:
    """Sends for one gateway. `name` is the gateway's own, `run` differs at each start."""

    def __init__(self, store: Store, rules: Rules, channels: Mapping[str, Sends], *, name: str, run_id: str) -> None:
        self._store, self._rules, self._channels = store, rules, channels
        self._prefix, self._owner = f"{name}/", f"{name}/{run_id}"
        self._wake = asyncio.Event()
        self._down: set[str] = set()
        self._orphans_at = 0.0
        store.on_feed(self._wake.set)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            try:
                await self._settle_orphans_now_and_then()
                sent = await self.send_due()
            except Exception as error:
                log.error("courier.failed", error=type(error).__name__)
                sent = 0
            if not sent:
                await self._rest()

    async def _settle_orphans_now_and_then(self) -> None:
        """At the start and every minute, because other gateways die, and our own word may have been lost."""
        if time.monotonic() >= self._orphans_at:
            await self.settle_orphans()
            self._orphans_at = time.monotonic() + ORPHANS_EVERY_S

    async def _rest(self) -> None:
        await asyncio.sleep(REST_S)
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def send_due(self) -> int:
        """Send what is due now; returns how many messages were claimed."""
        waiting = await self._store.read(lambda work: work.find(OutboxRow, state=outbox.WAITING, order="next_at", limit=1))
        if not waiting:
            return 0
        claimed = await self._store.write(lambda work: delivery.claim(work, owner=self._owner, limit=BATCH))
        await asyncio.gather(*(self._send_one(one) for one in claimed))
        return len(claimed)

    async def _send_one(self, one: Claimed) -> None:
        try:
            receipt = await self._ask_channel(one)
        except SendError as error:
            self._note_outage(one.row.channel, down=outbox.FAILURES.get(error.outcome, outbox.FAILURES["refused"]).retry)
            failure = error
            await self._store.write(lambda work: delivery.record_failure(work, one.row, failure, self._rules))
        else:
            self._note_outage(one.row.channel, down=False)
            await self._store.write(lambda work: delivery.record_sent(work, one.row, receipt))

    async def _ask_channel(self, one: Claimed) -> Receipt:
        channel = self._channels.get(one.row.channel)
        if channel is None:
            raise SendError("no_channel")
        if not one.address:
            raise SendError("bad_address")
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await channel.send(outbound_of(one.row, one.text, one.address))
        except TimeoutError:
            raise SendError("unknown") from None
        except SendError:
            raise
        except Exception as error:
            # A fault in an adapter tells nothing about the message: a person must look.
            log.error("channel.failed", channel=one.row.channel, error=type(error).__name__)
            raise SendError("unknown") from error

    def _note_outage(self, channel: str, *, down: bool) -> None:
        """An outage is logged once when it begins and once when it ends."""
        if down and channel not in self._down:
            self._down.add(channel)
            log.warning("channel.down", channel=channel)
        elif not down and channel in self._down:
            self._down.discard(channel)
            log.warning("channel.up", channel=channel)

    async def settle_orphans(self) -> int:
        """Claims of a gateway that died: looked up where the provider keeps a list, else an operator's task at once."""

        def dead(work: Work) -> list[Claimed]:
            found = delivery.orphans(work, dead_before=work.now - outbox.CLAIM_LENGTH, owner_prefix=self._prefix,
                                     owner=self._owner)  # fmt: skip
            return [delivery.with_words(work, row) for row in found]

        orphans = await self._store.read(dead)
        for one in orphans:
            await self._settle(one.row, await self._look_up(one))
        return len(orphans)

    async def _settle(self, row: OutboxRow, receipt: Receipt | None) -> None:
        if receipt is None:
            await self._store.write(lambda work: _settle_unknown(work, row))
        else:
            await self._store.write(lambda work: delivery.record_sent(work, row, receipt))

    async def _look_up(self, one: Claimed) -> Receipt | None:
        channel = self._channels.get(one.row.channel)
        if channel is None or not channel.can_look_up:
            return None
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await channel.find(outbound_of(one.row, one.text, one.address))
        except (TimeoutError, SendError):
            return None


def outbound_of(row: OutboxRow, text: str, address: str) -> Outbound:
    """The message as the channel gets it; short messages are cut, other channels take it whole."""
    parts = tuple(sms_parts(text)) if row.channel == "sms" else (text,)
    return Outbound(ref=f"r{row.outbox_id}", channel=row.channel, address=address, parts=parts)


def _settle_unknown(work: Work, row: OutboxRow) -> None:
    held = work.get(OutboxRow, row.outbox_id, lock=True)
    if held is not None and held.state == outbox.CLAIMED:
        delivery.record_unknown(work, held)
