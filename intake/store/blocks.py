"""Numbers leased in blocks: one small durable transaction reserves many, then they are handed out from memory.

A block is committed before its first number is used, so no number is ever given twice, by several gateways, after a
rollback or after a crash; the rest of a block is lost then, which leaves gaps and harms nobody. The reserve is large
enough that a citizen still gets his final number while the database cannot be written (spool.py).
"""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from intake.codes import case_no
from intake.errors import Unavailable

LEASE = sa.text(
    "INSERT INTO blocks (name, next) VALUES (:name, 1 + :size) "
    "ON CONFLICT (name) DO UPDATE SET next = blocks.next + :size RETURNING next"
)
GIVE_BACK = sa.text("UPDATE blocks SET next = :start WHERE name = :name AND next = :end")
"""Only while nobody leased behind us."""
ID_BLOCK = 100_000
ID_RESERVE = 20_000
CASE_BLOCK = 2_000
CASE_BLOCK_MAX = 8_000
CASE_RESERVE = 1_000


class Blocks:
    """The unused numbers of this gateway. `ensure` leases; `take` never touches the database."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[int, int]] = {}
        self._case_block = CASE_BLOCK
        self.numbers_cases = True  # a command beside the gateway takes no reports in and must not use numbers up
        self._lock = threading.Lock()  # case numbers are taken on the event loop, ids in the writer's thread

    def wanted(self, now: datetime) -> list[tuple[str, int]]:
        """The leases (name, size) that are needed at local time `now` before a group of units may run."""
        leases = []
        if self._remaining("id") < ID_RESERVE:
            leases.append(("id", ID_BLOCK))
        # Tomorrow's block is held all day, so that an outage over midnight still has numbers.
        for day in (now.date(), (now + timedelta(days=1)).date()) if self.numbers_cases else ():
            name = case_block_name(day)
            if self._remaining(name) < CASE_RESERVE:
                # A busy day asks for ever larger blocks, so that a storm does not wait for a disk write all the time.
                leases.append((name, self._case_block))
                self._case_block = min(self._case_block * 2, CASE_BLOCK_MAX)
        return leases

    def lease(self, connection: sa.Connection, leases: list[tuple[str, int]]) -> Callable[[], None]:
        """Reserve in the database; call what comes back after the commit."""
        ends = [(name, size, connection.execute(LEASE, {"name": name, "size": size}).scalar_one()) for name, size in leases]

        def keep() -> None:
            with self._lock:
                self._left |= {name: (end - size, end) for name, size, end in ends}

        return keep

    def take(self, name: str) -> int:
        """The next number of a block; raises Unavailable when it is used up."""
        with self._lock:
            start, end = self._left.get(name, (0, 0))
            if start >= end:
                raise Unavailable
            self._left[name] = (start + 1, end)
            return start

    def take_case_no(self, day: date) -> int:
        """The next number of a day; when its block is used up and none can be leased, of another day that is held."""
        held = sorted(name for name in self._left if name.startswith("case:") and self._remaining(name))
        name = case_block_name(day)
        if not self._remaining(name) and held:
            name = held[0]
        return case_no(date.fromisoformat(name.removeprefix("case:")), self.take(name))

    def unused(self) -> list[tuple[str, int, int]]:
        """Name, next number and end of every block, to be given back at a clean stop."""
        with self._lock:
            left = [(name, start, end) for name, (start, end) in self._left.items() if start < end]
            self._left.clear()
            return left

    def _remaining(self, name: str) -> int:
        start, end = self._left.get(name, (0, 0))
        return end - start


def give_back(connection: sa.Connection, blocks: Blocks) -> None:
    """Return what was not used, so that a clean restart leaves no gap."""
    for name, start, end in blocks.unused():
        connection.execute(GIVE_BACK, {"name": name, "start": start, "end": end})


def case_block_name(day: date) -> str:
    return f"case:{day.isoformat()}"
