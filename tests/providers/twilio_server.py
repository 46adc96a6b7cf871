"""A server that behaves like Twilio's REST API and signs webhooks like Twilio, as far as its documentation says.

Written from twilio.com/docs (messaging/api/message-resource, usage/security, api/errors), with a signature of its own, so
that ours is not checked against itself.
"""

import asyncio
import base64
import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.make import NOON

SID, TOKEN, NUMBER = "AC" + "0" * 32, "12345", "+8619900000099"
ERRORS = {21211: (400, "Invalid 'To' Phone Number"), 21610: (400, "Attempt to send to unsubscribed recipient"),
          21614: (400, "'To' number is not a valid mobile number"), 21617: (400, "The concatenated message body exceeds"),
          20429: (429, "Too Many Requests"), 20003: (401, "Authenticate")}  # fmt: skip
JPEG_PATH = "/2010-04-01/Accounts/{sid}/Messages/{message}/Media/{media}"


@dataclass
class Message:
    sid: str
    to: str
    body: str
    callback: str
    status: str = "queued"
    sender: str = ""
    at: datetime = NOON
    media: tuple[str, ...] = ()

    @property
    def listed(self) -> dict[str, object]:
        """As the list shows it."""
        return {"sid": self.sid, "to": self.to, "from": self.sender or NUMBER, "body": self.body, "status": self.status,
                "direction": "inbound" if self.sender else "outbound-api", "num_media": str(len(self.media)),
                "date_sent": format_datetime(self.at), "error_code": None}  # fmt: skip


@dataclass
class TwilioServer:
    """One account. `faults` are taken one for each request: an error code, an HTTP status, or `hang`/`lost`."""

    messages: list[Message] = field(default_factory=list)
    faults: list[int | str] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    media: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    auth_seen: list[str] = field(default_factory=list)
    page_size: int = 1000
    always: int | str | None = None
    server: TestServer | None = None

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/2010-04-01/Accounts/{sid}/Messages.json", self._create)
        app.router.add_get("/2010-04-01/Accounts/{sid}/Messages.json", self._list)
        app.router.add_get("/2010-04-01/Accounts/{sid}/Messages/{message}/Media.json", self._media_list)
        app.router.add_get("/media/{name}", self._media)
        self.server = TestServer(app, host="127.0.0.1")
        await self.server.start_server(access_log=None)
        return str(self.server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        if self.server:
            await self.server.close()

    async def _outage(self, request: web.Request) -> web.StreamResponse | None:
        """What every request gets while the provider is ill: a status, a page that means nothing, a line that is cut, or
        silence until the asker goes away."""
        if self.always == "silence":
            await asyncio.Event().wait()
        if self.always == "cut" and request.transport:
            request.transport.abort()
        if isinstance(self.always, int):
            return _error(20429) if self.always == 429 else web.Response(status=self.always, text="<html>upstream error</html>")
        return web.Response(text="<html>welcome</html>") if self.always else None

    def _fault(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != aiohttp.encode_basic_auth(SID, TOKEN):
            return _error(20003)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int) and fault in ERRORS:
            return _error(fault)
        if isinstance(fault, int):
            return web.Response(status=fault, text="<html>upstream error</html>")
        return None

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self.asked["create"] += 1
        if (ill := await self._outage(request)) is not None:
            return ill
        lost = self.faults[:1] == ["lost"]
        if lost:
            self.faults.pop(0)
        if fault := self._fault(request):
            return fault
        form = await request.post()
        if form["To"] in self.stopped:
            return _error(21610)
        message = Message(f"SM{len(self.messages) + 1:032x}", str(form["To"]), str(form["Body"]), str(form["StatusCallback"]))
        self.messages.append(message)
        self.arrived.set()
        if lost and request.transport:
            request.transport.abort()
        return web.json_response({"sid": message.sid, "status": "queued", "direction": "outbound-api"}, status=201)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self.asked["list"] += 1
        if (ill := await self._outage(request)) is not None:
            return ill
        if fault := self._fault(request):
            return fault
        to, day = request.query.get("To"), request.query.get("DateSent>", "")
        found = [m.listed for m in reversed(self.messages) if to in (None, m.to) and m.at.date().isoformat() >= day]
        size, page = min(int(request.query["PageSize"]), self.page_size), int(request.query.get("Page", 0))
        following = request.rel_url.update_query(Page=page + 1) if len(found) > (page + 1) * size else None
        return web.json_response({"messages": found[page * size : (page + 1) * size],
                                  "next_page_uri": str(following) if following else None})  # fmt: skip

    async def _media_list(self, request: web.Request) -> web.Response:
        message = next(one for one in self.messages if one.sid == request.match_info["message"])
        return web.json_response({"media_list": [{"uri": f"/media/{name}.json", "content_type": "image/jpeg"} for name in message.media]})

    async def _media(self, request: web.Request) -> web.Response:
        self.auth_seen.append(request.headers.get("Authorization", ""))
        status, headers, body = self.media[request.match_info["name"]]
        return web.Response(status=status, headers=headers, body=body)


def _error(code: int) -> web.Response:
    status, words = ERRORS[code]
    headers = {"Retry-After": "30"} if status == 429 else {}
    return web.json_response({"code": code, "message": words, "status": status}, status=status, headers=headers)


def signature(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def incoming(sid: str, sender: str, body: str, **more: str) -> dict[str, str]:
    """The form of an incoming message, as Twilio posts it."""
    return {"ToCountry": "CN", "SmsMessageSid": sid, "NumMedia": "0", "SmsSid": sid, "SmsStatus": "received", "Body": body,
            "To": NUMBER, "MessageSid": sid, "AccountSid": SID, "From": sender, "ApiVersion": "2010-04-01"} | more  # fmt: skip


def status_of(message: Message, status: str, **more: str) -> dict[str, str]:
    """The form of a status call-back."""
    return {"SmsSid": message.sid, "SmsStatus": status, "MessageStatus": status, "To": message.to, "MessageSid": message.sid,
            "AccountSid": SID, "From": NUMBER, "ApiVersion": "2010-04-01"} | more  # fmt: skip


@dataclass
class Webhook:
    """Twilio's end of our webhook: posts signed forms. `public` is the address it knows, `local` where the test listens."""

    http: Any
    public: str
    path: str = "/hooks/sms_twilio"

    async def post(self, form: dict[str, str], *, token: str = TOKEN, signed: str | None = None) -> int:
        headers = {"X-Twilio-Signature": signature(self.public + self.path, form, token) if signed is None else signed,
                   "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
        async with self.http.post(self.path, data=urlencode(form), headers=headers) as response:
            await response.read()
            return int(response.status)
