"""`GET /desk/live`: one connection for each open page of the desk, with everything that is new for its reader.

Committed changes come from the feed with their ids and are resumed by them; presence and words to one person come from the
bus and are of the moment. The time after which a browser comes back differs from console to console, so that two hundred
of them do not come back at once after a restart.
"""

import asyncio
import random
from contextlib import aclosing, suppress

from aiohttp import web

from channels.web.desk_bus import BUS, Bus, Console
from channels.web.events import HEADERS, HEARTBEAT, hears, last_seen, told_from
from channels.web.session import require
from channels.web.setting import gateway_of, signed_in
from intake.codes import parse_case_no
from intake.errors import Unavailable
from intake.feed import Listener
from intake.model import Case
from intake.usecases import may_see

COME_BACK_MS = (1500, 6000)


def set_up(app: web.Application) -> None:
    app[BUS] = Bus()


@require("see_feed")
async def live(request: web.Request) -> web.StreamResponse:
    """Changes, presence and calls for this console, from `Last-Event-ID` (or `?after=`) on; `?case=` is the open case."""
    gateway, person, after = gateway_of(request), signed_in(request), last_seen(request)
    number = await _seen_case(request)
    response = web.StreamResponse(headers=HEADERS)
    bus = request.app[BUS]
    async with gateway.feed.listening() as listener:
        with bus.open(person.actor, person.display_name, case_no=number) as console:
            end = await gateway.store.read(lambda work: work.last_event_id())
            start = end if after is None else min(after, end)
            await response.prepare(request)
            await response.write(f"retry: {random.randint(*COME_BACK_MS)}\nid: {start}\n\n".encode())  # noqa: S311
            pump = asyncio.create_task(_pump(request, listener, console, last=start))
            try:
                with suppress(ConnectionResetError):
                    await _write_on(response, console)
            finally:
                pump.cancel()
                await asyncio.gather(pump, return_exceptions=True)
    return response


async def _seen_case(request: web.Request) -> int:
    """The case a page says it shows; one its reader may not see counts as none."""
    number = parse_case_no(request.query.get("case", ""))
    if number is None:
        return 0
    actor = signed_in(request).actor
    case = await gateway_of(request).store.read(lambda work: work.get(Case, number))
    return number if case is not None and may_see(case, actor) else 0


async def _pump(request: web.Request, listener: Listener, console: Console, *, last: int) -> None:
    """Carry the feed into the console's own queue, and end the connection with it."""
    gateway = gateway_of(request)
    try:
        async with aclosing(told_from(gateway.feed, listener, last=last, request=request)) as stream:
            async for told in stream:
                if console.lost:
                    return
                if told is None:
                    console.put(HEARTBEAT)
                elif await hears(gateway, signed_in(request).actor, told=told):
                    await console.frames.put(told.frame)
    except Unavailable:
        return
    finally:
        console.put(None)


async def _write_on(response: web.StreamResponse, console: Console) -> None:
    while (frame := await console.frames.get()) is not None and not console.lost:
        await response.write(frame)


ROUTES: list[web.RouteDef] = [web.get("/desk/live", live)]
