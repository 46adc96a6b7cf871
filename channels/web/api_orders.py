"""Orders from above by the API: a source's own system posts them, looks them up, picks up what became of them, and says what
it has to say (催办, 补充, 撤诉, extension, satisfaction). It sees its own orders only."""

from datetime import datetime
from typing import Literal

from aiohttp import web

from channels.order_webhook import told
from channels.web.api_report import KEY, idempotency_key
from channels.web.api_staff import read_body, whole_number
from channels.web.json_body import Body, Field, json_response
from channels.web.media import ALBUM
from channels.web.openapi import STAFF, Parameter, operation
from channels.web.rate import count_use
from channels.web.session import require
from channels.web.setting import gateway_of, signed_in
from intake.codes import digest_of
from intake.errors import BadInput, NotFound
from intake.fields import moment_of
from intake.model import Actor, Case
from intake.order import STATE_WORDS as ORDER_WORDS
from intake.order_desk import OrderSeen, find_order, hear_word, news_after, source_of, take_order
from intake.order_source import OrderGiven
from intake.ports import Work
from intake.records import Attachment
from intake.usecases import Command
from intake.workflow import STATE_WORDS

LIMITS = ("sign_due_at", "contact_due_at", "finish_due_at")


class OrderBody(Body):
    """An order as its source sends it. Moments are RFC 3339; without a zone they are the city's."""

    source_no: str = Field(max_length=60, description="来源单号，同一来源不得重复")
    text: str = Field(max_length=4000, description="诉求内容")
    source: str = Field("", max_length=40, description="来源，如 12345；来源方自己的令牌可不填")
    place: str = Field("", max_length=300, description="地点")
    lon: float | None = None
    lat: float | None = None
    name: str = Field("", max_length=60)
    phone: str = Field("", max_length=40)
    request_type: str = Field("", max_length=20, description="诉求类型，默认投诉")
    confidential: bool = False
    sign_due_at: str = Field("", max_length=40, description="签收时限")
    contact_due_at: str = Field("", max_length=40, description="先行联系时限")
    finish_due_at: str = Field("", max_length=40, description="办结时限")


class OrderTaken(Body):
    case_no: str
    source: str
    source_no: str
    repeated: bool


class OrderTold(Body):
    """How an order stands. `result` is what was answered; limits and moments are RFC 3339 or null."""

    case_no: str
    source: str
    source_no: str
    state: str
    state_words: str
    order_state: str
    order_state_words: str
    result: str
    received_at: str
    sign_due_at: str | None
    contact_due_at: str | None
    finish_due_at: str | None
    signed_at: str | None
    contacted_at: str | None
    contact_result: str
    answered_at: str | None
    satisfaction: str
    news: list[dict[str, object]]


class SourceWord(Body):
    """What a source says of its order."""

    kind: Literal["urge", "supplement", "withdraw", "extension", "rating"]
    text: str = Field("", max_length=1000)
    granted: bool | None = Field(None, description="extension：是否同意")
    until: str = Field("", max_length=40, description="extension：新的办结时限")
    satisfaction: str = Field("", max_length=20, description="rating：satisfied、basically、unsatisfied、none")

    def canonical(self) -> str:
        """The digest by which a repeated word is told from another one under the same key."""
        return digest_of(self.model_dump_json(exclude_none=True))


class NewsPage(Body):
    news: list[dict[str, object]]
    next: str | None = Field(description="下一页的 after；没有更多时为 null")


@require("send_orders")
async def post_order(request: web.Request) -> web.StreamResponse:
    """Take an order in; 201 the first time, 200 for the same again."""
    count_use(request, "api")
    body = await read_body(request, OrderBody)
    actor, gateway = signed_in(request).actor, gateway_of(request)
    source = source_of(actor, body.source)
    zone = gateway.city.zone
    limits = {name: moment_of(name, text, zone, label=name) if (text := getattr(body, name)) else None for name in LIMITS}
    given = OrderGiven(
        source, body.source_no, body.text, body.place, body.name, body.phone, body.request_type, body.confidential,
        body.lon, body.lat, **limits,
    )  # fmt: skip
    received = await take_order(gateway, given)
    answer = {"case_no": str(received.case_no), "source": source, "source_no": body.source_no, "repeated": received.repeated}
    return json_response(answer, status=200 if received.repeated else 201)


@require("send_orders")
async def show_order(request: web.Request) -> web.StreamResponse:
    """How an order stands, with everything its source was told."""
    count_use(request, "api")
    return json_response(order_told(await _order(request)))


@require("send_orders")
async def show_news(request: web.Request) -> web.StreamResponse:
    """What became of a source's orders, oldest first, from where it stopped reading."""
    count_use(request, "api")
    source = source_of(signed_in(request).actor, request.query.get("source", ""))
    if source not in gateway_of(request).city.sources:
        raise BadInput("source", "没有这个来源。")
    after = whole_number(dict(request.query), "after", usual=0, most=2**62)
    page = await gateway_of(request).store.read(lambda work: news_after(work, source, after))
    following = str(page[-1][0].news_id) if page else None
    return json_response({"news": [told(news, order) for news, order in page], "next": following})


