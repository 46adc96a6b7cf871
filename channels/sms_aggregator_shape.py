"""The shape of an aggregator's interface as data: names of fields, how requests are signed, what codes mean.

Pure. Ready shapes stand in data/sms/aggregators.toml; which one is used is a setting of channels/sms_aggregator.py.
"""

import hashlib
import hmac
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intake.errors import Misconfigured
from intake.outbox import FAILURES

READY = Path(__file__).resolve().parent.parent / "data" / "sms" / "aggregators.toml"
SLOTS = {
    "account": "a",
    "national": "1",
    "phone": "1",
    "text": "t",
    "extension": "",
    "ref": "r",
    "unix_s": "1",
    "unix_ms": "1",
}
FORMATS = ("form", "json")


def sorted_digest(algorithm: str) -> Callable[[Mapping[str, str], str], str]:
    """name=value of all fields that are not empty, sorted by name and joined by &, then &key=secret; hex, lower case."""

    def digest(fields: Mapping[str, str], secret: str) -> str:
        text = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name] != "")
        signed = f"{text}&key={secret}".encode("utf-8", "surrogatepass")
        return hashlib.new(algorithm, signed, usedforsecurity=False).hexdigest()

    return digest


def body_mac(body: bytes, stamp: str, secret: str) -> str:
    """HMAC-SHA256 over the time stamp, a line feed and the body as it travels; hex, lower case."""
    return hmac.digest(secret.encode(), stamp.encode("utf-8", "surrogatepass") + b"\n" + body, hashlib.sha256).hex()


FIELD_SIGNS = {"sorted_md5": sorted_digest("md5"), "sorted_sha256": sorted_digest("sha256")}
SIGNS = (*FIELD_SIGNS, "hmac_sha256", "none")


@dataclass(frozen=True, slots=True)
class Sending:
    """How a message is handed over; `fields` are templates of SLOTS, `result` and `id` paths in the JSON answer."""

    format: str
    fields: Mapping[str, str]
    ok: tuple[str, ...]
    sign: str = "none"
    sign_field: str = ""
    sign_header: str = ""
    time_header: str = ""
    result: str = "code"
    id: str = "id"
    outcomes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pushing:
    """How messages and receipts are pushed to us. `rows` is the key of the list when a JSON object wraps it; `pieces`: long
    messages come unjoined, under the names `ref`, `number` and `total` of `message` where it has them. `retry_minutes`:
    how long a push is repeated until it is acknowledged."""

    format: str
    message: Mapping[str, str]
    receipt: Mapping[str, Any]
    sign: str = "none"
    sign_field: str = ""
    sign_header: str = ""
    time_header: str = ""
    rows: str = ""
    ack: str = "0"
    ack_type: str = "text/plain"
    pieces: bool = False
    retry_minutes: int = 60


@dataclass(frozen=True, slots=True)
class Shape:
    """One interface. `dedupes`: a second sending with the same {ref} is recognised, so trying again is safe."""

    send: Sending
    push: Pushing
    max_chars: int = 500
    dedupes: bool = False


def load_shape(name: str, file: str = "") -> Shape:
    """A shape by name, from the city's own file where it has one; raises Misconfigured saying what is wrong with it."""
    try:
        shapes = tomllib.loads((Path(file) if file else READY).read_text("utf-8"))["shapes"]
        row = shapes[name]
        send, push = dict(row["send"]), dict(row["push"])
        shape = Shape(
            Sending(**send | {"ok": tuple(send["ok"])}), Pushing(**push), int(row.get("max_chars", 500)), bool(row.get("dedupes"))
        )  # fmt: skip
        _check(shape)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Misconfigured(f"短信接口形状 {name[:40]} 无法使用：{type(error).__name__} {error}") from None
    return shape


def _check(shape: Shape) -> None:
    for part in (shape.send, shape.push):
        if part.format not in FORMATS or part.sign not in SIGNS:
            raise ValueError(f"format {part.format}, sign {part.sign}")
        if part.sign in FIELD_SIGNS and not part.sign_field:
            raise ValueError("sign_field is missing")
        if part.sign == "hmac_sha256" and not (part.sign_header and part.time_header):
            raise ValueError("sign_header or time_header is missing")
    if unknown := set(shape.send.outcomes.values()) - FAILURES.keys():
        raise ValueError(f"outcomes {sorted(unknown)}")
    for template in shape.send.fields.values():
        template.format_map(SLOTS)


def at_path(value: Any, path: str) -> str:
    """The text at `data.0.id` in a JSON value, empty where there is none."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ""
    return str(value) if isinstance(value, str | int) else ""
