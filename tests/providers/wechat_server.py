"""A server that behaves like WeChat's server side for one account, and WeChat's end of our call-back.

Written from developers.weixin.qq.com: stable_token, custom/send with its window of 48 h and 5 messages, template/send with
its later receipt, media/get; call-backs in safe mode with signatures and sealing of its own, three tries within 5 s each.
"""

import asyncio
import base64
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

APP_ID, APP_SECRET, TOKEN = "wx0000000000000000", "0123456789abcdef0123456789abcdef", "citytoken2026"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
TEMPLATE_ID = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY"
OPENID, ACCOUNT = "oExampleOfAnOpenIdForTests01", "gh_000000000000"
HOOK = "/hooks/chat_wechat"
WINDOW = timedelta(hours=48)
MOST_IN_WINDOW = 5
ERRORS = {
    -1: "system error", 40001: "invalid credential, access_token is invalid or not latest", 40003: "invalid openid",
    40164: "invalid ip, not in whitelist", 42001: "access_token expired", 43004: "require subscribe",
    43101: "user refuse to accept the msg", 45009: "reach max api daily quota limit", 45002: "content size out of limit",
    45015: "response out of time limit or subscription is canceled", 45047: "out of response count limit",
    47003: "argument invalid! data.thing3.value invalid", 48001: "api unauthorized",
}  # fmt: skip


@dataclass
class WechatServer:
    """One account. `faults` are taken one for each sending: an error code, an HTTP status below -100 of itself (-503), or
    `lost`, `garbage`. `now` is WeChat's clock for windows."""

    now: Callable[[], datetime]
    said: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    faults: list[int | str] = field(default_factory=list)
    token_faults: list[int] = field(default_factory=list)
    media: dict[str, bytes] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    followers: set[str] = field(default_factory=lambda: {OPENID})
    windows: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    unsubscribed: set[str] = field(default_factory=set)
    tokens: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    server: TestServer | None = None

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/cgi-bin/stable_token", self._token)
        app.router.add_post("/cgi-bin/message/custom/send", self._custom)
        app.router.add_post("/cgi-bin/message/template/send", self._template)
        app.router.add_post("/cgi-bin/message/subscribe/bizsend", self._bizsend)
        app.router.add_get("/cgi-bin/media/get", self._media)
        self.server = TestServer(app, host="127.0.0.1")
        await self.server.start_server(access_log=None)
        return str(self.server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        if self.server:
            await self.server.close()

    def shut_window(self) -> None:
        """As if 48 h had passed at WeChat."""
        self.windows.clear()

    def spoil_token(self) -> None:
        """As if somebody had asked for another token elsewhere."""
        self.tokens.append(f"token-of-another-{len(self.tokens)}")

    async def _token(self, request: web.Request) -> web.Response:
        given = await request.json()
        self.asked["forced" if given.get("force_refresh") else "token"] += 1
        if self.token_faults:
            return _error(self.token_faults.pop(0))
        if (given["appid"], given["secret"], given["grant_type"]) != (APP_ID, APP_SECRET, "client_credential"):
            return _error(40164)
        if not self.tokens or given.get("force_refresh"):
            self.tokens.append(f"token-{len(self.tokens)}")
        return web.json_response({"access_token": self.tokens[-1], "expires_in": 7200})

    def _fault(self, request: web.Request, name: str) -> web.Response | None:
        self.asked[name] += 1
        if not self.tokens or request.query.get("access_token") != self.tokens[-1]:
            return _error(40001)
        fault = self.faults.pop(0) if self.faults and self.faults[0] != "lost" else None
        if fault == "garbage":
            return web.Response(text="<html>busy</html>")
        if isinstance(fault, int):
            return web.Response(status=-fault, headers={"Retry-After": "7"}) if fault < -100 else _error(fault)
        return None

    async def _custom(self, request: web.Request) -> web.Response:
        if fault := self._fault(request, "custom"):
            return fault
        given = json.loads(await request.text())
        if given["touser"] not in self.followers:
            return _error(43004)
        until, left = self.windows.get(given["touser"], (self.now(), 0))
        if self.now() >= until:
            return _error(45015)
        if not left:
            return _error(45047)
        self.windows[given["touser"]] = (until, left - 1)
        self.said.append(given)
        self.arrived.set()
        if self.faults[:1] == ["lost"] and request.transport:
            self.faults.pop(0)
            request.transport.abort()
        return _error(0)

    async def _template(self, request: web.Request) -> web.Response:
        if fault := self._fault(request, "template"):
            return fault
        given = json.loads(await request.text())
        if given["touser"] not in self.followers:
            return _error(43004)
        known = [number for number, one in enumerate(self.notices, 1) if one["client_msg_id"] == given["client_msg_id"]]
        if not known:
            self.notices.append(given)
            self.arrived.set()
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": 200163840 + (known or [len(self.notices)])[0]})

    async def _bizsend(self, request: web.Request) -> web.Response:
        if fault := self._fault(request, "bizsend"):
            return fault
        given = json.loads(await request.text())
        if given["touser"] in self.unsubscribed:
            return _error(43101)
        self.notices.append(given)
        return _error(0)

    async def _media(self, request: web.Request) -> web.Response:
        if fault := self._fault(request, "media"):
            return fault
        body = self.media.get(request.query["media_id"])
        if body is None:
            return _error(40007)
        return web.Response(body=body, content_type="audio/amr" if body.startswith(b"#!AMR") else "image/jpeg")

    def texts(self) -> list[str]:
        return [one["text"]["content"] if "text" in one else one["msgmenu"]["head_content"] for one in self.said]

    def menu(self) -> list[str]:
        return [row["content"] for row in self.said[-1].get("msgmenu", {}).get("list", [])]


def _error(code: int) -> web.Response:
    # WeChat answers errors with 200, as text.
    return web.Response(text=json.dumps({"errcode": code, "errmsg": ERRORS.get(code, "ok" if not code else "invalid")}))


# Its end of our call-back


def signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def sealed(plain: str, *, app_id: str = APP_ID, random: bytes = b"") -> str:
    message = plain.encode()
    whole = (random or os.urandom(16)) + len(message).to_bytes(4, "big") + message + app_id.encode()
    pad = 32 - len(whole) % 32
    key = base64.b64decode(AES_KEY + "=")
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(whole + bytes([pad]) * pad) + cipher.finalize()).decode()


