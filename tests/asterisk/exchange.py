"""Asterisk processes for tests: `pbx` from exactly the files an administrator gets, `pstn` and `agents` as telephones.

Each process started is Asterisk itself, ended by its id. Everything one writes stands below its own short folder.
"""

import re
import shutil
import signal
import socket
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from intake.commands.asterisk_files import Folders, Site, render
from intake.profile import CITIES, City, load_city
from tests.asterisk.ami import Ami, connected, wait_until_booted
from tests.asterisk.install import Installation

CONTROL = "127.0.0.1"
USER, SECRET = "observer", "observer"
TELEPHONES = Path(__file__).with_name("telephones.conf")
STOP_DEADLINE_S = 20
MAX_PATH = 80
"""Characters of a folder's name: the control socket's whole path may have 108."""
PLAIN_TRUNK = """
[transport]
type = transport
protocol = udp
bind = {address}:{port}

[trunk]
type = endpoint
context = from-trunk
disallow = all
allow = alaw
dtmf_mode = rfc4733
direct_media = no
aors = trunk

[trunk]
type = aor
contact = sip:{peer}

[trunk]
type = identify
endpoint = trunk
match = {peer_host}
"""
REGISTRATION = """
[{number}]
type = registration
transport = transport
outbound_auth = {number}
server_uri = sip:{peer}
client_uri = sip:{number}@{peer}
contact_user = {number}
retry_interval = 1
forbidden_retry_interval = 1
fatal_retry_interval = 1
expiration = 120

[{number}]
type = auth
auth_type = userpass
username = {number}
password = {secret}
"""


def free_port(address: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(type=kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


class Exchange:
    """One Asterisk with a folder of its own: write its files, start, observe, stop, kill, freeze."""

    def __init__(self, role: str, installation: Installation, address: str, *, keep_in: Path | None = None) -> None:
        self.role, self.installation, self.address = role, installation, address
        if keep_in and len(str(keep_in)) < MAX_PATH:
            keep_in.mkdir(parents=True, exist_ok=True)
        self.root = keep_in if keep_in and keep_in.is_dir() else Path(tempfile.mkdtemp(prefix=f"{role}-", dir="/tmp"))
        self.folders = Folders.below(self.root, installation.modules)
        self.sip_port = free_port(address, socket.SOCK_DGRAM)
        self.ami_port, self.http_port = free_port(CONTROL), free_port(CONTROL)
        self.site = Site(name=role, bind=address, sip_port=self.sip_port, ami_port=self.ami_port, http_port=self.http_port,
                         folders=self.folders, rtp_last=30000)  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def sip(self) -> str:
        return f"{self.address}:{self.sip_port}"

    @property
    def monitor(self) -> Path:
        return self.folders.spool / "monitor"

    def lay_out(self, city: City, **changes: Any) -> None:
        """Render the shipped files, and the folders Asterisk expects; `changes` are fields of Site."""
        self.site = replace(self.site, **changes)
        render(city, self.site, self.root)
        self._leave_out_modules()
        f = self.folders
        for folder in (f.db, f.cache, f.run, f.log / "cdr-csv", self.monitor, f.lib / "sounds", f.lib / "moh",
                       *(f.recordings / name for name in ("message", "talk", "fallback"))):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
        links = {name: self.installation.data / name for name in ("documentation", "rest-api")}
        links |= {"sounds/en": self.installation.sounds, "sounds/hotline": self.root / "sounds/hotline"}
        for name, target in links.items():
            (f.lib / name).unlink(missing_ok=True)
            (f.lib / name).symlink_to(target)
        self.add("manager.conf", f"\n[{USER}]\nsecret = {SECRET}\nread = all\nwrite = all\n")

    def be_telephones(self, peer: "Exchange", registering: Sequence[str] = ()) -> None:
        """Turn this exchange into telephones that ring `peer` and are rung by it; some register there."""
        secrets = peer.secrets()["extensions"]
        accounts = (REGISTRATION.format(number=number, secret=secrets[number], peer=peer.sip) for number in registering)
        trunk = PLAIN_TRUNK.format(address=self.address, port=self.sip_port, peer=peer.sip, peer_host=peer.address)
        self._write("pjsip.conf", "[global]\ntype = global\n" + trunk + "".join(accounts))
        self._write("extensions.conf", TELEPHONES.read_text(encoding="utf-8").replace("{monitor}", str(self.monitor)))
        self._write("queues.conf", "[general]\n")
        modules = "".join(f"load = {name}.so\n" for name in ("app_senddtmf", "app_waitforsilence", "app_while"))
        self.add("modules.conf", modules)

    def _leave_out_modules(self) -> None:
        """Those that an older release does not have yet, as docs/telephony.md tells its administrator."""
        path = self.folders.etc / "modules.conf"
        kept = [line for line in path.read_text(encoding="utf-8").splitlines()
                if not line.startswith("load") or (self.installation.modules / line.split()[-1]).exists()]  # fmt: skip
        self._write("modules.conf", "\n".join(kept) + "\n")

    def _write(self, name: str, text: str) -> None:
        (self.folders.etc / name).write_text(text, encoding="utf-8")

    def add(self, name: str, text: str) -> None:
        """Write behind what a configuration file holds already."""
        with (self.folders.etc / name).open("a", encoding="utf-8") as stream:
            stream.write(text)

    def start(self) -> None:
        command = self.installation.command("-C", str(self.folders.etc / "asterisk.conf"), "-f", "-n")
        with (self.root / "console").open("ab") as console:
            self.process = subprocess.Popen(command, cwd=self.root, stdout=console, stderr=console, stdin=subprocess.DEVNULL)
        process = self.process
        try:
            wait_until_booted(self.ami_port, USER, SECRET, alive=lambda: process.poll() is None)
        except AssertionError as error:
            raise AssertionError(f"{self.role}: {error}\n{self.told()}") from error

    def told(self) -> str:
        """The end of what it printed, and what it complained about."""
        console = (self.root / "console").read_text(encoding="utf-8", errors="replace")
        return console[-2000:] + "\n".join(self.complaints())

    def complaints(self) -> list[str]:
        """Warnings and errors in its log."""
        path = self.folders.log / "messages"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        return [line for line in lines if re.search(r"\b(WARNING|ERROR)\b", line)]

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def ami(self) -> AbstractAsyncContextManager[Ami]:
        """A connection that sees and may do everything."""
        return connected(self.ami_port, USER, SECRET)

    def secrets(self) -> dict[str, Any]:
        """Its passwords: `ami`, `ari`, and those of the telephones below `extensions`."""
        return tomllib.loads((self.root / "secrets.toml").read_text(encoding="utf-8"))

    def phone_settings(self) -> dict[str, Any]:
        """The `[phone]` table that connects a gateway with this exchange, as the administrator gets it."""
        table: dict[str, Any] = tomllib.loads((self.root / "gateway.toml").read_text(encoding="utf-8"))["phone"]
        return table


def demo_city() -> City:
    return load_city(CITIES / "demo")
