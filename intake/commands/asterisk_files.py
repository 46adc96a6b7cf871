"""Asterisk's configuration of one site: the templates of deploy/asterisk/ filled in from a city profile.

Pure but for reading templates and prompts and writing below one folder; the command line is in asterisk.py.
"""

import json
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from intake.commands.prompts import export
from intake.errors import Misconfigured
from intake.profile import City
from intake.telephones import Telephones, load_telephones

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = ROOT / "deploy" / "asterisk"
MODULES = (TEMPLATES / "modules.txt").read_text(encoding="utf-8").split()
EMPTY = ("features", "udptl", "ccss", "queuerules", "pjproject", "amd", "websocket_client", "res_http_media_cache")
"""Files that modules want to see although there is nothing to say."""
SAFE = re.compile(r"[A-Za-z0-9_.:/@*-]*")
SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class Folders:
    """Where Asterisk keeps what; the defaults are those of Debian's package."""

    etc: Path = Path("/etc/asterisk")
    modules: Path = Path("/usr/lib/x86_64-linux-gnu/asterisk/modules")
    lib: Path = Path("/var/lib/asterisk")
    data: Path = Path("/usr/share/asterisk")
    db: Path = Path("/var/lib/asterisk")
    cache: Path = Path("/var/cache/asterisk")
    spool: Path = Path("/var/spool/asterisk")
    run: Path = Path("/var/run/asterisk")
    log: Path = Path("/var/log/asterisk")

    @property
    def recordings(self) -> Path:
        return self.spool / "recording"

    @classmethod
    def below(cls, root: Path, modules: Path) -> "Folders":
        """An instance that keeps everything in one folder."""
        lib = root / "lib"
        return cls(root / "etc", modules, lib, lib, root / "db", root / "cache", root / "spool", root / "run", root / "log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is particular to one server and not to the city. Addresses are host or host:port, times in seconds.

    `existing`: the server has transports and a trunk of its own; ours is only dialled through.
    """

    name: str = "pbx-1"
    gateway: str = "127.0.0.1:4573"
    gateway_networks: tuple[str, ...] = ("127.0.0.1/255.255.255.255",)
    control: str = "127.0.0.1"
    ami_port: int = 5038
    http_port: int = 8088
    bind: str = "0.0.0.0"  # noqa: S104  telephones and the carrier ring from outside
    sip_port: int = 5060
    rtp_first: int = 10000
    rtp_last: int = 20000
    trunk: str = "127.0.0.1:5070"
    trunk_user: str = ""
    external: str = ""
    local_networks: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    user: str = "intake"
    existing: bool = False
    sounds: str = "hotline/zh"
    answer_within_s: int = 2
    fallback_wait_s: int = 30
    silence_s: int = 5
    message_s: int = 180
    folders: Folders = field(default_factory=Folders)

    @property
    def trunk_host(self) -> str:
        return self.trunk.partition(":")[0]

    def check(self) -> None:
        """Nothing that would end a line or open a section may come into a configuration file."""
        for name in ("name", "gateway", "control", "bind", "trunk", "trunk_user", "external", "user", "sounds"):
            if not SAFE.fullmatch(getattr(self, name)):
                raise Misconfigured(f"{name} 含有不允许的字符")
        if not 0 < self.rtp_first < self.rtp_last < 65536:
            raise Misconfigured("RTP 端口范围有误")


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Passwords of one site. Kept in a file of the administrator's, made at the first rendering."""

    ami: str
    ari: str
    trunk: str
    extensions: Mapping[str, str]

    @classmethod
    def load(cls, path: Path, telephones: Telephones) -> "Secrets":
        """Those of the file, and new ones for what it does not name; the file is written when that changed it."""
        known: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        given: dict[str, str] = known.get("extensions", {})
        kept = cls(known.get("ami") or new_secret(), known.get("ari") or new_secret(), known.get("trunk", ""),
                   {e.number: given.get(e.number) or new_secret() for e in telephones.extensions})  # fmt: skip
        for value in (kept.ami, kept.ari, kept.trunk, *kept.extensions.values()):
            if not SAFE.fullmatch(value):
                raise Misconfigured(f"{path.name}：密码只能由字母、数字和 _ . : / @ * - 组成")
        kept.save(path)
        return kept

    def save(self, path: Path) -> None:
        head = "".join(f"{name} = {json.dumps(getattr(self, name))}\n" for name in ("ami", "ari", "trunk"))
        rows = "".join(f"{json.dumps(number)} = {json.dumps(secret)}\n" for number, secret in self.extensions.items())
        write_private(path, f"# Passwords of this site. Keep it to yourself.\n{head}\n[extensions]\n{rows}")


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, never for a moment readable by others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def render(city: City, site: Site, out: Path) -> Secrets:
    """Write `etc/`, `sounds/`, `secrets.toml` and `gateway.toml` below `out`; raises Misconfigured."""
    site.check()
    telephones = load_telephones(city.folder)
    known = Secrets.load(out / "secrets.toml", telephones)
    values = {
        "site": site, "folders": site.folders, "secrets": known, "lines": city.lines, "modules": MODULES,
        "extensions": telephones.extensions, "queues": telephones.queues, "emergency": emergency_numbers(city),
    }  # fmt: skip
    # Not HTML: what goes into a template is checked (Site.check, telephones.py), not escaped.
    jinja = jinja2.Environment(  # noqa: S701
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    for template in sorted(TEMPLATES.rglob("*.conf")):
        name = template.relative_to(TEMPLATES).as_posix()
        write_private(out / "etc" / name, jinja.get_template(name).render(values))
    for name in EMPTY:
        write_private(out / "etc" / f"{name}.conf", "[general]\n")
    write_private(out / "etc" / "acl.conf", "; none\n")
    export(city, out / "sounds" / site.sounds)
    write_private(out / "gateway.toml", gateway_table(city, site, known))
    return known


def emergency_numbers(city: City) -> list[str]:
    """Those of the public emergency services that the city's profile names."""
    with (city.folder / "phone.toml").open("rb") as stream:
        rows = tomllib.load(stream).get("emergency", [])
    return [row["number"] for row in rows if row["kind"] == "service" and row["number"].isdigit()]


def gateway_table(city: City, site: Site, known: Secrets) -> str:
    """The part of intake.toml that connects the gateway with this server."""
    server = {
        "name": site.name, "host": site.control, "ami_port": site.ami_port, "ami_user": site.user, "ami_secret": known.ami,
        "ari_url": f"http://{site.control}:{site.http_port}", "ari_user": site.user, "ari_secret": known.ari,
        "recordings": str(site.folders.recordings),
    }  # fmt: skip
    host, _, port = site.gateway.partition(":")
    head = {"agi_host": host, "agi_port": int(port or 4573), "lines": [line.number for line in city.lines], "sounds": site.sounds}
    lines = ["# To be added to intake.toml. Holds passwords.", "[phone]", *map(_toml_line, head.items()), "",
             "[[phone.servers]]", *map(_toml_line, server.items())]  # fmt: skip
    return "\n".join(lines) + "\n"


def _toml_line(item: tuple[str, object]) -> str:
    return f"{item[0]} = {json.dumps(item[1], ensure_ascii=False)}"
