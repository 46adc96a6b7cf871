"""Asking a provider over HTTP: one request with a time limit, its answer bounded, every fault told as a SendError.

What an answer means is the channel's business. Shared by the channels that send by plain HTTP.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from intake.errors import SendError

TIMEOUT_S = 12.0
MOST_BYTES = 1_000_000
LONGEST_WAIT_S = 6 * 3600
"""A provider that asks for more patience than the retry policy's longest gap is asked again after that gap."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`wait_s` is the provider's Retry-After in seconds, None where he gave none."""

    status: int
    body: bytes
    wait_s: float | None = None

    @property
    def value(self) -> Any:
        """The body as JSON, None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body as a JSON object, empty where it is none."""
        value = self.value
        return value if isinstance(value, dict) else {}


async def ask(
    http: aiohttp.ClientSession, method: str, url: str, *, timeout_s: float = TIMEOUT_S, **request: Any
) -> Answer:  # fmt: skip
    """One request. Raises SendError: unavailable when nobody answered the door, so it surely was not taken; timeout when
    the line was cut or went silent, so nobody knows."""
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with http.request(method, url, timeout=timeout, allow_redirects=False, **request) as response:
            body = await _read(response)
            return Answer(response.status, body, seconds(response.headers.get("Retry-After", "")))
    except aiohttp.ClientConnectorError:
        raise SendError("unavailable") from None
    except (TimeoutError, aiohttp.ClientError):
        raise SendError("timeout") from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """No more than MOST_BYTES, however much is sent; a single read may give less than there is."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size >= MOST_BYTES:
            break
    return b"".join(chunks)[:MOST_BYTES]


def seconds(text: str) -> float | None:
    """A Retry-After header in seconds; dates and nonsense count as none."""
    plain = text.isascii() and text.isdigit() and len(text) < 10
    return float(min(int(text), LONGEST_WAIT_S)) if plain else None
