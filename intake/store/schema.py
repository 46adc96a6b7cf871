"""Bringing a database to the current schema: alembic for both, told apart from a fresh one by its version table.

Migrations stand in migrations/versions/ as NNNN_what_changed.py. `make_fresh` builds the same schema straight from
tables.py; only the test that compares the two uses it.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from intake.errors import Misconfigured
from intake.store import counts, search, triggers
from intake.store.sqlite import sqlite_engine
from intake.store.tables import METADATA

HEAD = "0004"
MIGRATIONS = Path(__file__).parent / "migrations"


def make_fresh(connection: sa.Connection) -> None:
    """Everything tables.py, search.py and triggers.py describe."""
    METADATA.create_all(connection)
    for statement in search.DDL[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    triggers.create(connection)


def revision_of(connection: sa.Connection) -> str:
    """The schema revision of a database; empty for a fresh one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or "")


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Run the migrations that are missing, in one transaction. A newer database than this program is refused."""
    held = revision_of(connection)
    if held == HEAD and revision == "head":
        return
    if held > HEAD:
        raise Misconfigured("数据库版本比程序新，请升级程序。")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    if revision != "head":
        return
    triggers.create(connection)
    if held:
        # A newer program keeps more counters than the one that filled this database.
        counts.recount_all(connection)


def upgrade_sqlite(path: Path) -> None:
    """Create or migrate the file; it and its folder are for the owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    engine = sqlite_engine(path, begin="IMMEDIATE")
    try:
        with engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()


async def upgrade_postgres(url: str) -> None:
    """Migrate under an advisory lock, so that several gateways may start at once."""
    from intake.store.postgres import postgres_engine

    engine = postgres_engine(url, size=1)

    def locked(connection: sa.Connection) -> Any:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(12319001)"))
        upgrade(connection)

    try:
        async with engine.begin() as connection:
            await connection.run_sync(locked)
    finally:
        await engine.dispose()
