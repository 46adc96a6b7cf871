"""The headline: a year of a metropolis, 983,155 reports, replayed through the whole path in one process.

Every report goes the real way: located, classified, routed, journalled, stored with case, reporter, history, timers,
search words and feed, durable before it counts. Timers fire at their replayed time, replies owed go out through the real
courier to a provider that takes them. What people do (accept, file … close) is done by scripted staff (staff.py) on
--handled of the reports, through the same rules. Not in it: HTTP, photos, the desk's pages.
"""

import heapq
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop
from pydantic import SecretStr
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from bench import staff
from bench.arrivals import REPORTS, arrivals
from bench.machine import facts, take_units
from bench.process import ROOT
from bench.report_text import made
from bench.result import Result, Table
from intake import delivery
from intake.alarms import fire_due
from intake.chores import sweep
from intake.courier import Courier
from intake.errors import NotFound, Refused
from intake.log import set_up_logging
from intake.model import SYSTEM, Case, Inbound, Place
from intake.records import Debt, HistoryEntry, OutboxRow
from intake.settings import Settings
from intake.usecases import load_case, perform
from intake.wiring import Running, open_gateway

OPTIONS = ("reports", "handled", "home", "database", "seed")
COLUMNS = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
BATCH = 64
KEEP_EVERY = 5_000
FEED_KEEP = 100_000
CHANNELS = (("phone", 0.56), ("web", 0.28), ("sms", 0.16))
PARTS = ("taking in", "staff", "timers", "replies")
Tell = Callable[..., object]


@dataclass
class Clock:
    """The replayed moment."""

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Spent:
    """Wall and processor seconds of each part and of all, and the milliseconds of every batch of reports."""

    wall: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))
    cpu: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))
    batches_ms: list[float] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    steps: int = 0
    refused: int = 0
    alarms: int = 0
    sent: int = 0
    sittings: int = 1


@dataclass
class Kept:
    """Where the replay stands: reports taken in, steps still to be taken (moment, number, place on the way), what it cost."""

    seed: int
    done: int = 0
    waiting: list[tuple[float, int, int]] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)

    @classmethod
    def read(cls, path: Path, seed: int) -> "Kept":
        if not path.exists():
            return cls(seed)
        value = json.loads(path.read_text())
        if value["seed"] != seed:
            raise SystemExit(f"{path} was begun with seed {value['seed']}")
        spent = Spent(**value["spent"])
        spent.sittings += 1
        return cls(seed, value["done"], [tuple(one) for one in value["waiting"]], spent)

    def write(self, path: Path) -> None:
        aside = path.with_suffix(".part")
        aside.write_text(json.dumps(asdict(self)))
        aside.replace(path)


