"""Numbers leased in blocks: one small durable transaction reserves many, then they are handed out from memory.

A block is committed before its first number is used, so no number is ever given twice, by several gateways, after a
rollback or after a crash; the rest of a block is lost then, which leaves gaps and harms nobody.
"""

from collections.abc import Callable
from datetime import date

import sqlalchemy as sa

from intake.codes import case_no
from intake.errors import Unavailable

LEASE = sa.text(
    "INSERT INTO blocks (name, next) VALUES (:name, 1 + :size) "
    "ON CONFLICT (name) DO UPDATE SET next = blocks.next + :size RETURNING next"
)
ID_BLOCK = 100_000
ID_RESERVE = 20_000
CASE_BLOCK = 100
CASE_BLOCK_MAX = 6_400
CASE_RESERVE = 64


class Blocks:
    """The unused numbers of this gateway. `ensure` leases; `take` never touches the database."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[int, int]] = {}
        self._case_block = CASE_BLOCK

    def wanted(self, day: date, *, units: int) -> list[tuple[str, int]]:
        """The leases (name, size) that a group of `units` units on `day` needs before it may run."""
        leases = []
        if self._remaining("id") < ID_RESERVE:
            leases.append(("id", ID_BLOCK))
        name = _case_block_name(day)
        if self._remaining(name) < max(CASE_RESERVE, units):
            # A busy day asks for ever larger blocks, so that a storm does not wait for a disk write every 100 reports.
            leases.append((name, max(self._case_block, 2 * units)))
            self._case_block = min(self._case_block * 2, CASE_BLOCK_MAX)
        return leases

    def lease(self, connection: sa.Connection, leases: list[tuple[str, int]]) -> Callable[[], None]:
        """Reserve in the database; call what comes back after the commit."""
        ends = [(name, size, connection.execute(LEASE, {"name": name, "size": size}).scalar_one()) for name, size in leases]

        def keep() -> None:
            for name, size, end in ends:
                self._left[name] = (end - size, end)

        return keep

    def take(self, name: str) -> int:
        start, end = self._left.get(name, (0, 0))
        if start >= end:
            raise Unavailable
        self._left[name] = (start + 1, end)
        return start

    def take_case_no(self, day: date) -> int:
        return case_no(day, self.take(_case_block_name(day)))

    def _remaining(self, name: str) -> int:
        start, end = self._left.get(name, (0, 0))
        return end - start


def _case_block_name(day: date) -> str:
    return f"case:{day.isoformat()}"
