"""The telephone as one thing: links to every Asterisk, the FastAGI server, recordings; and what is done about events.

Built by the wiring from settings and the switchboard; each of `loops` has one owner there. Without `[phone]` settings
nothing of this exists and the gateway runs as well.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any

import aiohttp
import structlog

from channels.phone import PhoneSettings, Server
from channels.phone.agi import AgiServer
from channels.phone.board import Board
from channels.phone.desk import Desk, do_repair
from channels.phone.driver import Driver
from channels.phone.happening import Happening, happening
from channels.phone.link import Link, Pace
from channels.phone.open_call import settle_open_calls
from channels.phone.peers import Peers, admitted_by
from channels.phone.recordings import Recordings
from channels.phone.roster import Leg, Truth, Waiting, read_legs, read_truth, repairs, vanished
from channels.phone.sounds import Sounds
from channels.phone.steps import Steps
from channels.phone.talk import Doing
from channels.phone.told import Told
from intake.errors import IntakeError

Loop = Callable[[], Coroutine[None, None, None]]
MOST_WAITING = 20_000
"""Happenings that may wait to be written down; beyond that they are dropped and the truth is read again instead."""
MOST_AT_ONCE = 200
SETTLE_EVERY_S, NOTICE_EVERY_S = 20.0, 5.0
"""How soon a message left with the local fallback, while the link stood, is found."""
ACT_S: Mapping[str, float] = {"dial_citizen": 10.0}
log = structlog.get_logger()


class Exchange:
    """`desk` is the telephony port; `is_ready` tells whether any Asterisk is reached."""

    def __init__(
        self, settings: PhoneSettings, board: Board, *, sounds: Sounds, http: aiohttp.ClientSession,
        clock: Callable[[], datetime], pace: Pace | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.board, self._clock = settings, board, clock
        self.links = {server.name: self._link(server, pace) for server in settings.servers}
        self.desk = Desk(board, settings, self.links, sounds)
        self.steps = Steps(board, clock, records=settings.record_calls)
        self._waiting, self._sounds = Waiting(), sounds
        self.driver = Driver(self.steps, Doing(board, sounds, ACT_S), settings, place=self._waiting.place, duty=self._duty)
        driver = self.driver
        self.peers = Peers(admitted_by(settings))
        self.agi = AgiServer(settings.agi_host, settings.agi_port, settings.max_calls, driver.serve, driver.serve_busy,
                             admits=self.peers.admits)  # fmt: skip
        self.recordings = Recordings(board, settings, http)
        self._happenings: asyncio.Queue[Happening] = asyncio.Queue(MOST_WAITING)
        self._turns: dict[int, asyncio.Task[None]] = {}
        self._has_lost = False

    @property
    def loops(self) -> dict[str, Loop]:
        """Everything that goes on in the background, by name."""
        links: dict[str, Loop] = {f"phone-link-{name}": link.run for name, link in self.links.items()}
        return links | {"phone-agi": self.agi.run, "phone-peers": self.peers.run, "phone-events": self.run_events,
                        "phone-recordings": self.recordings.run,
                        "phone-open-calls": self.run_open_calls, "phone-notices": self.run_notices}  # fmt: skip

    async def run_notices(self) -> None:
        """At the start and when one is written the words of a temporary notice are made, and kept from being forgotten."""
        while True:
            await self._sounds.ahead(self.board.notices())
            await asyncio.sleep(NOTICE_EVERY_S)

    @property
    def figures(self) -> dict[str, tuple[str, Callable[[], float]]]:
        """For whoever watches this process: a figure's name, what it means, and how to read it."""
        links = self.links.values()
        return {
            "intake_phone_calls": ("Callers the gateway is speaking to.", lambda: self.agi.calls),
            "intake_phone_servers": ("Asterisk servers in the settings.", lambda: len(links)),
            "intake_phone_servers_up": ("Asterisk servers that are reached.", lambda: sum(link.is_up for link in links)),
            "intake_phone_peers_refused": ("FastAGI connections of strangers, closed unheard.", lambda: self.peers.refused),
        }

    @property
    def is_ready(self) -> bool:
        return any(link.is_up for link in self.links.values())

    def _link(self, server: Server, pace: Pace | None) -> Link:
        return Link(server, on_event=self._told, on_up=self.reread, pace=pace)

    def _duty(self) -> str:
        contact = self.board.duty()
        return contact.number if contact else ""

    # Events

    def _told(self, told: Told) -> None:
        found = happening(told)
        if found is None:
            return
        if found.kind in ("joined", "unqueued", "gone"):
            self._note_waiting(found)
        try:
            self._happenings.put_nowait(found)
        except asyncio.QueueFull:
            self._has_lost = True
            log.error("phone.events_lost")

    def _note_waiting(self, found: Happening) -> None:
        if found.kind == "joined":
            self._waiting.joined(found.call_id, asyncio.get_running_loop().time(), queue=found.queue)
        elif found.kind == "unqueued":
            self._waiting.unqueued(found.call_id)
        else:
            self._waiting.gone(found.call_id)

    async def run_events(self) -> None:
        """Write down what happened: in order for each call, side by side for different calls."""
        places = asyncio.Semaphore(MOST_AT_ONCE)

        def over(call_id: int, done: "asyncio.Task[None]") -> None:
            places.release()
            if self._turns.get(call_id) is done:
                del self._turns[call_id]

        async with asyncio.TaskGroup() as group:
            while True:
                found = await self._happenings.get()
                await places.acquire()
                turn = group.create_task(self._in_turn(self._turns.get(found.call_id), found))
                self._turns[found.call_id] = turn
                turn.add_done_callback(lambda done, at=found.call_id: over(at, done))  # type: ignore[misc]

    async def _in_turn(self, before: "asyncio.Task[None] | None", found: Happening) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self.take(found)
        except IntakeError as error:
            log.warning("phone.event_not_kept", kind=found.kind, call_id=found.call_id, error=error.code)
        except Exception as error:
            # One event's fault must not stop the others.
            log.error("phone.event_failed", kind=found.kind, call_id=found.call_id, error=type(error).__name__)

    async def take(self, found: Happening) -> None:
        """What the switchboard is told of a happening; raises intake.errors."""
        doing: Mapping[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "ringing": lambda: self.board.ringing(found.call_id, found.extension),
            "not_answered": lambda: self.board.not_answered(found.call_id, found.extension),
            "answered": lambda: self.steps.person_answered(found.call_id, found.extension),
            "gone": lambda: self._gone(found),
            "room": lambda: self.desk.room_changed(found.call_id),
            "rang": lambda: self._rang(found),
            "third": lambda: self.desk.third_came(found.call_id, found.cause),
        }
        if found.kind in doing:
            await doing[found.kind]()

    async def _rang(self, found: Happening) -> None:
        await self.board.rang(found.call_id, found.cause)
        if found.extension:
            await self.board.not_answered(found.call_id, found.extension)

    async def _gone(self, found: Happening) -> None:
        await self.steps.caller_gone(found.call_id, self._clock(), found.cause)
        if found.in_room:
            await self.desk.room_changed(found.call_id)

    # The truth

    async def reread(self, link: Link) -> None:
        """After every (re)connection: what differs between Asterisk and our records is put right, on the side that is wrong."""
        truth = await read_truth(link)
        self._waiting.reread(truth, asyncio.get_running_loop().time())
        try:
            await self._put_right(link, truth)
        except IntakeError as error:
            # The database is away; Asterisk is reached all the same, and calls come before repairs.
            log.warning("phone.not_put_right", server=link.server.name, error=error.code)

    async def run_open_calls(self) -> None:
        """Look again and again for calls that ended without us while the link stood: a fault of one call, a frozen gateway."""
        while True:
            await asyncio.sleep(SETTLE_EVERY_S)
            lost, self._has_lost = self._has_lost, False
            for link in self.links.values():
                if link.is_up:
                    await self._look_again(link, thoroughly=lost)

    async def _look_again(self, link: Link, *, thoroughly: bool) -> None:
        try:
            if thoroughly:
                await self.reread(link)
            else:
                await settle_open_calls(link, board=self.board, steps=self.steps)
        except IntakeError as error:
            log.warning("phone.not_looked_again", server=link.server.name, error=error.code)

    async def _put_right(self, link: Link, truth: Truth) -> None:
        elsewhere = await self._legs_elsewhere(link)
        gone = vanished(await self.board.live(), truth, server=link.server.name, now=self._clock(), elsewhere=elsewhere)
        for call in gone:
            await self.steps.caller_gone(call.call_id, self._clock(), "vanished")
        await self._note_answers(truth)
        settled = await settle_open_calls(link, board=self.board, steps=self.steps)
        wanted = repairs(await self.board.lines.wanted(), truth)
        for repair in wanted:
            await do_repair(link, repair)
        log.info("phone.reread", server=link.server.name, legs=len(truth.legs), vanished=len(gone), settled=settled,
                 repairs=len(wanted))  # fmt: skip

    async def _legs_elsewhere(self, link: Link) -> list[Leg] | None:
        """What the other servers have; None when one of them cannot be asked, so that nobody can say what they have."""
        others = [other for other in self.links.values() if other is not link]
        if not all(other.is_up for other in others):
            return None
        return [leg for other in others for leg in await read_legs(other)]

    async def _note_answers(self, truth: Truth) -> None:
        """Somebody picked up while nobody told us."""
        live = {call.call_id for call in await self.board.live() if call.answered_at is None and call.purpose == "in"}
        for leg in truth.legs:
            if leg.call_id in live and leg.extension and leg.is_up:
                await self.steps.person_answered(leg.call_id, leg.extension)
