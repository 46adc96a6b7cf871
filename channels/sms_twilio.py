"""SMS by Twilio: signed webhooks in, the REST API out, status call-backs, pictures of MMS. Without Twilio's own package.

Signature: base64 of HMAC-SHA1 with the account's auth token over the exact public URL and, for forms, each parameter
sorted by name (twilio.com/docs/usage/security). Sending is asynchronous: the API takes a message, a call-back says what
became of it. Twilio cuts long texts itself, at 67 UCS-2 units a part, so a text is handed over whole.
"""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import aiohttp

from channels.asking import TIMEOUT_S, Answer, ask
from channels.media_fetch import Fetcher
from channels.sms_twilio_list import media_of, messages_since, sent_at
from channels.webhook import (
    Acknowledgement,
    Forged,
    Limits,
    ProviderCall,
    address_of,
    fields_of,
    own_number,
    pairs_of,
    required,
    same_secret,
)  # fmt: skip
from intake.errors import BadPayload, Misconfigured, SendError
from intake.model import DeliveryReport, Inbound, Outbound, Receipt
from intake.phone import parse_phone

KIND = "sms"
HOOK = "/hooks/sms_twilio"
API = "2010-04-01"
MAX_CHARS = 1600
MAX_MEDIA = 6
MAX_MEDIA_BYTES = 5 * 1024 * 1024
LOOKED_AT = 50
OUTCOME_OF_STATUS = {
    "delivered": "delivered", "read": "delivered", "undelivered": "failed", "failed": "failed", "canceled": "failed",
    "accepted": "accepted", "scheduled": "accepted", "queued": "accepted", "sending": "accepted", "sent": "accepted",
}  # fmt: skip
OUTCOME_OF_ERROR = {
    21610: "opted_out",
    21211: "bad_address", 21214: "bad_address", 21217: "bad_address", 21614: "bad_address", 21408: "refused",
    21617: "too_long", 21605: "too_long",
    20429: "throttled", 14107: "throttled", 21611: "throttled", 30001: "throttled", 63038: "throttled",
    # A wrong or suspended account is for the administrator to mend; the message itself has no fault.
    20003: "unavailable", 20005: "unavailable", 30002: "unavailable",
}  # fmt: skip
"""twilio.com/docs/api/errors; what is not listed is a refusal."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`sender` is the number (E.164) or the SID of a messaging service (MG…). `base_url` is Twilio's, or a test server's."""

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str
    public_url: str
    base_url: str = "https://api.twilio.com"
    area_code: str = ""
    timeout_s: float = TIMEOUT_S
    media_hosts: tuple[str, ...] = ("mms.twiliocdn.com", "media.twiliocdn.com", "s3-external-1.amazonaws.com")


def build(settings: Settings, http: aiohttp.ClientSession) -> "TwilioSms":
    """The channel; raises Misconfigured for a public address that no signature could be checked against."""
    if urlsplit(settings.public_url).scheme not in ("https", "http"):
        raise Misconfigured("渠道 sms_twilio 需要 INTAKE_PUBLIC_URL（签名按对外网址计算）。")
    return TwilioSms(settings, http)