@require("send_orders")
async def hear_source(request: web.Request) -> web.StreamResponse:
    """A word of the source about its order becomes a step of the case; the same key with the same body counts once."""
    count_use(request, "api")
    key, gateway = idempotency_key(request), gateway_of(request)
    seen, word = await _order(request), await read_body(request, SourceWord)
    step, fields = _step_of(word)
    if step == "order_extended" and word.granted is None:
        raise BadInput("granted", "请说明是否同意延期：true 或 false。")
    if step == "order_extended" and word.granted and not word.until:
        raise BadInput("until", "同意延期时要给出新的办结时限。")
    command, digest = Command(seen.case.case_no, step, signed_in(request).actor, fields=fields), word.canonical()
    await gateway.store.write(lambda work: hear_word(work, command, gateway.rules, key=key, digest=digest))
    return json_response(order_told(await _order(request)))


@require("send_orders")
async def show_order_photo(request: web.Request) -> web.StreamResponse:
    """A picture that was named in a 回单."""
    count_use(request, "api")
    seen, token = await _order(request), request.match_info["token"]
    path = request.app[ALBUM].path(token)

    def is_named(work: Work) -> bool:
        found = work.get(Attachment, token)
        return found is not None and found.case_no == seen.case.case_no and _was_named(seen, token)

    if not await gateway_of(request).store.read(is_named) or not path.is_file():
        raise NotFound("没有这张照片。")
    return web.FileResponse(path, headers={"Cache-Control": "no-store", "Content-Type": "image/jpeg"})


def _was_named(seen: OrderSeen, token: str) -> bool:
    for news in seen.news:
        photos = news.body.get("photos", ())
        if isinstance(photos, list | tuple) and token in photos:
            return True
    return False


async def _order(request: web.Request) -> OrderSeen:
    """The order of the address; a source's own system reaches its own only, and other numbers are told as not found."""
    actor: Actor = signed_in(request).actor
    source = source_of(actor, request.match_info["source"])
    number = request.match_info["number"]
    return await gateway_of(request).store.read(lambda work: find_order(work, source, number))


def _step_of(word: SourceWord) -> tuple[str, dict[str, object]]:
    opinion = {"opinion": word.text} if word.text else {}
    match word.kind:
        case "urge":
            return "urge", {**opinion}
        case "supplement":
            return "supplement", {"text": word.text}
        case "withdraw":
            return "withdraw_complaint", {**opinion}
        case "extension":
            until = {"until": word.until} if word.until else {}
            return "order_extended", {"decision": "grant" if word.granted else "refuse", **until, **opinion}
        case _:
            return "order_rated", {"satisfaction": word.satisfaction, **opinion}


def order_told(seen: OrderSeen) -> dict[str, object]:
    """An order as OrderTold describes it. Nothing of the citizen is in it: the source sent him."""
    order, case = seen.order, seen.case
    moments = ("sign_due_at", "contact_due_at", "finish_due_at", "signed_at", "contacted_at", "answered_at")
    return {
        "case_no": str(case.case_no), "source": order.source, "source_no": order.number,
        "state": case.state.value, "state_words": STATE_WORDS[case.state],
        "order_state": case.upstream_state, "order_state_words": ORDER_WORDS.get(case.upstream_state, ""),
        "result": answer_of(seen), "received_at": order.received_at.isoformat(),
        **{name: _iso(getattr(order, name)) for name in moments},
        "contact_result": order.contact_result, "satisfaction": order.satisfaction,
        "news": [told(news, order) for news in seen.news],
    }  # fmt: skip


def answer_of(seen: OrderSeen) -> str:
    """The words of the last 回单, empty before there is one."""
    answers = [str(news.body.get("text", "")) for news in seen.news if news.kind == "answer_order"]
    return answers[-1] if answers and _is_answered(seen.case) else ""


def _is_answered(case: Case) -> bool:
    return case.upstream_state == "answered"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


_SOURCE = Parameter("source", "path", "来源，如 12345")
_NUMBER = Parameter("number", "path", "来源单号")
OPERATIONS = (
    operation("POST", "/api/v1/orders", "转来工单", request=OrderBody, responses={201: OrderTaken, 200: OrderTaken},
              security=STAFF),
    operation("GET", "/api/v1/orders/{source}/{number}", "工单办理情况", responses={200: OrderTold}, security=STAFF,
              parameters=[_SOURCE, _NUMBER]),
    operation("POST", "/api/v1/orders/{source}/{number}/words", "来源方催办、补充、撤诉、答复延期、评价", request=SourceWord,
              responses={200: OrderTold}, security=STAFF, parameters=[
                  _SOURCE, _NUMBER, Parameter(KEY, "header", "16 到 128 个字符；同一键同一内容只记一次")]),
    operation("GET", "/api/v1/orders/{source}/{number}/photos/{token}", "回单照片", responses={200: None}, security=STAFF,
              parameters=[_SOURCE, _NUMBER, Parameter("token", "path", "照片")], content_type="image/jpeg"),
    operation("GET", "/api/v1/order-news", "取回办理情况", responses={200: NewsPage}, security=STAFF,
              parameters=[Parameter("source", "query", "来源"), Parameter("after", "query", "上一页的 next")]),
)  # fmt: skip
ROUTES = [
    web.post("/api/v1/orders", post_order),
    web.get("/api/v1/orders/{source}/{number}", show_order),
    web.post("/api/v1/orders/{source}/{number}/words", hear_source),
    web.get("/api/v1/orders/{source}/{number}/photos/{token}", show_order_photo),
    web.get("/api/v1/order-news", show_news),
]
