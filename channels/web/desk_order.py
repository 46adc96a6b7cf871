"""Orders from above at the desk: the newest with their limits and what the source has heard, one by hand, a list by file.

A list is shown before anything is taken in; only the second step takes it. Steps on an order stand on its case's page.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from channels.web.desk_frame import desk_page
from channels.web.order_file import read_file
from channels.web.session import form_of, require
from channels.web.setting import gateway_of, signed_in
from intake import permission
from intake.errors import BadInput
from intake.fields import moment_of
from intake.gateway import Gateway
from intake.order import STATE_WORDS as ORDER_WORDS
from intake.order_desk import (
    OrderSeen,
    Taken,
    held_rows,
    hold_rows,
    known_numbers,
    let_rows_go,
    recent_orders,
    take_order,
    take_rows,
)
from intake.order_sheet import HEADINGS, Row, read_sheet
from intake.order_source import MOMENTS_OF, OrderGiven
from intake.ports import Work
from intake.workflow import STATE_WORDS

ORDERS, NEW, IMPORT = "/desk/orders", "/desk/orders/new", "/desk/orders/import"
NEWS_WORDS = {"held": "待来源取回", "waiting": "待推送", "sending": "推送中", "sent": "已送达来源", "failed": "推送失败"}
TYPED = ("source", "number", "text", "place", "name", "phone", "request_type", *MOMENTS_OF)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order in the list. `limits` are word, moment and whether it is past; `news` is how the last news stands."""

    case_no: int
    source: str
    number: str
    state: str
    state_words: str
    case_words: str
    limits: tuple[tuple[str, datetime, bool], ...]
    news: str
    news_failed: bool


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One line of a list before it is taken in."""

    line: int
    number: str
    text: str
    place: str
    finish_due_at: datetime | None
    fault: str
    known: bool


@require("see_orders")
async def show_orders(request: web.Request) -> web.StreamResponse:
    """The newest orders, of one source or of all."""
    gateway = gateway_of(request)
    wanted = request.query.get("source", "")
    seen = await gateway.store.read(lambda work: recent_orders(work, wanted))
    rows = [order_row(one, gateway) for one in seen]
    return await desk_page(request, "desk_orders.html", rows=rows, sources=_sources(gateway), wanted=wanted,
                           may_enter=permission.may(signed_in(request).actor, "enter_orders"))  # fmt: skip


@require("enter_orders")
async def show_new(request: web.Request) -> web.StreamResponse:
    return await _form(request, {}, {})


@require("enter_orders")
async def take_new(request: web.Request) -> web.StreamResponse:
    """An order typed in by hand; a fault keeps everything that was typed."""
    form, gateway = await form_of(request), gateway_of(request)
    typed = {name: form.get(name) for name in TYPED}
    try:
        limits = {name: moment_of(name, typed[name], gateway.city.zone) if typed[name] else None for name in MOMENTS_OF}
        given = OrderGiven(
            source=typed["source"], number=typed["number"], text=typed["text"], place=typed["place"], name=typed["name"],
            phone=typed["phone"], request_type=typed["request_type"], confidential=form.is_on("confidential"),
            sign_due_at=limits["sign_due_at"], contact_due_at=limits["contact_due_at"], finish_due_at=limits["finish_due_at"],
        )  # fmt: skip
        received = await take_order(gateway, given)
    except BadInput as fault:
        return await _form(request, typed, {FIELD_OF.get(fault.field, fault.field): fault.message}, status=422)
    raise web.HTTPSeeOther(f"/desk/cases/{received.case_no}")


@require("enter_orders")
async def show_import(request: web.Request) -> web.StreamResponse:
    return await _import_page(request)


@require("enter_orders")
async def preview(request: web.Request) -> web.StreamResponse:
    """Read an uploaded list and show it line by line; nothing is taken in."""
    form, gateway, actor = await form_of(request), gateway_of(request), signed_in(request).actor
    source = form.get("source")
    if source not in gateway.city.sources:
        return await _import_page(request, fault="请选择来源。", status=422)
    try:
        # A large workbook takes seconds to unpack; everybody else goes on meanwhile.
        cells = await asyncio.to_thread(read_file, *form.sheet)
        sheet = read_sheet(cells, source=source, zone=gateway.city.zone)
    except BadInput as fault:
        return await _import_page(request, fault=fault.message, wanted=source, status=422)

    def keep(work: Work) -> tuple[str, set[str]]:
        return hold_rows(work, actor, source, sheet.rows), known_numbers(work, sheet.rows)

    mark, known = await gateway.store.write(keep)
    rows = [preview_row(row, known) for row in sheet.rows]
    heads = [(HEADINGS[field][0], heading) for field, heading in sheet.columns.items()]
    return await _import_page(request, wanted=source, rows=rows, heads=heads, ignored=sheet.ignored, mark=mark,
                              ready=sum(not row.fault and not row.known for row in rows))  # fmt: skip


@require("enter_orders")
async def take_list(request: web.Request) -> web.StreamResponse:
    """Take in the list that was looked at; a repeated press finds nothing left."""
    gateway, actor = gateway_of(request), signed_in(request).actor
    mark = (await form_of(request)).get("mark")
    rows = await gateway.store.read(lambda work: held_rows(work, actor, mark))
    if not rows:
        return await _import_page(request, fault="没有待导入的表，或核对之后又换了表，请重新上传。", status=422)
    taken: list[Taken] = await take_rows(gateway, rows)
    await gateway.store.write(lambda work: let_rows_go(work, actor))
    return await _import_page(request, taken=taken)


FIELD_OF = {"source_no": "number"}


async def _form(request: web.Request, typed: dict[str, str], faults: dict[str, str], *, status: int = 200) -> web.Response:
    blank = dict.fromkeys(TYPED, "")
    return await desk_page(request, "desk_order_new.html", status=status, typed=blank | typed, faults=blank | faults,
                           is_wrong=bool(faults), sources=_sources(gateway_of(request)))  # fmt: skip


async def _import_page(request: web.Request, *, status: int = 200, **values: object) -> web.Response:
    usual: dict[str, object] = {"fault": "", "wanted": "", "rows": (), "mark": "", "heads": (), "ignored": (),
                                "ready": 0, "taken": ()}  # fmt: skip
    return await desk_page(request, "desk_order_import.html", status=status, sources=_sources(gateway_of(request)),
                           **usual | values)  # fmt: skip


def _sources(gateway: Gateway) -> list[tuple[str, str]]:
    return [(source.key, source.name) for source in gateway.city.sources.values()]


def order_row(seen: OrderSeen, gateway: Gateway) -> OrderRow:
    """One line of the list. A limit that was kept is not shown any more."""
    order, case, now = seen.order, seen.case, gateway.now()
    open_limits = (
        ("签收", case.upstream_sign_due_at),
        ("先行联系", case.upstream_contact_due_at),
        ("办结", case.upstream_due_at if case.upstream_state in ("new", "signed") else None),
    )
    last = seen.news[-1] if seen.news else None
    source = gateway.city.sources.get(order.source)
    return OrderRow(
        case.case_no, source.name if source else order.source, order.number, case.upstream_state,
        ORDER_WORDS.get(case.upstream_state, ""), STATE_WORDS[case.state],
        tuple((word, at, at < now) for word, at in open_limits if at is not None),
        NEWS_WORDS[last.state] if last else "", bool(last and last.state == "failed"),
    )  # fmt: skip


def preview_row(row: Row, known: set[str]) -> PreviewRow:
    given = row.given
    if given is None:
        return PreviewRow(row.line, "", "", "", None, row.fault, known=False)
    return PreviewRow(row.line, given.number, given.text[:120], given.place, given.finish_due_at, "", given.number in known)


ROUTES = [
    web.get(ORDERS, show_orders), web.get(NEW, show_new), web.post(NEW, take_new), web.get(IMPORT, show_import),
    web.post(IMPORT, preview), web.post(f"{IMPORT}/take", take_list),
]  # fmt: skip
