"""What the figures were taken on, and the units taken in the same minute (unit.py)."""

import os
import platform
import sqlite3
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.process import client, started
from bench.unit import fsync_s
from tests.servers import PG_FOLDERS, free_port

CAL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Units:
    """CAL in requests a second (and its processor milliseconds a request), FSYNC in milliseconds."""

    cal_per_s: float
    cal_cpu_ms: float
    fsync_ms: float

    def words(self) -> str:
        return f"CAL {self.cal_per_s:.0f}/s ({self.cal_cpu_ms:.3f} ms CPU), FSYNC {self.fsync_ms:.2f} ms"


def take_units(folder: Path) -> Units:
    """Both units now, on the disk of `folder`."""
    port = free_port()
    with started([sys.executable, "-m", "bench.unit", str(port)], port, path="/") as server:
        client("load", port, "/", 16, 1, stdin='{"a": 1}')
        before = server.cpu_s()
        row = client("load", port, "/", 16, CAL_SECONDS, stdin='{"text": "有一堆生活垃圾没人清理", "place": "人民广场"}')
        cpu_ms = (server.cpu_s() - before) / row["answers"] * 1e3
    return Units(row["per_s"], cpu_ms, fsync_s(folder) * 1e3)


def machine() -> dict[str, str]:
    """The machine and the programs, each in a few words."""
    cpu = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1e6
    return {
        "taken_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{os.cpu_count()} × {cpu[0] if cpu else platform.machine()}",
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": _postgres_version(),
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }


def _postgres_version() -> str:
    if not PG_FOLDERS:
        return "absent"
    done = subprocess.run([PG_FOLDERS[0] / "postgres", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.split()[-1] if done.stdout and "(" not in done.stdout else done.stdout.split("(")[-1].strip(") \n") or "?"


def facts(units: Units) -> dict[str, object]:
    """Machine and units as they go into a result."""
    return {"machine": machine(), "units": asdict(units)}
