"""How fast is a report taken in: classified, located, journalled, durable, answered? At 1, 16 and 64 clients.

`python -m bench create` on both databases; `python -m bench.create [postgresql://…]` one of them, without the tables.
"""

import json
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.machine import Units, facts, take_units
from bench.process import client, databases, gateway
from bench.result import Result, Table

CLIENTS = (1, 16, 64)
SECONDS = 5.0
ROUNDS = 3
PARTS = (
    ("人民广场", "中山路口", "鼓楼南门", "幸福小区3栋旁", "一中门口"),
    ("有一堆生活垃圾没人清理", "井盖松动车过就响", "烧烤摊油烟很大", "路灯已经不亮三天", "电动车乱停挡住盲道"),
    ("请尽快处理", "影响出行", "味道很大", "晚上看不见很危险", "反映多次没人管"),
)
TARGETS = {1: "p50 ≤ FSYNC + 2 ms", 16: "≥ 0.08 CAL", 64: "≥ 0.15 CAL"}
Tell = Callable[[str], object]
Row = dict[str, float]


def bodies(count: int) -> str:
    """Texts joined from parts: their shape matters here, not their meaning."""
    dice = random.Random(12319)
    texts = ("，".join(dice.choice(part) for part in PARTS) + str(number) for number in range(count))
    return "\n".join(json.dumps({"text": text, "place": text[:6]}, ensure_ascii=False) for text in texts)


def measure(database: str, home: Path, *, seconds: float, tell: Tell, warmth: int = 4) -> list[Row]:
    """One gateway under 1, 16 and 64 clients; rows with its processor milliseconds a report."""
    rows = []
    with gateway(home, database) as server:
        client("load", server.port, "/api/v1/reports", warmth, 2, stdin=bodies(2000))
        for clients in CLIENTS:
            tell(f"{clients} clients")
            before = server.cpu_s()
            row = client("load", server.port, "/api/v1/reports", clients, seconds, stdin=bodies(2000))
            rows.append(row | {"clients": clients, "cpu_ms": (server.cpu_s() - before) / row["answers"] * 1e3})
    return rows


def run(tell: Tell, *, quick: bool = False) -> Result:
    """Both databases, units and rows taken in turn `ROUNDS` times; what is told is the median round."""
    rounds, seconds = (1, 2.0) if quick else (ROUNDS, SECONDS)
    units: list[Units] = []
    found: dict[tuple[str, int], list[Row]] = {}
    with databases() as servers, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for turn in range(rounds):
            for name, server in servers.items():
                tell(f"create on {name}, round {turn + 1} of {rounds}: units")
                now = take_units(Path(folder))
                units.append(now)
                url = server.url(server.new_database()) if server else ""
                told = lambda words, n=name: tell(f"create on {n}: {words}")  # noqa: E731
                for row in measure(url, Path(folder) / f"{name}{turn}", seconds=seconds, tell=told):
                    found.setdefault((name, int(row["clients"])), []).append(row | _ratios(row, now))
    table = Table(
        ("database", "clients", "reports/s", "÷ CAL", "p50 ms", "p50 − FSYNC ms", "p99 ms", "CPU ms", "target"),
        tuple(_told(name, clients, _middle(rows)) for (name, clients), rows in found.items()),
    )
    notes = (
        f"Units in the same minutes: {_middle_units(units).words()}.",
        "Each report is classified, located, routed, journalled (sealed), numbered, with case, reporter, history, "
        "timer, search words and feed in one durable commit (synchronous=FULL, synchronous_commit=on) before 201.",
        "Processor time is the gateway's own; PostgreSQL's is not in it.",
        f"Refused or failed: {sum(row['faults'] for rows in found.values() for row in rows):.0f}.",
    )
    rows_told = {f"{name} {clients}": _middle(rows) for (name, clients), rows in found.items()}
    return Result("create", "Taking a report in", (table,), notes, facts(_middle_units(units)) | {"rows": rows_told})


def _ratios(row: Row, units: Units) -> Row:
    return {"cal": row["per_s"] / units.cal_per_s, "over_fsync_ms": row["p50_ms"] - units.fsync_ms}


def _middle(rows: list[Row]) -> Row:
    """The round whose ratio to CAL is the median: its figures belong together."""
    return sorted(rows, key=lambda row: row["cal"])[len(rows) // 2]


def _middle_units(units: list[Units]) -> Units:
    return Units(*(statistics.median(getattr(one, name) for one in units) for name in ("cal_per_s", "cal_cpu_ms", "fsync_ms")))


def _told(name: str, clients: int, row: Row) -> tuple[str, ...]:
    return (name, str(clients), f"{row['per_s']:.0f}", f"{row['cal']:.3f}", f"{row['p50_ms']:.2f}", f"{row['over_fsync_ms']:.2f}",
            f"{row['p99_ms']:.2f}", f"{row['cpu_ms']:.3f}", TARGETS[clients])  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        units = take_units(Path(folder))
        print(units.words())
        url = sys.argv[1] if len(sys.argv) > 1 else ""
        for row in measure(url, Path(folder) / "home", seconds=SECONDS, tell=lambda _: None):
            ratio = row["per_s"] / units.cal_per_s
            print(f"{row['clients']:3.0f} clients: {row['per_s']:7.0f}/s = {ratio:.3f} CAL, p50 {row['p50_ms']:.2f} ms, "
                  f"p99 {row['p99_ms']:.2f} ms, CPU {row['cpu_ms']:.3f} ms, faults {row['faults']}")  # fmt: skip


if __name__ == "__main__":
    main()
