"""Pushing news of orders to a source: JSON over HTTP, signed, with an id by which a repeat is known.

The signature is HMAC-SHA256 over `timestamp.body` with the shared secret, in hex; docs/channels/orders.md tells the other side
how to check it. Photos are not sent but named; the source fetches them with its token.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from intake.errors import Misconfigured, SendError
from intake.order import News, Order

TIMEOUT_S = 10.0
KEYS = frozenset({"push_url", "secret"})


@dataclass(frozen=True, slots=True)
class PushSetting:
    """Where a source hears from us, and the secret both know."""

    push_url: str
    secret: str


def read_setting(source: str, given: Mapping[str, Any]) -> PushSetting:
    """Check what the settings say of a source; raises Misconfigured, also for an address that others could listen to."""
    if unknown := sorted(given.keys() - KEYS):
        raise Misconfigured(f"来源 {source} 没有这项设置：{unknown[0]}。")
    url, secret = str(given.get("push_url", "")), str(given.get("secret", ""))
    if not _is_private(url):
        raise Misconfigured(f"来源 {source} 的 push_url 应为 https:// 开头的网址：反馈内容不得明文传送，只有本机地址可用 http。")
    if len(secret) < 16:
        raise Misconfigured(f"来源 {source} 的 secret 至少 16 个字符。")
    return PushSetting(url, secret)


def _is_private(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: it is encrypted, or does not leave this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.port == 0 or not host:
            return False
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OrderWebhook:
    """Pushes to one source."""

    def __init__(self, setting: PushSetting, http: aiohttp.ClientSession) -> None:
        self._setting, self._http = setting, http

    async def push(self, news: News, order: Order) -> None:
        """Deliver; raises SendError. Only a 2xx answer counts."""
        body = json.dumps(told(news, order), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **signed(body, self._setting.secret, str(int(time.time())))}
        try:
            async with self._http.post(
                self._setting.push_url, data=body, headers=headers, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            ) as answer:  # fmt: skip
                await _judge(answer)
        except TimeoutError:
            raise SendError("timeout") from None
        except aiohttp.ClientError:
            raise SendError("unavailable") from None


async def _judge(answer: aiohttp.ClientResponse) -> None:
    if 200 <= answer.status < 300:
        return
    if answer.status == 429:
        wait = answer.headers.get("Retry-After", "")
        is_number = wait.isascii() and wait.isdigit() and len(wait) < 6
        raise SendError("throttled", retry_after_s=float(wait) if is_number else None)
    raise SendError("unavailable" if answer.status >= 500 or answer.status == 408 else "refused")


def signed(body: bytes, secret: str, timestamp: str) -> dict[str, str]:
    """The headers that prove a body is ours."""
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Intake-Timestamp": timestamp, "X-Intake-Signature": mac}


def told(news: News, order: Order) -> dict[str, object]:
    """One piece of news as a source reads it, pushed or picked up."""
    return {"id": str(news.news_id), "source": news.source, "source_no": order.number, "case_no": str(order.case_no),
            "kind": news.kind, "at": news.at.isoformat(), **news.body}  # fmt: skip
