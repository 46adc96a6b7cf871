"""Taking in a report that has been read: pictures first, then the case, and no picture left behind without a case."""

from dataclasses import replace

from aiohttp import web

from channels.web.media import ALBUM
from channels.web.metrics import METRICS
from channels.web.setting import gateway_of
from intake.errors import Unavailable
from intake.model import Inbound
from intake.receive import Received


async def take_in(request: web.Request, inbound: Inbound, uploads: list[bytes]) -> Received:
    """Store the pictures and take the report in; returns after both are durable. Raises what the gateway raises."""
    album = request.app[ALBUM]
    photos = await album.keep(uploads)
    try:
        received = await gateway_of(request).take_in(replace(inbound, photos=photos) if photos else inbound)
    except Unavailable:
        # As on cancellation, the unit of work may still commit, and then its case needs its pictures.
        raise
    except Exception:
        await album.forget(photos)
        raise
    if received.repeated:
        await album.forget(photos)
    else:
        request.app[METRICS].count_report(inbound.channel)
    return received
