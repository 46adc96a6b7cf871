"""外呼: a citizen is rung by a click on his case, his number unseen; afterwards 接通, 未接 or 拒访 is written down.

The result takes the step of the case it was made for (intake.switchboard_out): an answer told, a revisit, a note.
"""

from aiohttp import web

from channels.web.desk_frame import desk_page
from channels.web.desk_line import phone_page
from channels.web.desk_phone import connected_board
from channels.web.number import number_from, number_in
from channels.web.session import form_of, require
from channels.web.setting import signed_in
from intake.call import PURPOSES, RESULTS, Call
from intake.codes import parse_case_no
from intake.errors import BadInput, IntakeError, NotFound
from intake.model import Actor, Role
from intake.switchboard_out import REVISIT_OF, TO_CITIZENS
from intake.workflow import STEPS

REASON = "外呼：{purpose}"
REVISIT_RESULTS = tuple(
    (value, words) for field in STEPS["revisited"].fields if field.name == "revisit_result"
    for value, words in field.choices if value not in REVISIT_OF
)  # fmt: skip
"""What a citizen who was reached may say; that he was not follows from the result of the call."""


@require("use_phone")
async def place(request: web.Request) -> web.StreamResponse:
    """Ring one's own telephone, then the citizen."""
    form, actor, board = await form_of(request), signed_in(request).actor, connected_board(request)
    case_no, purpose, debt = parse_case_no(form.get("case_no")), form.get("purpose"), number_from(form.get("debt") or "0")
    if not case_no or purpose not in TO_CITIZENS or debt is None:
        raise BadInput("purpose", "请选择通话事由。")
    reason = REASON.format(purpose=PURPOSES[purpose])
    try:
        call = await board.outgoing.place(actor, case_no=case_no, purpose=purpose, reason=reason, debt_id=debt)
    except BadInput as error:
        return await phone_page(request, fault=error.message, status=422)
    raise web.HTTPSeeOther(f"/desk/phone/calls/{call.call_id}")


@require("use_phone")
async def show_call(request: web.Request) -> web.StreamResponse:
    return await _call_page(request, await _own(request))


@require("use_phone")
async def tell_result(request: web.Request) -> web.StreamResponse:
    """Write down what came of it; then the case."""
    form, actor, board, call = await form_of(request), signed_in(request).actor, connected_board(request), await _own(request)
    try:
        await board.outgoing.end(
            call.call_id, actor, result=form.get("result"), opinion=form.get("opinion"), revisit_result=form.get("revisit_result")
        )
    except IntakeError as error:
        return await _call_page(request, call, fault=error.message, status=422)
    raise web.HTTPSeeOther(f"/desk/cases/{call.case_no}#course")


async def _own(request: web.Request) -> Call:
    """The call of the address, if it is one's own or one leads the room."""
    actor, missing = signed_in(request).actor, NotFound("没有这次外呼。")
    call = await connected_board(request).call(number_in(request, "call_id", missing=missing))
    if call.purpose not in TO_CITIZENS or not _may_tell(call, actor):
        raise missing
    return call


def _may_tell(call: Call, actor: Actor) -> bool:
    return call.operator_id == actor.user_id or actor.role is Role.SHIFT_LEADER


async def _call_page(request: web.Request, call: Call, *, fault: str = "", status: int = 200) -> web.Response:
    return await desk_page(
        request, "call_out.html", status=status, call=call, fault=fault, purpose=PURPOSES[call.purpose], results=RESULTS,
        revisit_results=REVISIT_RESULTS if call.purpose == "revisit" else (), is_told=call.end == "ended",
    )  # fmt: skip


ROUTES: list[web.RouteDef] = [
    web.post("/desk/phone/calls", place),
    web.get("/desk/phone/calls/{call_id}", show_call),
    web.post("/desk/phone/calls/{call_id}", tell_result),
]
