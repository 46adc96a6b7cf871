"""Writing the multiplied cases (seed.py) into an empty migrated database: sqlite3's executemany, PostgreSQL's COPY."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.seed import Cloner, utc_now
from bench.seed_template import make_templates
from intake.keyring import KeyFile
from intake.profile import CITIES, City, load_city
from intake.store import counts
from intake.store.postgres import postgres_engine
from intake.store.schema import upgrade_postgres, upgrade_sqlite
from intake.store.sqlite import sqlite_engine
from intake.vault import Vault

GROUP = 2000
ENDED, LIVE = 200, 110
FAST = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1048576", "temp_store=MEMORY", "foreign_keys=OFF")
"""For the writing only: a seed that breaks off is thrown away. The file gets its ordinary settings when it is opened."""
Tell = Callable[..., object]


def seed_sqlite(home: Path, cases: int, *, seed: int, tell: Tell) -> None:
    """A home folder with keys and `cases` cases in its embedded database."""
    path = home / "intake.db"
    upgrade_sqlite(path)
    cloner = _cloner(home, cases, seed=seed)
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in FAST:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    done = 0
    for count, rows, search in cloner.groups(GROUP):
        for name, found in rows.items():
            connection.executemany(_insert(name, cloner.plans[name].columns), found)
        connection.executemany("INSERT INTO case_search (rowid, words) VALUES (?, ?)", search)
        done += count
        tell(f"storing {cases:,} cases on SQLite", done=done, total=cases)
    connection.execute("COMMIT")
    connection.close()
    engine = sqlite_engine(path, begin="IMMEDIATE")
    with engine.begin() as ordinary:
        # No ANALYZE: the product never asks for one, and statistics of cases none of which is merged mislead the planner.
        _finish(ordinary, ids=(cases + 2) * cloner.id_step)
    engine.dispose()


def _insert(name: str, columns: tuple[str, ...]) -> str:
    quoted = ", ".join(f'"{column}"' for column in columns)
    return f"INSERT INTO {name} ({quoted}) VALUES ({', '.join('?' * len(columns))})"


def seed_postgres(home: Path, url: str, cases: int, *, seed: int, tell: Tell) -> None:
    """The same into a PostgreSQL database; the keys stand in the home folder."""
    asyncio.run(_seed_postgres(url, _cloner(home, cases, seed=seed), cases, tell))


async def _seed_postgres(url: str, cloner: Cloner, cases: int, tell: Tell) -> None:
    import asyncpg

    await upgrade_postgres(url)
    connection = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off; CREATE TEMP TABLE seed_search (case_no BIGINT, words TEXT)")
    done = 0
    for count, rows, search in cloner.groups(GROUP):
        async with connection.transaction():
            for name, found in rows.items():
                await connection.copy_records_to_table(name, records=found, columns=cloner.plans[name].columns)
            await connection.copy_records_to_table("seed_search", records=search)
            await connection.execute("INSERT INTO case_search SELECT case_no, array_to_tsvector(string_to_array(words, ' ')) "
                                     "FROM seed_search; TRUNCATE seed_search")  # fmt: skip
        done += count
        tell(f"storing {cases:,} cases on PostgreSQL", done=done, total=cases)
    await connection.close()
    engine = postgres_engine(url, size=1)
    async with engine.begin() as ordinary:
        await ordinary.run_sync(lambda sync: _finish(sync, ids=(cases + 2) * cloner.id_step))
    async with engine.connect() as ordinary:
        await (await ordinary.execution_options(isolation_level="AUTOCOMMIT")).execute(sa.text("VACUUM ANALYZE"))
    await engine.dispose()


def _cloner(home: Path, cases: int, *, seed: int) -> Cloner:
    from classifier.tokens import search_tokens

    keys = KeyFile(home / "keys" / "master.key")
    if not keys.exists():
        keys.make()
    vault, city = Vault(keys.read(), keys), _city()
    ended, live = make_templates(city, vault, ended=ENDED, live=LIVE, seed=seed)
    return Cloner(ended, live, cases=cases, now=utc_now(), vault=vault, words=search_tokens, seed=seed)


def _city() -> City:
    return load_city(CITIES / "demo")


def _finish(connection: sa.Connection, *, ids: int) -> None:
    """What the product keeps beside the rows: counters, and the next free id."""
    counts.recount_all(connection)
    held: dict[str, Any] = {"name": "id", "next": ids}
    connection.execute(sa.text("DELETE FROM blocks WHERE name = :name"), held)
    connection.execute(sa.text("INSERT INTO blocks (name, next) VALUES (:name, :next)"), held)
