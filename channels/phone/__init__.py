"""The telephone: what an administrator sets for it, and who may be reached where.

link.py speaks AMI, agi.py FastAGI, driver.py walks call flows over it, desk.py does what operators ask of the telephone,
roster.py compares what Asterisk says with what we have stored, recordings.py fetches audio, exchange.py joins them.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from ipaddress import ip_network
from typing import Any

from intake.errors import Misconfigured

AGI_PORT = 4573
STORED = "/var/spool/asterisk/recording"
HOST = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
"""The name of a host, as far as it must not be taken for an address with a slip in it."""


@dataclass(frozen=True, slots=True)
class Server:
    """One Asterisk. `recordings` is the folder on that machine which its ARI lists as stored recordings."""

    name: str
    host: str = "127.0.0.1"
    ami_port: int = 5038
    ami_user: str = "intake"
    ami_secret: str = field(default="", repr=False)
    ari_url: str = ""
    ari_user: str = "intake"
    ari_secret: str = field(default="", repr=False)
    recordings: str = STORED

    @property
    def ari(self) -> str:
        return (self.ari_url or f"http://{self.host}:8088").rstrip("/")


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """`sounds` is the folder of our prompts below Asterisk's sounds; `speech_url` where Asterisk reaches the gateway's
    HTTP for words that are synthesised, "" for none. `max_calls` beyond which a caller hears that all lines are busy.
    `agi_peers` are addresses, networks and names of hosts that may open FastAGI calls; none: the hosts of `servers`."""

    servers: tuple[Server, ...]
    agi_host: str = "127.0.0.1"
    agi_port: int = AGI_PORT
    lines: tuple[str, ...] = ("12319", "96310")
    max_calls: int = 200
    sounds: str = "hotline/zh"
    record_calls: bool = True
    leader: str = "8900"
    speech_url: str = ""
    agi_peers: tuple[str, ...] = ()

    def server(self, name: str) -> Server | None:
        return next((each for each in self.servers if each.name == name), None)


def read_settings(raw: Mapping[str, Any]) -> PhoneSettings | None:
    """The settings of `[phone]`, None when there are none. Raises Misconfigured naming the key.

    `ami_secret` and `ari_secret` may also stand beside `servers`, for all of them: INTAKE_PHONE__AMI_SECRET.
    """
    if not raw:
        return None
    given = dict(raw)
    shared: dict[str, Any] = {key: given.pop(key) for key in ("ami_secret", "ari_secret") if key in given}
    rows = given.pop("servers", None)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise Misconfigured("[phone] 的 servers 至少要写一台 Asterisk")
    servers = tuple(Server(**_taken(Server, shared | dict(row), f"servers[{n}]")) for n, row in enumerate(rows))
    if len({server.name for server in servers}) < len(servers):
        raise Misconfigured("[phone] servers 的 name 不能重复")
    for server in servers:
        if not server.ami_secret:
            raise Misconfigured(f"[phone] {server.name} 缺少 ami_secret（INTAKE_PHONE__AMI_SECRET）")
    settings = PhoneSettings(servers=servers, **_taken(PhoneSettings, given, ""))
    for peer in settings.agi_peers:
        if not _is_peer(peer):
            raise Misconfigured("[phone] agi_peers：应为 IP 地址、网段或主机名")
    return settings


def _is_peer(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return bool(HOST.fullmatch(text))
    return True


def _taken(kind: type, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values of a dataclass read from a table or from the environment, where everything is text."""
    known: dict[str, Field[Any]] = {each.name: each for each in fields(kind) if each.name != "servers"}
    for name in given:
        if name not in known:
            raise Misconfigured(f"[phone] {where}.{name}：不认识这个键")
    for name, each in known.items():
        if each.default is MISSING and not given.get(name):
            raise Misconfigured(f"[phone] {where}.{name}：缺少这个键")
    return {name: _value(known[name].default, value, f"{where}.{name}") for name, value in given.items()}


def _value(default: object, value: Any, where: str) -> Any:
    try:
        if isinstance(default, bool):
            return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
        if isinstance(default, int):
            number = int(value)
            if not 0 < number < 1_000_000:
                raise ValueError
            return number
        if isinstance(default, tuple):
            listed = value.split(",") if isinstance(value, str) else map(str, value)
            return tuple(each.strip() for each in listed if each.strip())
    except (KeyError, ValueError, TypeError):
        raise Misconfigured(f"[phone] {where}：无法读取") from None
    text = str(value)
    if any(char in text for char in "\r\n\0"):
        raise Misconfigured(f"[phone] {where}：不能换行")
    return text
