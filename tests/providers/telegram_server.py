"""A server that behaves like the documented Bot API: updates by polling or webhook until confirmed, messages, files.

Written from core.telegram.org/bots/api (making requests, getting updates, setWebhook, sendMessage, getFile). Its own
answers of failure: 401 for a wrong token, 409 while a webhook is set or two readers ask, 429 with retry_after, 403 for a
user who blocked the bot, 400 for a chat that does not exist.
"""

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "123456789:AAExampleOfATokenForTestsOnly_0123456789"
BOT = {"id": 123456789, "is_bot": True, "first_name": "城管热线", "username": "hotline_example_bot"}
CITIZEN = 55501
FAULTS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "flood": (429, "Too Many Requests: retry after 7", {"retry_after": 7}),
    "blocked": (403, "Forbidden: bot was blocked by the user", {}),
    "never_started": (403, "Forbidden: bot can't initiate conversation with a user", {}),
    "deactivated": (403, "Forbidden: user is deactivated", {}),
    "no_chat": (400, "Bad Request: chat not found", {}),
    "too_long": (400, "Bad Request: message is too long", {}),
    "bad": (400, "Bad Request: can't parse entities", {}),
    "token": (401, "Unauthorized", {}),
    "gateway": (502, "Bad Gateway", {}),
    "internal": (500, "Internal Server Error", {}),
}


@dataclass
class TelegramServer:
    """One bot. `faults` are taken one for each sendMessage: a name of FAULTS, `lost` (taken, answer cut) or `garbage`."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    poll_faults: list[str] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    confirmed: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    offsets: list[int | None] = field(default_factory=list)
    webhook: dict[str, Any] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    server: TestServer | None = None
    number: int = 700
    reader: object = None

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.*}", self._file)
        app.router.add_post("/file/bot{token}/{path:.*}", self._file)
        self.server = TestServer(app, host="127.0.0.1")
        await self.server.start_server(access_log=None)
        return str(self.server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        if self.server:
            await self.server.close()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.asked[method] += 1
        if request.match_info["token"] != TOKEN:
            return _refused(*FAULTS["token"])
        given = {name: _read(str(value)) for name, value in (await request.post()).items()}
        answer: web.StreamResponse = await getattr(self, "_" + re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", method))(
            request, given
        )
        return answer

    async def _get_me(self, _request: web.Request, _given: dict[str, Any]) -> web.Response:
        return _ok(BOT)

    async def _set_webhook(self, _request: web.Request, given: dict[str, Any]) -> web.Response:
        self.webhook = given
        self.changed.set()
        return _ok(True)

    async def _delete_webhook(self, _request: web.Request, _given: dict[str, Any]) -> web.Response:
        self.webhook = {}
        return _ok(True)

    async def _get_updates(self, _request: web.Request, given: dict[str, Any]) -> web.Response:
        """Long polling: an offset confirms what is below it; a second reader ends the first one with 409."""
        if self.webhook:
            return _refused(409, "Conflict: can't use getUpdates method while webhook is active", {})
        if self.poll_faults:
            return _refused(*FAULTS[self.poll_faults.pop(0)])
        offset = given.get("offset")
        self.offsets.append(offset)
        self.waiting = [one for one in self.waiting if offset is None or one["update_id"] >= offset]
        self.reader = mine = object()
        self.changed.set()
        try:
            async with asyncio.timeout(int(given.get("timeout", 0)) or 0.001):
                while not self.waiting and self.reader is mine:
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return _ok([])
        if self.reader is not mine:
            return _refused(409, "Conflict: terminated by other getUpdates request", {})
        return _ok(self.waiting[:100])

    async def _send_message(self, request: web.Request, given: dict[str, Any]) -> web.Response:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "garbage":
            return web.Response(text="<html>not JSON</html>")
        if fault in FAULTS:
            return _refused(*FAULTS[fault])
        if given["chat_id"] in self.blocked:
            return _refused(*FAULTS["blocked"])
        self.sent.append(given)
        self.arrived.set()
        if fault == "lost" and request.transport:
            request.transport.abort()
        chat = {"id": given["chat_id"], "type": "private"}
        return _ok({"message_id": 9000 + len(self.sent), "date": 1795147200, "chat": chat, "from": BOT, "text": given["text"]})

    async def _answer_callback_query(self, _request: web.Request, given: dict[str, Any]) -> web.Response:
        self.confirmed.append(str(given["callback_query_id"]))
        return _ok(True)

    async def _get_file(self, _request: web.Request, given: dict[str, Any]) -> web.Response:
        name = str(given["file_id"])
        if name not in self.files:
            return _refused(400, "Bad Request: invalid file_id", {})
        return _ok({"file_id": name, "file_unique_id": name, "file_size": len(self.files[name]), "file_path": f"photos/{name}"})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["path"].removeprefix("photos/")])

    # What happens at Telegram

    def happens(self, **what: Any) -> dict[str, Any]:
        """A new update; polling readers get it until they confirm it."""
        self.number += 1
        update = {"update_id": self.number, **what}
        self.waiting.append(update)
        self.changed.set()
        return update

    def says(self, text: str = "", *, chat: int = CITIZEN, **more: Any) -> dict[str, Any]:
        return self.happens(message=message(self.number + 1, text, chat=chat, **more))

    def presses(self, label: str, *, chat: int = CITIZEN) -> dict[str, Any]:
        """He presses a button under the last message; the label must be there."""
        rows = self.sent[-1]["reply_markup"]["inline_keyboard"]
        data = next(key["callback_data"] for row in rows for key in row if key["text"] == label)
        return self.happens(callback_query={"id": f"cb{self.number}", "from": person(chat), "chat_instance": "1", "data": data,
                                            "message": message(1, "…", chat=chat)})  # fmt: skip

    def texts(self) -> list[str]:
        return [one["text"] for one in self.sent]

    def buttons(self) -> list[str]:
        rows = self.sent[-1].get("reply_markup", {}).get("inline_keyboard", [])
        return [key["text"] for row in rows for key in row]


def person(chat: int = CITIZEN) -> dict[str, Any]:
    return {"id": chat, "is_bot": False, "first_name": "市民"}


def message(number: int, text: str = "", *, chat: int = CITIZEN, **more: Any) -> dict[str, Any]:
    words = {"text": text} if text else {}
    return {"message_id": number, "date": 1795147200, "chat": {"id": chat, "type": "private", "first_name": "市民"},
            "from": person(chat)} | words | more  # fmt: skip


def _read(value: str) -> Any:
    """Parameters that are JSON come as JSON text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _refused(code: int, words: str, parameters: dict[str, Any]) -> web.Response:
    body = {"ok": False, "error_code": code, "description": words} | ({"parameters": parameters} if parameters else {})
    return web.json_response(body, status=code)
