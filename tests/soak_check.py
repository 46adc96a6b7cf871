"""What must hold after any number of kills: nothing acknowledged is lost, no debt is forgotten, nothing is sent twice."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from intake.history import verify_chain
from intake.ledger import is_open
from intake.model import Case
from intake.ports import Work
from intake.records import Debt, HistoryEntry, JournalEntry, OutboxRow, Task
from intake.settings import Settings
from intake.wiring import open_gateway
from tests.soak_load import Promised, Provider

UNDER_WAY = frozenset({"waiting", "claimed", "sent"})


@dataclass
class Checked:
    """What was found. `broken` is empty when every promise was kept."""

    broken: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def demand(self, holds: bool, words: str) -> None:
        if not holds:
            self.broken.append(words)


def check(home: Path, url: str, promised: Promised, provider: Provider) -> Checked:
    """Look into the database beside the running gateway."""
    return asyncio.run(_check(Settings(home=home, database_url=SecretStr(url), channels={}), promised, provider))


async def _check(settings: Settings, promised: Promised, provider: Provider) -> Checked:
    found = Checked()
    async with open_gateway(settings, judging=False) as running:
        await running.store.read(lambda work: _look(work, promised, provider, found))
    return found


def _look(work: Work, promised: Promised, provider: Provider, found: Checked) -> None:
    cases = {str(case.case_no): case for case in work.find(Case)}
    history: dict[int, list[HistoryEntry]] = {}
    for line in work.find(HistoryEntry):
        history.setdefault(line.case_no, []).append(line)
    _reports(work, promised, cases, found)
    for number, step in promised.steps:
        found.demand(any(line.step == step for line in history.get(int(number), ())), f"step {step} of {number} is lost")
    for case in cases.values():
        fault = verify_chain(history.get(case.case_no, ()), case)
        found.demand(not fault, f"history of {case.case_no}: {fault}")
    _debts(work, cases, found)
    _sent(work, provider, found)
    found.figures |= {"cases": len(cases), "history lines": sum(map(len, history.values()))}


def _reports(work: Work, promised: Promised, cases: dict[str, Case], found: Checked) -> None:
    numbers = [number for number, _ in promised.reports]
    found.demand(len(set(numbers)) == len(numbers), "a case number was given twice")
    for number in numbers:
        found.demand(number in cases, f"acknowledged report {number} is lost")
    entries = work.find(JournalEntry)
    for entry in entries:
        known = not entry.case_no or str(entry.case_no) in cases
        found.demand(known, f"journal names a case {entry.case_no} that is not there")
    held = Counter(entry.provider_id for entry in entries if entry.channel == "sms")
    for message in promised.messages:
        found.demand(held[message] == 1, f"acknowledged message {message} stands {held[message]} times in the journal")


def _debts(work: Work, cases: dict[str, Case], found: Checked) -> None:
    """Every filed case owes its reporter a reply, and every open debt is under way or before a person."""
    debts, rows = work.find(Debt), work.find(OutboxRow)
    tasks = {task.debt_id for task in work.find(Task, state="open") if task.debt_id}
    moving = {row.debt_id for row in rows if row.state in UNDER_WAY}
    for debt in debts:
        cared_for = not is_open(debt) or debt.debt_id in moving or debt.debt_id in tasks
        found.demand(cared_for, f"debt {debt.debt_id} of case {debt.case_no} is forgotten")
    owing = {debt.case_no for debt in debts}
    for case in cases.values():
        found.demand(case.filed_at is None or case.case_no in owing, f"case {case.case_no} was filed and owes nothing")
    found.figures |= {"replies owed": len(debts), "of them settled": sum(not is_open(debt) for debt in debts)}


def _sent(work: Work, provider: Provider, found: Checked) -> None:
    """A message reaches the provider once. Twice only under another reference, after a person was asked."""
    references = Counter(one["msgid"] for one in provider.server.sent)
    for reference, count in references.items():
        found.demand(count == 1, f"message {reference} was sent {count} times")
    asked = {task.debt_id for task in work.find(Task, kind="unknown_fate")}
    went = Counter(row.debt_id for row in work.find(OutboxRow) if row.debt_id and f"r{row.outbox_id}" in references)
    for debt_id, count in went.items():
        found.demand(count == 1 or debt_id in asked, f"debt {debt_id} was told {count} times and nobody was asked")
    found.figures |= {"messages sent": len(provider.server.sent), "fates put before an operator": len(asked)}
