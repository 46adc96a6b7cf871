"""An Asterisk that was in use before: Debian's own configuration, an administrator's trunk and dialplan, and then ours added
to it by the steps of docs/telephony.md, as they stand there.
"""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from intake.commands.asterisk_files import render
from intake.profile import City
from tests.asterisk.exchange import SECRET, USER, Exchange

OURS = ("extensions", "queues", "pjsip", "manager", "ari", "confbridge")
"""Files that get one line each."""
TRUNK = """
[office]
type = transport
protocol = udp
bind = {address}:{port}

[carrier]
type = endpoint
transport = office
context = from-carrier
disallow = all
allow = alaw
aors = carrier

[carrier]
type = aor
contact = sip:{trunk}

[carrier]
type = identify
endpoint = carrier
match = {trunk_host}
"""
DIALPLAN = """
[from-carrier]
exten => 65000000,1,Answer()
 same => n,UserEvent(OfficeRang)
 same => n,Hangup()
"""
ROUTES = """
[from-carrier](+)
exten => 12319,1,Goto(hotline-in,12319,1)
exten => 96310,1,Goto(hotline-in,96310,1)
"""


class Existing(Exchange):
    """`lay_out` writes what the administrator had; `add_hotline` does what the page says."""

    def lay_out(self, city: City, **changes: Any) -> None:
        self.city, self.site = city, replace(self.site, existing=True, **changes)
        f = self.folders
        shutil.copytree(self.installation.root / "etc/asterisk", f.etc)
        for folder in (f.db, f.cache, f.run, f.log / "cdr-csv", f.spool, f.lib / "sounds", f.lib / "moh"):
            folder.mkdir(parents=True, exist_ok=True)
        for name, target in {"documentation": "documentation", "rest-api": "rest-api", "sounds/en": ""}.items():
            (f.lib / name).symlink_to(self.installation.data / target if target else self.installation.sounds)
        self._edit("asterisk.conf", r"(?s)^\[directories\].*?(?=^\[options\])", self._directories())
        # Ports of a test's own; a real server keeps the usual ones.
        self._edit("manager.conf", r"^port = 5038", f"port = {self.ami_port}")
        self._edit("http.conf", r"^bindaddr=127.0.0.1", f"bindaddr=127.0.0.1\nbindport={self.http_port}")
        self.add("manager.d/observer.conf", f"[{USER}]\nsecret = {SECRET}\nread = all\nwrite = all\n")
        place = {"address": self.address, "port": self.sip_port, "trunk": self.site.trunk, "trunk_host": self.site.trunk_host}
        self.add("pjsip.conf", TRUNK.format(**place))
        self.add("extensions.conf", DIALPLAN)

    def add_hotline(self) -> None:
        """Steps 2 to 5."""
        site = self.root / "site"
        render(self.city, self.site, site)
        for name in ("secrets.toml", "gateway.toml"):
            shutil.copy(site / name, self.root / name)
        shutil.copytree(site / "etc/hotline", self.folders.etc / "hotline")
        for name in OURS:
            self.add(f"{name}.conf", f"\n#include hotline/{name}.conf\n")
        self.add("extensions.conf", ROUTES)
        self._edit("manager.conf", r"^\[general\]", "[general]\nchannelvars = CALL_ID")
        self._edit("http.conf", r"^\[general\]", "[general]\nenabled = yes")
        self._edit("asterisk.conf", r"^\[options\]", f"[options]\nsystemname = {self.site.name}")
        shutil.copytree(site / "sounds/hotline", self.folders.data / "sounds/hotline")
        shutil.copytree(site / "sounds/hotline", self.root / "sounds/hotline")  # where tests look for prompts
        for name in ("message", "talk", "fallback"):
            (self.folders.recordings / name).mkdir(parents=True)

    def _directories(self) -> str:
        f = self.folders
        places = {"etc": f.etc, "mod": f.modules, "varlib": f.lib, "db": f.db, "key": f.lib, "data": f.data, "agi": f.lib,
                  "spool": f.spool, "run": f.run, "log": f.log, "cache": f.cache}  # fmt: skip
        return "[directories]\n" + "".join(f"ast{name}dir => {path}\n" for name, path in places.items())

    def _edit(self, name: str, pattern: str, text: str) -> None:
        path: Path = self.folders.etc / name
        edited, count = re.subn(pattern, text.replace("\\", r"\\"), path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
        assert count == 1, f"{name} has no {pattern}"
        path.write_text(edited, encoding="utf-8")
