"""Calls whose end the gateway has not seen: the notes the dialplan keeps in Asterisk's own database, and what becomes of them.

`hotline-open/<leg id>` = began, line, caller, state, recording, ended, call id (deploy/asterisk/hotline/extensions.conf).
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
from ivr.position import LOST, Outcome, Recording

FAMILY = "hotline-open"
MESSAGE, TALK = "message", "talk"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A note. `state` is ring, queue, fallback, message or talk; `recording` the name ARI knows it by; `call_id` 0 when
    the gateway never heard of the call."""

    leg_id: str
    began_at: datetime
    line: str
    caller: str
    state: str
    recording: str
    ended_at: datetime | None
    call_id: int


def read_note(key: str, value: str) -> OpenCall | None:
    """None for what is no note."""
    parts = [*value.split(","), "", "", "", "", "", ""][:7]
    began, line, caller, state, recording, ended, call_id = parts
    leg_id = key.strip("/").removeprefix(f"{FAMILY}/")
    if not leg_id or not began.isdigit():
        return None
    ended_at = _moment(ended) if ended.isdigit() else None
    return OpenCall(leg_id, _moment(began), line, caller, state, recording, ended_at, number(call_id))


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
    talked_at = note.began_at if note.state == TALK else None
    if note.call_id and note.state not in (MESSAGE, TALK):
        await steps.caller_gone(note.call_id, ended_at, "note")
        return
    if note.state == MESSAGE:
        ring = Found(server, note.leg_id, note.line, note.caller, note.began_at, ended_at)
        await _take_message(note, ring, board=board)
        return
    call = await board.found(Found(server, note.leg_id, note.line, note.caller, note.began_at, ended_at, answered_at=talked_at))
    if note.recording and talked_at:
        await board.recorded(call.call_id, "talk", note.recording, (ended_at - note.began_at).total_seconds(), kind="talk")


async def _take_message(note: OpenCall, found: Found, *, board: Board) -> None:
    """A message left while the gateway was away is a report like any other."""
    call = await board.ring(Ring(found.server, found.leg_id, found.line, found.caller, found.started_at))
    seconds = max(1.0, (found.ended_at - found.started_at).total_seconds())
    take = Recording("message", note.recording, seconds)
    await board.recorded(call.call_id, take.name, take.ref, seconds)
    await board.finish(call.call_id, Outcome(
        flow="hotline", end="message_left", how=LOST, node="", answers={}, recordings=(take,), taken_in=True, call_back=True,
        queued=True, served=False,
    ))  # fmt: skip
    await board.hung_up(call.call_id, found.ended_at, "note")
