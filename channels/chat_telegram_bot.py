"""The Bot API by python-telegram-bot: the only importer of `telegram`. What its errors mean is told as SendError.

Requests go over the gateway's own HTTP client. Its token is part of every address, so no address is ever logged or put
into an error.
"""

import json
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import aiohttp
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, TelegramError
from telegram.request import BaseRequest, RequestData

from intake.errors import SendError

TIMEOUT_S = 12.0
MAX_ANSWER_BYTES = 12 * 1024 * 1024
MAX_WAIT_S = 6 * 3600
MAX_BUTTON_BYTES = 64
GONE = ("blocked", "kicked")
T = TypeVar("T")
# The library logs whole messages, at the highest level even; what went wrong is told by its exceptions.
logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
NOT_FOLLOWING = ("can't initiate", "not a member")
BAD_ADDRESS = ("chat not found", "user not found", "deactivated", "peer_id_invalid", "chat_id")


class Busy(TelegramError):
    """They answered that they do not take it now. `outcome` is one of outbox.FAILURES."""

    def __init__(self, outcome: str, wait_s: float | None = None) -> None:
        super().__init__(outcome)
        self.outcome, self.wait_s = outcome, wait_s


class OwnRequest(BaseRequest):
    """python-telegram-bot's way to the network, over a client that is opened and closed elsewhere."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    @property
    def read_timeout(self) -> float:
        return TIMEOUT_S

    async def initialize(self) -> None:
        """Nothing: the client is opened by the wiring."""

    async def shutdown(self) -> None:
        """Nothing: the client is closed by the wiring."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, read_timeout: Any = None,
        write_timeout: Any = None, connect_timeout: Any = None, pool_timeout: Any = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """Status and body; raises Busy where nobody was there, or nobody can tell whether it was taken."""
        total = read_timeout if isinstance(read_timeout, int | float) else TIMEOUT_S
        form = request_data.json_parameters if request_data else None
        try:
            async with self._http.request(
                method, url, data=form, timeout=aiohttp.ClientTimeout(total=total), allow_redirects=False
            ) as response:
                body = await _bounded(response)
                _refuse_busy(response.status, body, response.headers.get("Retry-After", ""))
                return response.status, body
        except aiohttp.ClientConnectorError:
            raise Busy("unavailable") from None
        except (TimeoutError, aiohttp.ClientError):
            # It may have been taken, and nobody keeps a list to look it up in.
            raise Busy("unknown") from None


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise Busy("too_long")
    return b"".join(chunks)


def _refuse_busy(status: int, body: bytes, header: str) -> None:
    """429 with its waiting time; 502 and 503 did not reach the bot's server, other 5xx may have done their work."""
    if status == 429:
        raise Busy("throttled", _wait_of(body, header))
    if status in (502, 503):
        raise Busy("unavailable", _wait_of(body, header))
    if status >= 500:
        raise Busy("unknown")


def _wait_of(body: bytes, header: str) -> float | None:
    try:
        given = json.loads(body)["parameters"]["retry_after"]
    except (ValueError, TypeError, LookupError, RecursionError):
        given = int(header) if header.isascii() and header.isdigit() and len(header) < 8 else None
    return float(min(given, MAX_WAIT_S)) if isinstance(given, int | float) and given > 0 else None


class TelegramApi:
    """What we ask of the Bot API. Every method raises SendError; `conflict` in its detail: somebody else reads too."""

    def __init__(self, token: str, base_url: str, http: aiohttp.ClientSession) -> None:
        base = base_url.rstrip("/")
        request = OwnRequest(http)
        self._files = f"{base}/file/bot{token}/"
        self._request = request
        self._bot = Bot(token, f"{base}/bot", f"{base}/file/bot", request=request, get_updates_request=request)

    async def send(self, chat_id: int, text: str, choices: Sequence[str]) -> int:
        """The number of the message that was sent."""
        rows = [[InlineKeyboardButton(word, callback_data=_cut(word)) for word in choices]] if choices else []
        keys = InlineKeyboardMarkup(rows) if rows else None
        quiet = LinkPreviewOptions(is_disabled=True)
        sent = await _told(self._bot.send_message(chat_id, text, reply_markup=keys, link_preview_options=quiet))
        return sent.message_id

    async def updates(self, offset: int | None, *, wait_s: int) -> list[Mapping[str, Any]]:
        """What has come since `offset`, waiting for it; asking tells them that everything before it is done with."""
        found = await _told(self._bot.get_updates(offset, timeout=wait_s, allowed_updates=WANTED))
        return [one.to_dict() for one in found]

    async def listen_at(self, url: str, secret: str) -> None:
        await _told(self._bot.set_webhook(url, secret_token=secret, allowed_updates=WANTED))

    async def stop_webhook(self) -> None:
        """Waiting updates are kept for whoever reads next."""
        await _told(self._bot.delete_webhook(drop_pending_updates=False))

    async def confirm_button(self, callback_id: str) -> None:
        await _told(self._bot.answer_callback_query(callback_id))

    async def file(self, file_id: str, *, max_bytes: int) -> bytes:
        """A picture or voice note, from their own file address only."""
        found = await _told(self._bot.get_file(file_id))
        if (found.file_size or 0) > max_bytes:
            raise SendError("too_long")
        if not (found.file_path or "").startswith(self._files):
            raise SendError("refused")
        body = await _told(self._request.retrieve(found.file_path or ""))
        if len(body) > max_bytes:
            raise SendError("too_long")
        return body


async def _told(asking: Awaitable[T]) -> T:
    """The answer, or a SendError saying what went wrong."""
    try:
        return await asking
    except TelegramError as error:
        raise failure_of(error) from None
    except (LookupError, TypeError, ValueError, AttributeError):
        # An answer that is no answer of theirs says nothing about what was asked.
        raise SendError("unknown") from None


WANTED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of updates we want to be sent."""


def failure_of(error: TelegramError) -> SendError:
    """What an error of theirs means for a message (outbox.FAILURES)."""
    if isinstance(error, Busy):
        return SendError(error.outcome, retry_after_s=error.wait_s)
    words = error.message.lower()
    if isinstance(error, Conflict):
        return SendError("unavailable", "conflict")
    if isinstance(error, Forbidden):
        if any(word in words for word in GONE):
            return SendError("opted_out")
        return SendError("not_following" if any(word in words for word in NOT_FOLLOWING) else "bad_address")
    if isinstance(error, BadRequest):
        if "too long" in words:
            return SendError("too_long")
        return SendError("bad_address" if any(word in words for word in BAD_ADDRESS) else "refused")
    if isinstance(error, InvalidToken):
        # For the administrator to mend; the message itself has no fault.
        return SendError("unavailable", "token")
    return SendError("bad_address" if isinstance(error, ChatMigrated) else "unknown")


def _cut(word: str) -> str:
    """A button's data holds 64 bytes."""
    return word.encode()[:MAX_BUTTON_BYTES].decode(errors="ignore")
