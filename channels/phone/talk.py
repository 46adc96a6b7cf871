"""One call while the gateway has its leg: the commands of the engine carried out, and what came of them as events.

Keys cut into answers, prompts and questions joined, recordings measured. Which step comes next stands in driver.py.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from channels.phone.agi import LegGone
from channels.phone.board import Board
from channels.phone.leg import Leg, Take, Typed
from channels.phone.sounds import Sounds
from ivr import commands as do
from ivr import events as on
from ivr.acts import ANSWER_S, FAILED
from ivr.keypad import FLOOD, gather
from ivr.nodes import Record
from ivr.position import Position

RENEW_S = 2.0
"""While an answer of ours is awaited the guard is renewed this often."""
LEAST_S = 1.0
"""A recording shorter than this that no key ended holds nothing but the caller's silence."""


@dataclass(slots=True)
class Talk:
    """`asked`: what is waited for; `ahead`: keys typed ahead; `single`: the last answer was one key without its #; `first`:
    the extension that is rung before the queue, of whoever gave the caller away in vain; `queue`: the one he is
    to wait in, "" for that of the switchboard."""

    call_id: int
    leg: Leg
    stored: str
    position: Position
    asked: do.Command | None = None
    ahead: str = ""
    single: bool = False
    first: str = ""
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Doing:
    """Carries commands out. `longer`: seconds for acts that take longer than others."""

    board: Board
    sounds: Sounds
    longer: Mapping[str, float] = field(default_factory=dict)

    async def carry_out(self, talk: Talk, told: Sequence[do.Command]) -> list[on.Event]:
        """What happens next to the caller. Raises LegGone."""
        says = [each for each in told if isinstance(each, do.Say)]
        sounds = await self.sounds.of(says, stored=talk.stored)
        waiting = told[-1] if told else talk.asked
        if isinstance(waiting, do.Collect):
            return [await self._collect(talk, sounds, waiting)]
        if isinstance(waiting, do.End):
            # Many end a key with #; it must not cut the last word, behind which nothing is left to be chosen.
            await talk.leg.tell(sounds)
        elif sounds and not talk.ahead:
            talk.ahead = await talk.leg.say(sounds)
        if isinstance(waiting, do.Record):
            return await self._record(talk, waiting)
        if isinstance(waiting, do.Ask):
            return [await self.answer(talk, waiting)]
        return []

    async def _collect(self, talk: Talk, sounds: Sequence[str], asked: do.Collect) -> on.Event:
        typed, talk.ahead = talk.ahead, ""
        was_single, talk.single = talk.single, False
        gathered = gather(typed, asked)
        if not gathered.complete:
            most = FLOOD if asked.terminator else 1
            more = await self._typed(talk, () if typed else sounds, asked, most)
            if was_single and not typed and more.keys == "#" and "#" not in asked.menu:
                # Many people end a single key with #, too; it came while the next prompt began.
                more = await self._typed(talk, sounds, asked, most)
            typed += more.keys if more.keys == "#" or not (more.ended and asked.terminator) else more.keys + asked.terminator
            gathered = gather(typed, asked)
        if not typed:
            return on.Silence()
        talk.ahead = gathered.rest
        talk.single = asked.terminator not in typed if asked.terminator else True
        return on.Digits(gathered.keys)

    async def _typed(self, talk: Talk, sounds: Sequence[str], asked: do.Collect, most: int) -> Typed:
        if asked.menu and asked.terminator:
            # One of the menu's keys answers at once, so the first key must be seen alone.
            first = await talk.leg.collect(sounds, most=1, first_s=asked.first_s, between_s=asked.between_s)
            if not first.keys or first.keys == "#" or first.keys in asked.menu:
                return first
            rest = await talk.leg.collect((), most=most - 1, first_s=asked.between_s, between_s=asked.between_s)
            return Typed(first.keys + rest.keys, rest.ended)
        return await talk.leg.collect(sounds, most=most, first_s=asked.first_s, between_s=asked.between_s)

    async def _record(self, talk: Talk, asked: do.Record) -> list[on.Event]:
        # Keys from before the tone are no speech and end nothing.
        talk.ahead, talk.single = "", False
        ref = message_ref(talk.call_id, asked.name, talk.position)
        take = await talk.leg.record(f"{talk.stored}/{ref}", max_s=asked.max_s, silence_s=asked.silence_s)
        talk.single = bool(take.key)
        return await self._taken(talk, asked.name, ref, take)

    async def taken_meanwhile(self, talk: Talk, node: Record) -> list[on.Event]:
        """What a caller said while the gateway was away: Asterisk recorded it to its end all the same."""
        ref = message_ref(talk.call_id, node.save_as, talk.position)
        take = await talk.leg.last_take(f"{talk.stored}/{ref}", max_s=node.max_s)
        return await self._taken(talk, node.save_as, ref, take) if take else [on.Resumed()]

    async def _taken(self, talk: Talk, name: str, ref: str, take: Take) -> list[on.Event]:
        events: list[on.Event] = []
        earlier = any(each.name == name for each in talk.position.recordings)
        if take.seconds >= LEAST_S or (take.seconds > 0 and not earlier and take.key):
            # A mere click of a key takes no earlier recording's place, and without one there is nothing to fetch.
            await self.board.recorded(talk.call_id, name, ref, take.seconds)
        if take.seconds >= LEAST_S or take.key:
            events.append(on.Recorded(ref, take.seconds, take.key))
        elif not take.gone:
            events.append(on.Silence())
        return [*events, on.Hangup()] if take.gone else events

    async def answer(self, talk: Talk, asked: do.Ask) -> on.Event:
        """The switchboard's answer, however the leg fares meanwhile; Timeout after the time an act may take."""
        work = asyncio.ensure_future(self.board.ask(talk.call_id, asked.act, asked.values))
        left = self.longer.get(asked.act, ANSWER_S)
        while left > 0 and not (await asyncio.wait([work], timeout=min(left, RENEW_S)))[0]:
            left -= RENEW_S
            await _renew(talk.leg)
        if not work.done():
            work.cancel()
            return on.Timeout()
        result, values = (FAILED, {}) if work.exception() else work.result()
        return on.ActResult(asked.act, result, values, asked.ticket)


def message_ref(call_id: int, name: str, position: Position) -> str:
    """What a message is called on Asterisk's disk: equal before and after a restart, another for the next take."""
    return f"message/{call_id}-{name}-{position.steps}"


async def _renew(leg: Leg) -> None:
    try:
        await leg.renew()
    except LegGone:
        return

