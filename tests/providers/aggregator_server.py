"""A server that behaves like a domestic SMS aggregator in each of the ready shapes, with signing of its own.

Takes messages (checks the signature, the account, a rate), and pushes messages and receipts to us until acknowledged.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer

ACCOUNT, SECRET, STAMP = "city", "s3cret-of-tests", "1795000000"
ANSWERS = {
    "form_digest": lambda number: {"code": "0", "taskid": number, "msg": "提交成功"},
    "json_hmac": lambda number: {"code": 0, "data": {"messageId": number}},
    "json_digest": lambda number: {"rspcod": "success", "msgGroup": number},
}
REFUSALS = {
    "form_digest": lambda code: {"code": code}, "json_hmac": lambda code: {"code": code}, "json_digest": lambda code: {"rspcod": code},
}  # fmt: skip
TEXT = {"form_digest": "content", "json_hmac": "text", "json_digest": "content"}
PHONE = {"form_digest": "mobile", "json_hmac": "phone", "json_digest": "mobiles"}
REF = {"form_digest": "msgid", "json_hmac": "clientId", "json_digest": "custid"}


def digest(fields: Mapping[str, str], algorithm: str) -> str:
    parts = [f"{name}={fields[name]}" for name in sorted(fields) if fields[name]] + [f"key={SECRET}"]
    return hashlib.new(algorithm, "&".join(parts).encode()).hexdigest()


def mac(body: bytes, stamp: str) -> str:
    return hmac.new(SECRET.encode(), stamp.encode() + b"\n" + body, "sha256").hexdigest()


@dataclass
class AggregatorServer:
    """One account on one shape. `faults` are taken one for each request: a result code, an HTTP status, or `lost`."""

    shape: str
    sent: list[dict[str, str]] = field(default_factory=list)
    faults: list[str | int] = field(default_factory=list)
    forged: int = 0
    server: TestServer | None = None

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/send", self._send)
        self.server = TestServer(app, host="127.0.0.1")
        await self.server.start_server(access_log=None)
        return str(self.server.make_url("/send"))

    async def stop(self) -> None:
        if self.server:
            await self.server.close()

    async def _send(self, request: web.Request) -> web.Response:
        body = await request.read()
        fields = dict(parse_qsl(body.decode())) if self.shape == "form_digest" else json.loads(body)
        if not self._is_genuine(request, body, dict(fields)):
            self.forged += 1
            return web.json_response(REFUSALS[self.shape]("1001"), status=200)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return web.Response(status=fault, text="<html>busy</html>")
        if isinstance(fault, str) and fault != "lost":
            return web.json_response(REFUSALS[self.shape](fault))
        known = [n for n, one in enumerate(self.sent, 1) if one[REF[self.shape]] == fields[REF[self.shape]]]
        if not (known and self.shape == "json_hmac"):
            self.sent.append(fields)
        if fault == "lost" and request.transport:
            request.transport.abort()
        return web.json_response(ANSWERS[self.shape](f"T{known[0] if known else len(self.sent)}"))

    def _is_genuine(self, request: web.Request, body: bytes, fields: dict[str, str]) -> bool:
        if self.shape == "json_hmac":
            return request.headers.get("X-Signature") == mac(body, request.headers.get("X-Timestamp", ""))
        given = fields.pop("sign", "")
        return given == digest(fields, "md5" if self.shape == "form_digest" else "sha256")

    def text(self, number: int = -1) -> str:
        return self.sent[number][TEXT[self.shape]]


@dataclass
class Pushes:
    """The aggregator's end of our hook."""

    http: Any
    shape: str
    path: str = "/hooks/sms_aggregator"

    async def message(self, number: str, phone: str, text: str) -> tuple[int, str]:
        return await self._push({
            "form_digest": {"moid": number, "mobile": phone, "content": text, "destcode": "106900001"},
            "json_hmac": {"seqId": number, "phone": phone, "text": text},
            "json_digest": {"moId": number, "mobile": phone, "smsContent": text},
        }[self.shape])  # fmt: skip

    async def receipt(self, number: str, state: str) -> tuple[int, str]:
        return await self._push({
            "form_digest": {"taskid": number, "mobile": "19900000001", "stat": state},
            "json_hmac": {"messageId": number, "status": state, "errorCode": "" if state == "DELIVRD" else state},
            "json_digest": {"msgGroup": number, "reportStatus": state, "errorCode": state},
        }[self.shape])  # fmt: skip

    async def _push(self, row: dict[str, str]) -> tuple[int, str]:
        headers = {"Content-Type": "application/json"}
        if self.shape == "form_digest":
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode(row | {"sign": digest(row, "md5")}).encode()
        elif self.shape == "json_hmac":
            body = json.dumps([row], ensure_ascii=False).encode()
            headers |= {"X-Timestamp": STAMP, "X-Signature": mac(body, STAMP)}
        else:
            body = json.dumps({"list": [row]}, ensure_ascii=False).encode()
        async with self.http.post(self.path, data=body, headers=headers) as response:
            return response.status, await response.text()
