"""One update of the Bot API as what it means to us: a message, an edit, a button, somebody leaving. Pure; plain JSON in.

Shapes: core.telegram.org/bots/api#update. Only private chats are heard: what is said in a group is no report to us.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from intake.errors import BadInput, BadPayload
from intake.fields import point_place
from intake.model import Inbound, Place
from intake.phone import parse_phone

KIND = "telegram"
EDITED = "补充：更正为“{text}”"
VOICE = "（语音留言{seconds}秒）"
OTHER = {"video": "（视频）", "video_note": "（视频）", "document": "（文件）", "sticker": ""}
LEFT = {"kicked": "退订", "member": "恢复"}
"""He blocked the bot, or let it in again; read like the words he would have typed (data/dialogue/words.toml)."""
MAX_PHOTO_BYTES = 10 * 1024 * 1024

Update = Mapping[str, Any]


def updates_in(body: bytes) -> Update:
    """The update of a webhook's body; raises BadPayload for anything else."""
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadPayload from None
    if not isinstance(value, dict):
        raise BadPayload
    return value


def number_of(update: Update) -> int:
    """The update's own number; raises BadPayload when it has none."""
    number = update.get("update_id")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**62:
        raise BadPayload(field="update_id")
    return number


def callback_of(update: Update) -> str:
    """The id a pressed button waits for an answer under; empty when no button was pressed."""
    return _text(_part(update, "callback_query").get("id"))[:64]


def inbound_of(update: Update, *, received_at: datetime, bot_id: str) -> Inbound | None:
    """What somebody said; None for what is no word to us (groups, bots, service messages). Raises BadPayload."""
    said = _said(update)
    if said is None:
        return None
    message, text, sender = said
    chat = _part(message, "chat")
    if chat.get("type") != "private" or sender.get("is_bot"):
        return None
    number = chat.get("id")
    if isinstance(number, bool) or not isinstance(number, int):
        raise BadPayload(field="chat")
    left = "my_chat_member" in update and text == LEFT["kicked"]
    return Inbound(
        channel=KIND,
        provider_id=f"{bot_id}:{number_of(update)}",
        received_at=received_at,
        text=text,
        place=_place(message),
        address=str(number),
        name=_name(sender),
        phone=_phone(message, sender),
        media=_media(message),
        voices=_voices(message),
        answerable=not left,
    )


def _said(update: Update) -> tuple[Update, str, Update] | None:
    """The message, its words and who said them, for each kind of update we ask for."""
    if message := _part(update, "message"):
        return message, _words(message), _part(message, "from")
    if edited := _part(update, "edited_message"):
        # Moving on with a live location comes as edits without words; the first place counts.
        words = _text(edited.get("text") or edited.get("caption"))
        return (edited, EDITED.format(text=words), _part(edited, "from")) if words else None
    if pressed := _part(update, "callback_query"):
        return _part(pressed, "message"), _text(pressed.get("data")), _part(pressed, "from")
    if moved := _part(update, "my_chat_member"):
        word = LEFT.get(_text(_part(moved, "new_chat_member").get("status")))
        return (moved, word, _part(moved, "from")) if word else None
    return None


def _words(message: Update) -> str:
    text = _text(message.get("text") or message.get("caption"))
    if voice := _part(message, "voice") or _part(message, "audio"):
        text += VOICE.format(seconds=_whole(voice.get("duration")))
    text += next((words for kind, words in OTHER.items() if message.get(kind) and not _media(message)), "")
    venue = _part(message, "venue")
    return text or " ".join(filter(None, (_text(venue.get("address")), _text(venue.get("title")))))


def _media(message: Update) -> tuple[str, ...]:
    """The largest of a photo's sizes, or a picture sent as a file."""
    sizes = message.get("photo")
    photos = [one for one in sizes if isinstance(one, dict)] if isinstance(sizes, list) else []
    fitting: list[Update] = [one for one in photos if _whole(one.get("file_size")) <= MAX_PHOTO_BYTES]
    document = _part(message, "document")
    if _text(document.get("mime_type")).startswith("image/"):
        fitting.append(document)
    found = max(fitting, key=lambda one: (_whole(one.get("width")), _whole(one.get("file_size"))), default={})
    file_id = _text(found.get("file_id"))[:200]
    return (file_id,) if file_id else ()


def _voices(message: Update) -> tuple[str, ...]:
    """A voice note or a sound file, with its kind: `audio/ogg file-id`."""
    voice = _part(message, "voice") or _part(message, "audio")
    mime, file_id = _text(voice.get("mime_type")) or "audio/ogg", _text(voice.get("file_id"))[:200]
    return (f"{mime[:60]} {file_id}",) if file_id and mime.startswith("audio/") else ()


def _place(message: Update) -> Place:
    """A place sent from a telephone: WGS-84."""
    given = _part(message, "location")
    lon, lat = given.get("longitude"), given.get("latitude")
    if lon is None or lat is None:
        return Place()
    try:
        return point_place("", lon, lat, coord_sys="wgs84")
    except BadInput:
        return Place()


def _phone(message: Update, sender: Update) -> str:
    """His own number, sent by his own act; somebody else's card is not taken for his."""
    card = _part(message, "contact")
    if not card or card.get("user_id") is None or card.get("user_id") != sender.get("id"):
        return ""
    given = _text(card.get("phone_number"))[:32]
    found = parse_phone(given, area_code="") or parse_phone(f"+{given}", area_code="")
    return found.e164 if found else ""


def _name(sender: Update) -> str:
    return " ".join(filter(None, (_text(sender.get("first_name")), _text(sender.get("last_name")))))[:64]


def _part(value: Update, name: str) -> Update:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
