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
from intake.outage_notice import begin_notice, end_notice
from intake.ports import Sends, Store, Work
from intake.records import OutboxRow
from intake.rules import Rules
from intake.text import sms_parts

SEND_TIMEOUT_S = 45.0
BATCH = 20
POLL_S = 5.0
ORPHANS_EVERY_S = 60.0
FINISH_S = 8.0
"""A stop waits so long for what is being sent, so that it need not be called unknown; systemd and Docker allow more."""
REST_S = 0.2
"""Between two looks, so that a storm of commits does not become a storm of look-ups."""
TAKEN, PUT_OFF, REFUSED = "taken", "put off", "refused"
log = structlog.get_logger()


class Courier:
    """Sends for one gateway. `name` is the gateway's own, `run` differs at each start."""

    def __init__(self, store: Store, rules: Rules, channels: Mapping[str, Sends], *, name: str, run_id: str) -> None:
        self._store, self._rules, self._channels = store, rules, channels
        self._prefix, self._owner = f"{name}/", f"{name}/{run_id}"
        self._wake = asyncio.Event()
        self._up: dict[str, bool] = {}
        self._orphans_at = 0.0
        self._round: asyncio.Task[int] | None = None
        self._stopping = False
        store.on_feed(self._wake.set)

    async def run(self) -> None:
        """Send until cancelled; what was claimed by then is finished first, as far as FINISH_S allows."""
        self._stopping = False
        try:
            await self._send_on()
        finally:
            await self._finish()

    async def _finish(self) -> None:
        self._stopping = True
        if self._round is None or self._round.done():
            return
        await asyncio.wait([self._round], timeout=FINISH_S)
        if not self._round.done():
            # Settled at the next start, like what a crash leaves.
            log.warning("courier.cut_off")
            self._round.cancel()

    async def _send_on(self) -> None:
        while True:
            try:
                await self._settle_orphans_now_and_then()
                self._round = asyncio.create_task(self.send_due())
                sent = await asyncio.shield(self._round)
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
        """Send what is due now, of each contact one after another; returns how many messages were claimed."""
        claimed = 0
        while batch := await self._send_batch():
            claimed += batch
            if self._stopping:
                break
        return claimed

    async def _send_batch(self) -> int:
        waiting = await self._store.read(lambda work: work.find(OutboxRow, state=outbox.WAITING, order="next_at", limit=1))
        if not waiting:
            return 0
        claimed = await self._store.write(lambda work: delivery.claim(work, owner=self._owner, limit=BATCH))
        ended = await asyncio.gather(*(self._send_one(one) for one in claimed))
        for channel in {one.row.channel for one in claimed}:
            await self._note(channel, {end for one, end in zip(claimed, ended, strict=True) if one.row.channel == channel})
        return len(claimed)

    async def _send_one(self, one: Claimed) -> str:
        """One message; says whether the provider took it, put it off or was not at fault at all."""
        try:
            receipt = await self._ask_channel(one)
        except SendError as error:
            failure = error
            await self._store.write(lambda work: delivery.record_failure(work, one.row, failure, self._rules))
            return PUT_OFF if outbox.FAILURES.get(error.outcome, outbox.FAILURES["refused"]).retry else REFUSED
        await self._store.write(lambda work: delivery.record_sent(work, one.row, receipt, self._rules))
        return TAKEN

    async def _ask_channel(self, one: Claimed) -> Receipt:
        channel = self._channels.get(one.row.channel)
        if channel is None:
            raise SendError("no_channel")
        if not one.address:
            raise SendError("bad_address")
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await channel.send(outbound_of(one))
        except TimeoutError:
            raise SendError("unknown") from None
        except SendError:
            raise
        except Exception as error:
            # A fault in an adapter tells nothing about the message: a person must look.
            log.error("channel.failed", channel=one.row.channel, error=type(error).__name__)
            raise SendError("unknown") from error

    async def _note(self, channel: str, ends: set[str]) -> None:
        """An outage is a round in which nothing was taken: told once when it begins and once when it ends, in the log and
        beside the operators' work. What it had put off is due at once when it is over."""
        if TAKEN in ends and self._up.get(channel) is not True:
            if self._up.get(channel) is False:
                log.warning("channel.up", channel=channel)
            self._up[channel] = True
            await self._store.write(lambda work: _end_outage(work, channel))
        elif ends == {PUT_OFF} and self._up.get(channel) is not False:
            self._up[channel] = False
            log.warning("channel.down", channel=channel)
            await self._store.write(lambda work: begin_notice(work, channel))

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
            await self._store.write(lambda work: delivery.record_sent(work, row, receipt, self._rules))

    async def _look_up(self, one: Claimed) -> Receipt | None:
        channel = self._channels.get(one.row.channel)
        if channel is None or not channel.can_look_up:
            return None
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await channel.find(outbound_of(one))
        except (TimeoutError, SendError):
            return None


def outbound_of(one: Claimed) -> Outbound:
    """The message as the channel gets it; short messages are cut, other channels take it whole."""
    row = one.row
    parts = tuple(sms_parts(one.text)) if row.channel == "sms" else (one.text,)
    return Outbound(f"r{row.outbox_id}", row.channel, one.address, parts, one.choices, row.case_no, one.subject)


def _end_outage(work: Work, channel: str) -> None:
    work.hurry_messages(channel, outcomes=outbox.OF_AN_OUTAGE)
    end_notice(work, channel)


def _settle_unknown(work: Work, row: OutboxRow) -> None:
    held = work.get(OutboxRow, row.outbox_id, lock=True)
    if held is not None and held.state == outbox.CLAIMED:
        delivery.record_unknown(work, held)
