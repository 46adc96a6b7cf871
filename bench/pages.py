"""Do the pages staff live on stay quick when there are many cases? Queue, search and case, over HTTP, one client.

Databases of 1,000, 100,000 and 1,000,000 cases are made by seed.py; the desk's pages are asked for by a browser's session
and the JSON queue by a token. Each pass starts with pages that are thrown away.
"""

import http.cookiejar
import json
import random
import sqlite3
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.machine import Units, facts, take_units
from bench.process import Server, client, databases, gateway, run_command
from bench.result import Result, Table
from bench.seed_write import seed_postgres, seed_sqlite

OPTIONS = ("cases", "seed", "home")
SIZES = (1_000, 100_000, 1_000_000)
SECONDS, WARMTH = 4.0, 1.0
NAME, PASSWORD = "bench_leader", "correct horse 7"
Tell = Callable[..., object]
Row = dict[str, float]


def run(tell: Tell, *, quick: bool = False, cases: tuple[int, ...] = (), seed: int = 12319, home: str = "") -> Result:
    """Every size on both databases. `home` holds a year that was replayed (year.py): it is looked at in place of the largest."""
    sizes = cases or ((1_000, 5_000) if quick else SIZES[:-1] if home else SIZES)
    found: dict[tuple[str, int], dict[str, Row]] = {}
    with databases() as servers, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tell("units")
        units = take_units(Path(folder))
        for size in sizes:
            for name, server in servers.items():
                where = Path(folder) / f"{name}{size}"
                where.mkdir()
                url = server.url(server.new_database()) if server else ""
                if url:
                    seed_postgres(where, url, size, seed=seed, tell=tell)
                else:
                    seed_sqlite(where, size, seed=seed, tell=tell)
                tell(f"pages at {size:,} cases on {name}")
                found[name, size] = measure(where, url, seconds=1.0 if quick else SECONDS)
        if home:
            size = cases_in(Path(home))
            tell(f"pages at the {size:,} cases of a year on SQLite")
            found["SQLite", size] = measure(Path(home), "", seconds=SECONDS)
    return _result(found, units)


def cases_in(home: Path) -> int:
    """How many cases a home folder holds."""
    with closing(sqlite3.connect(f"file:{home / 'intake.db'}?mode=ro", uri=True)) as database:
        (count,) = database.execute("SELECT count(*) FROM cases").fetchone()
    return int(count)


def measure(home: Path, url: str, *, seconds: float) -> dict[str, Row]:
    """p50 and more of each page on a gateway of its own."""
    run_command(home, url, "user", "add", NAME, "--role", "shift_leader", "--password-stdin", stdin=f"{PASSWORD}\n")
    token = run_command(home, url, "token", "add", NAME).strip()
    with gateway(home, url) as server:
        session = {"Cookie": f"intake_session={sign_in(server.port)}"}
        bearer = {"Authorization": f"Bearer {token}"}
        numbers = some_numbers(server.port, bearer)
        asked: dict[str, tuple[dict[str, str], list[str]]] = {
            "queue page": (session, ["/desk"]),
            "queue, deep": (session, [f"/desk?after={deep_key(server.port, bearer)}"]),
            "queue, JSON": (bearer, ["/api/v1/queue?limit=25"]),
            "search, a common word": (bearer, [_search("井盖")]),
            "search, a place and a word": (bearer, [_search("鼓楼 路灯")]),
            "search, a number": (bearer, [_search(number) for number in numbers]),
            "case page": (session, [f"/desk/cases/{number}" for number in numbers]),
        }
        return {name: _page(server, headers, paths, seconds) for name, (headers, paths) in asked.items()}


def _search(words: str) -> str:
    return f"/api/v1/queue?limit=25&text={urllib.parse.quote(words)}"


def _page(server: Server, headers: dict[str, str], paths: list[str], seconds: float) -> Row:
    wanted = json.dumps({"headers": headers, "paths": paths})
    client("fetch", server.port, 1, WARMTH, stdin=wanted)
    before = server.cpu_s()
    row = client("fetch", server.port, 1, seconds, stdin=wanted)
    if row["faults"]:
        raise SystemExit(f"{paths[0]} answered {row['first_fault']}")
    return row | {"cpu_ms": (server.cpu_s() - before) / row["answers"] * 1e3}


def sign_in(port: int) -> str:
    """A browser's session."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    form = urllib.parse.urlencode({"name": NAME, "password": PASSWORD, "next": "/desk"}).encode()
    browser.open(f"http://127.0.0.1:{port}/desk/sign-in", form, timeout=30).close()
    return next(cookie.value or "" for cookie in jar if cookie.name == "intake_session")


def some_numbers(port: int, headers: dict[str, str]) -> list[str]:
    """Numbers of cases in work, shuffled."""
    cases = [case["case_no"] for case in _ask(port, "/api/v1/queue?limit=100", headers)["cases"]]
    random.Random(1).shuffle(cases)
    return cases[:50]


def deep_key(port: int, headers: dict[str, str]) -> str:
    """Where the last page that can be reached in 40 steps begins."""
    key = ""
    for _ in range(40):
        following = _ask(port, f"/api/v1/queue?limit=25&after={key}", headers).get("next")
        if not following:
            break
        key = following
    return key


def _ask(port: int, path: str, headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.loads(answer.read()))


def _result(found: dict[tuple[str, int], dict[str, Row]], units: Units) -> Result:
    names = list(dict.fromkeys(name for name, _ in found))
    tables = tuple(_table(name, {size: found[name, size] for of, size in sorted(found) if of == name}) for name in names)
    rows = {f"{name} {size}": pages for (name, size), pages in found.items()}
    notes = (
        f"Units in the same run: {units.words()}. One keep-alive client, p50 over some seconds; 3 % of the cases are in work.",
        "Targets: queue page of 25 at 1,000,000 cases p50 ≤ 3 ms, and at most 1.2 times that at 1,000.",
    )
    return Result("pages", "Queue, search and case page", tables, notes, facts(units) | {"rows": rows})


def _table(name: str, by_size: dict[int, dict[str, Row]]) -> Table:
    sizes = list(by_size)
    columns = ("page", *(f"{size:,}: p50 ms (CPU ms)" for size in sizes), "largest ÷ smallest (CPU)", "p99 ms at most")
    rows = []
    for page in by_size[sizes[0]]:
        each = [by_size[size][page] for size in sizes]
        rows.append((
            page, *(f"{row['p50_ms']:.2f} ({row['cpu_ms']:.2f})" for row in each),
            f"{each[-1]['p50_ms'] / each[0]['p50_ms']:.2f} ({each[-1]['cpu_ms'] / each[0]['cpu_ms']:.2f})",
            f"{max(row['p99_ms'] for row in each):.1f}",
        ))  # fmt: skip
    return Table(columns, tuple(rows), name)
