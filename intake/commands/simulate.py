"""`simulate sms|telegram|wechat`: try the conversation from a terminal, as one citizen. Nothing is kept or sent.

A gateway of its own in a temporary folder, with the city and the classifier of the settings. `:立案` and `:结案` let the
staff's part happen, so that both replies and the rating can be seen too; `:超时` shuts WeChat's window, so that the next
rung of the route ladder is seen.
"""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click
from pydantic import SecretStr

from intake.courier import Courier
from intake.errors import Refused, SendError
from intake.listener import Listener
from intake.log import set_up_logging
from intake.model import Actor, Inbound, Outbound, Receipt, Role
from intake.settings import Settings, load_settings
from intake.usecases import Command
from intake.wiring import Running, build_listener, open_gateway

PHONE = "+8619900000001"
"""Of a range no carrier has been given; nothing is sent to it."""
HELP = "像市民发消息那样输入；:立案、:结案 由工作人员办理最近一件；:退出 或 Ctrl-D 结束。"
SHUT = ":超时"
UNPLACED = "位置待核实"
STAFF = Actor(0, "模拟", Role.OPERATOR)


@dataclass
class Screen:
    """Shows what would be sent by each of the routes; every message counts as delivered, unless the window is shut."""

    kind: str
    routes: tuple[str, ...]
    is_shut: bool = False
    can_look_up = False

    async def send(self, outbound: Outbound) -> Receipt:
        if self.is_shut and outbound.channel == "wechat":
            click.secho("  × 微信：超出会话时限", dim=True)
            raise SendError("window_closed")
        by = "" if outbound.channel == self.kind else f"（{outbound.channel}）"
        for part in outbound.parts:
            click.secho(f"  ← {by}{part}", fg="green")
        if outbound.choices and outbound.channel == self.kind:
            click.secho("    " + " ".join(f"［{word}］" for word in outbound.choices), fg="cyan")
        return Receipt(outbound.ref, delivered=True)

    async def find(self, _outbound: Outbound) -> Receipt | None:
        return None


@click.group("simulate")
def command() -> None:
    """在终端里模拟市民与热线的对话。"""


@command.command("sms")
@click.option("--phone", default=PHONE, show_default=True, help="模拟的手机号。")
def sms(phone: str) -> None:
    """模拟短信。"""
    _simulate(Screen("sms", ("sms",)), phone)


@command.command("telegram")
def telegram() -> None:
    """模拟 Telegram。"""
    _simulate(Screen("telegram", ("telegram",)), "55501")


@command.command("wechat")
def wechat() -> None:
    """模拟微信公众号；输入 :超时 后会话窗口关闭，回复改走微信通知。"""
    _simulate(Screen("wechat", ("wechat", "wechat_template")), "oSimulated")


def _simulate(screen: Screen, address: str) -> None:
    set_up_logging("ERROR")
    click.echo(HELP)
    asyncio.run(talk(load_settings(), screen, address))


async def talk(settings: Settings, screen: Screen, address: str) -> None:
    """Lines in, answers out, until the input ends."""
    async with stage(settings, screen) as (running, listener, courier):
        last = 0
        for count in itertools.count(1):
            line = await asyncio.to_thread(_line)
            if line is None or line == ":退出":
                return
            screen.is_shut = line == SHUT or (screen.is_shut and line in STAFF_STEPS)
            if line == SHUT:
                continue
            if line in STAFF_STEPS and last:
                await _staff(running, last, line)
            else:
                heard = await listener.hear(_inbound(running, line, screen.kind, address, count))
                last = heard.case_no or last
                click.secho(f"  [{heard.act} → {heard.stage} {heard.reason}]", dim=True)
            while await courier.send_due():
                pass


@asynccontextmanager
async def stage(settings: Settings, screen: Screen) -> AsyncIterator[tuple[Running, Listener, Courier]]:
    """A gateway in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="intake-simulate-") as folder:
        models = settings.home / "models"
        if models.is_dir():
            (Path(folder) / "models").symlink_to(models.resolve())
        own = settings.model_copy(update={"home": Path(folder), "database_url": SecretStr(""), "spool": None,
                                          "master_key": SecretStr(""), "master_key_file": None, "channels": {}})  # fmt: skip
        async with open_gateway(own) as running:
            rules = replace(running.rules, offered=frozenset(screen.routes))
            gateway = replace(running.gateway, rules=rules)
            senders = dict.fromkeys(screen.routes, screen)
            courier = Courier(running.store, rules, senders, name="simulate", run_id=running.run_id)
            yield replace(running, gateway=gateway, rules=rules), build_listener(gateway), courier


def _line() -> str | None:
    try:
        return input("→ ")
    except EOFError:
        return None


def _inbound(running: Running, text: str, kind: str, address: str, count: int) -> Inbound:
    phone = address if kind == "sms" else ""
    return Inbound(kind, f"simulated:{count}", running.gateway.now(), text, address=address, phone=phone)


async def _staff(running: Running, number: int, word: str) -> None:
    """The steps of the staff as far as they can be taken by themselves; what a step lacks is told."""
    for step, actor, fields in STAFF_STEPS[word]:
        case = (await running.gateway.case_file(number, STAFF)).case
        given = dict(fields)
        if step == "accept":
            given |= {"subclass": str(case.subclass or "event:0102"), "place": case.place.text or UNPLACED}
        if step == "file" and case.subclass:
            given |= {"condition": running.rules.taxonomy.conditions(case.subclass)[0]}
        who = replace(actor, unit=case.unit) if actor.role is Role.UNIT else actor
        try:
            await running.gateway.perform(Command(number, step, who, fields=given))
        except Refused as refusal:
            click.secho(f"  [{step}：{refusal.message}]", fg="yellow")
            return


def _by(role: Role) -> Actor:
    return Actor(0, "模拟", role)


STAFF_STEPS: dict[str, tuple[tuple[str, Actor, dict[str, object]], ...]] = {
    ":立案": (("accept", STAFF, {}), ("file", STAFF, {"waive_verify": "clear_evidence"})),
    ":结案": (
        ("dispatch", _by(Role.DISPATCHER), {}),
        ("take", _by(Role.UNIT), {}),
        ("feedback", _by(Role.UNIT), {"result": "现场已处理完毕"}),
        ("check", STAFF, {"check_method": "photo"}),
        ("checked", _by(Role.INSPECTOR), {"check_result": "pass"}),
        ("close", STAFF, {}),
    ),
}
