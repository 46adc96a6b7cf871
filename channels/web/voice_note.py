"""Voice notes of text channels: fetched like pictures, sealed before their message is stored (intake/sounds.py)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from aiohttp import web

from channels.web.metrics import METRICS
from channels.web.setting import GATEWAY, SETTING
from intake.errors import SendError
from intake.model import Inbound, Sound
from intake.sounds import forget_sounds, keep_sound

MOST_NOTES = 3
log = structlog.get_logger()


async def keep_notes(app: web.Application, channel: Any, inbound: Inbound) -> tuple[Sound, ...]:
    """The notes that could be fetched and kept; one that could not never holds the words up."""
    kept = await asyncio.gather(*(_keep(app, channel, address) for address in inbound.voices[:MOST_NOTES]))
    return tuple(sound for sound in kept if sound is not None)


async def forget_notes(app: web.Application, notes: Sequence[Sound]) -> None:
    """Delete notes that no case came to hold."""
    if notes:
        await asyncio.to_thread(forget_sounds, app[SETTING].media, notes)


async def _keep(app: web.Application, channel: Any, address: str) -> Sound | None:
    try:
        body, mime = await channel.fetch_voice(address)
        return await asyncio.to_thread(keep_sound, app[GATEWAY].vault, app[SETTING].media, body, mime=mime) if body else None
    except SendError as error:
        log.warning("voice.not_fetched", channel=channel.kind, reason=error.outcome)
        app[METRICS].count_refused(channel.kind, f"media_{error.outcome}")
    except OSError as error:
        log.error("voice.not_kept", channel=channel.kind, error=type(error).__name__)
    return None
