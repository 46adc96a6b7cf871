"""Reading the bytes of a request: no more than is allowed, and for no longer than is allowed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from channels.web.setting import setting_of
from intake.errors import BadPayload


class TooSlow(BadPayload):
    """The body did not come in time."""

    code = "too_slow"

    def __init__(self) -> None:
        super().__init__("等待内容传完的时间过长，请检查网络后再提交。")


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Give up what waits for the sender; raises TooSlow."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TooSlow from None


async def bounded_body(request: web.Request, *, max_bytes: int) -> bytes | None:
    """The body, or None when it is longer than `max_bytes`; never holds more than that. Raises TooSlow."""
    if (request.content_length or 0) > max_bytes:
        return None
    chunks, size = [], 0
    async with within(setting_of(request).max_read_s):
        async for chunk in request.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                return None
    return b"".join(chunks)
