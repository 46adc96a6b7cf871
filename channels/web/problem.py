"""What a refused or failed request is answered: a page for people, application/problem+json (RFC 9457) for programs.

Nothing the caller sent is repeated, and nothing of the inside is told beyond the request id.
"""

from dataclasses import dataclass

from aiohttp import web

from channels.web.body import TooSlow
from channels.web.json_body import dumps
from intake.errors import (
    BadInput,
    BadPayload,
    IllegalMove,
    IntakeError,
    KeyReused,
    NotAllowed,
    NotFound,
    NotSignedIn,
    StaleVersion,
    TooMany,
    Unavailable,
)  # fmt: skip

TYPED = web.RequestKey("typed", dict[str, str])
"""request[TYPED] holds what a citizen typed, label by label, so that a failure never takes it from him."""
REQUEST_ID = web.RequestKey("request_id", str)
FAILED = "系统暂时无法处理，请稍后再试。"
TITLES = {
    400: "请求无法读取", 401: "请先登录", 403: "没有权限", 404: "没有找到", 405: "不支持这种请求", 408: "等待超时",
    409: "案件已有变化", 413: "内容过大", 415: "内容格式不支持", 422: "内容需要修改", 429: "操作过于频繁", 500: "系统暂时无法处理",
    503: "系统暂时无法处理",
}  # fmt: skip
TITLES_OF_CODES = {"illegal_move": "当前状态不能这样操作"}
"""Titles finer than their status."""
DETAILS = {
    400: "请求内容无法读取。", 403: "您没有这项权限。", 404: "没有这个页面，或地址已经改变。", 405: "这个地址不支持这种请求。",
    413: "提交的内容过大，请减少后再试。", 415: "不支持这种内容格式。",
}  # fmt: skip


class BodyTooLarge(BadPayload):
    """More bytes than a request may have."""

    code = "body_too_large"


class FormatNotSupported(BadPayload):
    """A content type we do not read."""

    code = "unsupported_format"

    def __init__(self, message: str) -> None:
        super().__init__(message, field="Content-Type")


STATUS: tuple[tuple[type[IntakeError], int], ...] = (
    (TooSlow, 408),
    (BodyTooLarge, 413),
    (FormatNotSupported, 415),
    (BadPayload, 400),
    (BadInput, 422),
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (IllegalMove, 409),
    (StaleVersion, 409),
    (KeyReused, 422),
    (TooMany, 429),
    (Unavailable, 503),
)
"""First match wins, so the finer class stands before the wider one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal as it is told. `field` is the caller's own name for what cannot be taken."""

    status: int
    code: str
    detail: str
    field: str = ""
    current_version: int | None = None
    changes: tuple[object, ...] | None = None
    retry_after_s: int | None = None

    @property
    def title(self) -> str:
        usual = TITLES.get(self.status, TITLES[500] if self.status >= 500 else "请求未被接受")
        return TITLES_OF_CODES.get(self.code, usual)


def problem_of(error: BaseException) -> Problem:
    """Any exception as a problem; what is not raised on purpose says nothing of itself."""
    if isinstance(error, IntakeError):
        return _ours(error)
    if isinstance(error, web.HTTPException) and error.status < 500:
        detail = DETAILS.get(error.status, "请求未被接受。")
        code = "body_too_large" if error.status == 413 else f"http_{error.status}"
        return Problem(error.status, code, detail, field="body" if error.status == 413 else "")
    if isinstance(error, web.RequestPayloadError | ConnectionError):
        return Problem(400, "cut_off", DETAILS[400])
    return Problem(500, "failed", FAILED)


def _ours(error: IntakeError) -> Problem:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    stale = error if isinstance(error, StaleVersion) else None
    return Problem(
        status=status,
        code=error.code,
        detail=error.message if status < 500 or isinstance(error, Unavailable) else FAILED,
        field=error.field if isinstance(error, BadInput) else "",
        current_version=stale.current_version if stale else None,
        changes=tuple(stale.changes) if stale else None,
        retry_after_s=error.retry_after_s if isinstance(error, TooMany) else None,
    )


def problem_json(request: web.Request, problem: Problem) -> web.Response:
    """The answer to a program."""
    told: dict[str, object] = {
        "type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail,
        "code": problem.code, "field": problem.field or None, "request_id": request.get(REQUEST_ID, ""),
        "current_version": problem.current_version, "changes": problem.changes,
        "retry_after_s": problem.retry_after_s,
    }  # fmt: skip
    body = dumps({name: value for name, value in told.items() if value is not None})
    return web.Response(body=body, status=problem.status, content_type="application/problem+json")


def with_patience(response: web.Response, problem: Problem) -> web.Response:
    """Tell also in a header how long to wait."""
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response
