"""Twilio's own list of messages, read for comparison: what came in, and what became of what went out.

Source: twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources, and media-resource for pictures.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from channels.asking import Answer
from intake.errors import SendError

PAGE_SIZE = 500
MOST_PAGES = 400
"""An account with more than 200,000 messages in the time asked about is compared in shorter stretches."""
Ask = Callable[..., Awaitable[Answer]]


async def messages_since(ask: Ask, messages_url: str, origin: str, since: datetime) -> AsyncIterator[Mapping[str, Any]]:
    """Every message of the account sent or received since a moment, page by page. Raises SendError."""
    # The list is asked by whole days; a day more, because theirs may begin earlier than ours.
    day = (since - timedelta(days=1)).date().isoformat()
    answer = await ask("GET", f"{messages_url}.json", params={"DateSent>": day, "PageSize": str(PAGE_SIZE)})
    for _ in range(MOST_PAGES):
        if answer.status != 200:
            raise SendError("unavailable", retry_after_s=answer.wait_s)
        for one in answer.fields.get("messages", ()):
            if sent_at(one, since) >= since:
                yield one
        following = answer.fields.get("next_page_uri")
        if not following:
            return
        answer = await ask("GET", f"{origin}{following}")


async def media_of(ask: Ask, messages_url: str, origin: str, message: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses of a message's pictures."""
    if str(message.get("num_media", "0")) == "0":
        return ()
    answer = await ask("GET", f"{messages_url}/{message['sid']}/Media.json")
    found = answer.fields.get("media_list", ()) if answer.status == 200 else ()
    return tuple(f"{origin}{str(one['uri']).removesuffix('.json')}" for one in found
                 if str(one.get("content_type", "")).startswith("image/"))  # fmt: skip


def sent_at(message: Mapping[str, Any], otherwise: datetime) -> datetime:
    """When a message went out or came in; RFC 2822 in the list."""
    try:
        return parsedate_to_datetime(str(message["date_sent"])).astimezone(UTC)
    except (KeyError, ValueError, TypeError):
        return otherwise
