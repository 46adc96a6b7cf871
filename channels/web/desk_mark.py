"""Nuisance marks (骚扰标记) as the shift leader rules on them: the call that is the evidence, until when, confirm or lift.

What a mark does and does not do is intake.switchboard_marks'.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from channels.web.desk_frame import desk_page
from channels.web.number import number_in
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.call import Call, CallRecording, Mark
from intake.errors import BadInput, NotFound
from intake.masking import mask_phone
from intake.ports import Work
from intake.records import User
from intake.switchboard_marks import confirm_mark, lift_mark, marks_in_force

MOST = 100
PAGE = "/desk/marks"


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One mark with its evidence: when the call came, how long it was, whether it was recorded. The number is masked."""

    mark_id: str
    phone: str
    reason: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    rung_at: datetime | None
    talk_s: int
    is_recorded: bool
    spoke_of_danger: bool
    confirmed_by: str
    confirmed_at: datetime | None
    case_no: str


@require("lead_phone")
async def show_marks(request: web.Request) -> web.StreamResponse:
    return await _marks_page(request)


@require("lead_phone")
async def confirm(request: web.Request) -> web.StreamResponse:
    actor, number = signed_in(request).actor, _number(request)
    return await _ruled(request, lambda work: confirm_mark(work, number, actor))


@require("lead_phone")
async def lift(request: web.Request) -> web.StreamResponse:
    actor, number, form = signed_in(request).actor, _number(request), await form_of(request)
    return await _ruled(request, lambda work: lift_mark(work, number, actor, reason=form.get("reason")))


async def _ruled(request: web.Request, unit: Callable[[Work], Mark]) -> web.StreamResponse:
    try:
        await gateway_of(request).store.write(unit)
    except BadInput as error:
        return await _marks_page(request, fault=error.message, failed=str(_number(request)), status=422)
    raise web.HTTPSeeOther(PAGE)


async def _marks_page(
    request: web.Request, *, fault: str = "", failed: str = "", status: int = 200
) -> web.StreamResponse:
    def ask(work: Work) -> tuple[MarkRow, ...]:
        return tuple(_row(work, mark) for mark in marks_in_force(work, limit=MOST))

    rows = await gateway_of(request).store.read(ask)
    return await desk_page(request, "desk_marks.html", status=status, rows=rows, fault=fault, failed=failed)


def _row(work: Work, mark: Mark) -> MarkRow:
    call = work.get(Call, mark.call_id)
    return MarkRow(
        mark_id=str(mark.mark_id),
        phone=mask_phone(mark.number),
        reason=mark.reason,
        made_by=_name(work, mark.made_by),
        made_at=mark.made_at,
        expires_at=mark.expires_at,
        rung_at=call.started_at if call else None,
        talk_s=_talk_s(call),
        is_recorded=bool(work.find(CallRecording, call_id=mark.call_id, limit=1)),
        spoke_of_danger=call is not None and call.emergency_at is not None,
        confirmed_by=_name(work, mark.confirmed_by),
        confirmed_at=mark.confirmed_at,
        case_no=str(mark.case_no or ""),
    )


def _talk_s(call: Call | None) -> int:
    """Seconds an operator talked with the caller; 0 when nobody did or it is not known."""
    if call is None or call.answered_at is None or call.ended_at is None:
        return 0
    return round((call.ended_at - call.answered_at).total_seconds())


def _name(work: Work, user_id: int) -> str:
    user = work.get(User, user_id) if user_id else None
    return user.display_name if user else ""


def _number(request: web.Request) -> int:
    return number_in(request, "mark_id", missing=NotFound("没有这个标记。"))


ROUTES: list[web.RouteDef] = [
    web.get(PAGE, show_marks),
    web.post(f"{PAGE}/{{mark_id}}/confirm", confirm),
    web.post(f"{PAGE}/{{mark_id}}/lift", lift),
]
