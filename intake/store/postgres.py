"""PostgreSQL for several machines: asyncpg, one writer task that groups units as on SQLite, a small pool of readers.

Units of work stay synchronous functions of a Connection (AsyncConnection.run_sync). NOTIFY only wakes the readers of
the feed; what changed is always read from the table.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from intake.errors import Unavailable
from intake.store.blocks import give_back
from intake.store.faults import told
from intake.store.group import MAX_GROUP, Outcome, Unit, commit_group
from intake.store.setting import StoreSetting
from intake.store.work import Work

T = TypeVar("T")
READERS = 4
WRITERS = 2
RECONNECT_S = 1.0
SNAPSHOT = "REPEATABLE READ"
"""All statements of a question see the same commits, as on SQLite; the server's default gives each its own moment."""
Waiting = tuple[Unit, "asyncio.Future[Any]"]


def postgres_engine(url: str, *, size: int, isolation: str = "READ COMMITTED") -> AsyncEngine:
    """`url` as postgresql://…; durable commits are asked for by name, whatever the server's default is."""
    address = sa.make_url(url).set(drivername="postgresql+asyncpg")
    options = {"server_settings": {"synchronous_commit": "on", "timezone": "UTC", "application_name": "intake"},
               "timeout": 10, "command_timeout": 60}  # fmt: skip
    return create_async_engine(address, pool_size=size, max_overflow=0, pool_timeout=10, pool_pre_ping=True,
                               isolation_level=isolation, connect_args=options)  # fmt: skip


class PostgresStore:
    """Store on a PostgreSQL database that other gateways may use too."""

    dialect = "postgresql"

    def __init__(self, url: str, setting: StoreSetting) -> None:
        self.url, self.setting = url, setting
        self.commits = 0
        self._listeners: list[Callable[[], None]] = []
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue()
        self._closing = False
        self._leasing = asyncio.Lock()

    async def open(self) -> None:
        self._engine = postgres_engine(self.url, size=WRITERS)
        self._watch_engine = postgres_engine(self.url, size=1)
        self._read_engine = postgres_engine(self.url, size=READERS, isolation=SNAPSHOT)
        async with self._engine.connect() as connection:
            await connection.execute(sa.select(1))
        self._writers = [asyncio.create_task(self._write_loop(), name="store-writer") for _ in range(WRITERS)]
        await self.write(lambda work: None)  # leases the first numbers

    def next_case_no(self) -> int:
        """A final case number, also while the database cannot be written."""
        return self.setting.take_case_no()

    def next_id(self) -> int:
        """A number for a record, also while the database cannot be written."""
        return self.setting.blocks.take("id")

    async def close(self) -> None:
        """Finish everything that was handed in, then close."""
        if self._closing:
            return
        with suppress(Unavailable):
            await self.write(lambda work: give_back(work.connection, self.setting.blocks))
        self._closing = True
        await self._waiting.join()
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        for engine in (self._engine, self._read_engine, self._watch_engine):
            await engine.dispose()

    async def write(self, unit: Callable[[Work], T]) -> T:
        """Run a unit of work and wait until it is durable. Raises what the unit raised."""
        if self._closing:
            raise Unavailable
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((unit, future))
        return await asyncio.shield(future)

    async def read(self, question: Callable[[Work], T]) -> T:
        """Answer from one snapshot."""
        if self._closing:
            raise Unavailable
        try:
            async with self._read_engine.connect() as connection:
                return await connection.run_sync(lambda sync: question(self.setting.work(sync)))
        except (sa.exc.SQLAlchemyError, OSError, TimeoutError) as error:
            raise told(error) from error

    def on_feed(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit here that changed something; see `watch` for other gateways."""
        self._listeners.append(listener)

    async def watch(self, wake: Callable[[], None]) -> None:
        """Wake on NOTIFY of any gateway, until cancelled; a lost connection is opened again."""
        while True:
            try:
                await self._listen(wake)
            except (OSError, sa.exc.SQLAlchemyError, TimeoutError):
                wake()
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self, wake: Callable[[], None]) -> None:
        async with self._watch_engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            raw.add_termination_listener(lambda _: None if lost.done() else lost.set_result(None))
            await raw.add_listener("intake_feed", lambda *_: wake())
            wake()
            await lost

    async def _write_loop(self) -> None:
        while True:
            waiting = [await self._waiting.get()]
            while len(waiting) < MAX_GROUP and not self._waiting.empty():
                waiting.append(self._waiting.get_nowait())
            outcomes, grew = await self._outcomes(waiting)
            self._deliver(waiting, outcomes, grew)

    async def _outcomes(self, waiting: list[Waiting]) -> tuple[list[Outcome], bool]:
        try:
            async with self._engine.connect() as connection:
                await self._lease(connection)
                return await connection.run_sync(commit_group, self.setting.work, [unit for unit, _ in waiting])
        except Exception as error:
            # The loop must outlive any fault: its callers are told, and the next group is tried afresh.
            return [Outcome(error=error)] * len(waiting), False

    async def _lease(self, connection: AsyncConnection) -> None:
        async with self._leasing:
            leases = self.setting.leases()
            if leases:
                keep = await connection.run_sync(self.setting.blocks.lease, leases)
                await connection.commit()
                keep()

    def _deliver(self, waiting: list[Waiting], outcomes: list[Outcome], grew: bool) -> None:
        self.commits += 1
        for (_, future), outcome in zip(waiting, outcomes, strict=True):
            self._waiting.task_done()
            if future.cancelled():
                continue
            if outcome.error is not None:
                future.set_exception(told(outcome.error))
            else:
                future.set_result(outcome.value)
        if grew:
            for listener in self._listeners:
                listener()