class Replay:
    """One run over an opened gateway."""

    def __init__(self, running: Running, clock: Clock, kept: Kept, *, handled: float) -> None:
        self._gateway, self._store, self._rules = running.gateway, running.store, running.rules
        self._clock, self.kept, self._handled = clock, kept, handled
        self.provider, self.spent = staff.Delivers(), kept.spent
        self._courier = Courier(running.store, running.rules, {"sms": self.provider}, name="year", run_id=running.run_id)
        self._day = clock.at.date()

    async def take(self, batch: list[tuple[int, Inbound]]) -> None:
        """A batch of reports at once, then everything that has fallen due by then."""
        wall, cpu, sent = time.perf_counter(), time.process_time(), self.provider.count
        await self._take(batch)
        self.spent.wall_s += time.perf_counter() - wall
        self.spent.cpu_s += time.process_time() - cpu
        self.spent.sent += self.provider.count - sent
        self.kept.done = batch[-1][0] + 1

    async def _take(self, batch: list[tuple[int, Inbound]]) -> None:
        self._clock.at = batch[-1][1].received_at
        if self._clock.at.date() != self._day:
            self._day = self._clock.at.date()
            await self._store.write(lambda work: None)  # leases the day's numbers
            await self._store.write(lambda work: sweep(work, feed_keep=FEED_KEEP))
            await self._store.write(lambda work: delivery.give_up_waiting(work, self._rules))
        began = time.perf_counter()
        await self._timed("taking in", self._take_all(batch))
        await self._gateway.admission.replay_waiting()  # a machine that sleeps looks like a database that does
        self.spent.batches_ms.append((time.perf_counter() - began) * 1e3)
        await self._timed("staff", self._work_off())
        await self._timed("timers", self._fire())
        await self._timed("replies", self._send())

    async def _timed(self, part: str, work: Any) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        await work
        self.spent.wall[part] += time.perf_counter() - wall
        self.spent.cpu[part] += time.process_time() - cpu

    async def _take_all(self, batch: list[tuple[int, Inbound]]) -> None:
        import asyncio

        received = await asyncio.gather(*(self._gateway.take_in(inbound) for _, inbound in batch))
        for (number, inbound), answer in zip(batch, received, strict=True):
            if random.Random(f"{self.kept.seed}/{number}").random() < self._handled and not answer.repeated:
                self._expect(answer.case_no, 0, inbound.received_at)

    def _expect(self, case_no: int, place: int, after: datetime) -> None:
        if place < len(staff.WAY):
            minutes = staff.WAY[place].minutes * random.uniform(0.4, 1.6)
            heapq.heappush(self.kept.waiting, ((after + timedelta(minutes=minutes)).timestamp(), case_no, place))

    async def _work_off(self) -> None:
        """The steps whose time has come, many cases side by side."""
        import asyncio

        waiting, now = self.kept.waiting, self._clock.at.timestamp()
        while waiting and waiting[0][0] <= now:
            due: list[tuple[float, int, int]] = []
            while waiting and waiting[0][0] <= now and len(due) < BATCH:
                due.append(heapq.heappop(waiting))
            await asyncio.gather(*(self._step(at, case_no, place) for at, case_no, place in due))

    async def _step(self, at: float, case_no: int, place: int) -> None:
        def unit(work: Any) -> None:
            case = load_case(work, case_no, SYSTEM)
            perform(work, staff.command(staff.WAY[place], case, self._rules), self._rules)

        try:
            await self._store.write(unit)
            self.spent.steps += 1
        except (Refused, NotFound):
            self.spent.refused += 1  # taken before a restart, or not allowed on this very case
        self._expect(case_no, place + 1, datetime.fromtimestamp(at, UTC))

    async def _fire(self) -> None:
        while count := await self._store.write(fire_due):
            self.spent.alarms += count

    async def _send(self) -> None:
        while await self._courier.send_due():
            pass


def report(number: int, at: datetime, seed: int) -> Inbound:
    """The n-th report of the year; by its own dice, so that a replay that goes on makes the same one."""
    dice = random.Random(f"{seed}:{number}")
    text = made(dice)
    channel = dice.choices([name for name, _ in CHANNELS], [share for _, share in CHANNELS])[0]
    phone = "" if channel == "web" and dice.random() < 0.5 else f"+861990000{dice.randrange(10_000):04}"
    return Inbound(channel, f"year:{seed}:{number}", at, text.text, Place(text=text.place), phone=phone, address=phone,
                   anonymous=not phone, wants_reply=bool(phone) and dice.random() < 0.6, body_digest=str(number))  # fmt: skip


def run(tell: Tell, *, quick: bool = False, reports: int = 0, handled: float = 0.1, home: str = "", database: str = "",
        seed: int = 12319) -> Result:  # fmt: skip
    """Replay the year, or its first `reports` reports, and tell the figures."""
    set_up_logging("ERROR")
    wanted = min(reports or (2_000 if quick else REPORTS), REPORTS)
    with tempfile.TemporaryDirectory(prefix="bench-year-") as folder:
        where = Path(home or folder)
        where.mkdir(parents=True, exist_ok=True)
        found = uvloop.run(_replay(where, database, wanted, handled=handled, seed=seed, tell=tell))
        units = take_units(where)
        found["size_mb"] = sum(path.stat().st_size for path in where.glob("intake.db*")) / 1e6
        return _result(found, wanted, handled, facts(units), units.words())


async def _replay(home: Path, database: str, wanted: int, *, handled: float, seed: int, tell: Tell) -> dict[str, Any]:
    models = ROOT / "var" / "models"
    if models.is_dir() and not (home / "models").exists():
        (home / "models").symlink_to(models)
    settings = Settings(home=home, database_url=SecretStr(database), channels={})
    clock, kept = Clock(), Kept.read(home / "year.json", seed)
    async with open_gateway(settings, clock=clock) as running:
        rules = replace(running.rules, offered=frozenset({"sms"}))
        running = replace(running, gateway=replace(running.gateway, rules=rules), rules=rules)
        replay = Replay(running, clock, kept, handled=handled)
        await _go(replay, running, wanted, home=home, tell=tell)
        kept.write(home / "year.json")
        stored = await running.store.read(_stored)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"taken": kept.done, "stored": stored, "replay": kept.spent, "memory_mb": memory, "until": clock.at.isoformat()}


