"""A migrated database and one built fresh from the tables are the same, on both databases."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from intake.store.postgres import postgres_engine
from intake.store.schema import HEAD, MIGRATIONS, make_fresh, revision_of, upgrade, upgrade_sqlite
from intake.store.sqlite import sqlite_engine
from tests.servers import Postgres

Schema = dict[str, Any]


def schema_of(connection: sa.Connection) -> Schema:
    """Tables with columns, keys, indexes and triggers, in a form that can be compared."""
    inspector = sa.inspect(connection)
    found: Schema = {}
    for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}):
        # Sorted: a column added later stands last in a migrated table, and every statement names its columns.
        columns = sorted((c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table))
        indexes = sorted((i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in inspector.get_indexes(table))
        found[table] = (
            columns, inspector.get_pk_constraint(table)["constrained_columns"], indexes,
            sorted((u["name"], tuple(u["column_names"])) for u in inspector.get_unique_constraints(table)),
            sorted((f["name"], f["referred_table"]) for f in inspector.get_foreign_keys(table)),
        )  # fmt: skip
    if connection.dialect.name == "sqlite":
        triggers = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    else:
        triggers = connection.exec_driver_sql("SELECT tgname, tgtype FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname")
    found["triggers"] = [tuple(row) for row in triggers]
    return found


def test_migrated_and_fresh_sqlite_agree(tmp_path: Path) -> None:
    upgrade_sqlite(tmp_path / "migrated.db")
    schemas = []
    for name in ("migrated.db", "fresh.db"):
        engine = sqlite_engine(tmp_path / name, begin="IMMEDIATE")
        with engine.begin() as connection:
            if name == "fresh.db":
                make_fresh(connection)
            else:
                assert revision_of(connection) == HEAD
            schemas.append(schema_of(connection))
        engine.dispose()
    assert schemas[0] == schemas[1]


@pytest.mark.parametrize("held", [f"{number:04d}" for number in range(1, int(HEAD))])
def test_a_database_of_each_older_release_is_brought_forward(tmp_path: Path, held: str) -> None:
    schemas = []
    for name, steps in (("old.db", (held, "head")), ("new.db", ("head",))):
        engine = sqlite_engine(tmp_path / name, begin="IMMEDIATE")
        for step in steps:
            with engine.begin() as connection:
                upgrade(connection, step)
        with engine.begin() as connection:
            assert revision_of(connection) == HEAD
            schemas.append(schema_of(connection))
        engine.dispose()
    assert schemas[0] == schemas[1]


@pytest.mark.servers
async def test_migrated_and_fresh_postgresql_agree(postgres: Postgres) -> None:
    schemas = []
    for name in (postgres.new_database("intake_template"), postgres.new_database()):
        engine = postgres_engine(postgres.url(name), size=1)
        async with engine.begin() as connection:
            if not await connection.run_sync(revision_of):
                await connection.run_sync(make_fresh)
            schemas.append(await connection.run_sync(schema_of))
        await engine.dispose()
    assert schemas[0] == schemas[1]


def test_the_newest_migration_is_the_one_the_program_expects() -> None:
    numbers = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert numbers[-1] == HEAD
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
