"""Likely repeats as the desk asks for them: a port, met by an index of the open cases (classifier/repeats_live.py).

Nothing is ever merged by it (process.md §4): a person looks at both and decides.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from intake.model import Case


@dataclass(frozen=True, slots=True)
class Likely:
    """An open case that may be the same matter. `score` is 0..1, `reasons` say in Chinese what speaks for and against it."""

    case_no: int
    score: float
    reasons: tuple[str, ...] = ()


class Repeats(Protocol):
    """`likely` answers within milliseconds, with nothing while the index is not ready; `run` keeps the index up."""

    async def likely(self, case: Case) -> tuple[Likely, ...]: ...
    async def run(self) -> None: ...


class NoRepeats:
    """Where there is no index."""

    async def likely(self, case: Case) -> tuple[Likely, ...]:
        return ()

    async def run(self) -> None:
        await asyncio.Event().wait()
