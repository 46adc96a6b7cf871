"""Calls whose end the gateway has not seen: the notes the dialplan keeps in Asterisk's own database, and what becomes of them.

`hotline-open/<leg id>` = began, line, caller, state, recording, ended, call id, message under way,
bytes of the recording (deploy/asterisk/hotline/extensions.conf).
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from channels.phone.board import Board
from channels.phone.happening import number
from channels.phone.link import Link
from channels.phone.roster import read_legs
from channels.phone.steps import Steps
from intake.errors import IntakeError, NotFound, Refused, Unavailable
from intake.telephony import Found, Ring

FAMILY = "hotline-open"
RING, QUEUE, FALLBACK, MESSAGE, TALK = "ring", "queue", "fallback", "message", "talk"
WAV_HEADER, BYTES_PER_S, LEAST_S = 44, 16_000, 1.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A note. `state` is ring, queue, fallback, message or talk; `recording` the name ARI knows it by; `call_id` 0 when
    the gateway never heard of the call. `take` is the message that was being recorded for the gateway when it went away.
    `size` counts the bytes of `recording`, None when Asterisk did not live to tell."""

    leg_id: str
    began_at: datetime
    line: str
    caller: str
    state: str
    recording: str
    ended_at: datetime | None
    call_id: int
    take: str = ""
    size: int | None = None

    @property
    def seconds(self) -> float:
        """How long the recording is, as nearly as it is known."""
        if self.size is None:
            return max(LEAST_S, ((self.ended_at or self.began_at) - self.began_at).total_seconds())
        return max(0, self.size - WAV_HEADER) / BYTES_PER_S

    @property
    def is_message(self) -> bool:
        """Whether the citizen said something to the local fallback: who hangs up before the tone has said nothing."""
        return self.state == MESSAGE and self.seconds >= LEAST_S

    @property
    def take_name(self) -> str:
        """What the flow calls the message under way: `message/<call id>-<name>-<steps>`."""
        return self.take.partition("-")[2].rpartition("-")[0]


def read_note(key: str, value: str) -> OpenCall | None:
    """None for what is no note."""
    parts = [*value.split(","), *[""] * 8][:9]
    began, line, caller, state, recording, ended, call_id, take, size = parts
    leg_id = key.strip("/").removeprefix(f"{FAMILY}/")
    if not leg_id or not began.isdigit():
        return None
    ended_at = _moment(ended) if ended.isdigit() else None
    known = number(size) if size.isdigit() else None
    return OpenCall(leg_id, _moment(began), line, caller, state, recording, ended_at, number(call_id), take, known)


def _moment(epoch: str) -> datetime:
    return datetime.fromtimestamp(min(int(epoch), 4_000_000_000), UTC)


async def settle_open_calls(link: Link, *, board: Board, steps: Steps) -> int:
    """Give every call that is over to the switchboard and forget its note; how many there were. One that cannot be given
    now stays noted for the next time and does not hold up the others. Raises Unavailable, Refused."""
    # In this order: a call that begins between the two questions has a leg.
    notes = await _notes(link)
    alive = {leg.unique_id for leg in await read_legs(link)} if notes else set()
    done = 0
    for note in notes:
        done += note.leg_id not in alive and await _is_settled(note, link, board=board, steps=steps)
    if done:
        log.info("phone.open_calls_settled", server=link.server.name, count=done)
    return done


async def _is_settled(note: OpenCall, link: Link, *, board: Board, steps: Steps) -> bool:
    try:
        await _settle(await _known(note, board), link.server.name, board=board, steps=steps)
    except IntakeError as error:
        log.warning("phone.note_not_settled", call_id=note.call_id, error=error.code)
        return False
    await link.act("Originate", Channel="Local/s@hotline-idle/n", Context="hotline-forget", Exten="s", Priority=1,
                   Variable=[f"FORGET={note.leg_id}"])  # fmt: skip
    return True


async def _known(note: OpenCall, board: Board) -> OpenCall:
    """A number that means nothing here (the database is a restored one) is none."""
    try:
        await board.position_of(note.call_id) if note.call_id else None
    except NotFound:
        return replace(note, call_id=0)
    return note


async def _notes(link: Link) -> list[OpenCall]:
    try:
        rows = await link.all_of("DBGetTree", Family=FAMILY)
    except Refused:
        return []  # Asterisk's way of saying that there are none
    return [note for row in rows if (note := read_note(row["Key"], row["Val"]))]


async def _settle(note: OpenCall, server: str, *, board: Board, steps: Steps) -> None:
    ended_at = note.ended_at or steps.clock()
    if note.call_id and note.state in (RING, QUEUE):
        # The stored position tells what was said until then, a message under way included.
        await steps.caller_gone(note.call_id, ended_at, "note")
        return
    call = await board.ring(Ring(server, note.leg_id, note.line, note.caller, note.began_at))
    seconds = max(1.0, (ended_at - note.began_at).total_seconds())
    if note.take_name:
        await board.recorded(call.call_id, note.take_name, note.take, seconds)
    if note.is_message:
        await _take_message(note, call.call_id, ended_at, board=board, steps=steps)
        return
    # In the fallback he waited for the operators' telephones like in any queue.
    waited_at = note.began_at if note.state != RING else None
    talked_at = note.began_at if note.state == TALK else None
    await board.found(Found(server, note.leg_id, note.line, note.caller, note.began_at, ended_at, queued_at=waited_at,
                            answered_at=talked_at))  # fmt: skip
    if note.recording and talked_at:
        await board.recorded(call.call_id, "talk", note.recording, note.seconds, kind="talk")


async def _take_message(note: OpenCall, call_id: int, ended_at: datetime, *, board: Board, steps: Steps) -> None:
    """What was said to the local fallback becomes a report, also when the call's own end was written down before."""
    # A name of its own, so that it does not take the place of one that he left before the gateway went away.
    await board.recorded(call_id, FALLBACK, note.recording, note.seconds)
    if not await steps.has_ended(call_id):
        await board.gone(call_id, ended_at)
    if (await board.call(call_id)).case_no:
        return  # the recording has joined the call's case
    # The flow he was in before may end without a report (he asked for the state of a case): what he said here makes one.
    result, _ = await board.ask(call_id, "save_message", {"recording": note.recording})
    if result != "saved":
        raise Unavailable
