"""What channels remember over restarts and share among gateways: how far they have read, an access token, who holds a
turn. A few rows; what a channel heard and says stands in journal and outbox.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing kept under a name. `value` is stored sealed, because it may be a token; None in `expires_at`: for good."""

    memory_id: int
    name: str
    value: str
    kept_at: datetime
    expires_at: datetime | None = None


class Keeping(Protocol):
    """The part of a unit of work (ports.Work) that is needed here."""

    now: datetime

    def new_id(self) -> int: ...
    def add(self, *records: Any) -> None: ...
    def change(self, before: T, after: T) -> T: ...
    def find(self, kind: type[T], /, **where: Any) -> list[T]: ...
    def get(self, kind: type[T], *key: Any, lock: bool = False) -> T | None: ...
    def count_try(self, name: str, *, window: timedelta) -> int: ...


class Storing(Protocol):
    """The two ways to run a unit of work (ports.Store)."""

    async def write(self, unit: Callable[[Any], T]) -> T: ...
    async def read(self, question: Callable[[Any], T]) -> T: ...


TURN = timedelta(hours=1)


def recall(work: Keeping, name: str) -> Kept | None:
    """What is kept under a name and has not expired."""
    found = work.find(Kept, name=name)
    if not found or (found[0].expires_at is not None and found[0].expires_at <= work.now):
        return None
    return found[0]


def keep(work: Keeping, name: str, value: str, length: timedelta | None = None) -> None:
    """Put a value in place of the one before, for so long or for good; it counts once the unit of work is durable."""
    expires_at = work.now + length if length is not None else None
    # Takes a row of this name's own, so that two gateways keeping it for the first time go one after the other.
    work.count_try(f"memory:{name}", window=TURN)
    found = work.find(Kept, name=name)
    if not found:
        work.add(Kept(work.new_id(), name, value, work.now, expires_at))
        return
    held = work.get(Kept, found[0].memory_id, lock=True) or found[0]
    work.change(held, replace(held, value=value, kept_at=work.now, expires_at=expires_at))


def hold(work: Keeping, name: str, holder: str, length: timedelta) -> bool:
    """Take or keep a turn for so long; False while somebody else has it."""
    work.count_try(f"memory:{name}", window=TURN)
    held = recall(work, name)
    if held is not None and held.value != holder:
        return False
    keep(work, name, holder, length)
    return True


@dataclass(frozen=True, slots=True)
class StoreMemory:
    """A channel's memory in the store (ports.Memory). `channel` keeps names of two channels apart; `gateway` is who takes
    turns, so that a restarted gateway goes on with its own."""

    store: Storing
    channel: str
    gateway: str

    async def recall(self, name: str) -> Kept | None:
        return await self.store.read(lambda work: recall(work, f"{self.channel}.{name}"))

    async def keep(self, name: str, value: str, *, for_s: float | None = None) -> None:
        length = timedelta(seconds=for_s) if for_s is not None else None
        await self.store.write(lambda work: keep(work, f"{self.channel}.{name}", value, length))

    async def hold(self, name: str, *, for_s: float) -> bool:
        length = timedelta(seconds=for_s)
        return await self.store.write(lambda work: hold(work, f"{self.channel}.{name}", self.gateway, length))


class OwnMemory:
    """A channel's memory for as long as the process lives, for one gateway without a store: trying things out, tests."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    async def recall(self, name: str) -> Kept | None:
        kept = self._kept.get(name)
        return kept if kept and (kept.expires_at is None or kept.expires_at > datetime.now(UTC)) else None

    async def keep(self, name: str, value: str, *, for_s: float | None = None) -> None:
        now = datetime.now(UTC)
        self._kept[name] = Kept(0, name, value, now, now + timedelta(seconds=for_s) if for_s is not None else None)

    async def hold(self, _name: str, *, for_s: float) -> bool:
        return for_s > 0
