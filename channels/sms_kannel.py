"""SMS by Kannel, a city's own SMPP line or modem: smsbox's sendsms out, sms-service and dlr-url calls in.

Kannel signs nothing, so a call must come from a listed address and carry the secret we put into its addresses. It gives
a message no number of its own when it takes it, so ours travels in the dlr-url and comes back with each report. Written
from Kannel's user guide (1.4.5, "Using the HTTP interface to send SMS messages", "SMS-service", "Delivery reports").
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp

from channels.asking import TIMEOUT_S, Answer, ask
from channels.sms_part import part_of_header
from channels.webhook import (
    MAX_FIELDS,
    Acknowledgement,
    Forged,
    Limits,
    ProviderCall,
    address_of,
    is_listed,
    own_number,
    required,
    same_secret,
)  # fmt: skip
from intake.errors import BadPayload, Misconfigured, SendError
from intake.model import DeliveryReport, Inbound, Outbound, Receipt
from intake.text import PART_UNITS, ucs2_units

KIND = "sms"
HOOK = "/hooks/sms_kannel"
TAKEN = ("0:", "3:")
"""How sendsms answers when a message was accepted, or kept for later because the line is down (both 202)."""
REPORTS = 1 | 2 | 4 | 8 | 16
"""dlr-mask: delivered, failed, buffered, accepted and refused by the message centre."""
OUTCOME_OF_STATE = {"1": "delivered", "2": "failed", "4": "accepted", "8": "accepted", "16": "failed"}
CHARSETS = {"UTF-8": "utf-8", "UTF8": "utf-8", "UTF-16BE": "utf-16-be", "UCS-2": "utf-16-be", "GBK": "gb18030",
            "GB18030": "gb18030", "ISO-8859-1": "latin-1", "WINDOWS-1252": "cp1252", "US-ASCII": "ascii"}  # fmt: skip
BINARY = "1"
HALVES = ("UTF-16BE", "UCS-2")
_CODE = re.compile(r"\b(?:NACK/|err:|stat:)(\w{1,12})")


@dataclass(frozen=True, slots=True)
class Settings:
    """`send_url` is smsbox's sendsms address, `push_secret` a word of ours that Kannel's calls must carry, `allow_from`
    the addresses they come from, `sender` our access number. `callback_url` is how Kannel reaches us where that differs
    from the public address. `retry_minutes`: how long it tries again (http-request-retry times http-queue-delay)."""

    send_url: str
    username: str
    password: str = field(repr=False)
    push_secret: str = field(repr=False)
    allow_from: tuple[str, ...]
    sender: str
    public_url: str
    callback_url: str = ""
    smsc: str = ""
    max_parts: int = 6
    retry_minutes: int = 60
    area_code: str = ""
    timeout_s: float = TIMEOUT_S


def build(settings: Settings, http: aiohttp.ClientSession) -> "KannelSms":
    """The channel; raises Misconfigured for an address Kannel could not call."""
    if urlsplit(settings.callback_url or settings.public_url).scheme not in ("https", "http"):
        raise Misconfigured("渠道 sms_kannel 需要 callback_url 或 INTAKE_PUBLIC_URL（状态报告回送地址）。")
    return KannelSms(settings, http)


class KannelSms:
    """Receives and sends by one smsbox."""

    kind = KIND
    can_look_up = False
    takes_photos = False

    def __init__(self, settings: Settings, http: aiohttp.ClientSession) -> None:
        self._settings, self._http = settings, http
        self._networks = tuple(ip_network(text) for text in settings.allow_from)
        self._own = own_number(settings.sender, area_code=settings.area_code)
        self.limits = Limits(settings.max_parts * PART_UNITS)
        self.redelivers_for = timedelta(minutes=settings.retry_minutes)

    # Receives

    def verify(self, call: ProviderCall) -> None:
        """Raise Forged unless the call comes from Kannel's address and carries our secret."""
        if not is_listed(call.peer, self._networks):
            raise Forged
        try:
            given = _fields(call).get("secret", "")
        except BadPayload:
            raise Forged from None
        if not same_secret(given, self._settings.push_secret):
            raise Forged

    def parse(self, call: ProviderCall) -> Sequence[Inbound | DeliveryReport]:
        """A message or the report about one; raises BadPayload for anything else. Data that is no text says nothing."""
        given = _fields(call)
        if "state" in given:
            return [_report(given, call)]
        message_id = required(given, "id", most_chars=64)
        sender = address_of(required(given, "from"), area_code=self._settings.area_code, name="from")
        if sender == self._own or given.get("coding") == BINARY:
            return []
        part = part_of_header(given.get("udh", "").encode("latin-1"))
        return [Inbound(KIND, message_id, call.received_at, _text(given, call), address=sender, phone=sender, part=part)]

    def acknowledge(self, _call: ProviderCall) -> Acknowledgement:
        """Nothing at all: what stands here Kannel would send to the citizen."""
        return Acknowledgement()

    # Sends

    async def send(self, outbound: Outbound) -> Receipt:
        """Hand a message over. The parts are filled up with blanks, so that Kannel, which cuts at 67 units, cuts where we
        do and never through a character."""
        *cut, last = outbound.parts
        text = "".join(part + " " * (PART_UNITS - ucs2_units(part)) for part in cut) + last
        if ucs2_units(text) > self.limits.max_chars:
            raise SendError("too_long")
        if outbound.address == self._own or not outbound.address:
            raise SendError("bad_address")
        try:
            answer = await ask(self._http, "POST", self._settings.send_url, timeout_s=self._settings.timeout_s,
                               data=text.encode(), headers=self._headers(outbound))  # fmt: skip
        except SendError as error:
            # Kannel keeps no list and does not recognise a repeat.
            raise SendError("unknown" if error.outcome == "timeout" else error.outcome) from None
        return _receipt(answer, outbound.ref)

    async def find(self, _outbound: Outbound) -> Receipt | None:
        return None

    def _headers(self, outbound: Outbound) -> dict[str, str]:
        """Password and number travel in headers, so that no log of addresses holds them."""
        own = self._settings
        base = (own.callback_url or own.public_url).rstrip("/")
        ours = urlencode({"secret": own.push_secret, "ref": outbound.ref})
        headers = {
            "Content-Type": "text/plain; charset=UTF-8", "X-Kannel-Username": own.username,
            "X-Kannel-Password": own.password, "X-Kannel-From": own.sender, "X-Kannel-To": outbound.address,
            "X-Kannel-Coding": "2", "X-Kannel-DLR-Mask": str(REPORTS),
            "X-Kannel-DLR-Url": f"{base}{HOOK}?{ours}&state=%d&answer=%A",
        }  # fmt: skip
        return headers | ({"X-Kannel-SMSC": own.smsc} if own.smsc else {})


