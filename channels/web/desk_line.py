"""话务: an operator's own telephone (log in, 示闲, 小休, 话后整理, log out), and for the shift leader the whole room.

What a state means and who may change it is decided by intake.switchboard_lines; here is the page.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiohttp import web

from channels.web.desk_frame import desk_page
from channels.web.desk_phone import NOT_CONNECTED, Board, board_of
from channels.web.form import Form
from channels.web.number import number_from
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.call import LINE_WORDS, PAUSE_REASONS, Call, LineState, OperatorLine
from intake.errors import BadInput, Misconfigured, NotFound, Refused, Unavailable
from intake.masking import mask_phone
from intake.model import Actor
from intake.permission import may
from intake.ports import Work
from intake.records import User
from intake.skill import WORDS as SKILL_WORDS
from intake.switchboard_acts import waiting_now
from intake.switchboard_out import TO_CITIZENS
from intake.telephones import Telephones, load_telephones
from intake.telephony import Telephony

PAGE = "/desk/phone"
BY_ITSELF = frozenset({"no_answer", "callback", "case"})
"""Reasons the system gives, or that are not chosen as a break."""
MOST_WAITING = 20
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Seat:
    """A telephone of the room with whoever sits there. `call_id` is the call it rings or talks in, 0 for none."""

    name: str
    extension: str
    state: str
    words: str
    since_at: datetime
    call_id: int
    skills: tuple[str, ...]
    is_mine: bool

    @property
    def is_talking(self) -> bool:
        return self.state == LineState.TALKING and bool(self.call_id)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A citizen in the queue, in the order in which he is served. The number is masked."""

    phone: str
    line: str
    since_at: datetime
    skill: str


Act = Callable[[Board, Actor, Form], Awaitable[object]]
ACTS: Mapping[str, Act] = {
    "log_in": lambda board, actor, form: board.lines.log_in(
        actor.user_id, form.get("extension").strip(), skills=[one for one in SKILL_WORDS if form.is_on(f"skill_{one}")]
    ),
    "ready": lambda board, actor, _: board.lines.ready(actor.user_id),
    "pause": lambda board, actor, form: board.lines.pause(actor.user_id, form.get("reason")),
    "log_out": lambda board, actor, _: board.lines.log_out(actor.user_id),
}
SPIES: Mapping[str, Callable[[Telephony, str, int], Awaitable[None]]] = {
    "listen": lambda phone, extension, call_id: phone.listen(extension, call_id),
    "whisper": lambda phone, extension, call_id: phone.whisper(extension, call_id),
}


@require("use_phone")
async def show_phone(request: web.Request) -> web.StreamResponse:
    return await phone_page(request)


@require("use_phone")
async def use_line(request: web.Request) -> web.StreamResponse:
    """Log in or out, be ready or have a break."""
    form, board = await form_of(request), board_of(request)
    act = ACTS.get(form.get("do"))
    if act is None:
        raise BadInput("do", "没有这项操作。")
    if board is None:
        raise Unavailable(NOT_CONNECTED)
    try:
        await act(board, signed_in(request).actor, form)
    except (BadInput, NotFound) as error:
        return await phone_page(request, fault=error.message, status=422)
    raise web.HTTPSeeOther(PAGE)


@require("lead_phone")
async def spy(request: web.Request) -> web.StreamResponse:
    """监听 or 密语: the shift leader's own telephone rings, and whoever picks it up hears the call."""
    form, actor, board = await form_of(request), signed_in(request).actor, board_of(request)
    act, call_id = SPIES.get(form.get("do")), number_from(form.get("call_id"))
    if act is None or call_id is None:
        raise BadInput("do", "没有这项操作。")
    if board is None or board.telephony is None:
        raise Unavailable(NOT_CONNECTED)
    own = await board.lines.of(actor.user_id)
    if own is None or own.state is LineState.OFFLINE or own.state in (LineState.RINGING, LineState.TALKING):
        return await phone_page(request, fault="请先签入自己的分机，并在空闲时监听。", status=422)
    try:
        await act(board.telephony, own.extension, call_id)
    except Refused as error:
        return await phone_page(request, fault=error.message, status=409)
    log.info("phone.overheard", how=form.get("do"), call_id=call_id, by=actor.user_id)
    raise web.HTTPSeeOther(f"{PAGE}?overheard={form.get('do')}")


