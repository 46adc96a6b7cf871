"""Two hundred consoles on one gateway: every one hears a commit, and after a restart every one hears what it missed."""

import asyncio
import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.running import RunningGateway

CONSOLES = 200
PASSWORD = "correct horse 7"
pytestmark = pytest.mark.servers


@dataclass
class Console:
    """One open page without its browser: hears changes, and comes again with the last id it heard."""

    session: aiohttp.ClientSession
    url: str
    last: str = ""
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    heard: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    async def run(self) -> None:
        while True:
            with suppress(aiohttp.ClientError):
                await self._hear()
            await asyncio.sleep(0.05)  # the gateway is away; a browser comes again as well

    async def _hear(self) -> None:
        headers = {"Last-Event-ID": self.last} if self.last else {}
        async with self.session.get(f"{self.url}/desk/live", headers=headers) as stream:
            assert stream.status == 200
            async for line in stream.content:
                name, _, value = line.decode().rstrip().partition(": ")
                if name == "id":
                    self.last = value
                    self.opened.set()
                elif name == "data" and value:
                    self.heard[json.loads(value)["case_no"]].set()


async def sign_in(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(f"{url}/desk/sign-in") as page:
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', await page.text()))
    async with session.post(f"{url}/desk/sign-in", data=hidden | {"name": "op9", "password": PASSWORD}) as answer:
        assert answer.url.path == "/desk"


async def report(gateway: RunningGateway) -> str:
    body = {"text": "门前垃圾没人清理", "place": "鼓楼广场"}
    status, answer = await asyncio.to_thread(gateway.ask, "POST", "/api/v1/reports", body)
    assert status == 201
    return str(answer["case_no"])


async def test_two_hundred_consoles_hear_every_commit_through_a_restart(tmp_path: Path) -> None:
    gateway = RunningGateway(tmp_path / "home")
    await asyncio.to_thread(gateway.start, "--no-train")
    add = ("user", "add", "op9", "--role", "operator", "--password-stdin")
    await asyncio.to_thread(gateway.command, *add, stdin=PASSWORD + "\n")
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.CookieJar(unsafe=True)
    )
    async with session, asyncio.TaskGroup() as group:
        await sign_in(session, gateway.url)
        consoles = [Console(session, gateway.url) for _ in range(CONSOLES)]
        running = [group.create_task(console.run()) for console in consoles]
        for console in consoles:
            await console.opened.wait()

        first = await report(gateway)
        for console in consoles:
            await console.heard[first].wait()
        await asyncio.to_thread(gateway.kill)
        await asyncio.to_thread(gateway.start, "--no-train")
        second = await report(gateway)
        for console in consoles:
            await console.heard[second].wait()
        assert {len(console.heard) for console in consoles} == {2}, "each change once, and no other"
        for task in running:
            task.cancel()
    assert await asyncio.to_thread(gateway.stop) == 0
