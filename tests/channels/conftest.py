"""A gateway on an empty store with a keyword judge, and an HTTP client on loopback in front of the real application."""

import asyncio
import gc
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from channels.web.connection import make_runner
from channels.web.desk_phone import TELEPHONE
from channels.web.server import build_app
from channels.web.setting import TEMPLATES, WebSetting
from intake.admission import Admission
from intake.feed import Feed
from intake.gateway import Gateway
from intake.model import Prediction, Scored, Subclass
from intake.profile import City
from intake.receive import Judged
from intake.spool import Spool
from intake.store.sqlite import SqliteStore
from intake.switchboard import Switchboard
from intake.vault import Vault
from tests.channels.desk_hall import Hall
from tests.fake_telephony import FakeTelephony
from tests.fakes import FakeClock

KNOWN = {"垃圾": "event:0102", "井盖": "component:0101", "占道": "event:0501"}
"""Words the judge of these tests knows; any other text makes it abstain. 煤气 means danger."""


MEMORY = Path("/dev/shm")


def judge(text: str) -> Judged:
    found = next((Subclass.parse(pair) for word, pair in KNOWN.items() if word in text), None)
    top = (Scored(found, 0.93),) if found else ()
    danger = ("煤气味",) if "煤气" in text else ()
    return Judged(Prediction(top, abstained=found is None, model_version="words"), danger, ("119",) if danger else ())


@pytest.fixture(scope="session", autouse=True)
def _city_left_alone(city: City) -> None:
    """The city is large and lives as long as the run; the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """In memory where the machine offers it: whether a disk keeps what it is given is the store's contract to test."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path_factory.mktemp("test")
        return
    with tempfile.TemporaryDirectory(prefix="intake-test-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
async def feed(store: SqliteStore) -> AsyncIterator[Feed]:
    """The change feed, running."""
    feed = Feed(store)
    task = asyncio.create_task(feed.run())
    yield feed
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def gateway(store: SqliteStore, city: City, vault: Vault, clock: FakeClock, feed: Feed, tmp_path: Path) -> Gateway:
    """The gateway. Not made by a coroutine: asyncio writes out what a coroutine returns, and this one holds a city."""
    spool = Spool(tmp_path / "spool", vault)
    spool.open()
    rules = city.rules()
    return Gateway(store, city, rules, judge, vault, clock, feed, Admission(store, rules, spool, judge))


@pytest.fixture
def web_setting(tmp_path: Path) -> WebSetting:
    return WebSetting(media=tmp_path / "media")


Client = TestClient[web.Request, web.Application]


class Compiled(BytecodeCache):
    """Templates compiled once for all tests; compiling them anew for each application took a fifth of the time."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if found := self._code.get(bucket.key):
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Served(TestServer):
    """An application on loopback, run as the gateway runs it."""

    def __init__(self, app: web.Application) -> None:
        super().__init__(app, host="127.0.0.1")
        app[TEMPLATES].bytecode_cache = COMPILED

    async def _make_runner(self, **options: Any) -> web.AppRunner:
        return make_runner(self.app, shutdown_s=2.0, **options)


@pytest.fixture
async def client(gateway: Gateway, web_setting: WebSetting) -> AsyncIterator[Client]:
    """A browser without JavaScript: keeps cookies, follows redirects unless told not to."""
    async with TestClient(Served(build_app(gateway, web_setting))) as client:
        yield client


@pytest.fixture
async def hall(gateway: Gateway, web_setting: WebSetting, tmp_path: Path) -> AsyncIterator[Hall]:
    """The same desk with a switchboard behind it."""
    app = build_app(gateway, web_setting)
    board, exchange = Switchboard(gateway, media=tmp_path / "media", spool=tmp_path / "calls"), FakeTelephony()
    board.connect(exchange)
    app[TELEPHONE].board = board
    async with TestClient(Served(app)) as client:
        yield Hall(client, board, exchange, gateway)
