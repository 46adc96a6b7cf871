"""Presence across gateways on one database: what our consoles have open is told the others, what theirs have open ours.

One small question every two seconds for each gateway, however many consoles it has; written only when something changed.
Runs where the setting says that gateways may share a database.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from channels.web.desk_bus import BUS, Bus
from channels.web.setting import GATEWAY, SETTING
from intake.codes import new_secret
from intake.errors import Unavailable
from intake.gateway import Gateway
from intake.ports import Work
from intake.presence import Watching, leave, note_presence, presence_elsewhere

LOOK_EVERY_S = 2.0


class Peers:
    """The other gateways, as far as presence is concerned."""

    def __init__(self, gateway: Gateway, bus: Bus) -> None:
        self._store, self._bus = gateway.store, bus
        self._name, self._written = new_secret(), frozenset[Watching]()
        self._rounds = 0

    async def exchange(self) -> None:
        """One round: tell what changed here, hear what changed there. Every tenth round renews our row."""
        own = self._bus.watching()
        self._rounds += 1
        if own != self._written or (own and self._rounds % 10 == 0):
            await self._store.write(lambda work: note_presence(work, self._name, own))
            self._written = own
        self._bus.hear_elsewhere(await self._store.read(self._elsewhere))

    def _elsewhere(self, work: Work) -> frozenset[Watching]:
        return presence_elsewhere(work, self._name)

    async def leave(self) -> None:
        """Our consoles end with us."""
        if self._written:
            await self._store.write(lambda work: leave(work, self._name))

    async def run(self) -> None:
        """Round after round until cancelled; while the database is away presence stays as it was last heard."""
        while True:
            with suppress(Unavailable):
                await self.exchange()
            await asyncio.sleep(LOOK_EVERY_S)


PEERS = web.AppKey("peers", Peers)


def set_up(app: web.Application) -> None:
    app[PEERS] = Peers(app[GATEWAY], app[BUS])
    if app[SETTING].shares_database:
        app.cleanup_ctx.append(_alongside)


async def _alongside(app: web.Application) -> AsyncIterator[None]:
    peers = app[PEERS]
    task = asyncio.create_task(peers.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with suppress(Unavailable):
        await peers.leave()


ROUTES: list[web.RouteDef] = []
