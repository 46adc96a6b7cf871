"""A question of several statements is answered from one snapshot on both databases, whatever is committed meanwhile."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from intake.ports import Store, Work
from intake.store.sqlite import SqliteStore
from tests.servers import Postgres

ADD = "INSERT INTO counters (name, n) VALUES ('meanwhile', 1)"
COUNT = "SELECT count(*) FROM counters WHERE name = 'meanwhile'"
Commit = Callable[[], object]


@pytest.fixture
def somebody_else(either_store: Store, request: pytest.FixtureRequest, tmp_path: Path) -> Commit:
    """Commits a row on a connection of its own."""
    if isinstance(either_store, SqliteStore):
        return lambda: _into_file(tmp_path / "intake.db")
    server: Postgres = request.getfixturevalue("postgres")
    database = sa.make_url(request.getfixturevalue("postgres_url")).database or ""
    return lambda: server.sql(ADD, database)


def _into_file(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute(ADD)


def seen(work: Work) -> int:
    return int(work.connection.exec_driver_sql(COUNT).scalar_one())


async def test_a_question_is_answered_from_one_snapshot(either_store: Store, somebody_else: Commit) -> None:
    def question(work: Work) -> tuple[int, int]:
        before = seen(work)
        somebody_else()
        return before, seen(work)

    assert await either_store.read(question) == (0, 0)
    assert await either_store.read(seen) == 1
