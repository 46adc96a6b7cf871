"""SMS by a domestic HTTP aggregator: one adapter whose names, signing and codes are data (sms_aggregator_shape.py).

Pushes are taken from signed requests or listed addresses only, as a form or a JSON array, and are repeated by the
aggregator with growing gaps until acknowledged; his sequence id makes that harmless. No aggregator keeps a list to look
messages up in, so what may have gone out is tried again only where he recognises our own reference.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlencode

import aiohttp

from channels.asking import TIMEOUT_S, Answer, ask
from channels.sms_aggregator_shape import FIELD_SIGNS, Shape, at_path, body_mac, load_shape
from channels.webhook import (
    Acknowledgement,
    Forged,
    Limits,
    ProviderCall,
    address_of,
    fields_of,
    is_listed,
    own_number,
    pairs_of,
    required,
    same_secret,
)  # fmt: skip
from intake.errors import BadPayload, Misconfigured, SendError
from intake.model import DeliveryReport, Inbound, Outbound, Part, Receipt
from intake.phone import parse_phone

KIND = "sms"
MOST_ROWS = 500
CONTENT_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Settings:
    """`shape` names a ready shape, or one in `shape_file`. `allow_from` lists the aggregator's networks; it may be empty
    only where his pushes are signed. `number` is our own access number, `extension` what stands behind it."""

    send_url: str
    account: str
    secret: str = field(repr=False)
    shape: str = "form_digest"
    shape_file: str = ""
    extension: str = ""
    number: str = ""
    allow_from: tuple[str, ...] = ()
    area_code: str = ""
    timeout_s: float = TIMEOUT_S


def build(settings: Settings, http: aiohttp.ClientSession) -> "AggregatorSms":
    """The channel; raises Misconfigured where nobody could tell who a push comes from."""
    shape = load_shape(settings.shape, settings.shape_file)
    if shape.push.sign == "none" and not settings.allow_from:
        raise Misconfigured("渠道 sms_aggregator 的推送没有签名，必须设置 allow_from（服务商地址段）。")
    return AggregatorSms(settings, shape, http)


class AggregatorSms:
    """Receives and sends for one account."""

    kind = KIND
    can_look_up = False
    takes_photos = False

    def __init__(self, settings: Settings, shape: Shape, http: aiohttp.ClientSession) -> None:
        self._settings, self._shape, self._http = settings, shape, http
        self._networks = tuple(ip_network(text) for text in settings.allow_from)
        self._own = own_number(settings.number, area_code=settings.area_code)
        self.limits = Limits(shape.max_chars)
        self.redelivers_for = timedelta(minutes=shape.push.retry_minutes)

    # Receives

    def verify(self, call: ProviderCall) -> None:
        """Raise Forged unless the push comes from a listed address (where there is a list) and is signed as it must be."""
        if self._networks and not is_listed(call.peer, self._networks):
            raise Forged
        push, secret = self._shape.push, self._settings.secret
        if push.sign == "hmac_sha256":
            stamp = call.headers.get(push.time_header.lower(), "")
            given = call.headers.get(push.sign_header.lower(), "")
            if not same_secret(given.lower(), body_mac(call.body, stamp, secret)):
                raise Forged
        elif push.sign in FIELD_SIGNS:
            self._verify_fields(call)

    def _verify_fields(self, call: ProviderCall) -> None:
        push = self._shape.push
        try:
            rows = self._rows(call)
        except BadPayload:
            raise Forged from None
        for row in rows or [{}]:
            fields = dict(row)
            given = fields.pop(push.sign_field, "")
            if not same_secret(given.lower(), FIELD_SIGNS[push.sign](fields, self._settings.secret)):
                raise Forged

    def parse(self, call: ProviderCall) -> Sequence[Inbound | DeliveryReport]:
        """Every message and receipt of a push, in its order; raises BadPayload and takes none when one is malformed."""
        read = (self._read(row, call) for row in self._rows(call))
        return [thing for thing in read if thing is not None]

    def acknowledge(self, _call: ProviderCall) -> Acknowledgement:
        return Acknowledgement(self._shape.push.ack.encode(), self._shape.push.ack_type)

    def _rows(self, call: ProviderCall) -> list[dict[str, str]]:
        if self._shape.push.format == "form":
            return [fields_of(pairs_of(call.query if call.method == "GET" else call.body))]
        value = _json(call.body)
        if self._shape.push.rows and isinstance(value, dict):
            value = value.get(self._shape.push.rows)
        rows = value if isinstance(value, list) else [value]
        if len(rows) > MOST_ROWS or not all(isinstance(row, dict) for row in rows):
            raise BadPayload
        return [{name: _text(part) for name, part in row.items()} for row in rows]

    def _read(self, row: Mapping[str, str], call: ProviderCall) -> Inbound | DeliveryReport | None:
        receipt, message = self._shape.push.receipt, self._shape.push.message
        if receipt["state"] in row:
            state = row[receipt["state"]].strip()
            outcome = (
                "delivered"
                if state in receipt["delivered"]
                else "accepted"
                if state in receipt["pending"]
                else "failed"
            )
            code = row.get(receipt["code"], "")[:20] if outcome == "failed" else ""
            return DeliveryReport(KIND, required(row, receipt["id"]), outcome, call.received_at, code)
        sender = address_of(required(row, message["phone"]), area_code=self._settings.area_code, name=message["phone"])
        text = row.get(message["text"], "")
        if sender == self._own:
            return None
        return Inbound(
            KIND, _sequence(row, message["id"], sender, text), call.received_at, text, address=sender, phone=sender,
            part=_part(row, message) if self._shape.push.pieces else None,
        )  # fmt: skip

    # Sends

    async def send(self, outbound: Outbound) -> Receipt:
        """Hand a message over whole: aggregators cut and join long texts themselves."""
        text = "".join(outbound.parts)
        if len(text) > self._shape.max_chars:
            raise SendError("too_long")
        phone = parse_phone(outbound.address, area_code=self._settings.area_code)
        if phone is None or phone.kind != "mobile" or phone.e164 == self._own:
            raise SendError("bad_address")
        body, headers = self._request(outbound.ref, text, phone.national)
        try:
            answer = await ask(self._http, "POST", self._settings.send_url, timeout_s=self._settings.timeout_s, data=body,
                               headers=headers)  # fmt: skip
        except SendError as error:
            raise SendError(self._doubtful("timeout") if error.outcome == "timeout" else error.outcome) from None
        return self._receipt(answer)

    async def find(self, _outbound: Outbound) -> Receipt | None:
        return None

    def _request(self, ref: str, text: str, national: str) -> tuple[bytes, dict[str, str]]:
        send, secret, now = self._shape.send, self._settings.secret, time.time()
        slots = {"account": self._settings.account, "national": national, "phone": f"+86{national}", "text": text, "ref": ref,
                 "extension": self._settings.extension, "unix_s": str(int(now)), "unix_ms": str(int(now * 1000))}  # fmt: skip
        fields = {name: template.format_map(slots) for name, template in send.fields.items()}
        if send.sign in FIELD_SIGNS:
            fields[send.sign_field] = FIELD_SIGNS[send.sign](fields, secret)
        form = send.format == "form"
        body = (urlencode(fields) if form else json.dumps(fields, ensure_ascii=False)).encode()
        headers = {"Content-Type": f"{CONTENT_TYPES[send.format]}; charset=utf-8"}
        if send.sign == "hmac_sha256":
            stamp = slots["unix_s"]
            headers |= {send.time_header: stamp, send.sign_header: body_mac(body, stamp, secret)}
        return body, headers

    def _receipt(self, answer: Answer) -> Receipt:
        send, status, wait_s = self._shape.send, answer.status, answer.wait_s
        result = at_path(answer.value, send.result)
        if status == 200 and result in send.ok:
            # Without an id no receipt could ever be matched; ours is then looked for by nothing, and 72 hours decide.
            return Receipt(at_path(answer.value, send.id))
        if result in send.outcomes:
            raise SendError(send.outcomes[result], retry_after_s=wait_s)
        if status == 429:
            raise SendError("throttled", retry_after_s=wait_s)
        if status >= 500:
            raise SendError("unavailable" if status == 503 else self._doubtful("unavailable"), retry_after_s=wait_s)
        # A 200 that cannot be read (a proxy's page, garbage) says nothing about the message.
        raise SendError("refused" if result or status != 200 else "unknown")

    def _doubtful(self, outcome: str) -> str:
        """The message may have been taken: try again only where the aggregator recognises our reference."""
        return outcome if self._shape.dedupes else "unknown"


def _sequence(row: Mapping[str, str], name: str, sender: str, text: str) -> str:
    """His sequence id; where a row has none, one made of everything it holds, the same at each repeat."""
    given = row.get(name, "").strip()
    if given and len(given) <= 100 and given.isprintable():
        return given
    whole = json.dumps([sender, text, sorted(row.items())], ensure_ascii=False)
    return "made:" + hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _part(row: Mapping[str, str], names: Mapping[str, str]) -> Part:
    """Which piece a row is, as far as it says; an empty Part where only length and time can tell."""
    number, total = (row.get(names.get(name, ""), "") for name in ("number", "total"))
    if not all(text.isascii() and text.isdigit() and len(text) < 4 for text in (number, total)):
        return Part()
    ref = row.get(names.get("ref", ""), "")[:40]
    return Part(ref, int(number), int(total)) if 1 <= int(number) <= int(total) else Part()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadPayload from None


def _refuse_constant(_: str) -> Iterable[str]:
    raise ValueError


def _text(part: object) -> str:
    """A JSON value as the text it would be in a form; what is no plain value counts as empty."""
    if isinstance(part, bool) or not isinstance(part, str | int | float):
        return ""
    return str(part)
