"""From a message to an acknowledged case number: the database when it can be written, the spool when it cannot.

The number is taken before anything is written, so whatever happens afterwards the sender's number is final. Replaying
is automatic and harmless to repeat.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from intake.errors import KeyReused, Unavailable
from intake.model import Inbound, Prediction, State
from intake.ports import Store
from intake.receive import Judged, Received, receive, seen_before
from intake.rules import Rules
from intake.spool import Spool, Spooled

READ_TIMEOUT_S = 1.0
WRITE_TIMEOUT_S = 5.0
"""A database that does not answer for so long counts as unable; the unit may still commit, which replay recognises."""
REST_S = 2.0
"""After an outage was met, reports go straight to the spool for so long before the database is tried again."""
log = structlog.get_logger()


class Admission:
    """Takes messages in. One for each gateway."""

    def __init__(self, store: Store, rules: Rules, spool: Spool, judge: Callable[[str], Judged]) -> None:
        self._store, self._rules, self._spool, self._judge = store, rules, spool, judge
        self._rest_until = 0.0
        self._down = False
        self._wake = asyncio.Event()
        self._keeping: dict[tuple[str, str], asyncio.Future[Received]] = {}

    async def take(self, inbound: Inbound, judged: Judged) -> Received:
        """Acknowledge a message durably; raises Unavailable only when database and spool both fail."""
        waiting = self._spool.same_message(inbound)
        if waiting is not None:
            if waiting.inbound.body_digest != inbound.body_digest:
                raise KeyReused
            return Received(waiting.case_no, State.REPORTED, Prediction(), repeated=True)
        if (kept := self._keeping.get((inbound.channel, inbound.provider_id))) is not None:
            return replace(await asyncio.shield(kept), repeated=True)
        case_no = self._store.next_case_no()
        if time.monotonic() < self._rest_until:
            return await self._keep(case_no, inbound)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                return await self._store.write(
                    lambda work: receive(work, inbound, judged, self._rules, case_no=case_no)
                )
        except (Unavailable, TimeoutError) as outage:
            self._note_outage(outage)
            return await self._keep(case_no, inbound)

    def spooled(self, case_no: int) -> Spooled | None:
        """The report of that number if it still waits for the database."""
        return self._spool.numbered(case_no)

    async def _keep(self, case_no: int, inbound: Inbound) -> Received:
        """Spool a report; the same provider id meanwhile waits for this one instead of being kept twice."""
        if not inbound.provider_id:
            return await self._spooled_as(case_no, inbound)
        key = (inbound.channel, inbound.provider_id)
        if (kept := self._keeping.get(key)) is not None:
            return replace(await asyncio.shield(kept), repeated=True)
        self._keeping[key] = keeping = asyncio.ensure_future(self._keep_unless_known(case_no, inbound))
        try:
            return await asyncio.shield(keeping)
        finally:
            self._keeping.pop(key, None)

    async def _keep_unless_known(self, case_no: int, inbound: Inbound) -> Received:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                known = await self._store.read(lambda work: seen_before(work, inbound))
        except (Unavailable, TimeoutError):
            known = None
        return known or await self._spooled_as(case_no, inbound)

    async def _spooled_as(self, case_no: int, inbound: Inbound) -> Received:
        try:
            await asyncio.to_thread(self._spool.put, case_no, inbound)
        except OSError as error:
            log.critical("spool.failed", error=type(error).__name__)
            raise Unavailable from error
        self._wake.set()
        return Received(case_no, State.REPORTED, Prediction())

    def _note_outage(self, outage: BaseException) -> None:
        """Logged once when it begins; replay_waiting logs the end."""
        self._rest_until = time.monotonic() + REST_S
        if not self._down:
            self._down = True
            cause = outage.__cause__ or outage
            log.error("database.down", error=type(cause).__name__)

    async def run(self) -> None:
        """Replay what waits, until cancelled."""
        while True:
            if not len(self._spool):
                await self._wake.wait()
            self._wake.clear()
            await self.replay_waiting()
            await asyncio.sleep(REST_S / 2)

    async def replay_waiting(self) -> int:
        """Bring spooled reports into the database, oldest first; stops at the first that cannot be. Returns how many."""
        done = 0
        for spooled in list(self._spool.waiting()):
            try:
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    await self._replay(spooled)
                await asyncio.to_thread(self._spool.remove, spooled)
            except (Unavailable, TimeoutError) as outage:
                self._note_outage(outage)
                return done
            except Exception as error:
                # One report that cannot be brought in must not hold the others up; it stays and is tried again.
                log.error("spool.not_replayed", error=type(error).__name__)
                continue
            done += 1
        if self._down and done:
            self._down = False
            log.warning("database.up", replayed=done)
        return done

    async def _replay(self, spooled: Spooled) -> None:
        judged = self._judge(spooled.inbound.text)
        await self._store.write(
            lambda work: receive(work, spooled.inbound, judged, self._rules, case_no=spooled.case_no, replayed=True)
        )
