"""What operators ask of the telephone (intake.telephony.Telephony), done over AMI.

Every act first looks at the legs that exist now; nothing is remembered between two acts, so a restart forgets nothing.
Hold, warm transfer and talks of three happen in a conference room named after the call; rooms stand in room.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import structlog

from channels.phone import PhoneSettings
from channels.phone import destination as to
from channels.phone.board import Board
from channels.phone.extension import interface_of
from channels.phone.happening import ACTION
from channels.phone.link import Link
from channels.phone.room import Room
from channels.phone.roster import QUEUE, Repair, adding, pausing, queues_of, read_legs, read_truth
from channels.phone.sounds import Sounds
from intake.call import LineState, OperatorLine
from intake.errors import NotFound, Refused, Unavailable
from ivr.commands import Say

OUT = "hotline-out"
RINGS_MS = 45_000
OPERATOR_RINGS_MS = 30_000
_COUNT = count(1)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Desk:
    """`links` by name of the server, in the order of the settings."""

    board: Board
    settings: PhoneSettings
    links: Mapping[str, Link]
    sounds: Sounds

    # Calls we place

    async def call(self, extension: str, number: str, *, call_id: int, kind: str) -> None:
        """Ring the operator, then the number; `kind` is the call's purpose and needs nothing else of us. A unit that is
        connected with a citizen is rung in the operator's place, at its own number outside."""
        variables = {"GW_DIAL": dial_string(number), "GW_TIMEOUT": "45", "GW_AS": self.settings.lines[0],
                     "GW_RECORD": "1" if self.settings.record_calls else "0", "GW_RATE": "1"}  # fmt: skip
        await self._originate(self._target(extension), "call", call_id, variables, timeout_ms=OPERATOR_RINGS_MS)

    async def offer_callback(self, extension: str, *, call_id: int) -> None:
        await self._originate(interface_of(extension), "callback", call_id, {}, timeout_ms=OPERATOR_RINGS_MS)

    async def dial_citizen(self, call_id: int, number: str, *, timeout_s: float) -> str:
        """He may be dialled: the dialplan does it once the driver has left the operator's leg (driver.py)."""
        return "answered" if self._up() else "refused"

    async def prepare_reply(self, words: str, *, case_no: int) -> None:
        self._any()
        await self.sounds.make(Say("reply_told", {"case_no": str(case_no), "reply": words}))

    async def reply_by_voice(self, number: str, *, call_id: int) -> None:
        await self._originate(dial_string(number), "voice-reply", call_id, {}, timeout_ms=RINGS_MS)

    async def _originate(
        self, channel: str, exten: str, call_id: int, variables: Mapping[str, str], *, timeout_ms: int, link: Link | None = None,
    ) -> None:  # fmt: skip
        line = self.settings.lines[0]
        await (link or self._any()).act(
            "Originate", Channel=channel, Context=OUT, Exten=exten, Priority=1, Timeout=timeout_ms,
            CallerID=f'"{line}" <{line}>', ActionID=f"{ACTION}/{call_id}/{next(_COUNT)}",
            Variable=[f"__CALL_ID={call_id}", *(f"{name}={value}" for name, value in variables.items())],
        )  # fmt: skip

    # Calls that are on

    async def hang_up(self, call_id: int) -> None:
        await (await self._room(call_id)).hang_up()

    async def hold(self, call_id: int) -> None:
        await (await self._room(call_id)).hold()

    async def unhold(self, call_id: int) -> None:
        await (await self._room(call_id)).unhold()

    async def transfer(self, call_id: int, to: str, *, warm: bool) -> None:
        """Warm: the citizen waits, the operator speaks with the other first and gives over by hanging up."""
        room = await self._room(call_id)
        if not warm:
            await room.give(self._target(to), shown=self.settings.lines[0])
            # The one who gave is free at once; that the citizen is talked with again comes back as an answer.
            await self.board.left(call_id, "operator")
            return
        await room.hold()
        await room.call_in(self._target(to), shown=self.settings.lines[0])

    async def queue_again(self, call_id: int) -> None:
        await (await self._room(call_id)).queue_again()
        await self.board.left(call_id, "operator")

    async def three_way(self, call_id: int, to: str) -> None:
        room = await self._room(call_id)
        await room.gather()
        await room.call_in(self._target(to), shown=self.settings.lines[0])

    async def listen(self, extension: str, call_id: int) -> None:
        await self._spy(extension, call_id, "listen")

    async def whisper(self, extension: str, call_id: int) -> None:
        await self._spy(extension, call_id, "whisper")

    async def _spy(self, extension: str, call_id: int, how: str) -> None:
        room = await self._room(call_id)
        # The call's own number is not handed on: this leg is no part of it.
        await self._originate(
            interface_of(extension), how, 0, {"GW_SPY": room.operator.channel}, timeout_ms=OPERATOR_RINGS_MS, link=room.link
        )

    async def room_changed(self, call_id: int) -> None:
        """Somebody has left the conference of a call."""
        try:
            room = await self._room(call_id)
        except Refused:
            return
        if not room.has_operator:
            await self.board.left(call_id, "operator")
        await self._tidy(room)

    async def third_came(self, call_id: int, result: str) -> None:
        """What came of a telephone that was called in. Nobody who waits for it in vain waits on: he is given back to the
        operator, or to the flow where the operator has left already."""
        await self.board.rang(call_id, result)
        if result == "answered":
            return
        try:
            room = await self._room(call_id)
            await (room.bring_back() if room.has_operator else self._tidy(room))
        except Refused:
            return

    async def _tidy(self, room: Room) -> None:
        with suppress(Refused):
            await room.tidy(is_served=not (await self.board.call(room.call_id)).giving)

    async def _room(self, call_id: int) -> Room:
        """The legs of a call; raises Refused when it has none, Unavailable when that cannot be known."""
        for link in self._links_of(await self._server_of(call_id)):
            legs = tuple(leg for leg in await read_legs(link) if leg.call_id == call_id)
            if legs:
                return Room(link, call_id, legs)
        raise Refused("这通电话已经结束。")

    async def _server_of(self, call_id: int) -> str:
        try:
            return (await self.board.call(call_id)).server
        except NotFound:
            return ""

    # Operators' telephones

    async def log_in(self, extension: str, user_id: int, *, skills: Sequence[str] = ()) -> None:
        """A member of the queues, paused until `unpause`."""
        line = OperatorLine(user_id, extension, LineState.PAUSED, datetime.now(UTC), skills=tuple(skills))
        await self._everywhere(adding(queue, line) for queue in queues_of(line))
        await self.pause(extension, "")

    async def log_out(self, extension: str) -> None:
        queues = {QUEUE}
        for link in self._up():
            members = (await read_truth(link)).members
            queues |= {member.queue for member in members if member.extension == extension and member.is_ours}
        interface = interface_of(extension)
        await self._everywhere(Repair("QueueRemove", {"Queue": queue, "Interface": interface}) for queue in sorted(queues))

    async def pause(self, extension: str, reason: str) -> None:
        await self._everywhere([pausing(extension, True, reason)])

    async def unpause(self, extension: str) -> None:
        await self._everywhere([pausing(extension, False, "")])

    async def _everywhere(self, wanted: Iterable[Repair]) -> None:
        """On every Asterisk that is there; the others are brought to it when they are back. One that says no has it so
        already: a member that is added twice, or taken out without being one."""
        each, links = list(wanted), self._up() or [self._any()]
        for link in links:
            for repair in each:
                await do_repair(link, repair)

    # Which Asterisk

    def _up(self) -> list[Link]:
        return [link for link in self.links.values() if link.is_up]

    def _any(self) -> Link:
        up = self._up()
        if not up:
            raise Unavailable("与电话交换机的连接中断，请稍后再试。")
        return up[0]

    def _links_of(self, server: str) -> list[Link]:
        named = self.links.get(server)
        if named is not None:
            return [named]
        return self._up() or [self._any()]

    def _target(self, digits: str) -> str:
        """An extension of ours has the length and the first digit of the shift leader's; everything else goes out."""
        leader = self.settings.leader
        is_ours = (len(digits), digits[:1]) == (len(leader), leader[:1]) and digits.isdigit()
        return interface_of(digits) if is_ours else dial_string(digits)


async def do_repair(link: Link, repair: Repair) -> None:
    try:
        await link.act(repair.action, **repair.values)
    except Refused:
        log.info("phone.repair_refused", server=link.server.name, action=repair.action)


def dial_string(digits: str) -> str:
    """Raises Refused for what cannot be dialled."""
    try:
        return to.citizen(digits)
    except ValueError:
        raise Refused("这个号码无法拨打。") from None

