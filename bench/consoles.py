"""One change to 200 live consoles: how soon, and how many a processor second, beside a loop of `send_json`.

The cost of telling is the difference between the processor time of the same reports with 200 consoles and with none, less that of opening 200.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.machine import facts, take_units
from bench.process import Server, client, gateway, run_command, started
from bench.result import Result, Table
from tests.servers import free_port

CONSOLES = 200
CHANGES, PACED, PACE = 600, 200, 20.0
ROUNDS = 3
Tell = Callable[..., object]


def run(tell: Tell, *, quick: bool = False) -> Result:
    """On the embedded database; telling is the same on both."""
    rounds = 1 if quick else ROUNDS
    changes, paced = (100, 40) if quick else (CHANGES, PACED)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tell("units")
        units = take_units(Path(folder))
        ours, theirs, last = [], [], {}
        home = Path(folder) / "home"
        home.mkdir()
        run_command(home, "", "user", "add", "console", "--role", "shift_leader", "--password-stdin", stdin="correct horse 7\n")
        token = run_command(home, "", "token", "add", "console").strip()
        for turn in range(rounds):
            tell(f"{CONSOLES} consoles, round {turn + 1} of {rounds}")
            with gateway(home) as server:
                port = server.port
                client("consoles_client", port, token, 0, 100, 0)
                alone = _cpu_of(server, token, consoles=0, changes=changes)
                opening = _cpu_of(server, token, consoles=CONSOLES, changes=0)
                together = _cpu_of(server, token, consoles=CONSOLES, changes=changes)
                ours.append(CONSOLES * changes / max(together - opening - alone, 1e-3))
                last = client("consoles_client", port, token, CONSOLES, paced, PACE)
            theirs.append(send_json_rate(changes))
    return _result(ours, theirs, last, facts(units), units.words())


def _cpu_of(server: Server, token: str, *, consoles: int, changes: int) -> float:
    """The gateway's processor seconds for so many reports heard by so many consoles."""
    before = server.cpu_s()
    client("consoles_client", server.port, token, consoles, changes, 0)
    return server.cpu_s() - before


def send_json_rate(changes: int) -> float:
    """Messages a processor second of the ordinary loop."""
    port = free_port()
    with started([sys.executable, "-m", "bench.socket_loop", str(port)], port, path="/"):
        found = client("socket_loop", port, CONSOLES, changes)
    return float(found["messages"] / found["cpu_s"])


def _result(ours: list[float], theirs: list[float], last: dict[str, float], known: dict[str, object], units: str) -> Result:
    mine, loop = statistics.median(ours), statistics.median(theirs)
    rows = (
        ("messages a processor second", f"{mine:,.0f}", f"{loop:,.0f}", f"{mine / loop:.1f} ×", "≥ 2.5 ×"),
        ("answer to last console, p50 ms", f"{last['p50_ms']:.1f}", "", "", ""),
        ("answer to last console, p99 ms", f"{last['p99_ms']:.1f}", "", "", "< 50 ms"),
        ("changes heard by all", f"{last['heard_by_all']:.0f} of {last['changes']:.0f}", "", "", "all"),
    )
    notes = (f"{CONSOLES} consoles, {PACE:.0f} reports a second for the times. Units: {units}.",)
    table = Table(("what", "gateway", "send_json loop", "ratio", "target"), rows)
    return Result("consoles", "One change to 200 live consoles", (table,), notes,
                  known | {"ours": ours, "send_json": theirs, "paced": last})  # fmt: skip
