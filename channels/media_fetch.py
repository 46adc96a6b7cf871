"""Fetching a picture from a provider: only from hosts he is known by, never more than so many bytes, never for long.

An address comes in from outside, so it could point inside our own network (SSRF): the host must be the provider's own
address or one of the listed ones, and each redirect is held to the same. Credentials go to the provider himself only.
"""

from collections.abc import Collection, Mapping
from urllib.parse import urljoin, urlsplit

import aiohttp

from intake.errors import SendError

TIMEOUT_S = 8.0
MAX_HOPS = 3
REDIRECTS = (301, 302, 303, 307, 308)


class Fetcher:
    """For one provider. `origin` is his own base address, `hosts` are others he keeps pictures at (over HTTPS only)."""

    def __init__(self, http: aiohttp.ClientSession, *, origin: str, hosts: Collection[str], max_bytes: int) -> None:
        self._http, self._max_bytes = http, max_bytes
        self._hosts = frozenset(host.lower() for host in hosts)
        own = urlsplit(origin)
        self._origin = (own.scheme, own.netloc.lower())

    async def fetch(self, address: str, *, credentials: Mapping[str, str] | None = None) -> bytes:
        """The bytes; raises SendError: refused for a foreign host, too_long for too many bytes, unavailable otherwise."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            for _ in range(MAX_HOPS):
                own = self._is_own(address)
                if not own and not self._is_listed(address):
                    raise SendError("refused")
                async with self._http.get(
                    address, headers=credentials if own else None, timeout=timeout, allow_redirects=False
                ) as response:
                    if response.status in REDIRECTS:
                        address = urljoin(address, response.headers.get("Location", ""))
                        continue
                    return await self._read(response)
        except (TimeoutError, ValueError, aiohttp.ClientError):
            raise SendError("unavailable") from None
        raise SendError("refused")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status != 200:
            raise SendError("unavailable")
        chunks, size = [], 0
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > self._max_bytes:
                raise SendError("too_long")
        return b"".join(chunks)

    def _is_own(self, address: str) -> bool:
        parts = urlsplit(address)
        return (parts.scheme, parts.netloc.lower()) == self._origin

    def _is_listed(self, address: str) -> bool:
        parts = urlsplit(address)
        return parts.scheme == "https" and parts.netloc.lower() in self._hosts
