"""Ending a call by any 来电小结, and the one-key acts on an open case while it goes on.

A new matter is taken in like any other message, under a name of its draft, so that the same button twice makes one case;
then it is registered and the draft ended in one unit of work. Whatever is refused leaves the draft as it was typed.
"""

from collections.abc import Mapping

from aiohttp import web

from channels.web.call_fields import about_of, number_of, place_of, received_at, remark_of, reply_way_of, typed_from
from channels.web.call_page import call_page
from channels.web.call_panel import read_draft
from channels.web.desk_form import Trouble
from channels.web.desk_phone import board_of
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.call_end import NEW, STEP_OF, Ending, act_on_case, check_ending, check_new, end_call, register
from intake.caller_past import caller_key
from intake.desk_record import Draft
from intake.drafts import save_draft
from intake.errors import BadInput, IllegalMove, NotFound, Refused, StaleVersion
from intake.gateway import Gateway
from intake.model import Inbound
from intake.ports import Work

MOST_ACTS = 12


@require("take_calls")
async def finish(request: web.Request) -> web.StreamResponse:
    """End the call as the form says."""
    form, draft = await form_of(request), await read_draft(request)
    typed = typed_from(form.fields)
    if draft.ended_at is not None:
        raise web.HTTPSeeOther(f"/desk/calls/{draft.draft_id}")
    try:
        ended = await _ended(request, draft, typed)
    except BadInput as error:
        return await call_page(request, draft, typed, trouble=Trouble(error.message, error.field), status=422)
    except (IllegalMove, NotFound) as error:
        return await call_page(request, draft, typed, trouble=Trouble(error.message, "about"), status=409)
    await _sum_up(request, ended, note=typed.get("note", ""))
    raise web.HTTPSeeOther(f"/desk/calls/{draft.draft_id}")


async def _ended(request: web.Request, draft: Draft, typed: Mapping[str, str]) -> Draft:
    gateway, actor = gateway_of(request), signed_in(request).actor
    number = number_of(typed, draft.caller, area_code=gateway.city.area_code)
    ending = Ending(
        outcome=typed.get("outcome", ""), case_no=about_of(typed), text=_words(typed, draft), article=typed.get("article", ""),
        caller_key=caller_key(gateway.vault, number),
    )  # fmt: skip
    check_ending(ending)
    if ending.outcome != NEW:
        return await gateway.store.write(lambda work: end_call(work, gateway.rules, actor, draft.draft_id, ending))
    check_new(gateway.rules, typed)
    received = await gateway.take_in(_inbound(gateway, draft, typed, number=number))
    return await gateway.store.write(
        lambda work: register(work, gateway.rules, actor, draft.draft_id, received.case_no, typed=typed, ending=ending)
    )


def _words(typed: Mapping[str, str], draft: Draft) -> str:
    """What is kept with the end: for a new matter the remark, for others the note or else what was said."""
    if typed.get("outcome") == NEW:
        return remark_of(typed, late=draft.late)
    parts = [typed.get("note") or typed.get("what", "")]
    if typed.get("outcome") == "transferred" and typed.get("to"):
        parts.insert(0, f"转接 {typed['to']}")
    return "；".join(part for part in parts if part)


def _inbound(gateway: Gateway, draft: Draft, typed: Mapping[str, str], *, number: str) -> Inbound:
    at = received_at(typed, late=draft.late, now=gateway.now(), zone=gateway.city.zone)
    way = reply_way_of(typed)
    return Inbound(
        channel="phone",
        provider_id=f"desk:{draft.draft_id}",
        received_at=at,
        text=typed["what"],
        place=place_of(typed),
        name=typed.get("name", ""),
        phone=number,
        confidential="confidential" in typed,
        wants_reply=way != "none" and (bool(way) or "wants_reply" in typed),
        request_type=typed.get("request_type", ""),
        reply_by=way,
    )


async def _sum_up(request: web.Request, draft: Draft, *, note: str) -> None:
    """Tell the switchboard how its call ended; when it cannot be told now, it lists the call as not summed up."""
    board = board_of(request)
    if board is None or not draft.call_id:
        return
    try:
        await board.sum_up(draft.call_id, signed_in(request).actor, summary=draft.outcome, case_no=draft.case_no, note=note)
    except Refused:
        return


@require("take_calls")
async def act(request: web.Request) -> web.StreamResponse:
    """One key on an open case: 催办 at once; 补充 and 查询 choose the end and the case, and the call goes on."""
    gateway, actor = gateway_of(request), signed_in(request).actor
    form, draft = await form_of(request), await read_draft(request)
    typed = typed_from(form.fields)
    name, _, number = form.get("do").partition(":")
    wanted = typed | {"outcome": name, "about": number}
    try:
        about = about_of(wanted)
        if not about or name not in ("urge", "supplement", "progress"):
            raise BadInput("about", "没有这项操作。")
        saved = wanted | ({"acted": _acted(typed, name, about)} if name == "urge" else {})

        def unit(work: Work) -> None:
            if name in STEP_OF and name == "urge":
                act_on_case(work, gateway.rules, actor, name, case_no=about, text="")
            save_draft(work, actor, draft.draft_id, typed=saved, version=draft.version)

        await gateway.store.write(unit)
    except (BadInput, IllegalMove, NotFound, StaleVersion) as error:
        return await call_page(request, draft, typed, trouble=Trouble(error.message, "about"), status=422)
    raise web.HTTPSeeOther(f"/desk/calls/{draft.draft_id}?did={name}#{'f-note' if name == 'supplement' else f'case-{about}'}")


def _acted(typed: Mapping[str, str], name: str, about: int) -> str:
    done = [one for one in typed.get("acted", "").split(",") if one]
    return ",".join([*done, f"{name}:{about}"][-MOST_ACTS:])


ROUTES: list[web.RouteDef] = [
    web.post("/desk/calls/{draft_id}/end", finish),
    web.post("/desk/calls/{draft_id}/act", act),
]
