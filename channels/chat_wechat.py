"""WeChat (微信公众号): messages in safe mode, customer-service messages within their window, notices after it.

Source: developers.weixin.qq.com. WeChat wants its answer within 5 s and sends three times; it is told `success` after the
commit and everything else goes through the outbox. Within 48 h of the citizen's last word up to 5 messages are free; a
shut window is told as `window_closed`, and the route ladder goes on with a notice (`wechat_template`), then with SMS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from channels.chat_wechat_api import WechatApi
from channels.chat_wechat_crypto import Seal
from channels.chat_wechat_message import KIND, MEDIA, TEMPLATE, meaning_of, post_of
from channels.chat_wechat_notice import fields_of, filled
from channels.webhook import Acknowledgement, Forged, Limits, ProviderCall
from intake.channel_memory import OwnMemory
from intake.errors import BadPayload, SendError
from intake.model import DeliveryReport, Inbound, Outbound, Receipt
from intake.ports import Memory

__all__ = ["KIND", "ChatWechat", "Settings", "also_offers", "build"]

MAX_CHARS = 600
MAX_QUERY = 4000
WINDOW_H = 48
MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_VOICE_BYTES = 2 * 1024 * 1024
OUT_OF_DATE = timedelta(minutes=10)
"""An older request is a replay; clocks err by less."""
CUSTOMER = "/cgi-bin/message/custom/send"
NOTICES = {"template": "/cgi-bin/message/template/send", "subscribe": "/cgi-bin/message/subscribe/bizsend"}
LINK_NAMES = {"template": "url", "subscribe": "page"}


@dataclass(frozen=True, slots=True)
class Settings:
    """`token` and `aes_key` as typed in on the account's page, `app_id` and `app_secret` as found there. With a
    `template_id` replies after the window go out as notices; `template_kind`: template (模板消息) or subscribe (订阅通知)."""

    app_id: str
    app_secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    template_id: str = ""
    template_kind: str = "template"
    template_fields: tuple[str, ...] = ("character_string1={no}", "thing2={subject}", "thing3={text}", "time4={time}")
    public_url: str = ""
    base_url: str = "https://api.weixin.qq.com"

    def __post_init__(self) -> None:
        Seal(self.app_id, self.token, self.aes_key)
        fields_of(self.template_fields)
        if self.template_kind not in NOTICES:
            raise ValueError("template_kind 只能是 template 或 subscribe")


def also_offers(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Notices, where the account has a template for them."""
    return (TEMPLATE,) if values.get("template_id") else ()


def build(settings: Settings, http: aiohttp.ClientSession) -> "ChatWechat":
    """The channel."""
    return ChatWechat(settings, WechatApi(http, settings.base_url, settings.app_id, settings.app_secret))


