"""Making erased words unreadable in the file too: SQLite leaves them in freed pages and old index segments otherwise.

PostgreSQL overwrites by its own vacuum; nothing is to be done there.
"""

import sqlalchemy as sa

from intake.store.work import Work

MERGE_PAGES = 500


def overwrite_deleted(work: Work) -> None:
    """From now on this process's writer fills freed space with zeros (SQLite: PRAGMA secure_delete)."""
    if work.connection.dialect.name == "sqlite":
        work.connection.exec_driver_sql("PRAGMA secure_delete = ON").close()


def finish_overwriting(work: Work) -> bool:
    """Merge a bounded part of the search index, which drops replaced words; True while there is more to merge.

    How one knows that is laid down in https://sqlite.org/fts5.html, "The 'merge' Command".
    """
    if work.connection.dialect.name != "sqlite":
        return False
    work.wrote = True
    before = _changes(work.connection)
    merge = sa.text("INSERT INTO case_search (case_search, rank) VALUES ('merge', :pages)")
    work.connection.execute(merge, {"pages": -MERGE_PAGES})
    return _changes(work.connection) - before >= 2


def _changes(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one())
