"""`make run-phone` from nothing: what it prints is enough to register two telephones and to ring 12319; Ctrl-C ends both."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.asterisk.ami import Ami
from tests.asterisk.calls import Telephone, behave
from tests.asterisk.exchange import REGISTRATION, Exchange, demo_city
from tests.asterisk.gateway import until
from tests.asterisk.install import Installation
from tests.running import ROOT
from tests.servers import free_port

pytestmark = [pytest.mark.servers, pytest.mark.slow]
OWN_ADDRESS = """
[citizen-line]
type = endpoint
context = from-trunk
disallow = all
allow = alaw
dtmf_mode = rfc4733
transport = transport
aors = citizen-line
outbound_auth = citizen
from_user = citizen

[citizen-line]
type = aor
contact = sip:{peer}
"""
"""A softphone's own line, by which it rings out with its password."""
DEADLINE_S = 240.0


class Trial:
    """`make run-phone` as a process, and what it has printed."""

    def __init__(self, home: Path) -> None:
        self.told = home.with_suffix(".told")
        variables = {name: value for name, value in os.environ.items() if not name.startswith("INTAKE_")}
        variables |= {"INTAKE_HOME": str(home), "INTAKE_PORT": str(free_port())}
        with self.told.open("wb") as output:
            self.process = subprocess.Popen([sys.executable, "-m", "tests.asterisk.run_phone", "--no-train"], cwd=ROOT,
                                            env=variables, stdout=output, stderr=output, start_new_session=True)  # fmt: skip

    @property
    def words(self) -> str:
        return self.told.read_text(encoding="utf-8")

    async def up(self) -> None:
        await until(lambda: self.process.poll() is not None or "按 Ctrl-C 停止" in self.words, deadline_s=DEADLINE_S)
        assert self.process.poll() is None, self.words[-3000:]

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.words)
        assert match, self.words[:3000]
        return match[1]

    def interrupt(self) -> int:
        """As Ctrl-C at a terminal: everything of its session hears it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)


@asynccontextmanager
async def softphones(found: Installation, trial: Trial) -> AsyncIterator[tuple[Exchange, Ami]]:
    """One machine with two accounts: the first operator's and the citizen's, from nothing but what was printed."""
    server = f"127.0.0.1:{trial.found(r'SIP 服务器：[^:]+:([0-9]+)')}"
    phones = Exchange("agents", found, "127.0.0.3")
    try:
        phones.lay_out(demo_city())
        phones.be_telephones(phones)
        accounts = {"8001": trial.found(r"用户名 8001 +密码 (\S+)"), "citizen": trial.found(r"用户名 citizen +密码 (\S+)")}
        for number, secret in accounts.items():
            phones.add("pjsip.conf", REGISTRATION.format(number=number, secret=secret, peer=server))
        phones.add("pjsip.conf", OWN_ADDRESS.format(peer=server))
        phones.add("extensions.conf", "\n[from-trunk](+)\nexten => citizen,1,Hangup(17)\n")
        phones.start()
        async with phones.ami() as ami:
            yield phones, ami
    finally:
        phones.remove()


async def test_what_it_prints_is_enough_to_ring_the_hotline(asterisk: Installation, tmp_path: Path) -> None:
    trial = Trial(tmp_path / "home")
    try:
        await trial.up()
        assert re.search(r"受理员：账号 \S+，密码 \S+", trial.words)
        async with softphones(asterisk, trial) as (phones, ami):
            registered = lambda told: str(told).count("Registered") == 2  # noqa: E731
            await until(lambda: ami.command("pjsip show registrations"), registered)
            await behave(ami, "8001", "busy")
            citizen = await ring_out(phones, ami)
            await citizen.do("n&q1000&w1")
            await citizen.hang_up()
            await citizen.ended()
            assert citizen.heard.stat().st_size > 8000
    finally:
        code = trial.interrupt()
    assert code == 0, trial.words[-3000:]
    assert "网关和 Asterisk 都已停止" in trial.words
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(trial.found(r"受理席登录 +http://[^:]+:(\d+)")))) != 0


async def ring_out(phones: Exchange, ami: Ami) -> Telephone:
    """The citizen's softphone rings 12319 by its own line."""
    tag = "softphone-1"
    await ami.act("Originate", "SCRIPT=", Channel="PJSIP/12319@citizen-line", ChannelId=tag, Context="telephone", Exten="s",
                  Priority=1, Timeout=60000, Async="true")  # fmt: skip
    return Telephone(phones, ami, tag)
