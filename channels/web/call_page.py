"""The call screen: one page for each call, its draft saved while somebody types, and the box of drafts.

Nothing is demanded here but a signature of the form; what an end needs is asked when the call ends (call_finish.py).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from channels.web.call_fields import REPLY_WAYS, REQUEST_TYPES, choices_of, typed_from
from channels.web.call_panel import KNOWLEDGE, Asking, panel_values, read_draft
from channels.web.desk_form import Trouble, class_choices
from channels.web.desk_frame import desk_page
from channels.web.desk_phone import Board, board_of
from channels.web.json_body import json_response
from channels.web.number import number_in
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.call import SUMMARIES
from intake.call_end import NEW
from intake.desk_record import Draft
from intake.drafts import drop_draft, open_draft, open_drafts, save_draft, typed_of
from intake.errors import NotFound, StaleVersion
from intake.knowledge import PHRASE_WORDS
from intake.masking import mask_phone
from intake.model import Actor, Case, State
from intake.ports import Work
from intake.skill import WORDS
from intake.transfer import transfers_of
from intake.workflow import STATE_WORDS, URGENCIES, WAIVE

SHORT_CHARS = 40
ELSEWHERE = "这份草稿已在另一个窗口里修改，这里的内容没有覆盖它；本页内容原样保留，可另存为新草稿。"
TRANSFERS = (("110", "110 公安"), ("119", "119 消防"), ("120", "120 急救"), ("122", "122 交通事故"), ("12345", "12345"))
NEXT_WORDS = {
    State.REPORTED: "信息还不全，补齐位置和类别后受理。", State.ACCEPTED: "已受理，核实后立案，或写明免核实理由直接立案。",
    State.FILED: "已立案，等待派遣。",
}  # fmt: skip
"""What comes next for a case just taken down."""


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft in the box. `phone` is masked."""

    draft_id: int
    words: str
    place: str
    phone: str
    late: bool
    has_call: bool
    updated_at: datetime


@require("take_calls")
async def new_call(request: web.Request) -> web.StreamResponse:
    """A new draft by hand: a call without telephony, or a late entry of a paper form."""
    actor, form = signed_in(request).actor, await form_of(request)
    late = form.is_on("late")
    draft = await gateway_of(request).store.write(lambda work: open_draft(work, actor, late=late))
    raise web.HTTPSeeOther(f"/desk/calls/{draft.draft_id}")


@require("take_calls")
async def open_call(request: web.Request) -> web.StreamResponse:
    """The page of a telephone call: the draft it has already, or a new one."""
    actor, board, missing = signed_in(request).actor, board_of(request), NotFound("没有这个来电。")
    if board is None:
        raise missing
    call = await board.call(number_in(request, "call_id", missing=missing))
    if call.operator_id not in (0, actor.user_id):
        raise missing
    draft = await gateway_of(request).store.write(
        lambda work: open_draft(work, actor, call_id=call.call_id, caller=call.caller)
    )
    raise web.HTTPSeeOther(f"/desk/calls/{draft.draft_id}")


async def _over(request: web.Request, draft: Draft) -> web.StreamResponse:
    """What became of a call that has ended, and what comes next."""
    case = await gateway_of(request).store.read(lambda work: work.get(Case, draft.case_no)) if draft.case_no else None
    return await desk_page(
        request, "call_over.html", draft=draft, outcome=SUMMARIES.get(draft.outcome, ""), is_new=draft.outcome == NEW,
        state=STATE_WORDS[case.state] if case else "", following=NEXT_WORDS.get(case.state, "") if case else "",
    )  # fmt: skip


@require("take_calls")
async def show_call(request: web.Request) -> web.StreamResponse:
    draft = await read_draft(request)
    if draft.ended_at is not None:
        return await _over(request, draft)
    return await call_page(request, draft, typed_of(draft))


@require("take_calls")
async def save_call(request: web.Request) -> web.StreamResponse:
    """Keep what is typed. A script is answered in JSON; a form without one gets the page with every panel made anew."""
    actor, form, draft = signed_in(request).actor, await form_of(request), await read_draft(request)
    typed = _picked(request, typed_from(form.fields), form.fields)
    version = _version(form.get("version"))
    by_script = "application/json" in request.headers.get("Accept", "")
    try:
        saved = await gateway_of(request).store.write(
            lambda work: save_draft(work, actor, draft.draft_id, typed=typed, version=version)
        )
    except StaleVersion:
        if by_script:
            raise
        return await call_page(request, draft, typed, trouble=Trouble(ELSEWHERE), status=409)
    if by_script:
        local = saved.updated_at.astimezone(gateway_of(request).city.zone)
        return json_response({"version": saved.version, "words": f"{local:%H:%M:%S} 已存草稿"})
    raise web.HTTPSeeOther(f"/desk/calls/{draft.draft_id}")


def _version(word: str) -> int:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0


