"""Steps of a call: the engine's answer to an event, stored before anything is done about it; one at a time for each call.

Both sides of the telephone come here: the driver while the gateway has the leg, AMI while it has not.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from channels.phone.board import Board
from channels.phone.extension import extension_of
from channels.phone.talk import message_ref
from intake.errors import IntakeError
from ivr import commands as do
from ivr import events as on
from ivr.engine import begin, step
from ivr.flow import Flow
from ivr.library import shipped_flow
from ivr.nodes import Node, Record
from ivr.position import Position, from_json, to_json

DIAL_CITIZEN, RATING = "dial_citizen", "rating"
FLOW_OF = {"in": "hotline", "callback": "callback", "voice": "reply_by_voice"}
"""Purpose of a call to its flow; calls by click have none."""
IDLE_S = 5.0
Observe = Callable[[int, do.Command | on.Event], None]
"""Told of every command and event of a call, in order; tests compare transcripts by it."""
log = structlog.get_logger()


@dataclass(slots=True)
class Steps:
    """`records`: whether talks are recorded."""

    board: Board
    clock: Callable[[], datetime]
    records: bool = True
    flow: Callable[[str], Flow] = shipped_flow
    observe: Observe | None = None
    _busy: dict[int, asyncio.Event] = field(default_factory=dict)

    async def take(self, call_id: int, before: Position, event: on.Event) -> tuple[Position, tuple[do.Command, ...]]:
        """One step, durable on return: the position, or the outcome, with which the switchboard forgets the position.
        Raises what `finish` raises."""
        self._tell(call_id, event)
        position, told = step(before, event, flow=self.flow(before.flow))
        for command in told:
            self._tell(call_id, command)
        if told and isinstance(told[-1], do.End):
            await self.board.finish(call_id, told[-1].outcome)
        elif position != before:
            await self._keep(call_id, position)
        return position, told

    async def take_all(self, call_id: int, position: Position, events: Iterable[on.Event]) -> None:
        """Events that need no leg."""
        for event in events:
            position, _ = await self.take(call_id, position, event)

    async def position(self, call_id: int) -> Position | None:
        """Where the call stands; None before its first step and when what is stored cannot be read."""
        stored = await self.board.position_of(call_id)
        try:
            position = from_json(stored) if stored else None
        except ValueError:
            log.error("phone.position_unreadable", call_id=call_id)
            return None
        return position if position and position.node else None

    def act_at(self, position: Position) -> str:
        """The act that is waited for, "" when the call waits for something else."""
        return getattr(self.node_at(position), "act", "")

    def node_at(self, position: Position) -> Node | None:
        return self.flow(position.flow).nodes.get(position.node)

    # What Asterisk tells by AMI while the gateway is not on the leg.

    async def person_answered(self, call_id: int, extension: str) -> None:
        """Somebody took the call that was handed over."""
        await self.board.answered(call_id, extension)
        async with self.alone(call_id):
            position = await self.position(call_id)
            if position is not None and self.act_at(position) != DIAL_CITIZEN:
                await self.take_all(call_id, position, [on.PersonAnswered()])

    async def caller_gone(self, call_id: int, at: datetime, cause: str = "") -> None:
        """The caller's leg has ended; nothing he said or keyed is lost with it."""
        async with self.alone(call_id):
            if not await self.has_ended(call_id):
                position = await self.position(call_id)
                if position is None:
                    await self._never_began(call_id)
                elif position.flow != RATING:  # there the citizen is asked still, and hangs up for himself
                    await self._hang_up(call_id, position)
            await self.board.hung_up(call_id, at, cause)

    async def has_ended(self, call_id: int) -> bool:
        """Whether the outcome is stored already."""
        try:
            return bool((await self.board.call(call_id)).end)
        except IntakeError:
            # The database is away. To end a call twice is harmless, not to end it is not.
            return False

    async def _hang_up(self, call_id: int, position: Position) -> None:
        events: list[on.Event] = [on.Hangup()]
        if isinstance(node := self.node_at(position), Record):
            # The gateway went away while he was asked to speak. Whether he did, the file will tell; it is looked for.
            ref = message_ref(call_id, node.save_as, position)
            await self.board.recorded(call_id, node.save_as, ref, float(node.min_s))
            events.insert(0, on.Recorded(ref, float(node.min_s)))
        rang = self.act_at(position) == DIAL_CITIZEN and (await self.board.call(call_id)).answered_at is not None
        if rang:
            # The dialplan was ringing the citizen and he answered; the flow has not heard of it yet.
            events = [on.ActResult(DIAL_CITIZEN, "answered", {}, position.ticket), on.PersonAnswered(), *events]
        if rang or position.talking:
            if (await self.board.call(call_id)).giving:
                events.insert(0, on.GivenBack())
            await self.talked(call_id, left="citizen")
        await self.take_all(call_id, position, events)

    async def _never_began(self, call_id: int) -> None:
        """The flow of a call that nobody answered, or whose caller was gone before its first step."""
        call = await self.board.call(call_id)
        if flow := FLOW_OF.get(call.purpose):
            facts = dict(await self.board.facts(call_id)) | {"answered_by": "no_answer"}
            await self.take_all(call_id, begin(self.flow(flow)), [on.Started(facts), on.Hangup()])

    async def talked(self, call_id: int, *, who: str = "", left: str) -> None:
        """A talk is over, `left` hung up first: who had it, when AMI could not tell, and where its recording stands."""
        call = await self.board.call(call_id)
        if call.answered_at is None or (call.giving and who):
            await self.board.answered(call_id, extension_of(who))
            call = await self.board.call(call_id)
        await self.board.left(call_id, left)
        if self.records and call.answered_at is not None:
            seconds = max(0.0, (self.clock() - call.answered_at).total_seconds())
            await self.board.recorded(call_id, "talk", f"talk/{call_id}", seconds, kind="talk")

    @asynccontextmanager
    async def alone(self, call_id: int) -> AsyncIterator[None]:
        """One at a time for each call; a connection that Asterisk has given up is waited for only so long."""
        if earlier := self._busy.get(call_id):
            try:
                async with asyncio.timeout(IDLE_S):
                    await earlier.wait()
            except TimeoutError:
                log.warning("phone.earlier_session_stuck", call_id=call_id)
        mine = self._busy[call_id] = asyncio.Event()
        try:
            yield
        finally:
            mine.set()
            if self._busy.get(call_id) is mine:
                del self._busy[call_id]

    async def _keep(self, call_id: int, position: Position) -> None:
        try:
            await self.board.keep_position(call_id, to_json(position))
        except IntakeError as error:
            # The database is away: the call goes on, what it brings is spooled at its end.
            log.warning("phone.position_unsaved", call_id=call_id, error=error.code)

    def _tell(self, call_id: int, what: do.Command | on.Event) -> None:
        if self.observe is not None:
            self.observe(call_id, what)