async def phone_page(request: web.Request, *, fault: str = "", status: int = 200) -> web.Response:
    """The page as it stands."""
    gateway, actor, board = gateway_of(request), signed_in(request).actor, board_of(request)
    lines, users, waiting, waiting_count = await gateway.store.read(_room)
    seats = [_seat(line, users, actor) for line in lines if line.state is not LineState.OFFLINE]
    mine = next((seat for seat in seats if seat.is_mine), None)
    return await desk_page(
        request,
        "desk_phone.html",
        status=status,
        fault=fault,
        is_connected=board is not None and board.telephony is not None,
        mine=mine,
        last=next((line.extension for line in lines if line.user_id == actor.user_id), ""),
        own_call=await _own_call(board, mine),
        seats=seats if may(actor, "lead_phone") else [],
        waiting=[_waits(call) for call in waiting],
        waiting_count=waiting_count,
        overheard={"listen": "监听", "whisper": "密语"}.get(request.query.get("overheard", ""), ""),
        reasons=tuple((key, words) for key, words in PAUSE_REASONS.items() if key not in BY_ITSELF),
        **_choices(_telephones(request)),
    )


def _room(work: Work) -> tuple[list[OperatorLine], dict[int, str], list[Call], int]:
    """Telephones, who sits there, who waits (the first of them), and how many do."""
    lines = work.find(OperatorLine, order="extension")
    users = (work.get(User, line.user_id) for line in lines)
    waiting = waiting_now(work)
    calls = (work.get(Call, one.call_id) for one in waiting[:MOST_WAITING])
    return lines, {user.user_id: user.display_name for user in users if user}, [call for call in calls if call], len(waiting)


def _seat(line: OperatorLine, users: Mapping[int, str], actor: Actor) -> Seat:
    reason = PAUSE_REASONS.get(line.reason, "")
    return Seat(
        name=users.get(line.user_id, ""),
        extension=line.extension,
        state=line.state.value,
        words=LINE_WORDS[line.state] + (f"（{reason}）" if reason and line.state is LineState.PAUSED else ""),
        since_at=line.since_at,
        call_id=line.call_id,
        skills=tuple(SKILL_WORDS.get(skill, skill) for skill in line.skills),
        is_mine=line.user_id == actor.user_id,
    )


def _waits(call: Call) -> Waiting:
    phone = mask_phone(call.caller) if call.caller else ""
    skill = call.queue.partition("-")[2]
    return Waiting(phone, call.line, call.queued_at or call.started_at, SKILL_WORDS.get(skill, skill))


async def _own_call(board: Board | None, mine: Seat | None) -> Call | None:
    """The call by click that this telephone is in or was in last: its result is still to be written down."""
    if board is None or mine is None or not mine.call_id:
        return None
    call = await board.call(mine.call_id)
    return call if call.purpose in TO_CITIZENS and call.end != "ended" else None


def _telephones(request: web.Request) -> Telephones | None:
    try:
        return load_telephones(gateway_of(request).city.folder)
    except Misconfigured:
        return None  # an extension can be typed in all the same


def _choices(telephones: Telephones | None) -> dict[str, Sequence[tuple[str, str]]]:
    if telephones is None:
        return {"extensions": (), "skills": ()}
    queues = {queue.partition("-")[2] for queue in telephones.queues}
    return {
        "extensions": tuple((one.number, one.name) for one in telephones.extensions),
        "skills": tuple((skill, words) for skill, words in SKILL_WORDS.items() if skill in queues),
    }


ROUTES: list[web.RouteDef] = [
    web.get(PAGE, show_phone),
    web.post(f"{PAGE}/line", use_line),
    web.post(f"{PAGE}/listen", spy),
]
