"""`/hooks/{channel}`: where providers deliver messages and receipts. Verified, then read, then stored, then answered.

The provider is answered only after the commit, so a crash means that he sends again, and the repeat is harmless. What a
message leads to is intake/conversation.py's; what a provider's request looks like is the channel module's.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from aiohttp import web

from channels.web.body import bounded_body
from channels.web.client_address import client_address, own_origin
from channels.web.media import ALBUM
from channels.web.metrics import METRICS
from channels.web.problem import BodyTooLarge
from channels.web.setting import gateway_of, setting_of
from channels.web.voice_note import forget_notes, keep_notes
from channels.webhook import ProviderCall
from intake.errors import BadInput, NotFound, Refused, SendError, Unavailable
from intake.listener import Listener
from intake.model import DeliveryReport, Inbound, Photo, Sound

log = structlog.get_logger()


@dataclass(frozen=True)
class Hooked:
    """The channels that listen here, by module name, and who hears what they say; empty until the wiring fills it."""

    listener: Listener | None = None
    channels: Mapping[str, Any] = field(default_factory=dict)


HOOKED = web.AppKey("hooked", Hooked)


def set_up(app: web.Application) -> None:
    app[HOOKED] = Hooked()


async def take_call(request: web.Request) -> web.Response:
    """One request of a provider, which may hold several messages and receipts."""
    hooked = request.app[HOOKED]
    channel = hooked.channels.get(request.match_info["channel"])
    if channel is None or hooked.listener is None or not hasattr(channel, "verify"):
        raise NotFound("没有这个渠道。")
    try:
        return await _taken(request, hooked.listener, channel)
    except Refused as refusal:
        request.app[METRICS].count_refused(channel.kind, refusal.code)
        raise


async def _taken(request: web.Request, listener: Listener, channel: Any) -> web.Response:
    body = await bounded_body(request, max_bytes=setting_of(request).max_json_bytes)
    if body is None:
        raise BodyTooLarge
    call = ProviderCall(
        method=request.method,
        url=own_origin(request) + request.raw_path,
        received_at=gateway_of(request).now(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        peer=client_address(request),
    )
    channel.verify(call)
    for thing in channel.parse(call):
        if isinstance(thing, DeliveryReport):
            await listener.record_delivery(thing)
        else:
            await hear(request.app, channel, thing)
    answer = channel.acknowledge(call)
    return web.Response(body=answer.body, status=answer.status, content_type=answer.content_type, charset="utf-8")


async def hear(app: web.Application, channel: Any, inbound: Inbound) -> None:
    """Take one message in, with pictures and sounds; returns after the commit. Channels that listen by themselves end here."""
    listener = app[HOOKED].listener
    if listener is None:
        raise Unavailable
    photos = await _photos(app, channel, inbound) if inbound.media else ()
    notes = await keep_notes(app, channel, inbound) if inbound.voices else ()
    lost = len(inbound.media) - len(photos)
    try:
        heard = await listener.hear(
            replace(inbound, photos=photos, sounds=notes), takes_photos=channel.takes_photos, photos_lost=lost
        )
    except Unavailable:
        # The unit of work may still commit, and then its case needs its pictures.
        raise
    except Exception:
        await _forget(app, photos, notes)
        raise
    if not heard.keeps_photos:
        await _forget(app, photos, notes)
    if heard.act == "report":
        app[METRICS].count_report(inbound.channel)


async def _forget(app: web.Application, photos: Sequence[Photo], notes: Sequence[Sound]) -> None:
    await app[ALBUM].forget(photos)
    await forget_notes(app, notes)


async def _photos(app: web.Application, channel: Any, inbound: Inbound) -> tuple[Photo, ...]:
    """The pictures that could be fetched and read, side by side; one that could not never holds the words up."""
    kept = await asyncio.gather(*(_photo(app, channel, address) for address in inbound.media))
    return tuple(photo for photo in kept if photo is not None)


async def _photo(app: web.Application, channel: Any, address: str) -> Photo | None:
    try:
        found = await app[ALBUM].keep([await channel.fetch(address)])
    except (SendError, BadInput) as error:
        reason = error.outcome if isinstance(error, SendError) else error.code
        log.warning("media.not_fetched", channel=channel.kind, reason=reason)
        app[METRICS].count_refused(channel.kind, f"media_{reason}")
        return None
    return found[0]


ROUTES: list[web.RouteDef] = [web.post("/hooks/{channel}", take_call), web.get("/hooks/{channel}", take_call)]
