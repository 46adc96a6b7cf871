"""Real servers for tests: started on free loopback ports, stopped by the tests, never as root.

Where a server is missing a test is skipped with its reason, except in CI (CI=true), where that is a failure.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PG_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing(what: str, how: str) -> None:
    """A server that cannot be had: told by name, and in CI never passed over."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing and CI may not skip it: {how}")
    pytest.skip(f"{what} is missing: {how}")


class Postgres:
    """One PostgreSQL cluster of its own, with a migrated template that each test's database is copied from."""

    def __init__(self, bin_: Path, folder: Path, port: int, user: str | None) -> None:
        self.bin, self.folder, self.port, self.user = bin_, folder, port, user
        self._count = 0

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        options = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]], check=check, capture_output=True, text=True, cwd="/", **options
        )

    def start(self) -> None:
        options = (f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200 "
                   f"-c shared_buffers=128MB -c recovery_init_sync_method=syncfs")  # fmt: skip
        # After a crash every file of every test's database is synced; on a busy machine that outlasts the usual minute.
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-t", "300", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop", check=False)

    def sql(self, statement: str, database: str = "postgres") -> str:
        arguments = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "intake", "-d", database, "-qAtc", statement)
        return self.run("psql", *arguments).stdout.strip()

    def url(self, database: str) -> str:
        return f"postgresql://intake@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        self._count += 1
        name = f"t{self._count}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name


@contextmanager
def postgres_cluster() -> Iterator[Postgres]:
    if not PG_FOLDERS:
        missing("PostgreSQL", "apt-get install postgresql")
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if user:
        shutil.chown(folder, user)
    server = Postgres(PG_FOLDERS[0], folder, free_port(), user)
    try:
        server.run("initdb", "-D", str(folder / "data"), "-U", "intake", "-A", "trust", "-E", "UTF8", "--locale=C")
        server.start()
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
