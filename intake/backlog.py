"""Text messages and delivery reports kept on disk while the database cannot be written: one sealed file each.

Beside spool.py, which keeps reports: a message has no number of its own, and what it leads to is found only when it is
heard. Many providers send once (Twilio by default), so a message is kept and acknowledged rather than refused. What is
damaged is put aside, never deleted.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from intake.durable import write_whole
from intake.errors import Misconfigured, Unavailable
from intake.model import DeliveryReport, Inbound
from intake.receive import inbound_of, raw_of
from intake.records import JournalEntry
from intake.vault import Vault

SUFFIX = ".message"
PURPOSE = "backlog"
DAMAGED = "damaged"
MOST_WAITING = 50_000
"""What is more than a day of a busy line is refused instead; only names and senders are held in memory."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message or a delivery report that waits. `takes_photos` and `photos_lost` as `hear` wants them."""

    thing: Inbound | DeliveryReport
    takes_photos: bool = False
    photos_lost: int = 0

    @property
    def sender(self) -> str:
        """Whose order is to be kept; delivery reports have none."""
        return f"{self.thing.channel}:{self.thing.address}" if isinstance(self.thing, Inbound) else ""


class Backlog:
    """The folder and, in memory, the names of what waits in it and whose it is."""

    def __init__(self, folder: Path, vault: Vault, *, most: int = MOST_WAITING) -> None:
        self._folder, self._vault, self._most = folder, vault, most
        self._waiting: dict[str, str] = {}
        self._senders: Counter[str] = Counter()
        self._last = 0

    def open(self) -> int:
        """Read what an earlier run left; returns how many wait."""
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                self._remember(path.name, self.read(path.name).sender)
            except (Misconfigured, ValueError, KeyError, TypeError):
                self.put_aside(path.name)
        return len(self)

    def put(self, waiting: Waiting) -> None:
        """Keep it; it is on the disk when this returns. Raises OSError when this disk fails too, Unavailable when full."""
        if len(self) >= self._most:
            raise Unavailable
        name = self._next_name()
        write_whole(self._folder / name, self._vault.seal(_written(waiting), PURPOSE))
        self._remember(name, waiting.sender)

    def names(self) -> Iterator[str]:
        """What waits, in the order in which it came."""
        return iter(sorted(self._waiting))

    def read(self, name: str) -> Waiting:
        """What a file holds; raises Misconfigured or ValueError for a damaged one."""
        return _read(self._vault.unseal((self._folder / name).read_bytes(), PURPOSE))

    def remove(self, name: str) -> None:
        """Forget what is in the database now."""
        (self._folder / name).unlink(missing_ok=True)
        self._forget(name)

    def put_aside(self, name: str) -> None:
        """Move what cannot be brought in to where an administrator looks."""
        aside = self._folder / DAMAGED
        aside.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            (self._folder / name).rename(aside / name)
        self._forget(name)

    def holds(self, sender: str) -> bool:
        """Whether something of this sender still waits, so that his next words must wait behind it."""
        return self._senders[sender] > 0

    def __len__(self) -> int:
        return len(self._waiting)

    def damaged(self) -> list[str]:
        """File names that could not be brought in; an administrator must look."""
        return sorted(path.name for path in (self._folder / DAMAGED).glob(f"*{SUFFIX}"))

    def _next_name(self) -> str:
        """Names sort by arrival; of two at the same moment the second is one microsecond later."""
        self._last = max(int(datetime.now(UTC).timestamp() * 1e6), self._last + 1)
        return f"{self._last:017d}{SUFFIX}"

    def _remember(self, name: str, sender: str) -> None:
        self._waiting[name] = sender
        self._senders[sender] += 1
        self._last = max(self._last, int(name.removesuffix(SUFFIX)))

    def _forget(self, name: str) -> None:
        sender = self._waiting.pop(name, None)
        if sender is not None:
            self._senders[sender] -= 1
            self._senders += Counter()


def _written(waiting: Waiting) -> bytes:
    # All ASCII, so that a piece cut through a character keeps its half.
    thing = waiting.thing
    if isinstance(thing, DeliveryReport):
        return json.dumps({"report": asdict(thing)}, default=datetime.isoformat).encode()
    value = {"raw": raw_of(thing), "received_at": thing.received_at.isoformat(), "takes_photos": waiting.takes_photos,
             "photos_lost": waiting.photos_lost}  # fmt: skip
    return json.dumps(value).encode()


def _read(body: bytes) -> Waiting:
    value = json.loads(body)
    if report := value.get("report"):
        return Waiting(DeliveryReport(**report | {"at": datetime.fromisoformat(report["at"])}))
    entry = JournalEntry(0, "", "", datetime.fromisoformat(value["received_at"]), value["raw"])
    return Waiting(inbound_of(entry), value["takes_photos"], value["photos_lost"])
