"""The staff API: queue, case with every step it allows, taking a step, ledger, revealing a contact.

The same views and rules as the desk's pages; the event stream stands in events.py.
"""

from itertools import islice

from aiohttp import web

from channels.web.api_staff_view import (
    FullCase,
    LedgerPage,
    MoveTaken,
    QueuePage,
    Revealed,
    full_told,
    ledger_told,
    queue_told,
    revealed_told,
    taken_told,
)
from channels.web.body import bounded_body
from channels.web.case_page import case_no_of, read_view
from channels.web.desk_debt import DebtView, debt_view
from channels.web.desk_filter import wish_from
from channels.web.desk_ledger import debts_wanted, ledger_wish
from channels.web.desk_queue import find_cases
from channels.web.json_body import Body, Field, Model, field_name, json_response, loads, read_model
from channels.web.openapi import STAFF, Parameter, operation
from channels.web.problem import BodyTooLarge, FormatNotSupported
from channels.web.rate import count_use
from channels.web.session import require
from channels.web.setting import gateway_of, setting_of, signed_in
from intake.errors import BadInput, NotFound
from intake.ports import Work
from intake.queue import PAGE, PAGE_MAX
from intake.text import normalise
from intake.usecases import Command
from intake.workflow import STEPS

LEDGER_FILTERS = ("open", "overdue", "case_no", "kind", "state", "after", "limit")


class MoveWanted(Body, extra="allow"):
    """A step to take: its name, the version of the case it was chosen on, and the step's own fields beside them."""

    move: str = Field(max_length=40)
    version: int = Field(ge=1)


class RevealWanted(Body):
    reason: str = Field(max_length=200, description="查看理由，会被记录")


@require("see_queue")
async def show_queue(request: web.Request) -> web.StreamResponse:
    """One page of the queue within the person's bounds."""
    count_use(request, "api")
    wish = wish_from(request.query.items())
    return json_response(queue_told(await find_cases(gateway_of(request), wish, actor=signed_in(request).actor)))


@require("see_case")
async def show_full(request: web.Request) -> web.StreamResponse:
    """Everything the person may see of a case, and what he may do."""
    count_use(request, "api")
    _, view = await read_view(gateway_of(request), case_no_of(request), actor=signed_in(request).actor)
    return json_response(full_told(view))


@require("see_case")
async def take_step(request: web.Request) -> web.StreamResponse:
    """Take one of the offered steps; everything about a step but its name and version is its own field."""
    count_use(request, "api")
    gateway, actor, number = gateway_of(request), signed_in(request).actor, case_no_of(request)
    wanted = await read_body(request, MoveWanted)
    if wanted.move not in STEPS:
        raise BadInput("move", "没有这项操作。")
    # A name of the caller's own making comes back in the refusal, so it must be one that can be shown.
    fields = {field_name((name,)): value for name, value in (wanted.model_extra or {}).items()}
    case = await gateway.perform(Command(number, wanted.move, actor, wanted.version, fields))
    try:
        _, view = await read_view(gateway, number, actor=actor)
    except NotFound:
        return json_response(taken_told(case, None))
    return json_response(taken_told(case, view))


@require("see_ledger")
async def show_ledger(request: web.Request) -> web.StreamResponse:
    """Debts by number; open ones unless a case is named."""
    count_use(request, "api")
    gateway, actor = gateway_of(request), signed_in(request).actor
    given = dict(request.query)
    if unknown := [name for name in given if name not in LEDGER_FILTERS]:
        raise BadInput(field_name((unknown[0],)), "没有这个筛选项。")
    wish, now = ledger_wish(given), gateway.now()
    after = whole_number(given, "after", usual=0, most=2**62)
    limit = whole_number(given, "limit", usual=PAGE, most=PAGE_MAX)

    def ask(work: Work) -> list[DebtView]:
        found = islice(debts_wanted(work, wish, now=now, by_due=False, after=after), limit + 1)
        return [debt_view(owed, actor, now=now) for owed in found]

    debts = await gateway.store.read(ask)
    following = debts[limit - 1].debt_id if len(debts) > limit else None
    return json_response(ledger_told(debts[:limit], following))


