"""The citizen's report: the form on the first page, and the receipt. Works without JavaScript.

Whatever goes wrong after he pressed the button, the form comes back with what he typed; only pictures must be chosen
again, because browsers do not let a page fill them in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aiohttp import web

from channels.web.client_address import own_origin
from channels.web.form import Form, read_form
from channels.web.json_body import read_model
from channels.web.problem import TYPED, problem_of, with_patience
from channels.web.qr import qr_svg
from channels.web.rate import count_use
from channels.web.render import SIZE_COOKIE, page
from channels.web.report import ReportBody, inbound, read_report
from channels.web.setting import gateway_of, setting_of
from channels.web.taking import take_in
from intake.codes import digest_of, new_secret
from intake.errors import BadInput, IntakeError
from intake.receive import Judged, Received

LABELS = {"text": "问题描述", "place": "位置", "position": "定位", "photos": "照片", "name": "称呼", "phone": "电话",
          "reply": "答复方式", "anonymous": "匿名"}  # fmt: skip
FORM_NAMES = {"contact.name": "name", "contact.phone": "phone", "lon": "position", "lat": "position",
              "coord_sys": "position"}  # fmt: skip
"""Where a fault of the report is shown on the form."""
WAYS = {"page": "我自己在网页查询", "phone": "电话答复", "sms": "短信答复"}
WISH_OF = {"phone": "call", "sms": "sms"}
"""The way chosen in the form, as the reply ledger knows it (intake.ledger.WISHES)."""
CHECK = "有 {count} 处需要修改，请按提示改好后再提交。"
OFF_THE_MAP = "定位不在本市范围内，已去掉定位，请填写文字位置。"
SIZES = {"normal", "large"}
TOKEN_CHARS = 32
YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class FormView:
    """The form as it is shown: what was typed, what is wrong with it by field, and a word on the whole."""

    token: str
    ways: tuple[tuple[str, str], ...]
    max_photos: int
    max_photo_mb: int
    max_text: int
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    photos_lost: bool = False

    def value(self, name: str) -> str:
        return self.typed.get(name, "")


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """What the citizen takes away. `address` opens the status page with the number filled in, never with the code."""

    case_no: str
    code: str
    address: str
    danger: bool
    calls: tuple[str, ...]
    suggestion: str
    way: str
    confidential: bool
    repeated: bool
    empty_photos: int = 0


async def show_form(request: web.Request) -> web.Response:
    return page(request, "home.html", form=form_view(request))


def form_view(request: web.Request, form: Form | None = None, *, faults: Mapping[str, str] | None = None,
              notice: str = "") -> FormView:  # fmt: skip
    """A fresh form, or the one that was sent with its faults. The token stays, so that a double press files once."""
    setting, offered = setting_of(request), gateway_of(request).rules.offered
    return FormView(
        token=token_of(form),
        ways=tuple((way, words) for way, words in WAYS.items() if way != "sms" or "sms" in offered),
        max_photos=setting.max_photos,
        max_photo_mb=setting.max_photo_bytes // (1024 * 1024),
        max_text=setting.max_text_chars,
        typed=form.fields if form else {},
        faults=faults or {},
        notice=notice,
        photos_lost=bool(form and form.photos),
    )


def token_of(form: Form | None) -> str:
    """What makes one filled-in form itself. A form without a proper one gets a fresh one: two people may well write the
    same words, and must never be given one another's number and code.
    """
    given = form.get("form_token") if form else ""
    return given if len(given) >= TOKEN_CHARS else new_secret()


async def report(request: web.Request) -> web.Response:
    """Take a report in and show its receipt; the same form sent again gives the same receipt."""
    form = Form()
    try:
        await read_form(request, form=form)
        request[TYPED] = {LABELS[name]: form.get(name) for name in ("text", "place") if form.get(name)}
        count_use(request, "report")
        return await _taken(request, form)
    except IntakeError as error:
        return _again(request, form, [error])


async def _taken(request: web.Request, form: Form) -> web.Response:
    gateway, setting = gateway_of(request), setting_of(request)
    try:
        body = body_of(form)
    except BadInput as fault:
        return _again(request, form, [fault])
    values, faults = read_report(body, gateway.city, max_text_chars=setting.max_text_chars)
    faults += _way_faults(body, form)
    if faults:
        return _again(request, form, faults)
    # The words belong to the key: after going back and changing them, the report is another one. Pictures do not,
    # because a browser that reloads the receipt may send them empty.
    key = digest_of(token_of(form) + body.canonical())
    message = inbound(values, at=gateway.now(), provider_id=f"form:{key}", digest=key)
    message = replace(message, reply_by=WISH_OF.get(form.get("reply"), "") if message.wants_reply else "")
    pictures = [photo for photo in form.photos if photo]
    received = await take_in(request, message, pictures)
    receipt = receipt_view(request, received, gateway.judge(message.text), body)
    receipt = replace(receipt, empty_photos=0 if received.repeated else len(form.photos) - len(pictures))
    return page(request, "receipt.html", receipt=receipt, qr=qr_svg(f"{receipt.address}#code={receipt.code}"))


def body_of(form: Form) -> ReportBody:
    """The report in the shape the API shares; raises BadInput for a position that is no number."""
    contact = {"name": form.get("name"), "phone": form.get("phone")}
    return read_model(ReportBody, {
        "text": form.get("text"), "place": form.get("place"), "lon": _degrees(form, "lon"), "lat": _degrees(form, "lat"),
        "coord_sys": form.get("coord_sys") or None, "contact": contact, "anonymous": form.is_on("anonymous"),
        "confidential": form.is_on("confidential"), "wants_reply": form.get("reply") in ("phone", "sms"),
    })  # fmt: skip


def _degrees(form: Form, name: str) -> float | None:
    try:
        return float(form.get(name)) if form.get(name).strip() else None
    except ValueError:
        raise BadInput(name, OFF_THE_MAP) from None


def _way_faults(body: ReportBody, form: Form) -> list[BadInput]:
    if not body.wants_reply:
        return []
    if body.anonymous:
        return [BadInput("anonymous", "匿名反映无法电话或短信答复，请取消匿名，或选择在网页查询。")]
    return [] if form.get("phone").strip() else [BadInput("phone", "要电话或短信答复，请填写电话。")]


def _again(request: web.Request, form: Form, errors: Sequence[IntakeError]) -> web.Response:
    """The form once more, with the fault beside each field; what belongs to no field stands on top."""
    faults, others = sorted_faults(errors)
    if "position" in faults:
        form.fields = form.fields | {"lon": "", "lat": ""}
    problem = problem_of(errors[0])
    notice = others[0] if others else CHECK.format(count=len(faults))
    view = form_view(request, form, faults=faults, notice=notice)
    return with_patience(page(request, "home.html", status=problem.status, form=view), problem)


def sorted_faults(errors: Sequence[IntakeError]) -> tuple[dict[str, str], list[str]]:
    """Messages by field of the form, and those that belong to none."""
    faults: dict[str, str] = {}
    others: list[str] = []
    for error in errors:
        name = FORM_NAMES.get(error.field, error.field) if isinstance(error, BadInput) else ""
        if name == "position":
            faults[name] = OFF_THE_MAP
        elif name in LABELS:
            faults[name] = error.message
        else:
            others.append(problem_of(error).detail)
    return faults, others


def receipt_view(request: web.Request, received: Received, judged: Judged, body: ReportBody) -> ReceiptView:
    gateway = gateway_of(request)
    best = received.prediction.best
    return ReceiptView(
        case_no=str(received.case_no),
        code=gateway.query_code_of(received),
        address=f"{own_origin(request)}/status?no={received.case_no}",
        danger=bool(judged.danger_words),
        calls=judged.calls,
        suggestion=gateway.city.taxonomy.name(best.subclass) if best else "",
        way="phone" if body.wants_reply else "page",
        confidential=bool(body.confidential),
        repeated=received.repeated,
    )


async def set_size(request: web.Request) -> web.Response:
    """Large type on or off for this browser, and back to the page he came from."""
    size, back = request.match_info["size"], request.query.get("back", "/")
    if size not in SIZES:
        raise web.HTTPNotFound
    # A path of our own only: `//host` and `/\host` lead elsewhere.
    local = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable() and "\\" not in back
    response = web.Response(status=303, headers={"Location": back if local else "/"})
    response.set_cookie(
        SIZE_COOKIE, size, path="/", max_age=YEAR_S, samesite="Lax", secure=setting_of(request).secure_cookies
    )
    return response


ROUTES = [web.get("/", show_form), web.post("/report", report), web.get("/size/{size}", set_size)]
