"""`GET /api/v1/events`: committed changes to consoles as server-sent events, resumable by the last id they saw.

Replay and live events join without gap or double because a listener is set up before anything is replayed and ids
follow commit order. Encoding and ordering are intake.feed's.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from aiohttp import web

from channels.web.number import number_from
from channels.web.openapi import STAFF, Parameter, operation
from channels.web.session import require, who_asks
from channels.web.setting import SIGNED_IN, gateway_of, signed_in
from intake.errors import BadInput, Unavailable
from intake.feed import Feed, Listener, Told
from intake.gateway import Gateway
from intake.model import Actor, Case, Role, State
from intake.usecases import may_see
from intake.workflow import EVERY_UNIT, WITH_UNIT

HEARTBEAT_S = web.AppKey("heartbeat_s", float)
CLOSING = web.AppKey("closing", asyncio.Event)
USUAL_HEARTBEAT_S = 15.0
"""Proxies commonly close a connection that is silent for a minute."""
HEARTBEAT = b": \n\n"
PHONE_STEPS = "phone."
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}
TAKEN_BACK = frozenset({"withdraw", "decide_return"})
"""Steps after which a case has left its unit; the unit must hear this much."""
LEFT_UNIT = frozenset({State.CLOSED, State.ARCHIVED, State.VOID, State.MERGED})


def set_up(app: web.Application) -> None:
    """Have open streams end when the server stops, instead of holding it up."""
    app[CLOSING] = asyncio.Event()

    async def close(_app: web.Application) -> None:
        app[CLOSING].set()

    app.on_shutdown.append(close)


@require("see_feed")
async def events(request: web.Request) -> web.StreamResponse:
    """Changes of cases in commit order, from `Last-Event-ID` (or `?after=`) on, else from now."""
    after = last_seen(request)
    gateway = gateway_of(request)
    response = web.StreamResponse(headers=HEADERS)
    async with gateway.feed.listening() as listener:
        end = await gateway.store.read(lambda work: work.last_event_id())
        # After a restore the feed may end before what a console has seen; it hears on from there.
        start = end if after is None else min(after, end)
        await response.prepare(request)
        # An id without data sets the browser's last id, so that a console that heard nothing yet resumes as well.
        await response.write(f"retry: 3000\nid: {start}\n\n".encode())
        # When the console has gone or the database is away, the stream just ends; the console comes again.
        with suppress(ConnectionResetError, Unavailable):
            async with aclosing(told_from(gateway.feed, listener, last=start, request=request)) as stream:
                async for told in stream:
                    if told is None:
                        await response.write(HEARTBEAT)
                    elif await hears(gateway, signed_in(request).actor, told=told):
                        await response.write(told.frame)
    return response


def last_seen(request: web.Request) -> int | None:
    given = request.headers.get("Last-Event-ID") or request.query.get("after")
    if given is None:
        return None
    number = number_from(given)
    if number is None:
        raise BadInput("after", "续传位置应当是数字。")
    return number


async def told_from(feed: Feed, listener: Listener, *, last: int, request: web.Request) -> AsyncGenerator[Told | None]:
    """Everything after `last`: what was missed, then what comes; None when nothing came for a while.

    Ends when the server stops, when the person may no longer ask, and when the listener was too slow: the console then
    comes again with its last id.
    """
    closing, heartbeat_s = request.app[CLOSING], request.app.get(HEARTBEAT_S, USUAL_HEARTBEAT_S)
    right = Right(request, every_s=heartbeat_s)
    while missed := await feed.missed_since(last):
        for told in missed:
            if closing.is_set() or not await right.stands():
                return
            last = told.event.feed_id
            yield told
    while not listener.lost:
        heard = await _heard(listener, closing, heartbeat_s=heartbeat_s)
        if closing.is_set() or not await right.stands():
            return
        if heard is None:
            yield None
        elif heard.event.feed_id > last:
            last = heard.event.feed_id
            yield heard


class Right:
    """Whether the person may still hear: a token may be revoked, a session end, a post change while the stream is open.

    Asked by the clock and not by silence, because events may come without end.
    """

    def __init__(self, request: web.Request, *, every_s: float) -> None:
        # A tenth early, so that the beat, which comes by the same clock, never just misses it.
        self._request, self._every_s = request, every_s * 0.9
        self._asked_at_s = asyncio.get_running_loop().time()

    async def stands(self) -> bool:
        """Ask again when it is time; request[SIGNED_IN] is then the person as he is now."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_at_s < self._every_s:
            return True
        person = await who_asks(self._request)
        if person is None or person.must_change:
            return False
        self._asked_at_s = now_s
        self._request[SIGNED_IN] = person
        return True


async def _heard(listener: Listener, closing: asyncio.Event, *, heartbeat_s: float) -> Told | None:
    """The next event; None when the server stops or nothing came in time."""
    if not listener.queue.empty():
        return listener.queue.get_nowait()
    coming = asyncio.ensure_future(listener.queue.get())
    stop = asyncio.ensure_future(closing.wait())
    try:
        await asyncio.wait({coming, stop}, timeout=heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()
        stop.cancel()


async def hears(gateway: Gateway, actor: Actor, *, told: Told) -> bool:
    """A unit hears of cases dispatched to it, and that one was taken back; everybody else hears everything. What happens
    on an operator's telephone is for him alone."""
    event = told.event
    if event.step.startswith(PHONE_STEPS):
        return event.unit == f"operator:{actor.user_id}"
    if actor.role is not Role.UNIT:
        return True
    if actor.unit not in (event.unit, event.co_unit, EVERY_UNIT):
        return False
    if State(event.state) in WITH_UNIT or event.step in TAKEN_BACK:
        return True
    if State(event.state) not in LEFT_UNIT:
        return False
    # What was settled or ended before dispatching never was the unit's; only the case itself can tell.
    case = await gateway.store.read(lambda work: work.get(Case, event.case_no))
    return case is not None and may_see(case, actor)


OPERATIONS = (
    operation("GET", "/api/v1/events", "案件变化（server-sent events）", responses={200: None}, security=STAFF, parameters=(
        Parameter("Last-Event-ID", "header", "续传：最后收到的编号"),
        Parameter("after", "query", "续传，可代替请求头", kind="integer"),
    ), content_type="text/event-stream"),
)  # fmt: skip
ROUTES: list[web.RouteDef] = [web.get("/api/v1/events", events)]
