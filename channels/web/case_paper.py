"""The work order on paper: one page to print, the same as PDF and as Word; with full names only after a reason, logged."""

import asyncio
from functools import partial

from aiohttp import web

from channels.web.case_page import case_no_of, read_view
from channels.web.desk_frame import desk_page
from channels.web.paper_order import Moment, WorkOrder, work_order
from channels.web.render import moment_words
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake.errors import BadInput, NotFound
from intake.gateway import Gateway
from intake.records import Contact
from intake.text import normalise

TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def written(order: WorkOrder, kind: str) -> bytes:
    """The order as a file. The writers are read when first wanted: most days need none, and they are large."""
    if kind == "pdf":
        from channels.web.paper_pdf import pdf_of

        return pdf_of(order)
    from channels.web.paper_word import word_of

    return word_of(order)


@require("see_case")
async def show_paper(request: web.Request) -> web.StreamResponse:
    """The page to print; with `.pdf` or `.docx` behind it the same as a file."""
    order = await _order(request, None)
    kind = request.match_info.get("kind", "")
    return await _answered(request, order, kind)


@require("reveal_contact")
async def take_paper(request: web.Request) -> web.StreamResponse:
    """The same with full names and numbers, after a reason that is written down."""
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    form = await form_of(request)
    kind = form.get("as")
    try:
        contacts = await gateway.reveal(number, actor, reason=normalise(form.get("reason")))
    except BadInput as fault:
        return await _answered(request, await _order(request, None), "", fault=fault.message)
    return await _answered(request, await _order(request, tuple(contacts)), kind)


async def _order(request: web.Request, contacts: tuple[Contact, ...] | None) -> WorkOrder:
    gateway = gateway_of(request)
    _, view = await read_view(gateway, case_no_of(request), actor=signed_in(request).actor)
    return work_order(view, heading=f"{gateway.city.title} 派遣工单", moment=_moment(gateway), now=gateway.now(), contacts=contacts)


def _moment(gateway: Gateway) -> Moment:
    return partial(moment_words, zone=gateway.city.zone, now=gateway.now())


async def _answered(request: web.Request, order: WorkOrder, kind: str, *, fault: str = "") -> web.StreamResponse:
    if not kind:
        _, view = await read_view(gateway_of(request), case_no_of(request), actor=signed_in(request).actor)
        return await desk_page(request, "case_paper.html", status=422 if fault else 200, order=order, fault=fault,
                               may_reveal=view.sight.reveal and bool(view.reporters))  # fmt: skip
    if kind not in TYPES:
        raise NotFound("没有这种格式。")
    headers = {"Content-Disposition": f'attachment; filename="{order.number}.{kind}"', "Cache-Control": "no-store"}
    return web.Response(body=await asyncio.to_thread(written, order, kind), content_type=TYPES[kind], headers=headers)


ROUTES: list[web.RouteDef] = [
    web.get("/desk/cases/{case_no}/paper", show_paper),
    web.get("/desk/cases/{case_no}/paper.{kind}", show_paper),
    web.post("/desk/cases/{case_no}/paper", take_paper),
]
