"""Who works on a case: taking it (接单), giving it to a colleague (移交), handing over everything at the shift's end (交接班).

All of it is the act `transfer` of the workflow. A case that changed meanwhile is shown with what happened to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from channels.web.call_fields import Typed
from channels.web.case_page import case_no_of, read_view
from channels.web.desk_frame import desk_page
from channels.web.desk_timeline import Line
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.errors import BadInput, IllegalMove, StaleVersion
from intake.model import Actor, Role
from intake.ports import Work
from intake.queue import PAGE_MAX, QueueFilter
from intake.records import User
from intake.usecases import Command

STEP = "transfer"
WORKING = (Role.OPERATOR, Role.SHIFT_LEADER)
MOST_HANDED = 500


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody a case may be given to; `name` is the account."""

    name: str
    display_name: str


@require("see_case")
async def show_hand(request: web.Request) -> web.StreamResponse:
    return await _page(request)


@require("see_case")
async def hand(request: web.Request) -> web.StreamResponse:
    """Give the case to the person of the form, oneself included; goes back to the queue it was done from."""
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    form = await form_of(request)
    fields = {"operator": form.get("operator") or actor.name, "opinion": form.get("opinion")}
    word = form.get("version")
    held = int(word) if word.isascii() and word.isdigit() and len(word) < 10 else 0
    try:
        await gateway.perform(Command(number, STEP, actor, held, fields))
    except (StaleVersion, IllegalMove) as error:
        return await _page(request, typed=form.fields, fault=error.message, held=held, status=409)
    except BadInput as error:
        return await _page(request, typed=form.fields, fault=error.message, status=422)
    raise web.HTTPSeeOther(back_to(form.get("back")))


async def _page(
    request: web.Request, *, typed: dict[str, str] | None = None, fault: str = "", held: int = 0, status: int = 200
) -> web.StreamResponse:
    gateway, actor = gateway_of(request), signed_in(request).actor
    _, view = await read_view(gateway, case_no_of(request), actor=actor)
    changes: Sequence[Line] = [line for line in view.history if held and line.seq > held]
    return await desk_page(
        request, "desk_hand.html", status=status, view=view, colleagues=await _colleagues(request), typed=Typed(typed or {}),
        fault=fault, changes=changes, back=(typed or {}).get("back") or request.query.get("back", ""),
        may_hand=any(offer.step.name == STEP for offer in view.offers),
    )  # fmt: skip


def back_to(query: str) -> str:
    """The queue somebody came from: only ever a query string of our own page."""
    fits = query.isprintable() and query.isascii() and len(query) <= 1000 and "#" not in query
    return f"/desk?{query}" if query and fits else "/desk"


@require("hand_over")
async def show_shift(request: web.Request) -> web.StreamResponse:
    """How much is mine, and to whom it may go."""
    return await _shift_page(request)


@require("hand_over")
async def hand_over(request: web.Request) -> web.StreamResponse:
    """Give every live case of mine to a colleague; what somebody else is just changing stays and is told."""
    gateway, actor = gateway_of(request), signed_in(request).actor
    form = await form_of(request)
    chosen = next((one for one in await _colleagues(request) if one.name == form.get("operator")), None)
    if chosen is None:
        return await _shift_page(request, fault="请选择接班的受理员。", status=422)
    given = 0
    fields = {"operator": chosen.name, "opinion": form.get("opinion") or "交接班"}
    for number in await gateway.store.read(lambda work: _mine(work, actor)):
        try:
            await gateway.perform(Command(number, STEP, actor, None, fields))
            given += 1
        except (StaleVersion, IllegalMove):
            continue
    return await _shift_page(request, told=f"已移交 {given} 件给{chosen.display_name}。")


async def _shift_page(request: web.Request, *, fault: str = "", told: str = "", status: int = 200) -> web.StreamResponse:
    actor = signed_in(request).actor
    mine = await gateway_of(request).store.read(lambda work: _mine(work, actor))
    return await desk_page(request, "desk_shift.html", status=status, count=len(mine), fault=fault, told=told,
                           colleagues=await _colleagues(request))  # fmt: skip


def _mine(work: Work, actor: Actor) -> list[int]:
    """Numbers of the live cases a person works on."""
    found: list[int] = []
    after = ""
    while len(found) < MOST_HANDED:
        page = work.queue(QueueFilter(operator_id=actor.user_id), after=after, limit=PAGE_MAX)
        found += [case.case_no for case in page.cases]
        after = page.next
        if not after:
            break
    return found


async def _colleagues(request: web.Request) -> tuple[Colleague, ...]:
    actor = signed_in(request).actor
    users = await gateway_of(request).store.read(lambda work: work.find(User))
    return tuple(
        Colleague(user.name, user.display_name)
        for user in users
        if user.role in WORKING and not user.disabled and user.user_id != actor.user_id
    )


ROUTES: list[web.RouteDef] = [
    web.get("/desk/hand/{case_no}", show_hand),
    web.post("/desk/hand/{case_no}", hand),
    web.get("/desk/shift", show_shift),
    web.post("/desk/shift", hand_over),
]
