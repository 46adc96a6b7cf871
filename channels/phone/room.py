"""The legs of one call and its conference room: hold, call in a third, give over.

As long as two talk they are bridged as Asterisk did it. The first act that needs more moves both into a room.
"""

from dataclasses import dataclass
from itertools import count

from channels.phone.destination import GIVEN
from channels.phone.happening import OUT, THIRD
from channels.phone.link import Link
from channels.phone.roster import Leg
from intake.errors import Refused

ROOM, HOLD = "conference", "hold"
RINGS_MS = 40_000
_COUNT = count(1)


@dataclass(frozen=True, slots=True)
class Room:
    """`legs` as they were when it was made; each act uses a new one."""

    link: Link
    call_id: int
    legs: tuple[Leg, ...]

    @property
    def name(self) -> str:
        return f"call-{self.call_id}"

    @property
    def operator(self) -> Leg:
        """Raises Refused when no operator has this call."""
        for leg in self.legs:
            if leg.extension and not is_third(leg):
                return leg
        raise Refused("没有受理员在这通电话上。")

    @property
    def has_operator(self) -> bool:
        return any(leg.extension and not is_third(leg) for leg in self.legs)

    @property
    def citizen(self) -> Leg:
        """Raises Refused when he is gone."""
        for leg in self.legs:
            if not leg.extension and not is_third(leg):
                return leg
        raise Refused("对方已经挂机。")

    async def hang_up(self) -> None:
        for leg in self.legs:
            await self._end(leg.channel)

    async def gather(self) -> None:
        """Citizen and operator in the room, wherever they were."""
        inside = await self.inside()
        citizen, operator = self.citizen.channel, self.operator.channel
        if not inside:
            await self._name_for(citizen, operator)
            await self._move(citizen, ROOM, operator, ROOM)
        elif citizen not in inside:
            await self._move(citizen, ROOM)

    async def hold(self) -> None:
        """The citizen hears that he waits; the operator is in the room."""
        inside = await self.inside()
        citizen, operator = self.citizen.channel, self.operator.channel
        if not inside:
            await self._name_for(citizen, operator)
            await self._move(citizen, HOLD, operator, ROOM)
        elif citizen in inside:
            await self._move(citizen, HOLD)

    async def unhold(self) -> None:
        if not await self.inside():
            raise Refused("这通电话没有保持。")
        await self.gather()

    async def call_in(self, target: str, *, shown: str) -> None:
        """Ring a third and put him into the room when he answers."""
        name = f"{self.call_id}/{next(_COUNT)}"
        await self.link.act(
            "Originate", Channel=target, ChannelId=f"{THIRD}-{name.replace('/', '-')}", ActionID=f"{THIRD}/{name}", Context=OUT,
            Exten=ROOM, Priority=1, Timeout=RINGS_MS, CallerID=f'"{shown}" <{shown}>',
            Variable=[f"__CALL_ID={self.call_id}", f"GW_ROOM={self.name}"],
        )  # fmt: skip

    async def give(self, target: str, *, shown: str) -> None:
        """Give the citizen to another at once: the dialplan dials and leads him back to the flow afterwards."""
        citizen = self.citizen.channel
        for name, value in (("GW_DIAL", target), ("GW_TIMEOUT", "45"), ("GW_AS", shown)):
            await self.link.act("Setvar", Channel=citizen, Variable=name, Value=value)
        await self.link.act("Redirect", Channel=citizen, Context="hotline-next", Exten="dial", Priority=1)

    async def queue_again(self) -> None:
        """The citizen goes back to his flow, to wait for somebody else; the operator is let go."""
        citizen, operator = self.citizen.channel, self.operator.channel
        inside = await self.inside()
        # Nobody talks with him from here on: if he hangs up now, the dialplan must not tell that he was served.
        await self.link.act("Setvar", Channel=citizen, Variable="MEMBERINTERFACE", Value="")
        await self._release(citizen, GIVEN, "")
        if inside - {citizen} == {operator}:
            await self._end(operator)

    async def bring_back(self) -> None:
        """A citizen who waited for a third that did not come talks with the operator again."""
        inside = await self.inside()
        if inside and self.citizen.channel not in inside:
            await self.gather()

    async def tidy(self, *, is_served: bool = True) -> None:
        """After a leg has ended: a citizen on hold joins whom the operator left him to, and nobody stays alone. A third who
        is still being rung is waited for. `is_served`: the citizen was not given to somebody who never came."""
        inside = await self.inside()
        if len(inside) > 1 or any(is_third(leg) and leg.channel not in inside for leg in self.legs):
            return
        # Two events may tell of one end; who has been led on by the first is not led on again.
        citizen = next((leg.channel for leg in self.legs if leg.is_aside and not leg.extension and not is_third(leg)), "")
        alone = inside | ({citizen} if citizen else set())
        if len(alone) > 1 and not self.has_operator:
            await self._move(citizen, ROOM)
        elif alone == {citizen}:
            await self._release(citizen, "dial", "ANSWER" if is_served else "NOANSWER")
        elif len(alone) == 1:
            await self._end(alone.pop())

    async def _release(self, citizen: str, how: str, status: str) -> None:
        """Back to where the dialplan would be after a talk, or after a telephone rung in vain: the flow goes on."""
        await self.link.act("Setvar", Channel=citizen, Variable="GW_ARGS", Value=f"{self.call_id},{how},{status},")
        await self.link.act("Redirect", Channel=citizen, Context="hotline-back", Exten="s", Priority=1)

    async def inside(self) -> set[str]:
        """The legs in the room; none when there is no room."""
        try:
            return {each["Channel"] for each in await self.link.all_of("ConfbridgeList", Conference=self.name)}
        except Refused:
            return set()

    async def _name_for(self, *channels: str) -> None:
        for channel in channels:
            await self.link.act("Setvar", Channel=channel, Variable="GW_ROOM", Value=self.name)

    async def _move(self, channel: str, where: str, other: str = "", other_where: str = "") -> None:
        extra = {"ExtraChannel": other, "ExtraContext": OUT, "ExtraExten": other_where, "ExtraPriority": "1"} if other else {}
        await self.link.act("Redirect", Channel=channel, Context=OUT, Exten=where, Priority=1, **extra)

    async def _end(self, channel: str) -> None:
        try:
            await self.link.act("Hangup", Channel=channel, Cause=16)
        except Refused:
            return  # gone by itself


def is_third(leg: Leg) -> bool:
    return leg.unique_id.startswith(THIRD)
