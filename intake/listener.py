"""The front of the conversation for channels: what is slow or pure before the unit of work, then the unit itself.

Places are found, the text is judged and addresses hashed here; `conversation.hear` and `delivery.record_delivery` do the
rest. Returns only after the message is durable, in the database or while that is away in the backlog on disk, so that a
channel may then tell its provider that it is taken. `run` brings in what waits.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from intake import delivery
from intake.backlog import Backlog, Waiting
from intake.conversation import Heard, hear
from intake.conversation_acts import Ear, Message
from intake.dialogue_words import Phrases, fold
from intake.errors import Misconfigured, Unavailable
from intake.gateway import Gateway
from intake.matching import has_place
from intake.model import DeliveryReport, Inbound, Place
from intake.pieces import Joined, keep_piece, mark_joined, ready_pieces
from intake.ports import Work
from intake.text import normalise

T = TypeVar("T")
WRITE_TIMEOUT_S = 10.0
"""Providers wait about 15 s (Twilio); a message that cannot be stored by then is kept on disk."""
REST_S = 2.0
"""After an outage was met, messages go straight to the backlog for so long before the database is tried again."""
ROUND_S = 2.0
MOST_TRIES = 5
KEPT, PIECE = Heard(act="kept"), Heard(act="piece")
"""What is known of a message that waits on disk, and of a piece whose message is not whole yet."""
log = structlog.get_logger()


class Outage:
    """Whether the database was found to be away; one line in the log at the start and one at the end."""

    def __init__(self) -> None:
        self._rest_until, self._down = 0.0, False

    def is_resting(self) -> bool:
        return time.monotonic() < self._rest_until

    def begin(self, error: BaseException) -> None:
        self._rest_until = time.monotonic() + REST_S
        if not self._down:
            self._down = True
            log.error("messages.kept", error=type(error.__cause__ or error).__name__)

    def end(self, count: int) -> None:
        if self._down:
            self._down = False
            log.warning("messages.brought_in", count=count)


@dataclass(frozen=True, repr=False)
class Listener:
    """Built once by the wiring. `find_place` reads a place out of free text, None where it names none. Without a backlog
    what cannot be stored is refused."""

    gateway: Gateway
    phrases: Phrases
    find_place: Callable[[str], str | None]
    backlog: Backlog | None = None
    outage: Outage = field(default_factory=Outage)
    tries: dict[str, int] = field(default_factory=dict)

    # In

    async def hear(self, inbound: Inbound, *, takes_photos: bool = False, photos_lost: int = 0) -> Heard:
        """Take in one message of a text channel; returns after it is durable. Raises Unavailable when it cannot be."""
        waiting = Waiting(inbound, takes_photos, photos_lost)
        if self._must_wait(waiting):
            await self._keep(waiting)
            return KEPT
        try:
            return await self._hear(waiting)
        except Unavailable as outage:
            self.outage.begin(outage)
            await self._keep(waiting, outage)
            return KEPT

    async def record_delivery(self, report: DeliveryReport) -> bool:
        """A provider's delivery report; False when it is about no message of ours that we know of now."""
        waiting = Waiting(report)
        if self._must_wait(waiting):
            await self._keep(waiting)
            return False
        try:
            return await self._record(report)
        except Unavailable as outage:
            self.outage.begin(outage)
            await self._keep(waiting, outage)
            return False

    def _must_wait(self, waiting: Waiting) -> bool:
        """While the database is known to be away, and behind what the same sender said before."""
        return self.backlog is not None and (self.outage.is_resting() or self.backlog.holds(waiting.sender))

    async def _keep(self, waiting: Waiting, outage: Unavailable | None = None) -> None:
        if self.backlog is None:
            raise outage or Unavailable
        try:
            await asyncio.to_thread(self.backlog.put, waiting)
        except OSError as error:
            log.critical("backlog.failed", error=type(error).__name__)
            raise Unavailable from error

    async def _hear(self, waiting: Waiting) -> Heard:
        inbound = waiting.thing
        assert isinstance(inbound, Inbound)
        if inbound.part is not None:
            made = await self._write(lambda work: keep_piece(work, inbound, self._thread(inbound)))
            if made is not None:
                heard = [await self._hear_joined(one) for one in made]
                return heard[-1] if heard else PIECE
        return await self._hear_whole(waiting)

    async def _hear_joined(self, whole: Joined) -> Heard:
        """The pieces are marked in the same unit that hears them, so that a crash in between joins them once more."""
        return await self._hear_whole(Waiting(whole.inbound), then=lambda work: mark_joined(work, whole.pieces))

    async def _hear_whole(self, waiting: Waiting, then: Callable[[Work], None] | None = None) -> Heard:
        inbound = waiting.thing
        assert isinstance(inbound, Inbound)
        message = self.prepare(inbound, takes_photos=waiting.takes_photos, photos_lost=waiting.photos_lost)
        ear = Ear(self.gateway.rules, self.phrases, self.gateway.vault.code_key)

        def unit(work: Work) -> Heard:
            heard = hear(work, message, ear)
            if then is not None:
                then(work)
            return heard

        return await self._write(unit)

    async def _record(self, report: DeliveryReport) -> bool:
        return await self._write(lambda work: delivery.record_delivery(work, report, self.gateway.rules))

    async def _write(self, unit: Callable[[Work], T]) -> T:
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                return await self.gateway.store.write(unit)
        except TimeoutError as error:
            raise Unavailable from error

    def prepare(self, inbound: Inbound, *, takes_photos: bool = False, photos_lost: int = 0) -> Message:
        """The message in normal form with everything known of it before the store is asked."""
        gateway, text = self.gateway, normalise(inbound.text)
        place = inbound.place
        if not has_place(place) and (found := self.find_place(text)):
            place = Place(text=found)
        hashed = gateway.vault.lookup_hash
        return Message(
            inbound=replace(inbound, text=text, place=gateway.city.locate(place), part=None),
            judged=gateway.judge(text),
            thread=self._thread(inbound),
            address_hash=hashed(inbound.address, "address"),
            phone_hash=hashed(inbound.phone, "phone"),
            mark_hash=hashed(inbound.phone or inbound.address, "phone"),
            digest=hashed(fold(text) or text, "said"),
            takes_photos=takes_photos,
            photos_lost=photos_lost,
        )

    def _thread(self, inbound: Inbound) -> str:
        return self.gateway.vault.lookup_hash(f"{inbound.channel}:{inbound.address}", "thread")

    # What waits

    async def run(self) -> None:
        """Bring in what waits on disk and pieces whose rest never came, until cancelled."""
        while True:
            try:
                await self.bring_in()
                await self.join_pieces()
            except Unavailable as outage:
                self.outage.begin(outage)
            await asyncio.sleep(ROUND_S)

    async def bring_in(self) -> int:
        """Everything that waits on disk, oldest first; returns how many. Harmless to repeat. Raises Unavailable."""
        done = 0
        for name in list(self.backlog.names()) if self.backlog else ():
            done += await self._try(name)
        if done:
            self.outage.end(done)
        return done

    async def _try(self, name: str) -> bool:
        """One file; what fails again and again for a reason of its own is put aside, so that it holds nothing up."""
        assert self.backlog is not None
        try:
            waiting = await asyncio.to_thread(self.backlog.read, name)
            await (self._record(waiting.thing) if isinstance(waiting.thing, DeliveryReport) else self._hear(waiting))
        except Exception as error:
            if isinstance(error, Unavailable) and not isinstance(error, Misconfigured):
                raise
            return self._set_aside(name, error)
        self.tries.pop(name, None)
        await asyncio.to_thread(self.backlog.remove, name)
        return True

    def _set_aside(self, name: str, error: Exception) -> bool:
        assert self.backlog is not None
        self.tries[name] = self.tries.get(name, 0) + 1
        if self.tries[name] >= MOST_TRIES:
            del self.tries[name]
            self.backlog.put_aside(name)
            log.error("backlog.put_aside", error=type(error).__name__)
        return False

    async def join_pieces(self) -> int:
        """Take in messages of pieces that are whole by now or were waited for long enough; returns how many."""
        ready = await self.gateway.store.read(ready_pieces)
        joined = 0
        for one in ready:
            try:
                await self._hear_joined(one)
            except Unavailable:
                raise
            except Exception as error:
                # One message that cannot be brought in must not hold the others up; its pieces stay and are tried again.
                log.error("pieces.not_joined", error=type(error).__name__)
            else:
                joined += 1
        return joined
