"""What a provider's request looks like to every channel, and what channels share in reading one: plain values and
functions, no HTTP server. Which route a request came by is channels/web/hooks.py's business.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import parse_qsl, urlsplit

from intake.errors import BadPayload, NotAllowed
from intake.phone import parse_phone

MAX_FIELDS = 200


class Forged(NotAllowed):
    """The provider did not send this, or nobody can tell that he did."""

    code = "forged"
    message = "签名或来源不正确。"


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One request of a provider. `url` is the exact public address with its query, as he was given it; header names are
    in lower case; `peer` is the sender's network address; `received_at` is aware UTC, since many send no time."""

    method: str
    url: str
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""

    @property
    def query(self) -> str:
        return urlsplit(self.url).query


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the provider is answered once everything is durable."""

    body: bytes = b""
    content_type: str = "text/plain"
    status: int = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_chars` of one sending; `window_h` hours after the contact's last word in which sending is free (0: always)."""

    max_chars: int
    media: bool = False
    window_h: int = 0


def pairs_of(text: bytes | str) -> list[tuple[str, str]]:
    """Form fields in order, empty ones too. Raises BadPayload for what is no UTF-8 form."""
    try:
        plain = text.decode("ascii") if isinstance(text, bytes) else text
        return parse_qsl(plain, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadPayload from None


def fields_of(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Fields by name; the first of several counts."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def required(fields: Mapping[str, str], name: str, *, most_chars: int = 200) -> str:
    """A field that must be there; raises BadPayload naming it."""
    value = fields.get(name, "").strip()
    if not value or len(value) > most_chars or not value.isprintable():
        raise BadPayload(field=name)
    return value


def address_of(raw: str, *, area_code: str, name: str) -> str:
    """A telephone number in normal form; raises BadPayload for what is none."""
    phone = parse_phone(raw[:64], area_code=area_code)
    if phone is None:
        raise BadPayload(field=name)
    return phone.e164


def own_number(raw: str, *, area_code: str) -> str:
    """The number of ours in normal form, so that it is never talked with; empty for a service's name or none."""
    phone = parse_phone(raw, area_code=area_code) if raw else None
    return phone.e164 if phone else ""


def is_listed(peer: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether a network address lies in one of the networks a provider sends from."""
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in networks)


def same_secret(given: str, expected: str) -> bool:
    """Compare in constant time; whatever was given."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
