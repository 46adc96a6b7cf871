"""Server processes to be measured: started, waited for, asked for their processor time and memory, and ended.

Clients run in processes of their own (load.py, fetch.py), so that the server's processor time is the server's.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.running import LIMITS_OFF
from tests.servers import PG_FOLDERS, Postgres, free_port, postgres_cluster

ROOT = Path(__file__).resolve().parent.parent
START_S = 120.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Server:
    """One process with its children, on a port of loopback."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process, self.port = process, port

    @property
    def pids(self) -> list[int]:
        """The process and everything it started."""
        found, look = [], [self.process.pid]
        while look:
            pid = look.pop()
            found.append(pid)
            for path in Path(f"/proc/{pid}/task").glob("*/children"):
                look += [int(word) for word in path.read_text().split()]
        return found

    def cpu_s(self) -> float:
        """User and system seconds."""
        return sum(_cpu_s(pid) for pid in self.pids)

    def rss_mb(self) -> float:
        """Resident memory, megabytes."""
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids) * PAGE_BYTES / 1e6


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(
    command: Sequence[str], port: int, *, environment: Mapping[str, str] | None = None, path: str = "/health/live", cwd: Path = ROOT
) -> Iterator[Server]:
    """A server that answers at `path`; ended at the end, its output shown when it does not start."""
    with tempfile.TemporaryFile() as output:
        variables = os.environ | dict(environment or {})
        process = subprocess.Popen(list(command), cwd=cwd, env=variables, stdout=output, stderr=output)
        try:
            if not _answers(port, path, process):
                output.seek(0)
                raise SystemExit(f"did not start: {' '.join(command)}\n{output.read().decode(errors='replace')[-3000:]}")
            yield Server(process, port)
        finally:
            process.terminate()
            process.wait(30)


def _answers(port: int, path: str, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.02)
    return False


def gateway_variables(home: Path, port: int, database: str) -> dict[str, str]:
    """Settings of a gateway under measurement: limits off, quiet, its model that of the working folder."""
    models = ROOT / "var" / "models"
    if models.exists() and not (home / "models").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "models").symlink_to(models)
    return {
        "INTAKE_HOME": str(home), "INTAKE_PORT": str(port), "INTAKE_DATABASE_URL": database, "INTAKE_LOG_LEVEL": "WARNING",
    } | LIMITS_OFF  # fmt: skip


@contextmanager
def gateway(home: Path, database: str = "") -> Iterator[Server]:
    """The gateway as an administrator would start it."""
    port = free_port()
    command = [sys.executable, "-m", "intake", "serve", "--no-train"]
    with started(command, port, environment=gateway_variables(home, port, database), path="/health/ready") as server:
        yield server


def run_command(home: Path, database: str, *arguments: str, stdin: str = "") -> str:
    """A command of the product on that home; returns what it printed."""
    done = subprocess.run([sys.executable, "-m", "intake", *arguments], cwd=ROOT, input=stdin, text=True, capture_output=True,
                          env=os.environ | gateway_variables(home, free_port(), database), check=False)  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def client(module: str, *arguments: object, stdin: str = "") -> dict[str, Any]:
    """Run a client of bench/ in its own process; it prints one line of JSON."""
    command = [sys.executable, "-m", f"bench.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return dict(json.loads(done.stdout))


@contextmanager
def databases(*, postgresql: bool = True) -> Iterator[dict[str, Postgres | None]]:
    """The databases to measure by name: the embedded one, and PostgreSQL where it is installed."""
    if not (postgresql and PG_FOLDERS):
        yield {"SQLite": None}
        return
    with postgres_cluster() as cluster:
        yield {"SQLite": None, "PostgreSQL": cluster}