class ChatWechat:
    """Receives and sends for one account."""

    kind = KIND
    can_look_up = False
    takes_photos = True
    limits = Limits(MAX_CHARS, media=True, window_h=WINDOW_H)

    def __init__(self, settings: Settings, api: WechatApi) -> None:
        self._settings, self._api = settings, api
        self._seal = Seal(settings.app_id, settings.token, settings.aes_key)
        self._fields = fields_of(settings.template_fields)
        self.routes = (KIND, TEMPLATE) if settings.template_id else (KIND,)
        self._memory: Memory = OwnMemory()

    def remember(self, memory: Memory) -> None:
        """Where the access token is kept, for all gateways."""
        self._memory = memory

    # Receives

    def verify(self, call: ProviderCall) -> None:
        """Raise Forged unless WeChat signed this a moment ago, its sealed message included."""
        given = _query(call)
        stamp, nonce = given.get("timestamp", ""), given.get("nonce", "")
        self._seal.check(given.get("signature", ""), stamp, nonce)
        if not _is_fresh(stamp, call.received_at):
            raise Forged
        if call.method == "GET":
            if "echostr" not in given:
                raise Forged
            return
        try:
            sealed = post_of(call.body).fields.get("Encrypt", "")
        except BadPayload:
            raise Forged from None
        self._seal.check(given.get("msg_signature", ""), stamp, nonce, sealed)
        self._seal.open(sealed)

    def parse(self, call: ProviderCall) -> Sequence[Inbound | DeliveryReport]:
        """One message, event or receipt; empty for the first question whether we are there, and for other events."""
        if call.method == "GET":
            return []
        try:
            plain = self._seal.open(post_of(call.body).fields.get("Encrypt", ""))
        except Forged:
            raise BadPayload from None
        found = meaning_of(post_of(plain), received_at=call.received_at)
        return [found] if found else []

    def acknowledge(self, call: ProviderCall) -> Acknowledgement:
        """The echo of the first question, or `success`: the answer itself goes through the outbox."""
        if call.method == "GET":
            return Acknowledgement(_query(call).get("echostr", "").encode("utf-8", "replace"))
        return Acknowledgement(b"success")

    async def fetch(self, address: str) -> bytes:
        """A picture by its media id. Raises SendError."""
        body, _ = await self._media(address, "image", MAX_PHOTO_BYTES)
        return body

    async def fetch_voice(self, address: str) -> tuple[bytes, str]:
        """A voice note by its media id, and its kind. Raises SendError."""
        return await self._media(address, "audio", MAX_VOICE_BYTES)

    async def _media(self, address: str, family: str, max_bytes: int) -> tuple[bytes, str]:
        if not address.startswith(MEDIA):
            raise SendError("refused")
        return await self._api.media(address.removeprefix(MEDIA), self._memory, family=family, max_bytes=max_bytes)

    # Sends

    async def send(self, outbound: Outbound) -> Receipt:
        """By the route the message was given: a word in the talk, or a notice."""
        if len("".join(outbound.parts)) > MAX_CHARS:
            raise SendError("too_long")
        return await (self._notify(outbound) if outbound.channel == TEMPLATE else self._say(outbound))

    async def find(self, _outbound: Outbound) -> Receipt | None:
        return None

    async def _say(self, outbound: Outbound) -> Receipt:
        """It stands in the talk when they say yes; no receipt comes later."""
        await self._api.post(CUSTOMER, {"touser": outbound.address} | _said(outbound), self._memory)
        return Receipt(f"kf:{outbound.ref}", delivered=True)

    async def _notify(self, outbound: Outbound) -> Receipt:
        kind = self._settings.template_kind
        body: dict[str, Any] = {
            "touser": outbound.address,
            "template_id": self._settings.template_id,
            "data": filled(self._fields, outbound, now=datetime.now(UTC)),
            # WeChat knows a message again by this for ten minutes.
            "client_msg_id": outbound.ref,
        }
        if urlsplit(self._settings.public_url).scheme and outbound.case_no:
            body[LINK_NAMES[kind]] = f"{self._settings.public_url.rstrip('/')}/status?no={outbound.case_no}"
        answer = await self._api.post(NOTICES[kind], body, self._memory)
        number = answer.get("msgid")
        # Without a number no receipt could be matched; their yes is all there will be.
        return Receipt(str(number)) if number else Receipt(f"notice:{outbound.ref}", delivered=True)


def _said(outbound: Outbound) -> dict[str, Any]:
    """A text, or a text with choices to tap on, which come back as words."""
    text = "".join(outbound.parts)
    if not outbound.choices:
        return {"msgtype": "text", "text": {"content": text}}
    rows = [{"id": str(number), "content": word} for number, word in enumerate(outbound.choices, 1)]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": text, "list": rows, "tail_content": ""}}


def _query(call: ProviderCall) -> dict[str, str]:
    """The parameters of the address; none where it is longer than WeChat writes them."""
    return dict(parse_qsl(call.query, keep_blank_values=True)) if len(call.query) <= MAX_QUERY else {}


def _is_fresh(stamp: str, now: datetime) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    return abs(now - datetime.fromtimestamp(int(stamp), UTC)) <= OUT_OF_DATE