@require("reveal_contact")
async def reveal(request: web.Request) -> web.StreamResponse:
    """Who reported, in full, for a reason that is written down."""
    count_use(request, "api")
    number = case_no_of(request)
    wanted = await read_body(request, RevealWanted)
    contacts = await gateway_of(request).reveal(number, signed_in(request).actor, reason=normalise(wanted.reason))
    return json_response(revealed_told(number, contacts))


async def read_body(request: web.Request, kind: type[Model]) -> Model:
    """A JSON body of a fixed shape; raises BadInput naming the field, BadPayload, BodyTooLarge."""
    if request.content_type != "application/json":
        raise FormatNotSupported("请用 application/json。")
    limit = setting_of(request).max_json_bytes
    body = await bounded_body(request, max_bytes=limit)
    if body is None:
        raise BodyTooLarge(f"请求内容超过 {limit // 1024} KB。")
    return read_model(kind, loads(body))


def whole_number(given: dict[str, str], name: str, *, usual: int, most: int) -> int:
    if name not in given:
        return usual
    word = given[name]
    if not (word.isascii() and word.isdigit() and len(word) < 20 and int(word) <= most) or (
        name == "limit" and word == "0"
    ):
        raise BadInput(name, "应当是数字，且在允许的范围内。")
    return int(word)


_QUEUE_FILTERS = (
    Parameter("state", "query", "状态，可重复或用逗号分隔"),
    Parameter("channel", "query", "来源渠道"),
    Parameter("subclass", "query", "类别，如 event:0102"),
    Parameter("unit", "query", "责任单位"),
    Parameter("district", "query", "辖区名称"),
    Parameter("urgent", "query", "1 只看紧急和特急"),
    Parameter("overdue", "query", "1 只看超期"),
    Parameter("mine", "query", "1 只看本人受理的"),
    Parameter("text", "query", "编号、位置或内容中的词"),
    Parameter("after", "query", "上一页的 next"),
    Parameter("limit", "query", "每页件数，1 至 100", kind="integer"),
)
OPERATIONS = (
    operation("GET", "/api/v1/queue", "案件队列", responses={200: QueuePage}, parameters=_QUEUE_FILTERS, security=STAFF),
    operation("GET", "/api/v1/cases/{case_no}/full", "案件详情与可进行的操作", responses={200: FullCase}, security=STAFF),
    operation("POST", "/api/v1/cases/{case_no}/moves", "进行一步操作", request=MoveWanted, responses={200: MoveTaken},
              security=STAFF),
    operation("POST", "/api/v1/cases/{case_no}/reveal", "查看反映人完整联系方式", request=RevealWanted,
              responses={200: Revealed}, security=STAFF),
    operation("GET", "/api/v1/ledger", "待回复", responses={200: LedgerPage}, security=STAFF, parameters=(
        Parameter("open", "query", "1 未答复；0 已答复（需给出受理编号）"),
        Parameter("overdue", "query", "1 只看超期"),
        Parameter("case_no", "query", "受理编号"),
        Parameter("kind", "query", "回复事项"),
        Parameter("state", "query", "进度"),
        Parameter("after", "query", "上一页的 next", kind="integer"),
        Parameter("limit", "query", "每页项数，1 至 100", kind="integer"),
    )),
)  # fmt: skip
ROUTES: list[web.RouteDef] = [
    web.get("/api/v1/queue", show_queue),
    web.get("/api/v1/cases/{case_no}/full", show_full),
    web.post("/api/v1/cases/{case_no}/moves", take_step),
    web.post("/api/v1/cases/{case_no}/reveal", reveal),
    web.get("/api/v1/ledger", show_ledger),
]
