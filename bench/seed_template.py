"""Cases made by the product itself, to be multiplied by seed.py: receive, every step, both replies, in a scratch store."""

import asyncio
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import staff
from bench.report_text import made
from intake.courier import Courier
from intake.model import Case, Inbound, Place, Prediction, Scored
from intake.profile import City
from intake.receive import Judged, receive
from intake.records import Contact
from intake.rules import Rules
from intake.store.schema import upgrade_sqlite
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.store.tables import TABLES
from intake.usecases import perform
from intake.vault import Vault

BASE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""When every template's report came in: a Monday, 09:00 in the demo city."""
MADE_UP_PHONE = "+8619900000000"
LIVE_STEPS = (0, 0, 1, 2, 3, 3, 4, 4, 4, 5, 6)
"""How many steps of the way cases in work have behind them, as a queue on a working day looks."""


@dataclass(frozen=True, slots=True)
class Template:
    """One case with all its rows by table name, as stored."""

    case: Case
    rows: Mapping[str, tuple[Mapping[str, Any], ...]]


class Clock:
    def __init__(self) -> None:
        self.at = BASE

    def __call__(self) -> datetime:
        return self.at


def make_templates(city: City, vault: Vault, *, ended: int, live: int, seed: int) -> tuple[list[Template], list[Template]]:
    """Archived cases and cases in work, each gone its own way through the product."""
    return asyncio.run(_make(city, vault, ended=ended, live=live, seed=seed))


async def _make(city: City, vault: Vault, *, ended: int, live: int, seed: int) -> tuple[list[Template], list[Template]]:
    from classifier.tokens import search_tokens

    dice, clock = random.Random(seed), Clock()
    rules = city.rules(offered={staff.Delivers.kind})
    with tempfile.TemporaryDirectory(prefix="bench-seed-") as folder:
        upgrade_sqlite(Path(folder) / "intake.db")
        setting = StoreSetting(vault=vault, clock=clock, zone=city.zone, words=search_tokens)
        store = SqliteStore(Path(folder) / "intake.db", setting)
        await store.open()
        courier = Courier(store, rules, {staff.Delivers.kind: staff.Delivers()}, name="seed", run_id="1")
        ways = [len(staff.WAY)] * ended + [LIVE_STEPS[number % len(LIVE_STEPS)] for number in range(live)]
        numbers = [await _walk(store, rules, courier, clock, dice, steps) for steps in ways]
        found = [await store.read(lambda work, n=number: _template(work, n)) for number in numbers]  # type: ignore[misc]
        await store.close()
    return found[:ended], found[ended:]


async def _walk(store: SqliteStore, rules: Rules, courier: Courier, clock: Clock, dice: random.Random, steps: int) -> int:
    clock.at = BASE
    report, subclass = made(dice), dice.choice(sorted(rules.taxonomy.entries))
    judged = Judged(Prediction((Scored(subclass, round(dice.uniform(0.5, 0.99), 2)),), abstained=False, model_version="seed"))
    by_sms = dice.random() < 0.5
    phone = MADE_UP_PHONE if by_sms else ""
    inbound = Inbound("sms" if by_sms else "web", "", clock.at, report.text, rules.locate(Place(text=report.place)),
                      wants_reply=by_sms, address=phone, phone=phone)  # fmt: skip
    number = (await store.write(lambda work: receive(work, inbound, judged, rules))).case_no
    for turn in staff.WAY[:steps]:
        clock.at += timedelta(minutes=turn.minutes * dice.uniform(0.5, 1.5))
        await store.write(lambda work, t=turn: perform(work, staff.command(t, work.get(Case, number), rules), rules))  # type: ignore[misc]
        while await courier.send_due():
            pass
    return number


def _template(work: Any, number: int) -> Template:
    """Every row that hangs on a case, contact and message included."""
    rows: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for mapped in TABLES.values():
        if "case_no" in mapped.table.c:
            statement = sa.select(mapped.table).where(mapped.table.c.case_no == number)
            rows[mapped.name] = tuple(row._asdict() for row in work.connection.execute(statement))
    contacts = {row["contact_id"] for row in rows["reporters"]} - {0}
    table = TABLES[Contact].table
    statement = sa.select(table).where(table.c.contact_id.in_(contacts))
    rows["contacts"] = tuple(row._asdict() for row in work.connection.execute(statement))
    case = work.get(Case, number)
    return Template(case, {name: found for name, found in rows.items() if found})

