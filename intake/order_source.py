"""The sources of orders from above, from the city profile (orders.toml), and reading an order as a source sends it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from intake.codes import digest_of
from intake.errors import BadInput
from intake.message import Inbound, Place
from intake.order import Source
from intake.phone import parse_phone
from intake.text import clean_report, normalise

FILE = "orders.toml"
MAX_NUMBER, MAX_TEXT, MAX_PLACE, MAX_NAME = 40, 2000, 256, 40
CHANNEL = "upstream"
MOMENTS_OF = ("sign_due_at", "contact_due_at", "finish_due_at")


@dataclass(frozen=True, slots=True)
class OrderGiven:
    """An order as typed, uploaded or posted: the source's number, words, place and person, its limits. Not yet checked."""

    source: str
    number: str
    text: str
    place: str = ""
    name: str = ""
    phone: str = ""
    request_type: str = ""
    confidential: bool = False
    lon: float | None = None
    lat: float | None = None
    sign_due_at: datetime | None = None
    contact_due_at: datetime | None = None
    finish_due_at: datetime | None = None


def load_sources(folder: Path) -> dict[str, Source]:
    """Sources by key; a city without the file takes no orders. Raises ValueError, KeyError, TypeError."""
    path = folder / FILE
    if not path.exists():
        return {}
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["sources"]
    return {row["key"]: Source(**row) for row in rows}


def inbound_of(given: OrderGiven, sources: Mapping[str, Source], *, at: datetime, area_code: str, place: Place) -> Inbound:
    """The order as a message of the channel `upstream`; raises BadInput naming the field. The same number of the same source
    is the same message, and another text under it is refused. `place` is where the order says, already in our form."""
    source = sources.get(given.source)
    if source is None:
        raise BadInput("source", "没有这个来源，可选：" + "、".join(sources) + "。")
    number = _number(given.number)
    text = clean_report(given.text, max_chars=MAX_TEXT)
    phone = _phone(given.phone, area_code)
    limits = _limits(given, source, at)
    order = {"source": source.key, "number": number, "code": source.code} | {
        name: moment.astimezone(UTC).isoformat() for name, moment in limits.items()
    }
    digest = digest_of("\n".join([text, place.text, phone, given.name, given.request_type]))
    return Inbound(
        channel=CHANNEL, provider_id=f"{source.key}:{number}", received_at=at, text=text, place=place,
        name=_line("name", given.name, MAX_NAME), phone=phone, confidential=given.confidential,
        wants_reply=source.replies == "us", body_digest=digest, request_type=_line("request_type", given.request_type, 20),
        order=order,
    )  # fmt: skip


def _number(given: str) -> str:
    number = _line("source_no", given, MAX_NUMBER)
    if not number or not all(char.isalnum() or char in "-_/" for char in number):
        raise BadInput("source_no", f"来源单号应为字母、数字或横线，最多{MAX_NUMBER}个。")
    return number


def _phone(given: str, area_code: str) -> str:
    if not given.strip():
        return ""
    found = parse_phone(given, area_code=area_code) if len(given) <= MAX_NAME else None
    if found is None or found.kind == "unknown":
        raise BadInput("phone", "联系电话无法识别，请填写手机号或带区号的座机号。")
    return found.e164


def _limits(given: OrderGiven, source: Source, at: datetime) -> dict[str, datetime]:
    """The source's limits for one order, or else the usual ones."""
    usual = {"sign_due_at": source.sign_h, "contact_due_at": source.contact_h, "finish_due_at": source.finish_h}
    found = {}
    for name, hours in usual.items():
        brought = getattr(given, name)
        if brought is not None:
            found[name] = brought
        elif hours:
            found[name] = at + timedelta(hours=hours)
    return found


def _line(field: str, given: str, most: int) -> str:
    words = " ".join(normalise(given).split())
    if len(words) > most:
        raise BadInput(field, f"最多{most}个字。")
    return words
