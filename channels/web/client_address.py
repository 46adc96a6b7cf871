"""Who a request comes from and by which address we were reached, believing forwarded headers of listed proxies only.

The chain of X-Forwarded-For is read from our end; the first address that is not one of our proxies is the client's,
because everything left of it may be made up by him.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import web

from channels.web.setting import setting_of

Address = IPv4Address | IPv6Address
_HOST = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.?){1,32}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")
HOUSEHOLD_BITS = 64
"""One household or phone holds a whole /64 of IPv6, so limits count by it."""


def client_address(request: web.Request) -> str:
    """The client's address as text; empty where there is none (a Unix socket)."""
    peer = request.remote or ""
    if not is_from_proxy(request):
        return peer
    chain = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    return _first_stranger(request, reversed(chain)) or peer


def limit_key(request: web.Request) -> str:
    """What rate limits count by: the IPv4 address, or the /64 of an IPv6 address."""
    return _household(client_address(request))


def is_local(request: web.Request) -> bool:
    """Whether the client itself is on this machine or is one of the listed proxies."""
    address = client_address(request)
    parsed = _parsed(address)
    return (parsed is not None and parsed.is_loopback) or _is_proxy(request, address)


def is_from_proxy(request: web.Request) -> bool:
    """Whether the next hop is one of the listed proxies, whose forwarded headers are believed."""
    return _is_proxy(request, request.remote or "")


def own_origin(request: web.Request) -> str:
    """`https://host` as the public knows it: the setting, else as this request reached us. Without a slash at the end."""
    setting = setting_of(request)
    if setting.public_url:
        return setting.public_url.rstrip("/")
    trusted = is_from_proxy(request)
    scheme = request.headers.get("X-Forwarded-Proto", "") if trusted else ""
    host = (request.headers.get("X-Forwarded-Host", "") if trusted else "") or request.headers.get("Host", "")
    if not _HOST.fullmatch(host):
        host = "localhost"
    return f"{scheme if scheme in ('http', 'https') else request.scheme}://{host}"


def _first_stranger(request: web.Request, chain: Iterable[str]) -> str:
    for entry in chain:
        given = entry.strip()
        if _parsed(given) is None:
            return ""
        if not _is_proxy(request, given):
            return given
    return ""


def _is_proxy(request: web.Request, address: str) -> bool:
    proxies = setting_of(request).trusted_proxies
    parsed = _parsed(address) if proxies else None
    return parsed is not None and any(parsed in network for network in proxies)


@lru_cache(maxsize=4096)
def _parsed(address: str) -> Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


@lru_cache(maxsize=4096)
def _household(address: str) -> str:
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, HOUSEHOLD_BITS), strict=False))
    return str(parsed or address)
