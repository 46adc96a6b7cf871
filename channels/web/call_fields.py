"""The fields of the call screen: their bounds, how a form is read into a draft, and what of it means a place or a time.

Pure. Nothing is mandatory here; what an end demands is intake.call_end's. A field nobody knows is dropped, because a draft
may be older than the program.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from intake.codes import parse_case_no
from intake.coordinates import CoordinateError, checked
from intake.errors import BadInput
from intake.ledger import WISHES
from intake.model import Place
from intake.phone import parse_phone
from intake.text import normalise

FIELDS: Mapping[str, int] = {
    "what": 2000, "place": 256, "lon": 24, "lat": 24, "picked": 120, "name": 60, "phone": 40, "subclass": 20,
    "class_query": 40, "condition": 200, "urgency": 12, "request_type": 10, "confidential": 4, "wants_reply": 4,
    "reply_by": 12, "waive_verify": 24, "outcome": 16, "about": 20, "note": 1000, "article": 40, "question": 100, "to": 40,
    "acted": 400, "at": 20, "form_no": 40, "recorder": 40,
}  # fmt: skip
"""Field and the most characters it may have."""
REPLY_WAYS = (("", "按来电方式"), *WISHES.items())
REQUEST_TYPES = ("投诉", "举报", "求助", "建议", "表扬", "其他")
LATE_FOR = timedelta(days=30)
"""An emergency form older than this is no late entry any more."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a list and whether it is the present one."""

    value: str
    words: str
    is_chosen: bool


class Typed(dict[str, str]):
    """Fields as typed; one that is not there reads as empty, which is what a template shows."""

    def __missing__(self, _: str) -> str:
        return ""


def typed_from(form: Mapping[str, str]) -> Typed:
    """What a form holds of our fields, in normal form; blanks are left out."""
    typed = Typed()
    for name, most in FIELDS.items():
        text = normalise(form.get(name, "")).strip() if name != "what" else form.get(name, "").strip()
        if text:
            typed[name] = text[:most]
    return typed


def place_of(typed: Mapping[str, str]) -> Place:
    """The place as typed; a point counts as long as the name it was picked with still stands in the words."""
    text = typed.get("place", "")
    if typed.get("picked") and typed["picked"] not in text:
        return Place(text=text)
    try:
        lon, lat = checked(float(typed["lon"]), float(typed["lat"]))
    except (KeyError, ValueError, CoordinateError):
        return Place(text=text)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return Place(text=text)
    return Place(text=text, lon=lon, lat=lat, given_lon=lon, given_lat=lat, coord_sys="wgs84")


def number_of(typed: Mapping[str, str], caller: str, *, area_code: str) -> str:
    """The number to call back, in normal form: the one typed, else the caller's. Raises BadInput for no number at all."""
    given = typed.get("phone", "")
    if not given:
        return caller
    phone = parse_phone(given, area_code=area_code)
    if phone is None:
        raise BadInput("phone", "电话号码无法识别。")
    return phone.e164


def about_of(typed: Mapping[str, str]) -> int:
    """The case a call was about; 0 when none is named. Raises BadInput for what is no number."""
    if not typed.get("about"):
        return 0
    number = parse_case_no(typed["about"])
    if number is None:
        raise BadInput("about", "受理编号应为 11 位以上数字。")
    return number


def received_at(typed: Mapping[str, str], *, late: bool, now: datetime, zone: tzinfo) -> datetime:
    """When the caller was heard: now, or for a late entry the moment on the paper. Raises BadInput."""
    if not late:
        return now
    try:
        given = datetime.fromisoformat(typed.get("at", ""))
    except ValueError:
        raise BadInput("at", "请填写纸质登记表上的接听时间。") from None
    moment = (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    if not now - LATE_FOR <= moment <= now:
        raise BadInput("at", f"接听时间应在最近 {LATE_FOR.days} 天内，且不晚于现在。")
    return moment


def reply_way_of(typed: Mapping[str, str]) -> str:
    """The way he wishes to be answered, a name of ledger.WISHES; empty for the usual one."""
    way = typed.get("reply_by", "")
    return way if way in WISHES else ""


def remark_of(typed: Mapping[str, str], *, late: bool) -> str:
    """What is noted in the case beside the caller's words: the paper form and the operator's remark."""
    parts = [typed.get("note", "")]
    if late:
        paper = f"纸质登记表 {typed['form_no']}" if typed.get("form_no") else "纸质登记表"
        parts.insert(0, f"补录：{paper}" + (f"，原记录人 {typed['recorder']}" if typed.get("recorder") else ""))
    return "；".join(part for part in parts if part)


def choices_of(pairs: tuple[tuple[str, str], ...], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, words, value == chosen) for value, words in pairs)
