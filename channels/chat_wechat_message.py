"""One message or event of a WeChat account as what it means to us. Pure; XML in. The only importer of `defusedxml`.

Source: developers.weixin.qq.com, 接收普通消息 and 接收事件推送. Messages are known by MsgId, events by who and when, as the
documentation says. Places come in GCJ-02.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from intake.errors import BadInput, BadPayload
from intake.fields import point_place
from intake.model import DeliveryReport, Inbound, Place

KIND, TEMPLATE = "wechat", "wechat_template"
MOST_CHARS = 200
LEAVES, ARRIVES = "退订", "恢复"
"""Following and leaving, read like words (data/dialogue/words.toml): leaving opts out, following undoes it."""
WORDS_OF_KIND = {"video": "（视频）", "shortvideo": "（视频）", "voice": "（语音留言）", "link": "（链接）{title} {url}"}
NEWS = {"unsubscribe": LEAVES, "subscribe": ARRIVES}
DELIVERED = ("success", "0", "")
MEDIA = "media:"


@dataclass(frozen=True, slots=True)
class Post:
    """What was posted: plain elements by name, and those below lists."""

    fields: Mapping[str, str]
    lists: tuple[Mapping[str, str], ...] = field(default=())

    def get(self, name: str, *, most_chars: int = MOST_CHARS) -> str:
        return self.fields.get(name, "").strip()[:most_chars]

    def need(self, name: str) -> str:
        found = self.get(name)
        if not found or not found.isprintable():
            raise BadPayload(field=name)
        return found


def post_of(body: bytes) -> Post:
    """The elements of a document; raises BadPayload for what is none, and for entities and outside references."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise BadPayload from None
    rows = tuple({part.tag: part.text or "" for part in row} for row in root.iter("List"))
    return Post({part.tag: part.text or "" for part in root}, rows)


def meaning_of(post: Post, *, received_at: datetime) -> Inbound | DeliveryReport | None:
    """A message, somebody coming or leaving, or a receipt; None for what is none of these. Raises BadPayload."""
    kind = post.need("MsgType").lower()
    if kind == "event":
        return _event(post, received_at)
    text = _words(post, kind)
    if text is None:
        return None
    sender = post.need("FromUserName")
    media = post.get("MediaId", most_chars=500)
    return Inbound(
        channel=KIND,
        provider_id=number if (number := post.get("MsgId")).isdigit() else _made_id(post),
        received_at=received_at,
        text=text,
        place=_place(post) if kind == "location" else Place(),
        address=sender,
        media=(MEDIA + media,) if media and kind == "image" else (),
        voices=(MEDIA + media,) if media and kind == "voice" else (),
    )


def _words(post: Post, kind: str) -> str | None:
    """The words of a message; empty for pictures and places, None for kinds we do not know."""
    if kind == "text":
        return post.get("Content", most_chars=20_000)
    if kind in ("image", "location"):
        return ""
    if kind == "voice" and (heard := post.get("Recognition", most_chars=5000)):
        # Only accounts with speech recognition get it; a draft, as the operator sees.
        return f"（语音转写）{heard}"
    words = WORDS_OF_KIND.get(kind)
    return words.format(title=post.get("Title"), url=post.get("Url", most_chars=500)) if words else None


def _place(post: Post) -> Place:
    try:
        lat, lon = float(post.get("Location_X")), float(post.get("Location_Y"))
        return point_place(post.get("Label"), lon, lat, coord_sys="gcj02")
    except (ValueError, BadInput):
        return Place(text=post.get("Label"))


def _event(post: Post, at: datetime) -> Inbound | DeliveryReport | None:
    event = post.need("Event").lower()
    if event == "templatesendjobfinish":
        return _receipt(post.need("MsgID"), post.get("Status"), at)
    if event == "subscribe_msg_sent_event":
        rows = [row for row in post.lists if row.get("MsgID", "").strip()]
        return _receipt(rows[0]["MsgID"].strip()[:64], rows[0].get("ErrorCode", "").strip(), at) if rows else None
    word = NEWS.get(event)
    if word is None:
        return None
    return Inbound(KIND, _made_id(post), at, word, address=post.need("FromUserName"), answerable=word != LEAVES)


def _receipt(number: str, status: str, at: datetime) -> DeliveryReport:
    delivered = status.lower() in DELIVERED
    code = "" if delivered else status.removeprefix("failed:").strip()[:20]
    return DeliveryReport(TEMPLATE, number, "delivered" if delivered else "failed", at, code)


def _made_id(post: Post) -> str:
    """Of who and when and what; who is not to be read from it."""
    parts = (post.need("FromUserName"), post.need("CreateTime"), post.get("Event").lower())
    return "event:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
