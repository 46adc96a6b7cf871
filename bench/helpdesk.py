"""What a user would pick instead: django-helpdesk from PyPI, its public form, in the same minute as our own way in.

Installed once by pip into a virtual environment of its own in the cache folder (XDG_CACHE_HOME); two gunicorn workers.
Classifying, routing, sealing and a chained history are not its business, so it has less to do.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.create import bodies
from bench.machine import facts, take_units
from bench.process import ROOT, Server, client, databases, gateway, started
from bench.result import Result, Table
from tests.servers import Postgres, free_port

WANTED = ("django-helpdesk==2.6.1", "gunicorn==27.0.1", "psycopg[binary]==3.3.9")
PROJECT = ROOT / "bench" / "helpdesk_project"
CLIENTS, SECONDS = 16, 6.0
TOKEN = "a" * 32
Tell = Callable[..., object]
Row = dict[str, float]


def run(tell: Tell, *, quick: bool = False) -> Result:
    """Both products on both databases, one after the other, 16 clients."""
    seconds = 2.0 if quick else SECONDS
    found: dict[tuple[str, str], Row] = {}
    with databases() as servers, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tell("installing django-helpdesk")
        python = installed()
        tell("units")
        units = take_units(Path(folder))
        for name, server in servers.items():
            tell(f"django-helpdesk on {name}")
            with helpdesk(python, Path(folder) / f"{name}.sqlite3", server) as theirs:
                found["django-helpdesk", name] = _measured(theirs, "/tickets/submit/", _forms(), seconds, form=True)
            tell(f"gateway on {name}")
            url = server.url(server.new_database()) if server else ""
            with gateway(Path(folder) / name, url) as ours:
                found["this gateway", name] = _measured(ours, "/api/v1/reports", bodies(2000), seconds)
    rows = tuple(
        (product, name, f"{row['per_s']:.0f}", f"{row['per_s'] / units.cal_per_s:.4f}", f"{row['p50_ms']:.1f}", f"{row['cpu_ms']:.2f}",
         f"{row['faults']:.0f}")
        for (product, name), row in sorted(found.items())
    )  # fmt: skip
    table = Table(("product", "database", "reports/s", "÷ CAL", "p50 ms", "CPU ms", "refused"), rows)
    notes = (f"{CLIENTS} clients, {', '.join(WANTED[:2])} with two workers; processor time without PostgreSQL's. Units: {units.words()}.",)
    told = {f"{product} {name}": row for (product, name), row in found.items()}
    return Result("helpdesk", "Beside django-helpdesk", (table,), notes, facts(units) | {"rows": told})


def _measured(server: Server, path: str, load: str, seconds: float, *, form: bool = False) -> Row:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={TOKEN}"} if form else {}
    client("load", server.port, path, CLIENTS, 1, json.dumps(headers), stdin=load)
    before = server.cpu_s()
    row = client("load", server.port, path, CLIENTS, seconds, json.dumps(headers), stdin=load)
    return row | {"cpu_ms": (server.cpu_s() - before) / row["answers"] * 1e3}


def _forms() -> str:
    """The same texts as ours, as its public form takes them."""
    lines = []
    for line in bodies(500).splitlines():
        report = json.loads(line)
        lines.append(urllib.parse.urlencode({
            "csrfmiddlewaretoken": TOKEN, "queue": 1, "title": report["place"], "body": report["text"],
            "submitter_email": "a@example.invalid", "priority": 3,
        }))  # fmt: skip
    return "\n".join(lines)


def installed() -> Path:
    """The interpreter of its environment, installed now if it is not there yet."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hotline-bench" / "helpdesk"
    python, done = home / "bin" / "python", home / "installed"
    if not done.exists() or done.read_text() != "\n".join(WANTED):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WANTED], check=True)
        done.write_text("\n".join(WANTED))
    return python


@contextmanager
def helpdesk(python: Path, file: Path, server: Postgres | None) -> Iterator[Server]:
    """Its tables made, two workers started."""
    environment = {"HELPDESK_DATABASE": json.dumps(_database(file, server)), "DJANGO_SETTINGS_MODULE": "settings"}
    subprocess.run([str(python), "prepare.py"], cwd=PROJECT, env=os.environ | environment, check=True)
    port = free_port()
    command = [str(python), "-m", "gunicorn", "-w", "2", "-k", "gthread", "--threads", "8", "--keep-alive", "75",
               "-b", f"127.0.0.1:{port}", "django.core.wsgi:get_wsgi_application()"]  # fmt: skip
    with started(command, port, environment=environment, path="/tickets/submit/", cwd=PROJECT) as running:
        yield running


def _database(file: Path, server: Postgres | None) -> dict[str, object]:
    if server is None:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": {
            "transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"}}  # fmt: skip
    return {"ENGINE": "django.db.backends.postgresql", "NAME": server.new_database(), "USER": "intake", "HOST": "127.0.0.1",
            "PORT": server.port, "CONN_MAX_AGE": 600}  # fmt: skip
