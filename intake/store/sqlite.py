"""The embedded database: one writer thread that groups units into durable commits, and a small pool of readers.

WAL with synchronous=FULL: an acknowledged commit is on the disk. The event loop never waits for the disk itself.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from intake.errors import Unavailable
from intake.store.blocks import give_back
from intake.store.faults import told
from intake.store.group import MAX_GROUP, Outcome, Unit, commit_group
from intake.store.setting import StoreSetting
from intake.store.work import Work

T = TypeVar("T")
READERS = 3
POLL_S = 0.5
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "cache_size=-65536",
           "temp_store=MEMORY", "mmap_size=268435456")  # fmt: skip
Waiting = tuple[Unit, "asyncio.Future[Any]"]


def sqlite_engine(path: Path, *, begin: str, readers: int = 0) -> sa.Engine:
    """An engine whose transactions start with `begin`: IMMEDIATE for the writer, DEFERRED for readers."""
    many = {"poolclass": QueuePool, "pool_size": readers, "max_overflow": 0}
    pool: dict[str, Any] = many if readers else {"poolclass": StaticPool}
    engine = sa.create_engine(f"sqlite+pysqlite:///{path}", connect_args={"check_same_thread": False}, **pool)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late; ours is sent below
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    return engine


class SqliteStore:
    """Store on one SQLite file. `commits` counts durable commits."""

    dialect = "sqlite"

    def __init__(self, path: Path, setting: StoreSetting) -> None:
        self.path, self.setting = path, setting
        self.commits = 0
        self._listeners: list[Callable[[], None]] = []
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_loop, name="store-writer", daemon=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._closing = False

    async def open(self) -> None:
        """Open the file (it must be migrated) and start the writer."""
        self._loop = asyncio.get_running_loop()
        self._write_engine = sqlite_engine(self.path, begin="IMMEDIATE")
        self._read_engine = sqlite_engine(self.path, begin="DEFERRED", readers=READERS + 1)
        self._thread.start()
        await self.write(lambda work: None)  # leases the first numbers

    def next_case_no(self) -> int:
        """A final case number, also while the database cannot be written."""
        return self.setting.take_case_no()

    def next_id(self) -> int:
        """A number for a record, also while the database cannot be written."""
        return self.setting.blocks.take("id")

    async def close(self) -> None:
        """Finish everything that was handed in, then close. Nothing acknowledged is lost, nothing more is taken."""
        if self._closing:
            return
        with suppress(Unavailable):
            await self.write(lambda work: give_back(work.connection, self.setting.blocks))
        self._closing = True
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._write_engine.dispose()
        self._read_engine.dispose()

    async def write(self, unit: Callable[[Work], T]) -> T:
        """Run a unit of work and wait until it is on the disk. Raises what the unit raised."""
        if self._closing:
            raise Unavailable
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.put((unit, future))
        # A caller that goes away must not take a unit back that may be committed already.
        return await asyncio.shield(future)

    async def read(self, question: Callable[[Work], T]) -> T:
        """Answer from a snapshot in a reader thread."""
        if self._closing:
            raise Unavailable
        try:
            return await self._loop.run_in_executor(self._readers, self._answer, question)
        except sa.exc.SQLAlchemyError as error:
            raise told(error) from error

    def on_feed(self, listener: Callable[[], None]) -> None:
        """Call `listener` on the event loop after each commit that changed something."""
        self._listeners.append(listener)

    async def watch(self, wake: Callable[[], None]) -> None:
        """Wake when any other connection committed, so that commands run beside the gateway are heard. Runs on."""
        connection = await self._loop.run_in_executor(self._readers, self._read_engine.connect)
        seen = 0
        try:
            while True:
                version = await self._loop.run_in_executor(self._readers, _data_version, connection)
                if version != seen:
                    seen = version
                    wake()
                await asyncio.sleep(POLL_S)
        finally:
            connection.close()

    def _answer(self, question: Callable[[Work], T]) -> T:
        with self._read_engine.connect() as connection:
            return question(self._work(connection))

    def _work(self, connection: sa.Connection) -> Work:
        return self.setting.work(connection)

    def _write_loop(self) -> None:
        with self._write_engine.connect() as connection:
            while (waiting := self._next_group()) is not None:
                try:
                    outcomes, grew = self._commit(connection, [unit for unit, _ in waiting])
                except Exception as error:
                    # The loop must outlive any fault: its callers are told, and the next group is tried afresh.
                    connection.rollback()
                    outcomes, grew = [Outcome(error=error)] * len(waiting), False
                self._loop.call_soon_threadsafe(self._deliver, waiting, outcomes, grew)

    def _commit(self, connection: sa.Connection, units: list[Unit]) -> tuple[list[Outcome], bool]:
        leases = self.setting.leases()
        if leases:
            keep = self.setting.blocks.lease(connection, leases)
            connection.commit()
            keep()
        return commit_group(connection, self._work, units)

    def _next_group(self) -> list[Waiting] | None:
        first = self._waiting.get()
        if first is None:
            return None
        group = [first]
        while len(group) < MAX_GROUP:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                self._waiting.put(None)
                break
            group.append(following)
        return group

    def _deliver(self, waiting: list[Waiting], outcomes: list[Outcome], grew: bool) -> None:
        self.commits += 1
        for (_, future), outcome in zip(waiting, outcomes, strict=True):
            if future.cancelled():
                continue
            if outcome.error is not None:
                future.set_exception(told(outcome.error))
            else:
                future.set_result(outcome.value)
        if grew:
            for listener in self._listeners:
                listener()


def _data_version(connection: sa.Connection) -> int:
    """Changes for one and the same connection whenever another one committed."""
    with connection.begin():
        return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
