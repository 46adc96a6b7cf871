"""`POST /api/v1/reports`: a report as JSON, or as a multipart form with pictures."""

from collections.abc import Callable

from aiohttp import web

from channels.web.body import bounded_body
from channels.web.client_address import own_origin
from channels.web.form import MULTIPART, Form, read_form
from channels.web.json_body import Body, Field, json_response, loads, read_model
from channels.web.openapi import Parameter, operation
from channels.web.problem import BodyTooLarge, FormatNotSupported
from channels.web.rate import count_use
from channels.web.report import ReportBody, inbound, read_report
from channels.web.setting import gateway_of, setting_of
from channels.web.taking import take_in
from intake.codes import digest_of
from intake.errors import BadInput
from intake.gateway import Gateway
from intake.receive import Received

KEY = "Idempotency-Key"
KEY_CHARS = range(16, 129)


class Suggestion(Body):
    """What the classifier proposes; only a person files it. `confidence` is 0..1."""

    kind: str = Field(description="event 事件 或 component 部件")
    subclass_code: str
    subclass: str = Field(description="小类名称")
    confidence: float


class ReportTaken(Body):
    """What the reporter is told. The query code opens the status page together with the number."""

    case_no: str = Field(description="受理编号，只有数字")
    query_code: str = Field(description="查询码，6 位数字")
    state: str
    status_url: str
    suggestion: Suggestion | None


async def create_report(request: web.Request) -> web.Response:
    """Take a report in; 201 the first time, 200 for the same key with the same body."""
    count_use(request, "api")
    gateway, setting = gateway_of(request), setting_of(request)
    key = idempotency_key(request)
    body, photos = await _read(request)
    if photos:
        count_use(request, "report")  # A picture costs a thousand times what words do, so it has the page's limit.
    values, faults = read_report(body, gateway.city, max_text_chars=setting.max_text_chars)
    if faults:
        raise faults[0]
    provider_id, digest = (f"key:{digest_of(key)}", body.canonical(photos)) if key else ("", "")
    message = inbound(values, at=gateway.now(), provider_id=provider_id, digest=digest)
    received = await take_in(request, message, photos)
    return json_response(told(request, gateway, received), status=200 if received.repeated else 201)


def idempotency_key(request: web.Request) -> str:
    """The key, empty when none was sent; raises BadInput for one that is too short, too long or not plain ASCII."""
    given = request.headers.getall(KEY, ())
    if not given:
        return ""
    key = given[0]
    if len(given) > 1 or len(key) not in KEY_CHARS or not (key.isascii() and key.isprintable()):
        raise BadInput(KEY, f"{KEY} 应为 16 到 128 个可见的 ASCII 字符，且只给一次。")
    return key


async def _read(request: web.Request) -> tuple[ReportBody, list[bytes]]:
    if request.content_type == MULTIPART:
        form = await read_form(request)
        return read_model(ReportBody, plain_of(form)), form.photos
    if request.content_type != "application/json":
        raise FormatNotSupported("请用 application/json，带照片时用 multipart/form-data。")
    limit = setting_of(request).max_json_bytes
    body = await bounded_body(request, max_bytes=limit)
    if body is None:
        raise BodyTooLarge(f"请求内容超过 {limit // 1024} KB，请缩短 text。", field="text")
    return read_model(ReportBody, loads(body)), []


def plain_of(form: Form) -> dict[str, object]:
    """A form as the JSON object it stands for: numbers and yes-or-no by name, `contact.phone` into its object."""
    plain: dict[str, object] = {}
    for name, given in form.fields.items():
        if name in ("contact.name", "contact.phone"):
            contact = plain.setdefault("contact", {})
            if not isinstance(contact, dict):
                raise BadInput("contact", "contact 出现了两次。")
            contact[name.removeprefix("contact.")] = given
        else:
            plain[name] = PART_READERS.get(name, _as_given)(name, given)
    return plain


def _number(name: str, given: str) -> float | None:
    try:
        return float(given) if given.strip() else None
    except ValueError:
        raise BadInput(name, f"{name}：应当是数字。") from None


def _yes_or_no(name: str, given: str) -> bool | None:
    words = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False, "": None}
    if given.strip().lower() not in words:
        raise BadInput(name, f"{name}：只能是 true 或 false。")
    return words[given.strip().lower()]


def _object(name: str, given: str) -> object:
    return loads(given.encode()) if given.strip() else None


def _as_given(_: str, given: str) -> str:
    return given


def _words(_: str, given: str) -> str | None:
    return given or None


PART_READERS: dict[str, Callable[[str, str], object]] = {
    "lon": _number, "lat": _number, "anonymous": _yes_or_no, "confidential": _yes_or_no, "wants_reply": _yes_or_no,
    "contact": _object, "coord_sys": _words,
}  # fmt: skip


def told(request: web.Request, gateway: Gateway, received: Received) -> dict[str, object]:
    """The answer as ReportTaken describes it; a plain dict, because this is the busiest way in."""
    best = received.prediction.best
    suggestion = best and {
        "kind": best.subclass.kind.value,
        "subclass_code": best.subclass.code,
        "subclass": gateway.city.taxonomy.name(best.subclass),
        "confidence": best.confidence,
    }
    return {
        "case_no": str(received.case_no),
        "query_code": gateway.query_code_of(received),
        "state": received.state.value,
        "status_url": f"{own_origin(request)}/status?no={received.case_no}",
        "suggestion": suggestion,
    }


OPERATIONS = (
    operation("POST", "/api/v1/reports", "反映问题", request=ReportBody, responses={201: ReportTaken, 200: ReportTaken},
              parameters=[Parameter(KEY, "header", "16 到 128 个字符；同一键同一内容只受理一次")], multipart=True),
)  # fmt: skip
ROUTES = [web.post("/api/v1/reports", create_report)]
