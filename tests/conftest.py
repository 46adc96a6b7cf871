"""Fixtures that every part shares: the demo city, a clock that stands still, an empty store on SQLite."""

import asyncio
import logging
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intake.log import set_up_logging
from intake.profile import CITIES, City, load_city
from intake.store.postgres import PostgresStore
from intake.store.schema import upgrade_postgres, upgrade_sqlite
from intake.store.setting import StoreSetting
from intake.store.sqlite import SqliteStore
from intake.text import bigrams
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.servers import Postgres, postgres_cluster

PERSONAL = re.compile(r"1990000\d{4}|张三丰|correct horse")
"""Every number, name and password that the tests use for people. None may ever stand in a log."""
LOGS = "HOTLINE_TEST_LOGS"
"""Names the folder in which every process of a test run keeps its log; the first process makes and searches it."""


def pytest_configure(config: pytest.Config) -> None:
    """All log output of the suite, ours and the libraries', goes to one file, as the gateway itself would write it."""
    folder = Path(os.environ.setdefault(LOGS, tempfile.mkdtemp(prefix="intake-tests-")))
    set_up_logging("INFO")
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream((folder / f"{os.getpid()}.log").open("a", encoding="utf-8"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever rings a real exchange is a call: sound goes by the clock, so calls run when nothing else does."""
    for item in items:
        if "asterisk" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.calls)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The whole suite fails if its log holds personal data."""
    if hasattr(session.config, "workerinput"):
        return  # one of several processes; the first one searches for all
    folder = Path(os.environ.pop(LOGS))
    logged = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.log"))
    for found in sorted(set(PERSONAL.findall(logged))):
        print(f"\npersonal data in the log: {found[:3]}…")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def city() -> City:
    return load_city(CITIES / "demo")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def vault() -> Vault:
    return Vault(b"k" * 32)


@pytest.fixture
def setting(vault: Vault, clock: FakeClock, city: City) -> StoreSetting:
    return StoreSetting(vault=vault, clock=clock, zone=city.zone, words=bigrams)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated empty database, made once; running the migrations for each test would take most of its time."""
    path = tmp_path_factory.mktemp("migrated") / "intake.db"
    upgrade_sqlite(path)
    return path


@pytest.fixture
async def store(tmp_path: Path, migrated: Path, setting: StoreSetting) -> AsyncIterator[SqliteStore]:
    path = tmp_path / "intake.db"
    shutil.copyfile(migrated, path)
    store = SqliteStore(path, setting)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL with a migrated database `intake_template`."""
    with postgres_cluster() as server:
        server.sql("CREATE DATABASE intake_template")
        with ThreadPoolExecutor(1) as thread:  # a session fixture may find a test's loop running in this thread
            thread.submit(asyncio.run, upgrade_postgres(server.url("intake_template"))).result()
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """An empty migrated database of the test's own."""
    return postgres.url(postgres.new_database("intake_template"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
async def either_store(request: pytest.FixtureRequest, tmp_path: Path, setting: StoreSetting) -> AsyncIterator[AnyStore]:
    """The store on each of the two databases: one contract for both."""
    store: AnyStore
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated"), tmp_path / "intake.db")
        store = SqliteStore(tmp_path / "intake.db", setting)
    else:
        store = PostgresStore(request.getfixturevalue("postgres_url"), setting)
    await store.open()
    yield store
    await store.close()
