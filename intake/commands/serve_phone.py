"""`serve`, the telephone's part: with a `[phone]` table the links, the call flows and the recordings; without one, nothing."""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from channels.phone import PhoneSettings, read_settings
from intake.settings import Settings
from intake.wiring import Running, city_of

if TYPE_CHECKING:
    from channels.phone.prompt_files import PromptFiles
    from channels.phone.speech import Speech

OVERRIDES = "prompts"
"""Folder of a city's own recordings below its profile."""


@dataclass(frozen=True, slots=True)
class PhoneParts:
    """`loops` by name; `speech` has the words that Asterisk fetches from the web server; `figures` for /metrics."""

    loops: dict[str, Callable[[], Coroutine[None, None, None]]] = field(default_factory=dict)
    speech: "Speech | None" = None
    figures: dict[str, tuple[str, Callable[[], float]]] = field(default_factory=dict)


async def open_phone(settings: Settings, running: Running, stack: AsyncExitStack) -> PhoneParts:
    """Build the telephone and connect it with the switchboard; raises Misconfigured."""
    phone = read_settings(settings.phone)
    if phone is None:
        return PhoneParts()
    # Read here only: a gateway without a telephone needs none of it.
    from channels.phone.exchange import Exchange
    from channels.phone.sounds import Sounds
    from channels.phone.speech import Speech, open_speech
    from ivr.prompts import load_prompts

    gateway = running.gateway
    http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
    speech = await stack.enter_async_context(
        open_speech(settings.speech, phone.speech_url, lambda text: gateway.vault.lookup_hash(text, "speech"))
    )
    sounds = Sounds(load_prompts()["zh"], prompt_files(settings), phone.sounds, speech)
    exchange = Exchange(phone, running.switchboard, sounds=sounds, http=http, clock=gateway.clock)
    running.switchboard.connect(exchange.desk)
    return PhoneParts(exchange.loops, speech if isinstance(speech, Speech) else None, exchange.figures)


def prompt_files(settings: Settings) -> "PromptFiles":
    """The recordings there are: ours, and over them the city's own."""
    from channels.phone.prompt_files import PromptFiles
    from ivr.prompts import PROMPTS

    return PromptFiles.load(PROMPTS / "zh", city_of(settings).folder / OVERRIDES)


__all__ = ["PhoneParts", "PhoneSettings", "open_phone"]
