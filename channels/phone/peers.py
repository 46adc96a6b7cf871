"""Who may open a FastAGI call: FastAGI has no password, so the address must do.

By default these are the configured Asterisk servers; names of hosts are looked up again and again, because servers move.
The check is agi.py's first act with a connection; here is only the answer, and the count of those it kept out.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import structlog

from channels.phone import PhoneSettings

LOOK_UP_EVERY_S = 30.0
SOON_S = 5.0
"""How soon a stranger may cause another look-up: he may be a server that has moved."""
LOOK_UP_S = 1.0
"""The dialplan gives a call up after two seconds."""
TICK_S = 5.0
TELL_EVERY_S = 60.0
MOST_WAITING = 64
"""Strangers that wait for a look-up under way; those beyond are sent away at once."""
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str], Awaitable[Sequence[str]]]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Admitted:
    """Networks and names of hosts. `by_loopback`: where one of them is this machine, all of this machine is let in, by
    whichever of its addresses it comes."""

    networks: tuple[Network, ...]
    names: tuple[str, ...]
    by_loopback: bool


def admitted_by(settings: PhoneSettings) -> Admitted:
    """`agi_peers` exactly as written, or else the hosts of the servers."""
    written = settings.agi_peers or tuple(server.host for server in settings.servers)
    networks = {each: network for each in written if (network := _network(each)) is not None}
    names = tuple(dict.fromkeys(each for each in written if each not in networks))
    return Admitted(tuple(networks.values()), names, by_loopback=not settings.agi_peers)


async def resolved(name: str) -> list[str]:
    """The addresses of a host; raises OSError."""
    rows = await asyncio.get_running_loop().getaddrinfo(name, None)
    return [str(row[4][0]) for row in rows]


@dataclass(slots=True)
class Peers:
    """`admits` answers for one connection; `run` keeps the names fresh. `refused` counts since the start."""

    admitted: Admitted
    resolve: Resolve = resolved
    now_s: Callable[[], float] = time.monotonic
    refused: int = 0
    _found: dict[str, frozenset[Address]] = field(default_factory=dict)
    _looked_up_at: float = float("-inf")
    _look_up: "asyncio.Task[None] | None" = None
    _waiting: int = 0
    _told_at: float = float("-inf")
    _told: int = 0

    async def admits(self, peer: str, own: str) -> bool:
        """Whether the address `peer` may talk to us at our address `own`; at most LOOK_UP_S late."""
        address = _address(peer)
        if address is None:
            return False
        if self._knows(address, own) or (await self._has_looked_up() and self._knows(address, own)):
            return True
        self.refused += 1
        self._tell(peer)
        return False

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """Look the names up when that is due, and tell of strangers not yet told of."""
        if self.now_s() - self._looked_up_at >= LOOK_UP_EVERY_S:
            await self._wait_for(self._looking_up())
        self._tell("")

    def _knows(self, address: Address, own: str) -> bool:
        if any(address in network for network in self.admitted.networks):
            return True
        return any(address in found for found in self._found.values()) or self._is_here(address, own)

    def _is_here(self, address: Address, own: str) -> bool:
        if not self.admitted.by_loopback or not (address.is_loopback or address == _address(own)):
            return False
        places = (network.network_address for network in self.admitted.networks)
        return any(place.is_loopback for place in (*places, *frozenset().union(*self._found.values())))

    async def _has_looked_up(self) -> bool:
        """Whether it is worth looking at the names again: they have been looked up this moment."""
        due = self.now_s() - self._looked_up_at >= SOON_S
        if not self.admitted.names or self._waiting >= MOST_WAITING or not (due or self._look_up):
            return False
        self._waiting += 1
        try:
            await self._wait_for(self._looking_up())
        finally:
            self._waiting -= 1
        return True

    def _looking_up(self) -> "asyncio.Task[None]":
        """The look-up under way, or a new one."""
        if self._look_up is None:
            self._looked_up_at = self.now_s()
            self._look_up = asyncio.create_task(self._look_all_up())
        return self._look_up

    async def _wait_for(self, look_up: "asyncio.Task[None]") -> None:
        """One that gives up waiting leaves it to the others."""
        await asyncio.wait([look_up])

    async def _look_all_up(self) -> None:
        try:
            await asyncio.gather(*map(self._look_one_up, self.admitted.names))
        finally:
            self._look_up = None

    async def _look_one_up(self, name: str) -> None:
        try:
            async with asyncio.timeout(LOOK_UP_S):
                found = await self.resolve(name)
        except (OSError, UnicodeError):
            # The name service is away: where the server stood last is the best that is known.
            log.warning("phone.agi_peer_unknown", host=name)
            return
        addresses = frozenset(address for each in found if (address := _address(each)) is not None)
        if addresses != self._found.get(name):
            log.info("phone.agi_peer", host=name, addresses=sorted(map(str, addresses)))
        self._found[name] = addresses

    def _tell(self, peer: str) -> None:
        """At most once a minute, so that nobody fills the log from outside."""
        count = self.refused - self._told
        if not count or self.now_s() - self._told_at < TELL_EVERY_S:
            return
        self._told_at, self._told = self.now_s(), self.refused
        log.warning("phone.agi_refused", count=count, total=self.refused, peer=peer)


def _network(text: str) -> Network | None:
    with suppress(ValueError):
        return ip_network(text.partition("%")[0], strict=False)
    return None


def _address(text: str) -> Address | None:
    """An IPv4 address that came in over IPv6 is itself again, and a zone is left out."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
