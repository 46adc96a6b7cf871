"""A gateway's telephone side on a free port of the loopback, over a switchboard in memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from channels.phone import PhoneSettings, Server
from channels.phone.agi import AgiServer
from channels.phone.driver import Driver
from channels.phone.prompt_files import PromptFile, PromptFiles
from channels.phone.sounds import Sounds
from channels.phone.speech import SoundOf
from channels.phone.steps import Steps
from channels.phone.talk import Doing
from ivr import commands as do
from ivr import events as on
from ivr.prompts import load_prompts
from ivr.speech import VOCABULARY
from ivr.transcript import Line, lines_of_command, lines_of_event
from tests.phone.agi_peer import AgiPeer, Spoken
from tests.phone.fake_board import NOW, FakeBoard

PROMPTS = load_prompts()["zh"]
SETTINGS = PhoneSettings(servers=(Server("pbx", recordings="/rec", ami_secret="x"),))


def all_files() -> PromptFiles:
    """Every phrase and word has a recording."""
    names = [phrase.name for prompt in PROMPTS.by_name.values() for phrase in prompt.phrases()]
    names += ["piece/" + "-".join(f"{ord(char):x}" for char in word) for word in VOCABULARY]
    return PromptFiles({name: PromptFile("", "recorded", "", 1.0, -20.0, -3.0) for name in [*names, "pause"]})


@dataclass
class Gateway:
    """The driver with its FastAGI server, and the transcript of what happened."""

    board: FakeBoard
    driver: Driver
    server: AgiServer
    lines: list[Line] = field(default_factory=list)
    _asked: do.Command | None = None

    def observe(self, call_id: int, what: do.Command | on.Event) -> None:
        if isinstance(what, do.Command):
            self._asked = what
            self.lines += lines_of_command(what, PROMPTS)
        else:
            secret = isinstance(self._asked, do.Collect) and self._asked.secret
            self.lines += lines_of_event(what, secret=secret)

    async def call(self, *script: str | Spoken, path: str = "hotline", arguments: tuple[str, ...] = ("pbx", "12319"),
                   variables: dict[str, str] | None = None, hangs_up_at: int = 0, **header: str) -> AgiPeer:  # fmt: skip
        peer = AgiPeer(deque(script), variables or {}, hangs_up_at=hangs_up_at)
        await peer.call(self.server.port, path, *arguments, **header)
        await asyncio.gather(*self.server._tasks)
        return peer


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with opened() as gateway:
        yield gateway


@dataclass
class Synthesiser:
    """Says every text at an address, or none while it is `late`; `is_there` is whether one is installed."""

    is_there: bool = True
    late: bool = False
    asked: list[str] = field(default_factory=list)

    async def sound_of(self, text: str, *, wait_s: float = 0.0) -> str | None:
        self.asked.append(text)
        return None if self.late or not self.is_there else f"http://gateway/speech/{len(self.asked)}.alaw"


@asynccontextmanager
async def opened(*, speech: SoundOf | None = None, **given: Any) -> AsyncIterator[Gateway]:
    """A gateway of one's own; `given` are fields of its board."""
    board = FakeBoard(**given)
    steps = Steps(board, clock=lambda: NOW)
    doing = Doing(board, Sounds(PROMPTS, all_files(), "zh", speech or Synthesiser()))

    driver = Driver(steps, doing, SETTINGS, place=lambda call_id, queue: 3, duty=lambda: "00000001")
    server = AgiServer("127.0.0.1", 0, 4, driver.serve, driver.serve_busy)
    made = Gateway(board, driver, server)
    steps.observe = made.observe
    listening = await server.start()
    try:
        yield made
    finally:
        listening.close()
        for task in list(server._tasks):
            task.cancel()
        await listening.wait_closed()
