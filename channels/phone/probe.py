"""Whether each Asterisk can be reached and takes our passwords, asked once: for `doctor`. The gateway itself keeps its own
links (link.py) and need not be running.
"""

import asyncio
from dataclasses import dataclass

import aiohttp

from channels.phone import Server
from channels.phone.link import Link
from channels.phone.recordings import login, stored
from intake.errors import Refused, Unavailable

FINE, REFUSED, UNREACHABLE = "", "refused", "unreachable"
WITHIN_S = 5.0
NOTHING = "none"
"""A recording that does not exist: asking for it shows whether the password is right and gives nothing away."""


class _LoggedIn(Exception):
    """More is not asked of a link here."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What each interface of one Asterisk said: FINE, REFUSED or UNREACHABLE."""

    ami: str
    ari: str


async def probe(server: Server, http: aiohttp.ClientSession) -> Probed:
    """Ask both; takes a few seconds where nothing answers."""
    ami, ari = await asyncio.gather(_ami(server), _ari(server, http))
    return Probed(ami, ari)


async def _ami(server: Server) -> str:
    async def enough(_: Link) -> None:
        raise _LoggedIn

    try:
        async with asyncio.timeout(WITHIN_S):
            await Link(server, on_event=lambda _: None, on_up=enough).hold()
    except _LoggedIn:
        return FINE
    except Refused:
        return REFUSED
    except (OSError, Unavailable):
        return UNREACHABLE
    return UNREACHABLE


async def _ari(server: Server, http: aiohttp.ClientSession) -> str:
    wait = aiohttp.ClientTimeout(total=WITHIN_S)
    try:
        async with http.get(stored(server, NOTHING), headers=login(server), timeout=wait) as answer:
            if answer.status in (401, 403):
                return REFUSED
            return FINE if answer.status in (200, 404) and answer.content_type == "application/json" else UNREACHABLE
    except (aiohttp.ClientError, TimeoutError):
        return UNREACHABLE
