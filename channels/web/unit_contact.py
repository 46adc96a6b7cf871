"""先行联系 on the unit's side: the hotline is asked to connect the unit with the citizen of its case; no number is shown.

Who may be rung, at which telephone and when is decided by intake.switchboard_contact; here is the page with the attempts.
"""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from channels.web.case_course import length_words
from channels.web.case_page import case_no_of, read_view
from channels.web.desk_frame import desk_page
from channels.web.desk_phone import NOT_CONNECTED, board_of, connected_board
from channels.web.number import number_in
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.call import PURPOSES, RESULTS, Call
from intake.errors import BadInput, NotAllowed, NotFound, Refused

REASON = f"{PURPOSES['contact']}：责任单位"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, as its unit sees it. `length` is of the talk, "" when there was none; `is_told`: its result is written down."""

    call_id: int
    at: datetime
    words: str
    length: str
    note: str
    is_over: bool
    is_told: bool


@require("contact_citizen")
async def show_contact(request: web.Request) -> web.StreamResponse:
    return await _page(request)


@require("contact_citizen")
async def place(request: web.Request) -> web.StreamResponse:
    """Ring the unit's telephone, then the citizen."""
    await form_of(request)
    actor, number, board = signed_in(request).actor, case_no_of(request), connected_board(request)
    try:
        await board.contacts.place(actor, case_no=number, reason=REASON)
    except NotAllowed:
        raise
    except BadInput as error:
        return await _page(request, fault=error.message, status=422)
    except Refused as error:  # by the exchange
        return await _page(request, fault=error.message or "电话没有拨出，请稍后再试。", status=409)
    raise web.HTTPSeeOther(f"/desk/cases/{number}/contact")


@require("contact_citizen")
async def tell_result(request: web.Request) -> web.StreamResponse:
    """Write down 接通, 未接 or 拒访."""
    form, actor, number, board = await form_of(request), signed_in(request).actor, case_no_of(request), connected_board(request)
    missing = NotFound("没有这次联系。")
    wanted = number_in(request, "call_id", missing=missing)
    if wanted not in [call.call_id for call in await board.contacts.of_case(number, actor)]:
        raise missing
    try:
        await board.contacts.end(wanted, actor, result=form.get("result"), opinion=form.get("opinion"))
    except BadInput as error:
        return await _page(request, fault=error.message, status=422)
    raise web.HTTPSeeOther(f"/desk/cases/{number}/contact")


async def _page(request: web.Request, *, fault: str = "", status: int = 200) -> web.StreamResponse:
    actor, number, board = signed_in(request).actor, case_no_of(request), board_of(request)
    _, view = await read_view(gateway_of(request), number, actor=actor)
    connected = board is not None and board.telephony is not None
    calls = await board.contacts.of_case(number, actor) if board else ()
    refusal = await board.contacts.refusal(number, actor) if board else ""
    return await desk_page(
        request, "unit_contact.html", status=status, view=view, row=view.row, fault=fault, results=RESULTS,
        refusal=refusal or ("" if connected else NOT_CONNECTED), attempts=[_attempt(call) for call in calls],
    )  # fmt: skip


def _attempt(call: Call) -> Attempt:
    talked = call.answered_at is not None
    end = call.left_at or call.ended_at
    spoken = length_words(int((end - call.answered_at).total_seconds() * 1000)) if end and call.answered_at else ""
    words = RESULTS.get(call.result, "") or ("已结束，请登记结果" if call.is_over else "通话中" if talked else "正在呼叫")
    is_told = call.end in ("ended", "not_placed")
    return Attempt(call.call_id, call.started_at, words, spoken, call.note, call.is_over, is_told)


ROUTES: list[web.RouteDef] = [
    web.get("/desk/cases/{case_no}/contact", show_contact),
    web.post("/desk/cases/{case_no}/contact", place),
    web.post("/desk/cases/{case_no}/contact/{call_id}", tell_result),
]