async def _go(replay: Replay, running: Running, wanted: int, *, home: Path, tell: Tell) -> None:
    city, kept, seed = running.gateway.city, replay.kept, replay.kept.seed
    batch: list[tuple[int, Inbound]] = []
    tell("a year of a metropolis", done=kept.done, total=wanted)
    for number, at in enumerate(arrivals(city.calendars["office"], city.zone, seed)):
        if number >= wanted:
            break
        if number < kept.done:
            continue
        batch.append((number, report(number, at.astimezone(UTC), seed)))
        if len(batch) < BATCH and number + 1 < wanted:
            continue
        await replay.take(batch)
        tell(f"{at:%d %B}: {len(kept.waiting):,} steps to come", done=kept.done, total=wanted)
        if kept.done // KEEP_EVERY != (kept.done - len(batch)) // KEEP_EVERY:
            kept.write(home / "year.json")
        batch = []


def _stored(work: Any) -> dict[str, int]:
    """What stands in the database afterwards."""
    import sqlalchemy as sa

    from intake.store.tables import TABLES

    def count(kind: type, **where: Any) -> int:
        table = TABLES[kind].table
        statement = sa.select(sa.func.count()).select_from(table).where(*(table.c[name] == value for name, value in where.items()))
        return int(work.connection.execute(statement).scalar_one())

    states = {state.value: n for state, n in work.counts().items() if n}
    return states | {"cases": count(Case), "history lines": count(HistoryEntry), "replies owed": count(Debt),
                     "replies still owed": count(Debt, end=""), "messages": count(OutboxRow)}  # fmt: skip


def _result(found: dict[str, Any], wanted: int, handled: float, known: dict[str, object], units: str) -> Result:
    spent: Spent = found.pop("replay")
    taken, wall = max(found["taken"], 1), spent.wall_s
    batches = sorted(spent.batches_ms) or [0.0]
    rows = [
        ("reports taken in", f"{taken:,} of {REPORTS:,}, up to {found['until'][:10]}"),
        ("time", f"{wall / 60:.1f} min, {taken / wall:,.0f} reports/s; the whole year at this pace {REPORTS / taken * wall / 3600:.1f} h"),
        ("faster than life", f"{(taken / wall) / (REPORTS / 365 / 86_400):,.0f} ×"),
        ("processor time", f"{spent.cpu_s / taken * 1e3:.2f} ms a report with all that follows"),
        ("of it taking in", f"{spent.cpu['taking in'] / taken * 1e3:.2f} ms a report; {BATCH} at once in p50 "
                            f"{batches[len(batches) // 2]:.0f} ms, p99 {batches[len(batches) * 99 // 100]:.0f} ms"),
        ("steps of scripted staff", f"{spent.steps:,} ({spent.cpu['staff'] / max(spent.steps, 1) * 1e3:.2f} ms each), {spent.refused:,} refused"),
        ("timers fired", f"{spent.alarms:,} ({spent.cpu['timers'] / max(spent.alarms, 1) * 1e3:.2f} ms each)"),
        ("messages sent", f"{spent.sent:,} ({spent.cpu['replies'] / max(spent.sent, 1) * 1e3:.2f} ms each)"),
        *((f"stored: {name}", f"{n:,}") for name, n in found["stored"].items()),
        ("database", f"{found['size_mb']:,.0f} MB"),
        ("memory at most", f"{found['memory_mb']:,.0f} MB"),
    ]  # fmt: skip
    notes = (
        "Included: locating, classifying, routing, journal, case, history, timers firing at their replayed time, search words, "
        f"feed, and on {handled:.0%} of the reports scripted staff through the product's rules from accepting to closing, "
        "with both replies through the courier to a provider that takes all. Not included: HTTP, photos, the desk's pages.",
        f"Units at the end of the run: {units}. In {spent.sittings} sitting{'s' if spent.sittings > 1 else ''}; times are summed.",
    )
    told = {**found, "wall": spent.wall, "cpu": spent.cpu, "steps": spent.steps, "alarms": spent.alarms}
    return Result("year", "A year of a metropolis", (Table(("what", "figure"), tuple(rows)),), notes, known | {"rows": told})
