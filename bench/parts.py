"""Where the processor time of a report goes: its parts one by one, each alone in a thread with nothing beside it.

What a running gateway takes above their sum is what its threads cost one another, and its loops (feed, likely repeats,
courier), which are woken by each commit.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from itertools import count as count_up
from pathlib import Path

from bench.create import bodies
from bench.machine import facts, take_units
from bench.result import Result, Table
from classifier.classify import TextClassifier
from classifier.registry import default_path
from classifier.repeats import RepeatIndex
from classifier.repeats_report import Report
from intake.errors import Unavailable
from intake.gateway import Gateway
from intake.log import set_up_logging
from intake.model import Inbound, Place
from intake.ports import Work
from intake.receive import Judged, receive
from intake.settings import load_settings
from intake.store.group import Unit, commit_group
from intake.store.sqlite import SqliteStore
from intake.taxonomy import load_taxonomy
from intake.wiring import open_gateway

COUNT, WARMTH = 1920, 320
Tell = Callable[..., object]


def run(tell: Tell, *, quick: bool = False) -> Result:
    """On the embedded database, with the model in force."""
    set_up_logging("WARNING")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tell("units")
        units = take_units(Path(folder))
        tell("parts")
        found = asyncio.run(measure(Path(folder), count=WARMTH * 2 if quick else COUNT))
    rows = tuple((name, f"{us:.0f}", f"{us / units.cal_cpu_ms / 1e3:.1f}") for name, us in found.items())
    notes = (f"Units: {units.words()}.", "Waiting for the disk is not in it; the request itself costs about what CAL does.")
    return Result("parts", "Where the time of a report goes", (Table(("part", "CPU µs", "÷ CAL's"), rows),), notes,
                  facts(units) | {"parts_us": found})  # fmt: skip


async def measure(folder: Path, *, count: int) -> dict[str, float]:
    texts = [json.loads(line) for line in bodies(count).splitlines()]
    model = default_path(Path("var"))
    home = folder / "home"
    default_path(home).parent.mkdir(parents=True)
    default_path(home).write_bytes(model.read_bytes())
    async with open_gateway(load_settings(home=home)) as running:
        gateway, store = running.gateway, running.store
        assert isinstance(store, SqliteStore)
        inbounds = [Inbound(channel="web", provider_id="", received_at=gateway.now(), text=one["text"],
                            place=Place(text=one["place"])) for one in texts]  # fmt: skip
        classifier, index, ids = TextClassifier.load(model, load_taxonomy()), RepeatIndex(), count_up()
        found = {"classifying, danger words": spent(lambda one: gateway.judge(one.text), inbounds)}
        found["place: gazetteer and grid"] = spent(lambda one: gateway.city.locate(one.place), inbounds)
        judged = [gateway.judge(one.text) for one in inbounds]
        for size in (64, 1):
            numbers = [await number(store) for _ in inbounds]
            found[f"records, in commits of {size}"] = committed(gateway, store, inbounds, judged, numbers, size=size)

        def compared(one: Inbound) -> None:
            index.add(Report(next(ids), one.text, one.received_at, one.place, {}, classifier.view(one.text)))

        found["index of likely repeats"] = spent(compared, inbounds)
    return found


async def number(store: SqliteStore) -> int:
    """A case number; a block of them is leased now and then."""
    while True:
        try:
            return store.next_case_no()
        except Unavailable:
            await store.write(lambda work: None)


def spent(work: Callable[[Inbound], object], inbounds: list[Inbound]) -> float:
    """Microseconds of processor time for each, after a warm-up."""
    for one in inbounds[:WARMTH]:
        work(one)
    began = time.thread_time()
    for one in inbounds[WARMTH:]:
        work(one)
    return (time.thread_time() - began) / (len(inbounds) - WARMTH) * 1e6


def committed(
    gateway: Gateway, store: SqliteStore, inbounds: list[Inbound], judged: list[Judged], numbers: list[int], *, size: int
) -> float:
    """The unit of work of a report: number, journal (sealed), case, reporter, history, timers, search words, feed; and commit."""
    units = [_unit(gateway, *given) for given in zip(inbounds, judged, numbers, strict=True)]
    began = 0.0
    with store._write_engine.connect() as connection:
        for place in range(0, len(units), size):
            if place == WARMTH:
                began = time.thread_time()
            commit_group(connection, store._work, units[place : place + size])
    return (time.thread_time() - began) / (len(units) - WARMTH) * 1e6


def _unit(gateway: Gateway, inbound: Inbound, judged: Judged, case_no: int) -> Unit:
    def unit(work: Work) -> object:
        return receive(work, inbound, judged, gateway.rules, case_no=case_no)

    return unit
