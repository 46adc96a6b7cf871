"""Telegram: updates by webhook or by polling, answers with buttons. A demonstration channel inside the mainland.

Source: core.telegram.org/bots/api. The secret of the webhook is made from the token, so there is one secret to keep.
Telegram holds what was not taken for 24 hours and sends it again; its update numbers make repeats harmless. What an
update means is chat_telegram_update.py's, the API itself chat_telegram_bot.py's.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from channels.chat_telegram_update import KIND, callback_of, inbound_of, number_of, updates_in
from channels.webhook import Acknowledgement, Forged, Limits, ProviderCall, same_secret
from intake.channel_memory import OwnMemory
from intake.errors import BadInput, IntakeError, Misconfigured, SendError, Unavailable
from intake.model import DeliveryReport, Inbound, Outbound, Receipt
from intake.ports import Clock, Memory

if TYPE_CHECKING:
    import aiohttp

    from channels.chat_telegram_bot import TelegramApi

__all__ = ["KIND", "ChatTelegram", "Settings", "build"]

HOOK = "/hooks/chat_telegram"
MAX_UNITS = 4096
"""Of one message, in UTF-16 units (core.telegram.org/bots/api#sendmessage)."""
MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_VOICE_BYTES = 5 * 1024 * 1024
POLL_S = 25
TURN_S = 60.0
OFFSET_LASTS_S = 6 * 86400.0
"""After a week without updates Telegram numbers them anew, perhaps lower; an older offset could hide them."""
PAUSES_S = (1.0, 5.0, 15.0, 30.0, 60.0)
MOST_TRIES = 5
log = structlog.get_logger()

Emit = Callable[[Inbound], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Settings:
    """`token` is BotFather's. With `polling` no public address is needed; else updates come to `public_url`."""

    token: str = field(repr=False)
    polling: bool = False
    public_url: str = ""
    base_url: str = "https://api.telegram.org"


def build(settings: Settings, http: "aiohttp.ClientSession") -> "ChatTelegram":
    """The channel; raises Misconfigured for a token that is none, and where Telegram could not reach a webhook."""
    from channels.chat_telegram_bot import TelegramApi

    if not settings.token.partition(":")[0].isdigit():
        raise Misconfigured("渠道 chat_telegram 的 token 格式不正确（应为 数字:字母）。")
    if not settings.polling and urlsplit(settings.public_url).scheme != "https":
        raise Misconfigured("渠道 chat_telegram 需要 https 的 INTAKE_PUBLIC_URL，或设置 polling = true。")
    return ChatTelegram(settings, TelegramApi(settings.token, settings.base_url, http))


class ChatTelegram:
    """Receives, listens and sends for one bot."""

    kind = KIND
    can_look_up = False
    takes_photos = True
    limits = Limits(MAX_UNITS, media=True)

    def __init__(self, settings: Settings, api: "TelegramApi", *, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._settings, self._api, self._pauses_s = settings, api, pauses_s
        self._bot_id = settings.token.partition(":")[0]
        self._secret = hmac.digest(settings.token.encode(), b"webhook", hashlib.sha256).hex()
        self._memory: Memory = OwnMemory()
        self._quiet_until = 0.0
        self._tries: dict[int, int] = {}

    def remember(self, memory: Memory) -> None:
        """Where the offset of polling is kept."""
        self._memory = memory

    # Receives

    def verify(self, call: ProviderCall) -> None:
        """Raise Forged unless it carries the secret we gave them; nobody may post while we poll."""
        given = call.headers.get("x-telegram-bot-api-secret-token", "")
        if self._settings.polling or not same_secret(given, self._secret):
            raise Forged

    def parse(self, call: ProviderCall) -> Sequence[Inbound | DeliveryReport]:
        """One update; empty for what is no word to us."""
        update = updates_in(call.body)
        number_of(update)
        inbound = inbound_of(update, received_at=call.received_at, bot_id=self._bot_id)
        return [inbound] if inbound else []

    def acknowledge(self, call: ProviderCall) -> Acknowledgement:
        """Nothing, or the one method a webhook's answer may call: the pressed button stops turning."""
        pressed = callback_of(updates_in(call.body))
        if not pressed:
            return Acknowledgement()
        method = {"method": "answerCallbackQuery", "callback_query_id": pressed}
        return Acknowledgement(json.dumps(method).encode(), "application/json")

    async def fetch(self, address: str) -> bytes:
        """A picture by its file id. Raises SendError."""
        return await self._api.file(address, max_bytes=MAX_PHOTO_BYTES)

    async def fetch_voice(self, address: str) -> tuple[bytes, str]:
        """A voice note and its kind. Raises SendError."""
        mime, _, file_id = address.partition(" ")
        return await self._api.file(file_id, max_bytes=MAX_VOICE_BYTES), mime

    # Listens

    async def run(self, emit: Emit, *, clock: Clock) -> None:
        """Poll until cancelled; or tell Telegram once where to deliver, and wait."""
        prepare = self._api.stop_webhook if self._settings.polling else self._register
        await self._insist(prepare)
        if not self._settings.polling:
            await asyncio.get_running_loop().create_future()
        while True:
            await self._insist(lambda: self._poll(emit, clock))

    async def _register(self) -> None:
        await self._api.listen_at(self._settings.public_url.rstrip("/") + HOOK, self._secret)

    async def _insist(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do it until it works; one line in the log when it begins to fail and one when it works again."""
        failures = 0
        while True:
            try:
                await step()
            except (SendError, Unavailable) as error:
                pause = self._pauses_s[min(failures, len(self._pauses_s) - 1)]
                wait_s = error.retry_after_s if isinstance(error, SendError) else None
                if not failures:
                    log.warning("channel.not_listening", channel=KIND, reason=_reason(error))
                failures += 1
                await asyncio.sleep(max(pause, wait_s or 0.0))
            else:
                if failures:
                    log.warning("channel.listening", channel=KIND)
                return

    async def _poll(self, emit: Emit, clock: Clock) -> None:
        """One look. Asking from an offset tells Telegram that everything before it is done with, so the offset moves on
        only after the commit; what a crash leaves in between comes again and is known by its number."""
        if not await self._memory.hold("turn", for_s=TURN_S):
            await asyncio.sleep(POLL_S)
            return
        kept = await self._memory.recall("offset")
        offset = int(kept.value) if kept else None
        for update in await self._api.updates(offset, wait_s=POLL_S):
            await self._take(update, emit, clock)
            await self._memory.keep("offset", str(number_of(update) + 1), for_s=OFFSET_LASTS_S)

    async def _take(self, update: Mapping[str, Any], emit: Emit, clock: Clock) -> None:
        number = number_of(update)
        try:
            inbound = inbound_of(update, received_at=clock(), bot_id=self._bot_id)
            if inbound is not None:
                await emit(inbound)
        except BadInput as error:
            log.warning("channel.update_refused", channel=KIND, reason=error.code)
        except (SendError, Unavailable):
            raise
        except Exception as error:
            self._tries[number] = self._tries.get(number, 0) + 1
            if self._tries[number] < MOST_TRIES:
                raise Unavailable from error
            # One message that cannot be taken must not hold up all behind it.
            log.error("channel.update_given_up", channel=KIND, update_id=number, error=type(error).__name__)
        self._tries.pop(number, None)
        if pressed := callback_of(update):
            await self._calm(pressed)

    async def _calm(self, callback_id: str) -> None:
        """A button that turns on is a blemish, nothing more."""
        try:
            await self._api.confirm_button(callback_id)
        except SendError as error:
            log.info("channel.button_not_confirmed", channel=KIND, reason=error.outcome)

    # Sends

    async def send(self, outbound: Outbound) -> Receipt:
        """One message with its buttons; it stands in the chat when they say yes, so that is its delivery."""
        text = "".join(outbound.parts)
        if len(text.encode("utf-16-le", "replace")) // 2 > MAX_UNITS:
            raise SendError("too_long")
        chat_id = _chat_id(outbound.address)
        if (rest := self._quiet_until - time.monotonic()) > 0:
            raise SendError("throttled", retry_after_s=rest)
        try:
            number = await self._api.send(chat_id, text, outbound.choices)
        except SendError as error:
            if error.outcome == "throttled":
                # Told to one message, meant for the bot: the others wait as well.
                self._quiet_until = time.monotonic() + (error.retry_after_s or 1.0)
            raise
        return Receipt(f"m{number}", delivered=True)

    async def find(self, _outbound: Outbound) -> Receipt | None:
        return None


def _chat_id(address: str) -> int:
    try:
        return int(address)
    except ValueError:
        raise SendError("bad_address") from None


def _reason(error: IntakeError) -> str:
    return (error.detail or error.outcome) if isinstance(error, SendError) else error.code
