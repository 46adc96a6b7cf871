"""What a story over a channel needs: a gateway that offers it, its web server on loopback, and the people at the desk."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels import routes_of
from channels.web.hooks import HOOKED, Hooked
from channels.web.server import build_app
from channels.web.setting import WebSetting
from intake.admission import Admission
from intake.courier import Courier
from intake.dialogue_words import load_phrases
from intake.feed import Feed
from intake.gateway import Gateway
from intake.listener import Listener
from intake.model import Case, Prediction, Role, Scored, State, Subclass
from intake.profile import City
from intake.receive import Judged
from intake.records import Debt, OutboxRow, Remark
from intake.spool import Spool
from intake.usecases import Command
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.fakes import FakeClock
from tests.make import make_actor

PUBLIC = "https://hotline.example"
PLACES = ("人民广场北门", "中山路12号")


def judge(text: str) -> Judged:
    found = Subclass.parse("event:0102") if "垃圾" in text else None
    return Judged(Prediction((Scored(found, 0.93),) if found else (), abstained=found is None))


@dataclass
class Story:
    """The gateway while it runs."""

    gateway: Gateway
    client: TestClient[web.Request, web.Application]
    courier: Courier
    media: Path
    app: web.Application

    async def case(self, number: int) -> Case:
        case = await self.gateway.store.read(lambda work: work.get(Case, number))
        assert case is not None
        return case

    async def all(self, kind: type[Any], **where: Any) -> list[Any]:
        return await self.gateway.store.read(lambda work: work.find(kind, **where))

    async def remarks(self, number: int) -> list[Remark]:
        return await self.all(Remark, case_no=number)

    async def send_all(self) -> None:
        """Send until nothing is due any more."""
        while await self.courier.send_due():
            pass

    async def sendings(self, number: int) -> list[tuple[str, str, str]]:
        """The rungs of a case's replies in their order: route, state, reason."""
        rows = await self.all(OutboxRow, case_no=number)
        return [(row.channel, row.state, row.outcome) for row in rows if row.debt_id]

    async def step(self, number: int, step: str, role: Role = Role.OPERATOR, **fields: object) -> Case:
        unit = (await self.case(number)).unit if role is Role.UNIT else ""
        return await self.gateway.perform(Command(number, step, make_actor(role, unit=unit), fields=fields))

    async def file(self, number: int) -> None:
        condition = self.gateway.city.taxonomy.conditions(Subclass.parse("event:0102"))[0]
        await self.step(number, "accept")
        await self.step(number, "file", condition=condition, waive_verify="clear_evidence")

    async def handle_and_close(self, number: int) -> None:
        await self.step(number, "dispatch", Role.DISPATCHER)
        await self.step(number, "take", Role.UNIT)
        await self.step(number, "feedback", Role.UNIT, result="垃圾已清走")
        await self.step(number, "check", check_method="photo")
        await self.step(number, "checked", Role.INSPECTOR, check_result="pass")
        assert (await self.step(number, "close")).state is State.CLOSED

    async def debts(self) -> list[tuple[str, str]]:
        return [(debt.kind.value, debt.end) for debt in await self.all(Debt)]


@asynccontextmanager
async def story(
    store: AnyStore, city: City, clock: FakeClock, channel: Any, *, name: str, folder: Path, vault: Vault,
    port: int = 0, others: Sequence[Any] = (),
) -> AsyncIterator[Story]:  # fmt: skip
    """Start everything around one channel; `others` only send. `port` is given where a provider must know it beforehand."""
    spool = Spool(folder / "spool", vault)
    spool.open()
    senders = {route: one for one in (channel, *others) for route in routes_of(one)}
    rules = city.rules(offered=senders)
    gateway = Gateway(store, city, rules, judge, vault, clock, Feed(store), Admission(store, rules, spool, judge))
    listener = Listener(gateway, load_phrases(), lambda text: next((place for place in PLACES if place in text), None))
    app = build_app(gateway, WebSetting(media=folder / "media", public_url=PUBLIC))
    app[HOOKED] = Hooked(listener, {name: channel})
    server = TestServer(app, host="127.0.0.1", port=port or None)
    await server.start_server(access_log=None)
    courier = Courier(store, rules, senders, name="gw", run_id="one")
    async with TestClient(server) as client:
        yield Story(gateway, client, courier, folder / "media", app)