def document(**fields: object) -> str:
    parts = "".join(f"<{name}><![CDATA[{value}]]></{name}>" if isinstance(value, str) else f"<{name}>{value}</{name}>"
                    for name, value in fields.items())  # fmt: skip
    return f"<xml>{parts}</xml>"


def envelope(plain: str, *, at: datetime, nonce: str = "477", token: str = TOKEN, **how: Any) -> tuple[str, str]:
    """Query and body of a call-back in safe mode."""
    stamp, inside = str(int(at.timestamp())), sealed(plain, **how)
    query = {"signature": signature(token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": OPENID,
             "encrypt_type": "aes", "msg_signature": signature(token, stamp, nonce, inside)}  # fmt: skip
    return urlencode(query), document(ToUserName=ACCOUNT, Encrypt=inside)


@dataclass
class Callbacks:
    """Posts what happens at the account; a message opens its sender's window."""

    http: Any
    server: WechatServer
    number: int = 6000000000000000000

    async def ask(self, echo: str = "8216498", *, token: str = TOKEN) -> tuple[int, str]:
        """The first question, when the address is typed in."""
        stamp = str(int(self.server.now().timestamp()))
        query = {"signature": signature(token, stamp, "477"), "timestamp": stamp, "nonce": "477", "echostr": echo}
        async with self.http.get(f"{HOOK}?{urlencode(query)}") as response:
            return response.status, await response.text()

    async def says(self, text: str = "", *, sender: str = OPENID, **more: object) -> tuple[int, str]:
        """A message; `more` makes it another kind (MsgType and its fields)."""
        self.number += 1
        fields = {"ToUserName": ACCOUNT, "FromUserName": sender, "CreateTime": self._stamp(), "MsgType": "text",
                  "Content": text, "MsgId": self.number}  # fmt: skip
        self.server.windows[sender] = (self.server.now() + WINDOW, MOST_IN_WINDOW)
        return await self.post(document(**fields | more))

    async def event(self, name: str, *, sender: str = OPENID, **more: object) -> tuple[int, str]:
        fields = {"ToUserName": ACCOUNT, "FromUserName": sender, "CreateTime": self._stamp(), "MsgType": "event", "Event": name}
        return await self.post(document(**fields | more))

    async def receipt(self, status: str = "success", *, number: int = 0) -> tuple[int, str]:
        """What became of a template message; by default the last one."""
        return await self.event("TEMPLATESENDJOBFINISH", MsgID=200163840 + (number or len(self.server.notices)), Status=status)

    async def post(self, plain: str, **how: Any) -> tuple[int, str]:
        query, body = envelope(plain, at=how.pop("at", self.server.now()), **how)
        return await self.deliver(query, body)

    async def deliver(self, query: str, body: str) -> tuple[int, str]:
        headers = {"Content-Type": "text/xml"}
        async with self.http.post(f"{HOOK}?{query}", data=body.encode(), headers=headers) as response:
            return response.status, await response.text()

    def _stamp(self) -> int:
        return int(self.server.now().timestamp())
