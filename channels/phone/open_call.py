"""Calls whose end the gateway has not seen: the notes the dialplan keeps in Asterisk's own database, and what becomes of them.

`hotline-open/<leg id>` = began, line, caller, state, recording, ended, call id, message under way
(deploy/asterisk/hotline/extensions.conf).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from channels.phone.board import Board
from channels.phone.happening import number
from channels.phone.link import Link
from channels.phone.roster import Truth
from channels.phone.steps import Steps
from intake.errors import Refused
from intake.telephony import Found, Ring

FAMILY = "hotline-open"
MESSAGE, TALK, FALLBACK = "message", "talk", "fallback"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A note. `state` is ring, queue, fallback, message or talk; `recording` the name ARI knows it by; `call_id` 0 when
    the gateway never heard of the call. `take` is the message that was being recorded for the gateway when it went away."""

    leg_id: str
    began_at: datetime
    line: str
    caller: str
    state: str
    recording: str
    ended_at: datetime | None
    call_id: int
    take: str = ""

    @property
    def take_name(self) -> str:
        """What the flow calls the message under way: `message/<call id>-<name>-<steps>`."""
        return self.take.partition("-")[2].rpartition("-")[0]


def read_note(key: str, value: str) -> OpenCall | None:
    """None for what is no note."""
    parts = [*value.split(","), *[""] * 7][:8]
    began, line, caller, state, recording, ended, call_id, take = parts
    leg_id = key.strip("/").removeprefix(f"{FAMILY}/")
    if not leg_id or not began.isdigit():
        return None
    ended_at = _moment(ended) if ended.isdigit() else None
    return OpenCall(leg_id, _moment(began), line, caller, state, recording, ended_at, number(call_id), take)


def _moment(epoch: str) -> datetime:
    return datetime.fromtimestamp(min(int(epoch), 4_000_000_000), UTC)


async def settle_open_calls(link: Link, truth: Truth, *, board: Board, steps: Steps) -> int:
    """Give every call that is over to the switchboard and forget its note; how many there were."""
    alive = {leg.unique_id for leg in truth.legs}
    done = 0
    for note in await _notes(link):
        if note.leg_id not in alive:
            await _settle(note, link.server.name, board=board, steps=steps)
            await link.act("Originate", Channel="Local/s@hotline-idle/n", Context="hotline-forget", Exten="s", Priority=1,
                           Variable=[f"FORGET={note.leg_id}"])  # fmt: skip
            done += 1
    if done:
        log.info("phone.open_calls_settled", server=link.server.name, count=done)
    return done


async def _notes(link: Link) -> list[OpenCall]:
    try:
        rows = await link.all_of("DBGetTree", Family=FAMILY)
    except Refused:
        return []  # Asterisk's way of saying that there are none
    return [note for row in rows if (note := read_note(row["Key"], row["Val"]))]


async def _settle(note: OpenCall, server: str, *, board: Board, steps: Steps) -> None:
    ended_at = note.ended_at or steps.clock()
    if note.call_id and note.state not in (MESSAGE, TALK):
        # The stored position tells what was said until then, a message under way included.
        await steps.caller_gone(note.call_id, ended_at, "note")
        return
    call = await board.ring(Ring(server, note.leg_id, note.line, note.caller, note.began_at))
    seconds = max(1.0, (ended_at - note.began_at).total_seconds())
    if note.take_name:
        await board.recorded(call.call_id, note.take_name, note.take, seconds)
    if note.state == MESSAGE:
        # A name of its own, so that it does not take the place of one that he left before the gateway went away.
        await board.recorded(call.call_id, FALLBACK, note.recording, seconds)
        await board.gone(call.call_id, ended_at)
        return
    talked_at = note.began_at if note.state == TALK else None
    await board.found(Found(server, note.leg_id, note.line, note.caller, note.began_at, ended_at, answered_at=talked_at))
    if note.recording and talked_at:
        await board.recorded(call.call_id, "talk", note.recording, seconds, kind="talk")
