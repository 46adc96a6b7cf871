"""SIPp (Debian: sip-tester) against an exchange: the scenarios of sip/, with made-up callers, from an address of choice."""

import asyncio
import os
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.asterisk.exchange import Exchange, free_port

SCENARIOS = Path(__file__).with_name("sip")
CARRIER, STRANGER = "127.0.0.2", "127.0.0.9"
"""The trunk's address, from which calls are taken, and one that nobody knows."""
DEADLINE_S = 45


@dataclass(frozen=True)
class Abuse:
    """A scenario and how often. `callers`: what stands behind From:, one after the other (further fields behind `;`)."""

    scenario: str
    callers: Sequence[bytes] = (b"<sip:100@127.0.0.9>",)
    calls: int = 0
    per_s: int = 20
    lasts_ms: int = 300
    source: str = CARRIER

    @property
    def count(self) -> int:
        return self.calls or len(self.callers)


def sipp() -> str | None:
    return shutil.which("sipp")


async def commit(abuse: Abuse, against: Exchange, folder: Path) -> tuple[int, str]:
    """SIPp's exit code (0: every call went as the scenario has it) and what it noted of those that did not."""
    base = folder / f"{abuse.scenario}-{free_port(abuse.source)}"
    base.with_suffix(".csv").write_bytes(b"SEQUENTIAL\n" + b"".join(caller + b"\n" for caller in abuse.callers))
    faults = base.with_suffix(".errors")
    options = {
        "-sf": SCENARIOS / f"{abuse.scenario}.xml", "-inf": base.with_suffix(".csv"), "-i": abuse.source, "-mi": abuse.source,
        "-p": free_port(abuse.source, socket.SOCK_DGRAM), "-m": abuse.count, "-r": abuse.per_s, "-l": 400,
        "-d": abuse.lasts_ms, "-recv_timeout": 10_000, "-timeout": DEADLINE_S, "-error_file": faults,
    }  # fmt: skip
    command = [str(sipp()), against.sip, *(str(part) for option in options.items() for part in option), "-nostdin", "-trace_err"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        cwd=folder, env=os.environ | {"TERM": "xterm"},
    )  # fmt: skip
    code = await process.wait()
    return code, faults.read_text(encoding="utf-8", errors="replace")[-2000:] if faults.exists() else ""
