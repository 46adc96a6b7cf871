"""A call at the operator's telephone: the panel that pops up, hold, transfer, three-way, hanging up, reporting abuse."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from aiohttp import web

from channels.web.call_panel import read_draft
from channels.web.call_view import caller_view
from channels.web.desk_bus import BUS
from channels.web.desk_frame import desk_page
from channels.web.desk_phone import NOT_CONNECTED, board_of
from channels.web.number import number_in
from channels.web.render import page
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.call import Call, LineState
from intake.caller_past import caller_past
from intake.errors import BadInput, NotFound, Unavailable
from intake.model import Role
from intake.skill import WORDS
from intake.telephony import Telephony

BUSY = (LineState.RINGING, LineState.TALKING)
ACTS: Mapping[str, Callable[[Telephony, int], Awaitable[None]]] = {
    "hold": lambda phone, call: phone.hold(call),
    "unhold": lambda phone, call: phone.unhold(call),
    "hang_up": lambda phone, call: phone.hang_up(call),
}
TRANSFERS: Mapping[str, str] = {"transfer": "warm", "transfer_now": "blind", "three_way": "three_way"}
"""Button to how the citizen is given on (intake.transfer)."""
BY_SKILL = "skill_"
"""Begins the name of a button that has the citizen wait for somebody with a skill."""
DIALLED = frozenset("0123456789*#")


@require("take_calls")
async def show_ringing(request: web.Request) -> web.StreamResponse:
    """What rings or is talked on at this operator's telephone now; empty (204) when nothing does."""
    board, actor = board_of(request), signed_in(request).actor
    line = await board.lines.of(actor.user_id) if board else None
    if board is None or line is None or line.state not in BUSY or not line.call_id:
        return web.Response(status=204)
    return await _pop(request, await board.call(line.call_id))


@require("take_calls")
async def show_pop(request: web.Request) -> web.StreamResponse:
    """The panel of one call, for the operator whose telephone it is at."""
    board, number = board_of(request), number_in(request, "call_id", missing=NotFound())
    if board is None:
        raise NotFound
    line = await board.lines.of(signed_in(request).actor.user_id)
    call = await board.call(number)
    if line is None or line.call_id != call.call_id:
        raise NotFound
    return await _pop(request, call)


async def _pop(request: web.Request, call: Call) -> web.StreamResponse:
    gateway, board = gateway_of(request), board_of(request)
    past = await gateway.store.read(lambda work: caller_past(work, gateway.vault, call.caller))
    marks = await board.marks.of_call(call.call_id) if board else ()
    view = caller_view(past, call.caller, rules=gateway.rules, now=gateway.now(), marks=(mark.reason for mark in marks))
    return page(request, "call_pop.html", call=call, caller=view)


@require("take_calls")
async def use_phone(request: web.Request) -> web.StreamResponse:
    """Hold, transfer, three-way or hang up, by the buttons of the page."""
    form, draft, board = await form_of(request), await read_draft(request), board_of(request)
    name, to = form.get("do"), form.get("to").strip()
    skill = name.removeprefix(BY_SKILL) if name.startswith(BY_SKILL) else ""
    if name not in ACTS and name not in TRANSFERS and skill not in WORDS:
        raise BadInput("do", "没有这项操作。")
    if name in TRANSFERS and not (to and set(to) <= DIALLED and len(to) <= 20):
        raise BadInput("to", "请填写要转接的号码。")
    if board is None or board.telephony is None or not draft.call_id:
        raise Unavailable(NOT_CONNECTED)
    if skill:
        await board.transfers.to_skill(draft.call_id, skill, signed_in(request).actor)
    elif name in TRANSFERS:
        await board.transfers.to(draft.call_id, to, signed_in(request).actor, how=TRANSFERS[name])
    else:
        await ACTS[name](board.telephony, draft.call_id)
    raise web.HTTPSeeOther(f"/desk/calls/{draft.draft_id}")


@require("take_calls")
async def report_abuse(request: web.Request) -> web.StreamResponse:
    """An operator is abused: the shift leaders hear of it at once; a shift leader's own word marks the number."""
    form, draft, board = await form_of(request), await read_draft(request), board_of(request)
    person, reason = signed_in(request), form.get("reason").strip()[:100] or "辱骂受理员"
    if board is not None and draft.call_id:
        # A withheld number cannot be marked; the shift leaders are told all the same.
        with suppress(BadInput):
            await board.marks.add(draft.call_id, person.actor, reason=reason)
    request.app[BUS].tell("abuse", lambda actor: actor.role is Role.SHIFT_LEADER, who=person.display_name,
                          call_id=str(draft.call_id))  # fmt: skip
    return await desk_page(request, "call_abuse.html", draft=draft, has_call=bool(draft.call_id))


ROUTES: list[web.RouteDef] = [
    web.get("/desk/pop", show_ringing),
    web.get("/desk/pop/{call_id}", show_pop),
    web.post("/desk/calls/{draft_id}/phone", use_phone),
    web.post("/desk/calls/{draft_id}/abuse", report_abuse),
]
