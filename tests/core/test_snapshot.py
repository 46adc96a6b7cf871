"""A question of several statements is answered from one snapshot on the embedded database, whatever is committed meanwhile."""

import sqlite3
from pathlib import Path

from intake.ports import Work
from intake.store.sqlite import SqliteStore

ADD = "INSERT INTO counters (name, n) VALUES ('meanwhile', 1)"
COUNT = "SELECT count(*) FROM counters WHERE name = 'meanwhile'"


def seen(work: Work) -> int:
    return int(work.connection.exec_driver_sql(COUNT).scalar_one())


async def test_sqlite_answers_from_one_snapshot(store: SqliteStore, tmp_path: Path) -> None:
    def question(work: Work) -> tuple[int, int]:
        before = seen(work)
        with sqlite3.connect(tmp_path / "intake.db") as other:
            other.execute(ADD)
        return before, seen(work)

    assert await store.read(question) == (0, 0)
    assert await store.read(seen) == 1
