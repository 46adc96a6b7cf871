"""The kill campaign: `python -m tests.soak --kills 1000` kills a gateway under mixed load at random moments, both databases.

Bounded by the number of kills and by `--minutes`; `--seed` repeats the moments and the choices of the load (not the
scheduling). After every fifty kills and at the end all promises are checked (soak_check.py). `--write` puts the run's
report into docs/reliability.md. A short relative runs in CI (journeys/test_kill.py, journeys/test_soak.py).
"""

import argparse
import json
import math
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from tests.running import ROOT, RunningGateway
from tests.servers import postgres_cluster
from tests.soak_check import Checked, check
from tests.soak_load import Aggregator, Citizen, Desk, Promised, Provider, Receipts, Sender

DATABASES = ("sqlite", "postgresql")
PAGE = ROOT / "docs" / "reliability.md"
MARKS = "<!-- soak -->", "<!-- /soak -->"
CHECK_EVERY = 50
LONGEST_LIFE_S = 1.5
CITIZENS = 4
FAULT_SHARE = 0.3


@dataclass
class Campaign:
    """The outcome on one database."""

    database: str
    seed: int
    kills: int = 0
    seconds: float = 0.0
    promised: dict[str, int] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


def run(
    database: str, *, kills: int, seed: int, folder: Path, url: str = "", longest_life_s: float = LONGEST_LIFE_S,
    minutes: float = math.inf,
) -> Campaign:  # fmt: skip
    """Kill a gateway `kills` times, or for so many minutes; stops at the first broken promise."""
    provider = Provider()
    provider.start_and_wait()
    try:
        return _killed(Campaign(database, seed), provider, kills=kills, folder=folder, url=url, longest_life_s=longest_life_s,
                       minutes=minutes)  # fmt: skip
    finally:
        provider.stop()


def _killed(
    found: Campaign, provider: Provider, *, kills: int, folder: Path, url: str, longest_life_s: float, minutes: float
) -> Campaign:
    dice, promised = random.Random(found.seed), Promised()
    environment = provider.variables() | ({"INTAKE_DATABASE_URL": url} if url else {}) | {"INTAKE_LOG_LEVEL": "WARNING"}
    gateway = RunningGateway(folder / "home", environment)
    began = time.monotonic()
    gateway.start("--no-train")
    token = gateway.token_for("operator9", "operator")
    while found.kills < kills and not found.broken and time.monotonic() - began < minutes * 60:
        with loaded(gateway, promised, provider, dice, token):
            if dice.random() < FAULT_SHARE:
                provider.server.faults.append(dice.choice(("lost", 503, 429)))
            time.sleep(dice.uniform(0.02, longest_life_s))  # the moment of death is what is random here
            gateway.kill()
        found.kills += 1
        gateway.start("--no-train")
        if found.kills % CHECK_EVERY == 0 or found.kills == kills:
            note(found, check(gateway.home, url, promised, provider), promised, began)
            print(json.dumps({"database": found.database, "kills": found.kills, "broken": found.broken}), flush=True)
    if found.kills % CHECK_EVERY and found.kills < kills and not found.broken:
        note(found, check(gateway.home, url, promised, provider), promised, began)
    found.broken += ["the gateway did not stop in order"] if gateway.stop() != 0 else []
    return found


@contextmanager
def loaded(gateway: RunningGateway, promised: Promised, provider: Provider, dice: random.Random, token: str) -> Iterator[None]:
    """The senders at work; they are waited for at the end."""
    def own() -> random.Random:
        return random.Random(dice.random())

    senders: list[Sender] = [Citizen(gateway, promised, own()) for _ in range(CITIZENS)]
    senders += [Aggregator(gateway, promised, own()), Receipts(gateway, promised, own(), provider), Desk(gateway, promised, own(), token)]
    for sender in senders:
        sender.start()
    try:
        yield
    finally:
        for sender in senders:
            sender.over.set()
        for sender in senders:
            sender.join()


def note(found: Campaign, checked: Checked, promised: Promised, began: float) -> None:
    found.broken += checked.broken
    found.figures = checked.figures
    found.seconds = time.monotonic() - began
    found.promised = {"reports": len(promised.reports), "SMS messages": len(promised.messages), "desk steps": len(promised.steps)}
    found.refused = {}
    for what, status in promised.refused:
        found.refused[f"{what} {status}"] = found.refused.get(f"{what} {status}", 0) + 1


def campaigns(kills: int, seed: int, databases: tuple[str, ...], minutes: float = math.inf) -> list[Campaign]:
    """Share the kills among the databases, which are tried side by side: a kill is mostly waiting for the next start."""
    with ProcessPoolExecutor(len(databases), mp_context=get_context("spawn")) as pool:
        shares = [kills // len(databases) + (number < kills % len(databases)) for number in range(len(databases))]
        return list(pool.map(campaign, databases, shares, range(seed, seed + len(databases)), repeat(minutes)))


def campaign(database: str, kills: int, seed: int, minutes: float) -> Campaign:
    """One database's share."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="soak-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        url = ""
        if database == "postgresql":
            server = stack.enter_context(postgres_cluster())
            url = server.url(server.new_database())
        return run(database, kills=kills, seed=seed, folder=folder, url=url, minutes=minutes)


def report(done: list[Campaign]) -> str:
    """The section of docs/reliability.md."""
    lines = [f"Last run: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {sum(one.kills for one in done)} kills with SIGKILL at random moments.", "",
             "| | " + " | ".join(one.database for one in done) + " |", "| --- |" + " --- |" * len(done)]  # fmt: skip
    rows: dict[str, list[str]] = {
        "seed": [str(one.seed) for one in done],
        "kills": [str(one.kills) for one in done],
        "minutes": [f"{one.seconds / 60:.0f}" for one in done],
        **{f"acknowledged {name}": [f"{one.promised.get(name, 0):,}" for one in done] for name in done[0].promised},
        **{name: [f"{one.figures.get(name, 0):,}" for one in done] for name in done[0].figures},
        "refused": [", ".join(f"{name}: {n}" for name, n in one.refused.items()) or "none" for one in done],
        "promises broken": ["; ".join(one.broken[:3]) or "none" for one in done],
    }
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())])


def write(done: list[Campaign], path: Path = PAGE) -> None:
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    path.write_text(f"{before}{MARKS[0]}\n{report(done)}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long, however many kills that were")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--write", action="store_true", help="put the report into docs/reliability.md")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    chosen = DATABASES if given.database == "both" else (given.database,)
    done = campaigns(given.kills, given.seed, chosen, given.minutes)
    print(report(done))
    print(json.dumps([asdict(one) for one in done], ensure_ascii=False))
    if given.write:
        write(done)
    if any(one.broken for one in done):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