class TwilioSms:
    """Receives and sends for one account."""

    kind = KIND
    can_look_up = True
    takes_photos = True
    limits = Limits(MAX_CHARS, media=True)
    redelivers_for = timedelta(0)

    def __init__(self, settings: Settings, http: aiohttp.ClientSession) -> None:
        self._settings, self._http = settings, http
        self._auth = {"Authorization": aiohttp.encode_basic_auth(settings.account_sid, settings.auth_token)}
        self._messages = f"{settings.base_url.rstrip('/')}/{API}/Accounts/{quote(settings.account_sid)}/Messages"
        self._origin = settings.base_url.rstrip("/")
        self._own = own_number(settings.sender, area_code=settings.area_code)
        self._fetcher = Fetcher(http, origin=settings.base_url, hosts=settings.media_hosts, max_bytes=MAX_MEDIA_BYTES)

    # Receives

    def verify(self, call: ProviderCall) -> None:
        """Raise Forged unless the account's token signed exactly this."""
        given = call.headers.get("x-twilio-signature", "")
        signed = _signed_part(call)
        if not any(same_secret(given, sign(self._settings.auth_token, url, signed)) for url in _written(call.url)):
            raise Forged
        expected = dict(parse_qsl(call.query)).get("bodySHA256")
        if expected and not same_secret(hashlib.sha256(call.body).hexdigest(), expected.lower()):
            raise Forged

    def parse(self, call: ProviderCall) -> Sequence[Inbound | DeliveryReport]:
        """A message or the state of one; raises BadPayload for anything else. Our own number is never talked with."""
        given = fields_of(pairs_of(call.body))
        message_id = required(given, "MessageSid" if "MessageSid" in given else "SmsSid", most_chars=64)
        if "MessageStatus" in given:
            status = required(given, "MessageStatus").lower()
            outcome = OUTCOME_OF_STATUS.get(status, "accepted")
            return [DeliveryReport(KIND, message_id, outcome, call.received_at, given.get("ErrorCode", "")[:20])]
        sender = address_of(required(given, "From"), area_code=self._settings.area_code, name="From")
        if sender == self._own:
            return []
        return [Inbound(KIND, message_id, call.received_at, given.get("Body", ""), address=sender, phone=sender,
                        media=_media(given))]  # fmt: skip

    def acknowledge(self, _call: ProviderCall) -> Acknowledgement:
        """An empty TwiML document: nothing is answered at once, answers go through the outbox."""
        return Acknowledgement(b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")

    async def fetch(self, address: str) -> bytes:
        """A picture of an MMS, with the account's name where it lies at Twilio itself. Raises SendError."""
        return await self._fetcher.fetch(address, credentials=self._auth)

    # Sends

    async def send(self, outbound: Outbound) -> Receipt:
        """Hand a message over. A time-out or a fault of theirs is looked up in Twilio's list before anybody tries again."""
        text = "".join(outbound.parts)
        if len(text) > MAX_CHARS:
            raise SendError("too_long")
        if outbound.address == self._own:
            raise SendError("bad_address")
        sender = "MessagingServiceSid" if self._settings.sender.startswith("MG") else "From"
        form = {"To": outbound.address, "Body": text, sender: self._settings.sender,
                "StatusCallback": f"{self._settings.public_url.rstrip('/')}{HOOK}"}  # fmt: skip
        try:
            answer = await self._ask("POST", f"{self._messages}.json", data=form)
        except SendError as error:
            if error.outcome != "timeout" or (found := await self.find(outbound)) is None:
                raise
            return found
        if answer.status in (200, 201):
            return Receipt(str(answer.fields["sid"])) if answer.fields.get("sid") else _refuse("unknown")
        if answer.status >= 500 and (found := await self.find(outbound)) is not None:
            return found
        return _refuse(outcome_of(answer), retry_after_s=answer.wait_s)

    async def find(self, outbound: Outbound) -> Receipt | None:
        """The same text to the same number among the latest; every reply holds its case's number, so they differ."""
        params = {"To": outbound.address, "PageSize": str(LOOKED_AT)}
        answer = await self._ask("GET", f"{self._messages}.json", params=params)
        if answer.status != 200:
            _refuse(outcome_of(answer), retry_after_s=answer.wait_s)
        text = "".join(outbound.parts)
        for one in answer.fields.get("messages", ()):
            if one.get("body") == text and one.get("to") == outbound.address and one.get("direction") != "inbound":
                return Receipt(str(one["sid"]), delivered=one.get("status") == "delivered")
        return None

    # Keeps a list

    async def listed(self, since: datetime) -> AsyncIterator[Inbound | DeliveryReport]:
        """What Twilio knows of since a moment: every message that came in, and the state of what went out."""
        async for one in messages_since(self._ask, self._messages, self._origin, since):
            at = sent_at(one, since)
            if one.get("direction") != "inbound":
                outcome = OUTCOME_OF_STATUS.get(str(one.get("status")), "accepted")
                yield DeliveryReport(KIND, str(one["sid"]), outcome, at, str(one.get("error_code") or "")[:20])
                continue
            sender = parse_phone(str(one.get("from", ""))[:64], area_code=self._settings.area_code)
            if sender is not None and sender.e164 != self._own:
                media = (await media_of(self._ask, self._messages, self._origin, one))[:MAX_MEDIA]
                yield Inbound(KIND, str(one["sid"]), at, str(one.get("body") or ""), address=sender.e164,
                              phone=sender.e164, media=media)  # fmt: skip

    async def _ask(self, method: str, url: str, **more: Any) -> Answer:
        return await ask(self._http, method, url, timeout_s=self._settings.timeout_s, headers=self._auth, **more)


def sign(token: str, url: str, parameters: str) -> str:
    """Twilio's signature."""
    mac = hmac.digest(token.encode(), f"{url}{parameters}".encode(), hashlib.sha1)
    return base64.b64encode(mac).decode()


def outcome_of(answer: Answer) -> str:
    """What an error of the API means for the message (outbox.FAILURES)."""
    code, status = answer.fields.get("code"), answer.status
    if isinstance(code, int) and code in OUTCOME_OF_ERROR:
        return OUTCOME_OF_ERROR[code]
    if status == 429:
        return "throttled"
    return "unavailable" if status >= 500 or status in (401, 403, 408) else "refused"


def _refuse(outcome: str, *, retry_after_s: float | None = None) -> Receipt:
    raise SendError(outcome, retry_after_s=retry_after_s)


def _signed_part(call: ProviderCall) -> str:
    """The form's parameters sorted by name, a name's values sorted and each once, all joined; empty for other bodies."""
    if not call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return ""
    try:
        pairs = pairs_of(call.body)
    except BadPayload:
        raise Forged from None
    return "".join(f"{name}{value}" for name, value in sorted(set(pairs)))


def _written(url: str) -> tuple[str, str]:
    """The address as given and with the default port written out or left out: Twilio has signed both ways."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    default = ":443" if parts.scheme == "https" else ":80"
    if host.endswith(default):
        other = host.removesuffix(default)
    elif ":" in host.rpartition("]")[2]:
        return url, url
    else:
        other = host + default
    return url, urlunsplit((parts.scheme, other, parts.path, parts.query, parts.fragment))


def _media(given: Mapping[str, str]) -> tuple[str, ...]:
    count = given.get("NumMedia", "0")
    number = min(int(count), MAX_MEDIA) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    found = (given.get(f"MediaUrl{index}", "") for index in range(number)
             if given.get(f"MediaContentType{index}", "image/").startswith("image/"))  # fmt: skip
    return tuple(address[:1000] for address in found if address)
