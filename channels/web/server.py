"""The application: routes of all page families, and what surrounds every request.

Around a request, from outside in: its id, the clock, the log line, errors turned into answers. Headers that every
answer carries are set when it is prepared, so that streams and refusals carry them too. Pages stand in their modules.
"""

import re
import time
from collections.abc import Awaitable, Callable
from itertools import count
from secrets import token_hex
from types import ModuleType
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from channels.web import (
    api_case,
    api_docs,
    api_orders,
    api_report,
    api_staff,
    call_finish,
    call_out,
    call_page,
    call_panel,
    call_phone,
    case_acts,
    case_paper,
    citizen,
    citizen_status,
    desk_aid,
    desk_callback,
    desk_case,
    desk_hand,
    desk_ledger,
    desk_line,
    desk_live,
    desk_mark,
    desk_order,
    desk_peers,
    desk_phone,
    desk_queue,
    desk_saved,
    desk_task,
    events,
    health,
    hooks,
    media,
    openapi,
    signin_page,
    spoken,
    static,
    unit_contact,
    vendor,
)
from channels.web.client_address import is_from_proxy
from channels.web.connection import UNREADABLE
from channels.web.form import MULTIPART
from channels.web.media import ALBUM, Album
from channels.web.metrics import METRICS, Metrics
from channels.web.problem import REQUEST_ID, TYPED, Problem, problem_json, problem_of, with_patience
from channels.web.rate import LIMITER, Limiter
from channels.web.render import build_templates, load_assets, page
from channels.web.setting import GATEWAY, SETTING, TEMPLATES, WebSetting
from channels.web.static import ASSETS
from channels.web.vendor import VENDOR, load_vendor
from intake.errors import IntakeError
from intake.gateway import Gateway

MODULES: tuple[ModuleType, ...] = (
    citizen, citizen_status, api_report, api_case, media, health, openapi, api_docs, static, signin_page, desk_queue,
    desk_hand, desk_saved, desk_live, desk_peers, desk_phone, desk_aid, call_page, call_panel, call_finish, call_phone,
    desk_line, call_out, desk_callback, desk_mark, desk_case, case_acts, case_paper, unit_contact, api_orders,
    desk_order, desk_ledger, desk_task, api_staff, events, hooks, vendor, spoken,
)  # fmt: skip
"""Each offers ROUTES, and where it has them OPERATIONS for the API document and set_up(app)."""
SMALL_BODY_BYTES = 256 * 1024
"""The cap of every body but pictures, which their own reader counts."""

log = structlog.get_logger()
_CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")  # fmt: skip
HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Unique, not secret. Asking the system for randomness each time would let go of the interpreter lock on the busy path.
_PROCESS, _COUNT = token_hex(4), count(1)
_GIVEN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def build_app(gateway: Gateway, setting: WebSetting) -> web.Application:
    """The whole HTTP server. Run it by connection.make_runner, which keeps what aiohttp would log to itself."""
    app = web.Application(middlewares=[around], client_max_size=SMALL_BODY_BYTES)
    assets = load_assets()
    app[GATEWAY], app[SETTING] = gateway, setting
    fetched = load_vendor()
    app[ASSETS], app[VENDOR], app[TEMPLATES] = assets, fetched, build_templates(gateway, assets, fetched)
    app[LIMITER] = Limiter(setting)
    app[METRICS] = Metrics(lambda: gateway.feed.listener_count)
    app[health.READY_CHECKS] = health.own_checks(gateway)
    app[ALBUM] = Album(setting.media, gateway.city.zone)
    operations: list[openapi.Operation] = []
    for module in MODULES:
        app.add_routes(module.ROUTES)
        operations += getattr(module, "OPERATIONS", ())
        getattr(module, "set_up", _nothing)(app)
    app[openapi.API_DOCUMENT] = openapi.ApiDocument(tuple(operations), gateway.city.title)
    app.on_response_prepare.append(_headers_for(setting))
    return app


def _nothing(_: web.Application) -> None:
    return None


def _headers_for(setting: WebSetting) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    tiles = urlsplit(setting.map_tiles)
    policy = _CSP.replace("blob:", f"blob: {tiles.scheme}://{tiles.netloc}" if tiles.netloc else "blob:")
    always = HEADERS | {"Content-Security-Policy": policy}
    if setting.secure_cookies:
        always["Strict-Transport-Security"] = "max-age=31536000"

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        for name, value in always.items():
            headers[name] = value
        headers["X-Request-ID"] = request.get(REQUEST_ID, "")
        headers.setdefault("Cache-Control", "no-store")
        headers.popall("Server", None)

    return prepare


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everything that holds for every request."""
    if UNREADABLE in request:
        handler = _refuse_unreadable
    started = time.perf_counter()
    # On the request itself, not on its clone: headers are set from it.
    request[REQUEST_ID] = _given_id(request) or f"{_PROCESS}{next(_COUNT):08x}"
    if request.content_type == MULTIPART:
        # Staff forms with pictures are read by aiohttp, which spools files; only then may a body be large.
        request = request.clone(client_max_size=request.app[SETTING].max_body_bytes)
    response = await _answered(request, handler)
    seconds = time.perf_counter() - started
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "unknown"
    request.app[METRICS].count_request(route, status=response.status, seconds=seconds)
    log.info("http.answered", method=request.method, route=route, status=response.status, ms=round(seconds * 1000, 1),
             request_id=request[REQUEST_ID])  # fmt: skip
    return response


async def _refuse_unreadable(request: web.Request) -> web.StreamResponse:
    log.info("http.unreadable", error=request[UNREADABLE], request_id=request[REQUEST_ID])
    raise web.HTTPBadRequest


def _given_id(request: web.Request) -> str:
    """The id a listed proxy gave the request. From anybody else it could be any words, and it goes into the log."""
    given = request.headers.get("X-Request-ID", "")
    return given if given and _GIVEN_ID.fullmatch(given) and is_from_proxy(request) else ""


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPRedirection as move:
        response = web.Response(status=move.status, headers={"Location": move.headers["Location"]})
        response.cookies.update(move.cookies)
        return response
    except (web.HTTPException, web.RequestPayloadError, ConnectionError) as error:
        response = _refusal(request, problem_of(error))
        if isinstance(error, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return response
    except Exception as error:
        if not isinstance(error, IntakeError):
            log.error("http.failed", error=type(error).__name__, request_id=request[REQUEST_ID], trace=_trace(error))
        return _refusal(request, problem_of(error))


def _trace(error: Exception) -> str:
    """Where it happened, without the message: that may quote what was typed."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(frames[-12:])


def _refusal(request: web.Request, problem: Problem) -> web.Response:
    if request.path.startswith(("/api/", "/hooks/")):
        response = problem_json(request, problem)
    else:
        response = page(request, "problem.html", status=problem.status, problem=problem, typed=request.get(TYPED, {}))
    if problem.status == 401 and request.path.startswith("/api/"):
        response.headers["WWW-Authenticate"] = "Bearer"
    return with_patience(response, problem)
