"""Whether this process lives, whether it can serve, and its metrics. For machines; nothing here is personal."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from channels.web.client_address import is_local
from channels.web.json_body import json_response
from channels.web.metrics import CONTENT_TYPE, METRICS
from intake.errors import NotAllowed
from intake.gateway import Gateway

Check = Callable[[], Awaitable[str]]
READY_CHECKS = web.AppKey("ready_checks", list[Check])
"""Each answers what is wrong in a few words, or nothing. The wiring adds its own (feed task, triggers, disk)."""
CHECK_TIMEOUT_S = 2.0

log = structlog.get_logger()


def own_checks(gateway: Gateway) -> list[Check]:
    """What the web server can check by itself: the store answers."""

    async def store_answers() -> str:
        await gateway.store.read(lambda work: work.last_event_id())
        return ""

    return [store_answers]


async def live(request: web.Request) -> web.Response:
    return json_response({"status": "live"})


async def ready(request: web.Request) -> web.Response:
    """200 when every check passes, else 503 with the words of those that do not."""
    found = await asyncio.gather(*(_outcome(check) for check in request.app[READY_CHECKS]))
    faults = [fault for fault in found if fault]
    return json_response(
        {"status": "not ready" if faults else "ready", "faults": faults}, status=503 if faults else 200
    )


async def _outcome(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except Exception as error:
        # A check that fails is an answer, not a fault of this route.
        log.warning("health.check_failed", check=check.__name__, error=type(error).__name__)
        return f"{check.__name__} failed"


async def metrics(request: web.Request) -> web.Response:
    if not is_local(request):
        raise NotAllowed("只在本机提供。")
    return web.Response(body=request.app[METRICS].exposition(), headers={"Content-Type": CONTENT_TYPE})


ROUTES = [web.get("/health/live", live), web.get("/health/ready", ready), web.get("/metrics", metrics)]
