"""A started gateway behind the exchange: operators at their telephones before it starts, and what it has stored."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from intake.profile import CITIES
from intake.settings import load_settings
from intake.wiring import open_gateway
from tests.asterisk.exchange import Exchange
from tests.asterisk.room import Room
from tests.running import RunningGateway

DEADLINE_S = 60.0
T = TypeVar("T")


def gateway_behind(hotline: Exchange, home: Path) -> RunningGateway:
    """Not yet started."""
    return RunningGateway(home, {"INTAKE_PHONE": json.dumps(hotline.phone_settings())})


def with_voice_replies(folder: Path) -> Path:
    """A copy of the demo city, in `folder`, that has switched automatic voice replies on, at every hour."""
    city = Path(shutil.copytree(CITIES / "demo", folder))
    before, section, rules = (city / "phone.toml").read_text(encoding="utf-8").partition("[voice_replies]")
    rules = rules.replace("enabled = false", "enabled = true", 1).replace('quiet = [["20:00", "09:00"]]', "quiet = []", 1)
    (city / "phone.toml").write_text(before + section + rules, encoding="utf-8")
    return city


async def sit_down(home: Path, **operators: int) -> None:
    """Log operators in, as `e8001=1` (extension and user), and make them ready. The gateway must not run meanwhile."""
    async with open_gateway(load_settings(home=home), judging=False) as running:
        for extension, user_id in operators.items():
            await running.switchboard.lines.log_in(user_id, extension.removeprefix("e"))
            await running.switchboard.lines.ready(user_id)


async def get_up(home: Path, *users: int) -> None:
    """Log operators out."""
    async with open_gateway(load_settings(home=home), judging=False) as running:
        for user_id in users:
            await running.switchboard.lines.log_out(user_id)


async def connected(room: Room) -> None:
    """Until the gateway has its connection to the exchange."""
    await until(lambda: room.pbx.command("manager show connected"), lambda told: "intake" in str(told))


async def until(ask: Callable[[], object], good: Callable[[object], bool] = bool, *, deadline_s: float = DEADLINE_S) -> object:
    """Ask again and again until the answer is good; the answer."""
    answer: object = None
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while loop.time() < end:
        answer = ask()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if good(answer):
            return answer
        await asyncio.sleep(0.05)  # polling a condition with a generous deadline, not waiting for time to pass
    raise AssertionError(f"not in {deadline_s} s; last answer: {answer}")


def rows(gateway: RunningGateway, query: str, *values: object) -> list[tuple[object, ...]]:
    """What the gateway's database holds, read from outside."""
    with sqlite3.connect(f"file:{gateway.home / 'intake.db'}?mode=ro", uri=True, timeout=30) as database:
        found = database.execute(query, values).fetchall()
    database.close()
    return found
