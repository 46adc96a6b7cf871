"""Looking into a database that is not opened as a store: for `doctor`, restore and the first start. Nothing is written,
migrated or leased, so that even a database in trouble can be looked at.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from intake.model import Case
from intake.store.faults import told
from intake.store.sqlite import sqlite_engine
from intake.store.tables import METADATA, TABLES

T = TypeVar("T")


async def glance(place: Path | str, question: Callable[[sa.Connection], T]) -> T:
    """One answer from the SQLite file or the PostgreSQL address `place`; raises DatabaseUnavailable for an outage."""
    try:
        if isinstance(place, Path):
            return await asyncio.to_thread(_glance_file, place, question)
        return await _glance_server(place, question)
    except (sa.exc.SQLAlchemyError, OSError, TimeoutError) as error:
        raise told(error) from error


def _glance_file(path: Path, question: Callable[[sa.Connection], T]) -> T:
    engine = sqlite_engine(path, begin="DEFERRED")
    try:
        with engine.connect() as connection:
            return question(connection)
    finally:
        engine.dispose()


async def _glance_server(url: str, question: Callable[[sa.Connection], T]) -> T:
    from intake.store.postgres import SNAPSHOT, postgres_engine

    # One snapshot for all statements: a running gateway must not look inconsistent.
    engine = postgres_engine(url, size=1, isolation=SNAPSHOT)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(question)
    finally:
        await engine.dispose()


def has_cases(connection: sa.Connection) -> bool:
    """Whether the database holds any case; False for one without tables."""
    table = TABLES[Case].table
    if not sa.inspect(connection).has_table(table.name):
        return False
    return connection.execute(sa.select(table.c.case_no).limit(1)).first() is not None


def has_tables(connection: sa.Connection) -> bool:
    """Whether any table of ours is there."""
    return bool(set(METADATA.tables) & set(sa.inspect(connection).get_table_names()))
