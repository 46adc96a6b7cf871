"""What one Asterisk says is true: legs, waiting callers, members of the queues; and what of our own records differs.

Comparing is pure. Reading and repairing happen after every (re)connection, in `reread`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.phone.extension import extension_of, interface_of
from channels.phone.happening import OUT, ROOMS, call_of
from channels.phone.link import Link
from channels.phone.told import Told
from intake.call import Call, LineState, OperatorLine

QUEUE = "hotline"
PAUSED = frozenset({LineState.PAUSED, LineState.WRAP_UP})
YOUNG = timedelta(seconds=5)
"""A call this new may have begun after the legs were listed."""


@dataclass(frozen=True, slots=True)
class Leg:
    """`is_aside`: in a conference of ours or on hold."""

    channel: str
    unique_id: str
    linked_id: str
    call_id: int
    is_up: bool = False
    is_aside: bool = False

    @property
    def is_first(self) -> bool:
        """The leg the call began with: the citizen's, or the operator's where we ring him first."""
        return self.unique_id == self.linked_id

    @property
    def extension(self) -> str:
        return extension_of(self.channel)


@dataclass(frozen=True, slots=True)
class Member:
    queue: str
    extension: str
    is_paused: bool
    is_ours: bool
    """Added over AMI; those in queues.conf are the fallback's and left alone."""


@dataclass(frozen=True, slots=True)
class Truth:
    legs: tuple[Leg, ...] = ()
    members: tuple[Member, ...] = ()
    waits_s: Mapping[str, float] = field(default_factory=dict)
    """Unique id of each waiting leg to how long it has waited."""
    queues: Mapping[str, str] = field(default_factory=dict)
    """Unique id of each waiting leg to its queue."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One action that brings Asterisk's queues to what our lines say."""

    action: str
    values: Mapping[str, str]


async def read_legs(link: Link) -> list[Leg]:
    """Raises Unavailable, Refused."""
    return [leg_of(each) for each in await link.all_of("CoreShowChannels")]


async def read_truth(link: Link) -> Truth:
    """Raises Unavailable, Refused."""
    legs = await read_legs(link)
    status = await link.all_of("QueueStatus")
    members = [_member(each) for each in status if each.event == "QueueMember"]
    waits = {each["Uniqueid"]: float(each["Wait"] or 0) for each in status if each.event == "QueueEntry"}
    queues = {each["Uniqueid"]: each["Queue"] for each in status if each.event == "QueueEntry"}
    return Truth(tuple(legs), tuple(member for member in members if member.extension), waits, queues)


def leg_of(told: Told) -> Leg:
    aside = told["Context"] == OUT and told["Exten"] in ROOMS
    return Leg(told["Channel"], told["Uniqueid"], told["Linkedid"], call_of(told), told["ChannelStateDesc"] == "Up", aside)


def _member(told: Told) -> Member:
    ours = told["Membership"] == "dynamic"
    return Member(told["Queue"], extension_of(told["Location"]), told["Paused"] == "1", ours)


def vanished(
    calls: Iterable[Call], truth: Truth, *, server: str, now: datetime, elsewhere: Sequence[Leg] | None = ()
) -> list[Call]:
    """Calls we take for live of which no leg exists. Calls that we placed name no server: they may also be `elsewhere`, and
    are left alone while that is None, unknown."""
    every = [*truth.legs, *(elsewhere or ())]
    legs, ids = {leg.unique_id for leg in every}, {leg.call_id for leg in every}
    servers = (server,) if elsewhere is None else (server, "")
    return [
        call for call in calls
        if call.server in servers and call.leg_id not in legs and call.call_id not in ids and now - call.started_at > YOUNG
    ]  # fmt: skip


def queues_of(line: OperatorLine) -> list[str]:
    """The queues a line answers: everybody's, and one for each skill."""
    return [QUEUE, *(f"{QUEUE}-{skill}" for skill in line.skills)]


def repairs(lines: Sequence[OperatorLine], truth: Truth) -> list[Repair]:
    """Members to add, to take out, to pause and to let on."""
    wanted = {(queue, line.extension): line for line in lines if line.state is not LineState.OFFLINE for queue in queues_of(line)}
    there = {(member.queue, member.extension): member for member in truth.members if member.is_ours}
    gone = [
        Repair("QueueRemove", {"Queue": queue, "Interface": interface_of(extension)})
        for queue, extension in sorted(there.keys() - wanted.keys())
    ]  # fmt: skip
    missing = [adding(queue, wanted[queue, extension]) for queue, extension in sorted(wanted.keys() - there.keys())]
    other = [
        pausing(extension, line.state in PAUSED, line.reason, queue=queue)
        for (queue, extension), line in sorted(wanted.items())
        if (queue, extension) in there and there[queue, extension].is_paused != (line.state in PAUSED)
    ]  # fmt: skip
    return [*gone, *missing, *other]


def adding(queue: str, line: OperatorLine) -> Repair:
    return Repair("QueueAdd", {
        "Queue": queue, "Interface": interface_of(line.extension), "MemberName": str(line.user_id),
        "StateInterface": interface_of(line.extension), "Paused": _flag(line.state in PAUSED),
    })  # fmt: skip


def pausing(extension: str, is_paused: bool, reason: str, *, queue: str = "") -> Repair:
    values = {"Interface": interface_of(extension), "Paused": _flag(is_paused), "Reason": reason}
    return Repair("QueuePause", {**values, "Queue": queue} if queue else values)


def _flag(value: bool) -> str:
    return "true" if value else "false"


@dataclass(slots=True)
class Waiting:
    """Since when each call waits, over all its visits to a queue: the order in which callers are served."""

    since: dict[int, float] = field(default_factory=dict)
    now_in: dict[int, str] = field(default_factory=dict)
    """Each call that waits now, and in which queue."""

    def joined(self, call_id: int, now_s: float, *, queue: str = QUEUE) -> None:
        self.since.setdefault(call_id, now_s)
        self.now_in[call_id] = queue

    def unqueued(self, call_id: int) -> None:
        self.now_in.pop(call_id, None)

    def gone(self, call_id: int) -> None:
        self.since.pop(call_id, None)
        self.now_in.pop(call_id, None)

    def place(self, call_id: int, queue: str = QUEUE) -> int:
        """Where he belongs among those who wait in a queue now, counted from 1; 0 (the end) for one who never waited."""
        if call_id not in self.since:
            return 0
        others = [other for other, where in self.now_in.items() if where == queue and other != call_id]
        return 1 + sum(self.since[other] < self.since[call_id] for other in others)

    def reread(self, truth: Truth, now_s: float) -> None:
        ids = {leg.unique_id: leg.call_id for leg in truth.legs}
        waiting = {ids[unique]: now_s - waited for unique, waited in truth.waits_s.items() if ids.get(unique)}
        self.since = waiting | {call_id: since for call_id, since in self.since.items() if call_id in ids.values()}
        self.now_in = {ids[unique]: truth.queues.get(unique, QUEUE) for unique in truth.waits_s if ids.get(unique)}