def _fields(call: ProviderCall) -> Mapping[str, str]:
    """The address's fields with each byte as one character, because a message may stand in any character set there."""
    try:
        pairs = parse_qsl(call.query, keep_blank_values=True, encoding="latin-1", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadPayload from None
    if not all(value.isascii() or max(value) <= "\xff" for _, value in pairs):
        raise BadPayload
    return dict(reversed(pairs))


def _report(given: Mapping[str, str], call: ProviderCall) -> DeliveryReport:
    outcome = OUTCOME_OF_STATE.get(given["state"], "accepted")
    # The message centre's answer may quote the message: only its code is kept.
    code = _CODE.search(given.get("answer", "")) if outcome == "failed" else None
    return DeliveryReport(KIND, required(given, "ref", most_chars=64), outcome, call.received_at, code[1] if code else "")


def _text(given: Mapping[str, str], call: ProviderCall) -> str:
    """The message in its own character set; a piece cut through a character keeps the half, to be joined later."""
    raw = given["raw"].encode("latin-1") if "raw" in given else call.body
    named = given.get("charset", "").upper() or ("UTF-16BE" if given.get("coding") == "2" else "UTF-8")
    try:
        return raw.decode(CHARSETS[named], "surrogatepass" if named in HALVES else "strict")
    except (KeyError, ValueError):
        raise BadPayload(field="charset") from None


def _receipt(answer: Answer, ref: str) -> Receipt:
    said = answer.body[:200].decode("latin-1").strip()
    if answer.status == 202 and said.startswith(TAKEN):
        return Receipt(ref)
    raise SendError(_outcome(answer.status, said), retry_after_s=answer.wait_s)


def _outcome(status: int, said: str) -> str:
    if status == 503 or said.startswith("Temporal failure"):
        return "unavailable"
    if status == 429:
        return "throttled"
    if status in (401, 403):
        # A wrong password or address is for the administrator to mend; the message itself has no fault.
        return "unavailable"
    if status == 400 and "umber" in said:
        return "bad_address"
    # Anything else that is no plain refusal (a proxy's page, a fault after taking it) says nothing about the message.
    return "refused" if 400 <= status < 500 else "unknown"
