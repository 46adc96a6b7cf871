"""A citizen's report as he gives it, on the page or through the API: its shape, and its reading into normal forms.

Pure. Both ways in share every rule here; what differs is only how a fault is shown.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from channels.web.json_body import Body, Field
from intake.codes import digest_of
from intake.errors import BadInput
from intake.fields import point_place
from intake.model import Inbound, Photo, Place
from intake.phone import parse_phone
from intake.profile import City
from intake.text import clean_report, normalise

MAX_PLACE, MAX_NAME, MAX_PHONE = 256, 32, 40
# Invisible control characters and halves of surrogate pairs come from faulty programs or attackers, never from a
# keyboard; tabs and line ends may stay.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


class ContactBody(Body):
    """Who reports. Both are optional; a telephone number may be written in any usual form."""

    name: str | None = Field(None, description="姓名或称呼，最多 32 个字")
    phone: str | None = Field(None, description="电话，手机或带区号的座机")


class ReportBody(Body):
    """A report. Only `text` is required; `lon` and `lat` come together."""

    text: str = Field(description="问题描述，最多 2000 个字")
    place: str | None = Field(None, description="位置的文字说明，最多 256 个字")
    lon: float | None = Field(None, description="经度（度）")
    lat: float | None = Field(None, description="纬度（度）")
    coord_sys: Literal["wgs84", "gcj02", "cgcs2000"] | None = Field(None, description="坐标系，默认 wgs84")
    contact: ContactBody | None = None
    anonymous: bool | None = Field(None, description="匿名：不保存姓名和电话")
    confidential: bool | None = Field(None, description="保密件")
    wants_reply: bool | None = Field(None, description="希望电话或短信答复；否则凭编号查询")

    def canonical(self, photos: Iterable[bytes] = ()) -> str:
        """The digest by which a repeated report is told from another one under the same key."""
        return digest_of("\n".join([self.model_dump_json(exclude_none=True), *map(digest_of, photos)]))


Values = dict[str, object]
Reader = Callable[[ReportBody, City, int], Values]


def read_report(body: ReportBody, city: City, *, max_text_chars: int) -> tuple[Values, list[BadInput]]:
    """What an Inbound needs of a report, and every fault in it, each naming its field; values count only without faults."""
    values: Values = {}
    faults: list[BadInput] = []
    for reader in READERS:
        try:
            values |= reader(body, city, max_text_chars)
        except BadInput as fault:
            faults.append(fault)
    return values, faults


def inbound(
    values: Values, *, at: datetime, provider_id: str = "", digest: str = "", photos: tuple[Photo, ...] = ()
) -> Inbound:
    """The message of the web channel. `provider_id` makes repeats harmless, `digest` tells another body apart."""
    return Inbound(channel="web", provider_id=provider_id, received_at=at, photos=photos, body_digest=digest,
                   **values)  # type: ignore[arg-type]  # fmt: skip


def _text(body: ReportBody, _: City, max_chars: int) -> Values:
    _refuse_control("text", body.text)
    return {"text": clean_report(body.text, max_chars=max_chars)}


def _place(body: ReportBody, city: City, _: int) -> Values:
    words = _line("place", body.place, most=MAX_PLACE)
    if body.lon is None and body.lat is None:
        return {"place": Place(text=words)}
    for name, value in (("lon", body.lon), ("lat", body.lat)):
        if value is None:
            raise BadInput(name, "经度 lon 和纬度 lat 要一起给出。")
    place = point_place(words, body.lon, body.lat, coord_sys=body.coord_sys or "wgs84")
    if city.is_outside(place):
        raise BadInput("lon", f"坐标 lon、lat 不在{city.name}范围内，请核对，或只填写文字位置。")
    return {"place": place}


def _contact(body: ReportBody, city: City, _: int) -> Values:
    contact = body.contact or ContactBody()
    name = _line("contact.name", contact.name, most=MAX_NAME)
    phone = _phone(contact.phone or "", city)
    if body.anonymous:
        return {"anonymous": True}
    return {"name": name, "phone": phone}


def _wishes(body: ReportBody, _: City, __: int) -> Values:
    return {"confidential": bool(body.confidential), "wants_reply": bool(body.wants_reply) and not body.anonymous}


def _phone(given: str, city: City) -> str:
    _refuse_control("contact.phone", given)
    if not given.strip():
        return ""
    found = parse_phone(given, area_code=city.area_code) if len(given) <= MAX_PHONE else None
    if found is None or found.kind == "unknown":
        raise BadInput("contact.phone", "电话号码无法识别，请填写手机号或带区号的座机号。")
    return found.e164


def _line(field: str, given: str | None, *, most: int) -> str:
    if not given:
        return ""
    _refuse_control(field, given)
    words = " ".join(normalise(given).split())
    if len(words) > most:
        raise BadInput(field, f"最多 {most} 个字，请删减。")
    return words


def _refuse_control(field: str, given: str) -> None:
    if _CONTROL.search(given):
        raise BadInput(field, "内容里有无法显示的字符，请删除后再提交。")


READERS: tuple[Reader, ...] = (_text, _place, _contact, _wishes)
