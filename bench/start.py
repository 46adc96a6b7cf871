"""How long until the gateway answers, and how much memory does it take: fresh, on a filled database, after reports."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.create import bodies
from bench.machine import facts, take_units
from bench.process import client, databases, gateway
from bench.result import Result, Table

STARTS = 5
REPORTS_S = 10.0
Tell = Callable[..., object]
Row = dict[str, float]


def run(tell: Tell, *, quick: bool = False) -> Result:
    """Both databases; the first start migrates and makes keys, the others are restarts."""
    found: dict[str, Row] = {}
    with databases() as servers, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tell("units")
        units = take_units(Path(folder))
        for name, server in servers.items():
            url = server.url(server.new_database()) if server else ""
            found[name] = measure(Path(folder) / name, url, starts=2 if quick else STARTS, tell=tell)
    rows = tuple(
        (name, *(f"{row[key]:.2f}" for key in ("first_s", "restart_s", "cpu_s")), *(f"{row[key]:.0f}" for key in ("rss_mb", "busy_mb")))
        for name, row in found.items()
    )
    columns = ("database", "first start s", "restart s (median)", "CPU s of a start", "memory MB", "after a burst of reports MB")
    notes = (f"Until /health/ready answers, classifier and gazetteer read. Units: {units.words()}.",)
    return Result("start", "Start-up and memory", (Table(columns, rows),), notes, facts(units) | {"rows": found})


def measure(home: Path, url: str, *, starts: int, tell: Tell) -> Row:
    times, cpu = [], []
    memory = busy = 0.0
    for turn in range(starts + 1):
        tell(f"start {turn + 1} of {starts + 1}")
        began = time.perf_counter()
        with gateway(home, url) as server:
            times.append(time.perf_counter() - began)
            cpu.append(server.cpu_s())
            memory = server.rss_mb()
            if turn == starts:
                client("load", server.port, "/api/v1/reports", 16, REPORTS_S, stdin=bodies(2000))
                busy = server.rss_mb()
    middle = statistics.median
    return {"first_s": times[0], "restart_s": middle(times[1:]), "cpu_s": middle(cpu), "rss_mb": memory, "busy_mb": busy}
