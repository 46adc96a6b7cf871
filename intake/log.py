"""Log set-up: JSON lines by structlog, ids bound by context, and a filter that masks whatever looks personal.

A log line is a fixed event name plus fields; contents and payloads are never handed in. The filter is the last defence:
it also covers what libraries log, because the standard library's logging goes through the same processors.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PHONE = re.compile(r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)|(?<!\d)0\d{2,3}-?\d{7,8}(?!\d)")
ID_CARD = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
TOKEN = re.compile(r"\b(bot)?\d{6,12}:[\w-]{30,}|Bearer\s+\S+", re.IGNORECASE)
SECRET_FIELDS = frozenset({"password", "token", "secret", "authorization", "cookie", "query_code", "text", "phone", "name"})
Event = MutableMapping[str, Any]


def masked(text: str) -> str:
    """Numbers of telephones and identity cards, and bearer or bot tokens, replaced by ***."""
    for pattern in (TOKEN, ID_CARD, PHONE):
        text = pattern.sub("***", text)
    return text


def mask_event(_logger: Any, _method: str, event: Event) -> Event:
    """structlog processor: mask every value; fields that must never be logged lose theirs."""
    for name, value in event.items():
        if name in SECRET_FIELDS:
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = masked(value)
    return event


PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def set_up_logging(level: str = "INFO") -> None:
    """One JSON line an event on standard error, for our own code and for libraries."""
    last: list[Any] = [structlog.processors.format_exc_info, mask_event, structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[*PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=PROCESSORS,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # What speaks HTTP logs addresses, and a bot's token is part of its address.
    for name in ("aiohttp.access", "asyncio", "PIL", "jieba", "alembic", "httpx", "httpcore"):
        logging.getLogger(name).setLevel("WARNING")
