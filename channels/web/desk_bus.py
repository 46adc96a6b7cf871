"""Consoles that are open on this gateway: who has which case before him, and what is told to some of them only.

In memory, because it is true only while the connection stands: the connection of a page's live news is the presence. What
consoles of other gateways have open is heard by desk_peers.py.
Committed changes do not come through here but through the feed (desk_live.py).
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from channels.web.setting import signed_in
from intake.model import Actor, Role
from intake.presence import Watching

QUEUE_BOUND = 500


@dataclass(eq=False, slots=True)
class Console:
    """One open page. `case_no` is the case on it, 0 on other pages. `lost` when it was too slow and must come again."""

    actor: Actor
    name: str
    case_no: int = 0
    frames: "asyncio.Queue[bytes | None]" = field(default_factory=lambda: asyncio.Queue(QUEUE_BOUND))
    lost: bool = False

    def put(self, frame: bytes | None) -> None:
        """Hand a frame on; None ends the connection."""
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.lost = True


def frame_of(event: str, **data: object) -> bytes:
    """A server-sent event without an id: it is news of the moment, which is not sent again."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


class Bus:
    """All consoles of this gateway, and what is open on others."""

    def __init__(self) -> None:
        self._consoles: set[Console] = set()
        self._elsewhere: frozenset[Watching] = frozenset()

    @contextmanager
    def open(self, actor: Actor, name: str, *, case_no: int = 0) -> Iterator[Console]:
        """Have a console for as long as its connection lasts; those around hear that he came and went."""
        console = Console(actor, name, case_no)
        self._consoles.add(console)
        self._tell_presence(case_no)
        try:
            yield console
        finally:
            self._consoles.discard(console)
            self._tell_presence(case_no)

    def watchers(self, case_no: int) -> tuple[tuple[int, str], ...]:
        """User and name of those of the hall who have a case open, each once. A unit's people are not shown to the hall."""
        open_now = self.watching() | self._elsewhere if case_no else ()
        return tuple(sorted({(user_id, name) for number, user_id, name in open_now if number == case_no}))

    def watching(self) -> frozenset[Watching]:
        """What those of the hall have open on this gateway."""
        return frozenset((c.case_no, c.actor.user_id, c.name) for c in self._consoles if c.case_no and _in_hall(c.actor))

    def hear_elsewhere(self, watching: frozenset[Watching]) -> None:
        """What is open on other gateways now; our consoles hear of the cases where it changed."""
        changed = {number for number, _, _ in watching ^ self._elsewhere}
        self._elsewhere = watching
        for number in sorted(changed):
            self._tell_presence(number)

    def tell(self, event: str, wanted: Callable[[Actor], bool], **data: object) -> None:
        """Tell those consoles whose person is wanted."""
        frame = frame_of(event, **data)
        for console in tuple(self._consoles):
            if wanted(console.actor):
                console.put(frame)

    def _tell_presence(self, case_no: int) -> None:
        if case_no:
            people = [[str(number), name] for number, name in self.watchers(case_no)]
            self.tell("presence", _in_hall, case_no=str(case_no), people=people)

    @property
    def console_count(self) -> int:
        return len(self._consoles)


def _in_hall(actor: Actor) -> bool:
    return actor.role is not Role.UNIT


BUS = web.AppKey("bus", Bus)


def watchers_of(request: web.Request, case_no: int) -> tuple[str, ...]:
    """Who else has a case open, for a page about to be shown."""
    own = signed_in(request).actor.user_id
    return tuple(name for number, name in request.app[BUS].watchers(case_no) if number != own)