def _picked(request: web.Request, typed: dict[str, str], form: dict[str, str]) -> dict[str, str]:
    """What a button of a list chose, where no script did it: a class, or a place by its id."""
    if form.get("pick_class"):
        return typed | {"subclass": form["pick_class"][:20]}
    wanted = form.get("pick_place", "")
    if not wanted:
        return typed
    city = gateway_of(request).city
    row = next((row for row in city.gazetteer.rows if row.id == wanted), None)
    if row is None:
        return typed
    text = typed.get("place", "")
    return typed | {"place": text if row.name in text else row.name, "picked": row.name, "lon": str(row.lon), "lat": str(row.lat)}


@require("take_calls")
async def copy_call(request: web.Request) -> web.StreamResponse:
    """What stands in this window as a draft of its own, when another window changed the first."""
    actor, form, draft = signed_in(request).actor, await form_of(request), await read_draft(request)
    typed = typed_from(form.fields)

    def copy(work: Work) -> Draft:
        made = open_draft(work, actor, caller=draft.caller, late=draft.late)
        return save_draft(work, actor, made.draft_id, typed=typed, version=made.version)

    made = await gateway_of(request).store.write(copy)
    raise web.HTTPSeeOther(f"/desk/calls/{made.draft_id}")


@require("take_calls")
async def drop_call(request: web.Request) -> web.StreamResponse:
    actor, draft = signed_in(request).actor, await read_draft(request)
    await gateway_of(request).store.write(lambda work: drop_draft(work, actor, draft.draft_id))
    raise web.HTTPSeeOther("/desk/drafts")


async def _given(board: Board | None, draft: Draft) -> list[str]:
    """To whom the citizen was given in this call, and what came of it."""
    if board is None or not draft.call_id:
        return []
    made = transfers_of(await board.call(draft.call_id))
    return [one.words for one in made]


async def _skills(board: Board | None, draft: Draft, actor: Actor) -> list[tuple[str, str, int]]:
    """Skills with their words for which this citizen can be given on, and how many colleagues have each."""
    if board is None or not draft.call_id or (await board.call(draft.call_id)).purpose != "in":
        return []
    return [(skill, WORDS[skill], count) for skill, count in (await board.transfers.skills(actor)).items()]


async def call_page(
    request: web.Request, draft: Draft, typed: dict[str, str], *, trouble: Trouble | None = None, status: int = 200
) -> web.StreamResponse:
    """The page with what is typed; every panel is made from it, so it says the same with and without scripts."""
    gateway = gateway_of(request)
    values = await panel_values(Asking(request, draft, typed))
    board = board_of(request)
    return await desk_page(
        request,
        "call.html",
        status=status,
        **values,
        trouble=trouble or Trouble(),
        classes=class_choices(gateway.city.taxonomy),
        urgencies=choices_of((("", "按类别"), *URGENCIES), typed.get("urgency", "")),
        ways=choices_of(REPLY_WAYS, typed.get("reply_by", "")),
        types=choices_of(tuple((one, one) for one in REQUEST_TYPES), typed.get("request_type", "投诉")),
        waivers=choices_of((("", "先受理，不立案"), *WAIVE.choices), typed.get("waive_verify", "")),
        outcomes=choices_of(tuple(SUMMARIES.items()), typed.get("outcome", "")),
        transfers=TRANSFERS,
        given=await _given(board, draft),
        skills=await _skills(board, draft, signed_in(request).actor),
        phrases=_phrases(request),
        on_phone=board is not None and bool(draft.call_id) and board.telephony is not None,
    )


def _phrases(request: web.Request) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    found = request.app[KNOWLEDGE].phrases
    return tuple((words, tuple(one for one in found if one.kind == kind)) for kind, words in PHRASE_WORDS.items())


@require("take_calls")
async def show_drafts(request: web.Request) -> web.StreamResponse:
    """草稿箱: what is not ended yet, newest first."""
    actor = signed_in(request).actor
    drafts = await gateway_of(request).store.read(lambda work: open_drafts(work, actor))
    return await desk_page(request, "desk_drafts.html", rows=tuple(_row(draft) for draft in drafts))


def _row(draft: Draft) -> DraftRow:
    typed = typed_of(draft)
    words = typed.get("what", "")
    return DraftRow(
        draft_id=draft.draft_id,
        words=words[:SHORT_CHARS] + ("…" if len(words) > SHORT_CHARS else ""),
        place=typed.get("place", ""),
        phone=mask_phone(draft.caller or typed.get("phone", "")) if draft.caller or typed.get("phone") else "",
        late=draft.late,
        has_call=bool(draft.call_id),
        updated_at=draft.updated_at,
    )


ROUTES: list[web.RouteDef] = [
    web.get("/desk/drafts", show_drafts),
    web.post("/desk/calls", new_call),
    web.post("/desk/calls/by-call/{call_id}", open_call),
    web.get("/desk/calls/{draft_id}", show_call),
    web.post("/desk/calls/{draft_id}", save_call),
    web.post("/desk/calls/{draft_id}/copy", copy_call),
    web.post("/desk/calls/{draft_id}/drop", drop_call),
]
