"""Copying a database that is in use, and putting a copy back: SQLite by VACUUM INTO, PostgreSQL by its own tools.

VACUUM INTO reads one snapshot without holding up the writer, and leaves behind what was erased: freed pages are not
copied. The server's password goes to the tools by the environment, never by the command line, where others could read it.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from intake.errors import Misconfigured, Unavailable

SQLITE_NAME, POSTGRES_NAME = "intake.db", "postgres.dump"
ADVICE = "请安装 PostgreSQL 客户端（apt-get install postgresql-client），版本不低于服务器。"


def copy_database(place: Path | str, folder: Path) -> Path:
    """Write a whole copy of the database into `folder`; raises Unavailable when it cannot be read now."""
    if isinstance(place, Path):
        return copy_sqlite(place, folder / SQLITE_NAME)
    return dump_postgres(place, folder / POSTGRES_NAME)


def copy_sqlite(path: Path, target: Path) -> Path:
    """Copy a running SQLite database as of one moment."""
    target.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=60)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise Unavailable(f"数据库无法备份：{error}") from error
    return target


def dump_postgres(url: str, target: Path) -> Path:
    """pg_dump in its own compressed form, of one snapshot."""
    target.touch(mode=0o600)
    _run_tool("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
    return target


def load_postgres(url: str, dump: Path) -> None:
    """Put a dump into an empty database, all or nothing."""
    _run_tool("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(dump))


def _run_tool(name: str, url: str, *arguments: str) -> None:
    program = shutil.which(name)
    if program is None:
        raise Misconfigured(f"没有找到 {name}。{ADVICE}")
    variables, database = connection_of(url)
    # The program is found on the administrator's own PATH and its arguments are ours; nothing of a stranger's is in it.
    done = subprocess.run(  # noqa: S603
        [program, "--no-password", f"--dbname={database}", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["没有说明"]
        raise Unavailable(f"{name} 失败：{reason[0]}。" + (ADVICE if "version mismatch" in done.stderr else ""))


def connection_of(url: str) -> tuple[dict[str, str], str]:
    """libpq's environment variables and the name of the database for postgresql://user:password@host:port/name?…"""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    given = {
        "PGHOST": options.get("host") or parts.hostname or "",
        "PGPORT": str(parts.port or options.get("port") or ""),
        "PGUSER": unquote(parts.username or options.get("user") or ""),
        "PGPASSWORD": unquote(parts.password or options.get("password") or ""),
        "PGSSLMODE": options.get("sslmode") or options.get("ssl") or "",
    }
    return {name: value for name, value in given.items() if value}, unquote(parts.path.removeprefix("/"))
