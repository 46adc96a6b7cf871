"""What the commands about models read from the store: judged cases and what people decided about them. Read only."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from intake.model import Case
from intake.ports import Work
from intake.records import HistoryEntry
from intake.settings import Settings, load_settings
from intake.wiring import open_gateway, shadow_key

if TYPE_CHECKING:
    from classifier.learning import Confirmed

MOST_CASES = 100_000
"""Only so many of the newest cases are looked at: a city's year, and as much as memory should hold."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The newest cases, and of these the ones a person decided."""

    cases: "list[Case]"
    confirmed: "list[Confirmed]"


def read_decided(home: Path) -> Decided:
    """Read from the gateway's database, stopped or running; nothing where there is no database yet."""
    settings = load_settings(home=home)
    if settings.is_embedded and not settings.database_path.exists():
        return Decided([], [])
    return asyncio.run(_read(settings))


async def _read(settings: Settings) -> Decided:
    from classifier.learning import confirmed

    async with open_gateway(settings, judging=False) as running:
        cases, lines = await running.store.read(_rows)
        return Decided(cases, confirmed(cases, lines, key_of=shadow_key(running.gateway.vault)))


def _rows(work: Work) -> tuple[list[Case], list[HistoryEntry]]:
    from classifier.learning import CHOOSING

    cases = work.find(Case, order="-case_no", limit=MOST_CASES)
    return cases, [line for step in CHOOSING for line in work.find(HistoryEntry, step=step)]
