"""Connections below the application: what cannot be read as a request is still answered and logged by our own rules.

aiohttp would answer it in English, repeat the raw bytes, and write them into the log. The only place that reaches into
its server; everything else is the application's (server.py).
"""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from channels.web.problem import FAILED

UNREADABLE = web.RequestKey("unreadable", str)
"""request[UNREADABLE] is the fault's name where no request could be read; everything else of the request is made up."""

EXPECT, CONTINUE = "Expect", "100-continue"

log = structlog.get_logger()


class Connection(web.RequestHandler):
    """One connection. Requests that cannot be read go through the application too, marked UNREADABLE."""

    __slots__ = ("_application",)

    def __init__(self, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._application = server.request_handler

    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109  The name is aiohttp's.
        # aiohttp waits this long twice: for the handler to end by itself, then for it to end when told to.
        await super().shutdown(timeout / 2 if timeout else timeout)

    def _make_error_handler(self, err_info: Any) -> Callable[[Any], Awaitable[web.StreamResponse]]:
        async def answer(request: Any) -> web.StreamResponse:
            request[UNREADABLE] = type(err_info.exc).__name__
            response = await self._application(request)
            response.force_close()
            return response

        return answer

    def handle_error(
        self, request: Any, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The last resort, where even the answer to a failure failed."""
        response = super().handle_error(request, status, exc, message)
        if isinstance(response, web.Response):
            response.text = FAILED
        return response

    def log_exception(self, *_: Any, exc_info: object = None, **__: Any) -> None:
        """The kind of a fault, never its message: that may quote what was sent."""
        log.error("http.connection_failed", error=type(exc_info).__name__)


def _without_unknown_expectation(make: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    """An expectation but 100-continue is passed over (RFC 9110, 10.1.1 allows it). aiohttp would answer it in English with what
    was sent, below the application, and fail at bytes that are no text."""

    def made(message: Any, *rest: Any, **more: Any) -> web.BaseRequest:
        if message.headers.get(EXPECT, CONTINUE).lower() != CONTINUE:
            kept = CIMultiDict(message.headers)
            kept.popall(EXPECT)
            message = message._replace(headers=CIMultiDictProxy(kept))
        return make(message, *rest, **more)

    return made


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class _Runner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=_without_unknown_expectation(made.request_factory),
                       handler_cancellation=made.handler_cancellation, loop=made._loop, **made._kwargs)  # fmt: skip


def make_runner(app: web.Application, *, shutdown_s: float, **options: Any) -> web.AppRunner:
    """What serves an application. Stopping takes at most `shutdown_s`, whatever is still being sent or received."""
    return _Runner(app, shutdown_timeout=shutdown_s, **({"access_log": None} | options))
