"""A reply as a notice (模板消息 or 订阅通知) for the time after the window has shut: the fields of an approved template, filled.

Pure. Templates hold short fields only (thing.DATA: 20 characters), so the words of a reply are spread over as many fields
as the setting names, and a link leads to the status page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from intake.model import Outbound

ZONE = ZoneInfo("Asia/Shanghai")
MOST_CHARS = {"short_thing": 5, "phrase": 5, "character_string": 32, "number": 32, "time": 32, "date": 32}
DEFAULT_CHARS = 20
SLOTS = frozenset({"no", "subject", "time", "text"})
_FIELD = re.compile(r"([a-z_]+)\d*=(.*)")
_SLOT = re.compile(r"\{(\w*)\}")
_LEAD = re.compile(r"^【[^】]*】(?:编号\d+[：:，,]?)?")
PIECE = "{text}"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the template: `name` as the template has it, `words` with slots; `{text}` alone takes the next piece."""

    name: str
    words: str
    most_chars: int


def fields_of(written: Sequence[str]) -> tuple[Field, ...]:
    """Settings such as `character_string1={no}` as fields; raises ValueError naming the one that cannot be read."""
    return tuple(_field(one) for one in written)


def _field(written: str) -> Field:
    found = _FIELD.fullmatch(written)
    if found is None or set(_SLOT.findall(found.group(2))) - SLOTS:
        slots = " ".join(f"{{{slot}}}" for slot in sorted(SLOTS))
        raise ValueError(f"template_fields 中的 {written[:40]} 应写成 字段名=内容，可用 {slots}")
    kind, words = found.groups()
    return Field(written.partition("=")[0], words, MOST_CHARS.get(kind, DEFAULT_CHARS))


def filled(fields: Sequence[Field], outbound: Outbound, *, now: datetime) -> dict[str, Mapping[str, str]]:
    """The template's data for a reply. What does not fit any more ends with …"""
    rest = _LEAD.sub("", "".join(outbound.parts))
    slots = {"no": str(outbound.case_no or ""), "subject": outbound.subject,
             "time": now.astimezone(ZONE).strftime("%Y年%m月%d日 %H:%M"), "text": rest}  # fmt: skip
    last = max((number for number, field in enumerate(fields) if field.words == PIECE), default=-1)
    data: dict[str, Mapping[str, str]] = {}
    for number, field in enumerate(fields):
        words = rest if field.words == PIECE else field.words.format_map(slots)
        piece = words[: field.most_chars]
        if field.words == PIECE:
            rest = rest[field.most_chars :]
        if len(words) > len(piece) and (field.words != PIECE or number == last):
            piece = piece[:-1] + "…"
        data[field.name] = {"value": piece or "无"}
    return data
