"""History is append-only: the database itself refuses to change or delete it.

SQLite drops triggers when a migration rebuilds a table, so `missing` is asked at every start and by /health/ready.
"""

import sqlalchemy as sa

APPEND_ONLY = ("history", "deliveries", "views", "playbacks")
SQLITE = """
CREATE TRIGGER {table}_no_{act} BEFORE {act} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""
POSTGRES = """
CREATE TRIGGER {table}_no_{act} BEFORE {act} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
ACTS = {"sqlite": ("update", "delete"), "postgresql": ("update", "delete", "truncate")}
"""SQLite has no TRUNCATE; its DELETE without WHERE fires the row trigger all the same."""
NAMES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')",
}


def create(connection: sa.Connection) -> None:
    """Create every trigger that is missing."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql(POSTGRES_FUNCTION)
    template = SQLITE if dialect == "sqlite" else POSTGRES
    there = missing(connection)
    for table in APPEND_ONLY:
        for act in ACTS[dialect]:
            if f"{table}_no_{act}" in there:
                connection.exec_driver_sql(template.format(table=table, act=act))


def missing(connection: sa.Connection) -> list[str]:
    """Names of the triggers that should be there and are not; empty when history is protected."""
    dialect = connection.dialect.name
    there = set(connection.exec_driver_sql(NAMES[dialect]).scalars())
    return [f"{table}_no_{act}" for table in APPEND_ONLY for act in ACTS[dialect] if f"{table}_no_{act}" not in there]
