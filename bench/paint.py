"""How long until a person sees something: first paint of the queue and of a case in Chromium, with 200,000 cases, and how
much script came with it.
"""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.machine import facts, take_units
from bench.pages import NAME, PASSWORD, sign_in, some_numbers
from bench.process import gateway, run_command
from bench.result import Result, Table
from bench.seed_write import seed_sqlite
from tests.browser import ARGUMENTS, chromium_path

OPTIONS = ("cases", "seed")
CASES, LOOKS = 200_000, 20
MEASURED = """() => ({
  paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
  script: performance.getEntriesByType('resource').filter(one => one.initiatorType === 'script' || one.name.endsWith('.js'))
    .reduce((sum, one) => sum + one.decodedBodySize, 0)})"""
Tell = Callable[..., object]


def run(tell: Tell, *, quick: bool = False, cases: tuple[int, ...] = (), seed: int = 12319) -> Result:
    """On the embedded database, on loopback, the caches of the browser warm as on any day but the first."""
    count = cases[0] if cases else (1_000 if quick else CASES)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tell("units")
        units = take_units(Path(folder))
        home = Path(folder) / "home"
        home.mkdir()
        seed_sqlite(home, count, seed=seed, tell=tell)
        tell(f"first paint with {count:,} cases")
        found = measure(home)
    rows = tuple(
        (name, f"{row['first']:.0f}", f"{row['p50']:.0f}", f"{row['worst']:.0f}", f"{row['script'] / 1024:.0f}", "300 ms; 200 KB")
        for name, row in found.items()
    )
    columns = ("page", "first visit ms", "p50 ms", "worst ms", "script KB", "aim")
    notes = (f"{count:,} cases, {LOOKS} looks each in Chromium on the same machine. Units: {units.words()}.",)
    return Result("paint", "First paint", (Table(columns, rows),), notes, facts(units) | {"pages": found})


def measure(home: Path) -> dict[str, dict[str, float]]:
    run_command(home, "", "user", "add", NAME, "--role", "shift_leader", "--password-stdin", stdin=f"{PASSWORD}\n")
    token = run_command(home, "", "token", "add", NAME).strip()
    with gateway(home) as server, sync_playwright() as playwright:
        numbers = some_numbers(server.port, {"Authorization": f"Bearer {token}"})
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, "--no-sandbox"])
        context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", locale="zh-CN")
        cookie: Any = {"name": "intake_session", "value": sign_in(server.port), "url": f"http://127.0.0.1:{server.port}"}
        context.add_cookies([cookie])
        page = context.new_page()
        paths = {"queue": ["/desk"], "case": [f"/desk/cases/{number}" for number in numbers]}
        found = {name: painted(page, many) for name, many in paths.items()}
        browser.close()
    return found


def painted(page: Page, paths: list[str]) -> dict[str, float]:
    seen: list[dict[str, float]] = []
    for look in range(LOOKS):
        page.goto(paths[look % len(paths)], wait_until="load")
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
        seen.append(page.evaluate(MEASURED))
    times = [one["paint"] for one in seen]
    return {"first": times[0], "p50": statistics.median(times), "worst": max(times), "script": max(one["script"] for one in seen)}
