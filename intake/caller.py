"""Who calls, as far as the exchange knows: the number in normal form, its kind, and a name that can be shown."""

import re
import unicodedata
from dataclasses import dataclass

from intake.phone import parse_phone

WITHHELD = "withheld"
MAX_NAME_CHARS = 20
UNREADABLE = "\ufffd"
"""What Asterisk puts where a name's bytes are no UTF-8."""
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Caller:
    """`number` is the normal form ("" when withheld), `kind` as in phone.py or `withheld`."""

    number: str
    kind: str
    name: str = ""


def caller_of(raw: str, name: str, *, area_code: str) -> Caller:
    """Read what SIP headers carry; whatever stands there gives a caller, never an error."""
    phone = parse_phone(raw[:256], area_code=area_code)
    shown = clean_name(name)
    if phone is None:
        return Caller("", WITHHELD, shown)
    return Caller(phone.e164, phone.kind, shown)


def dialled(number: str, *, area_code: str) -> str:
    """The digits this city dials for a number in normal form; "" when there is none."""
    phone = parse_phone(number, area_code=area_code)
    return phone.national if phone else ""


def clean_name(raw: str) -> str:
    """A caller's display name when it is Chinese, also when its bytes were read as Latin-1 on the way; else empty.

    Carriers put the number, the gateway's name or "anonymous" there; only Chinese words tell an operator something.
    """
    for text in (raw[:256], *_reread(raw[:256])):
        read = unicodedata.normalize("NFKC", text).replace(UNREADABLE, "")
        kept = "".join(sign for sign in read if sign.isprintable()).strip(' "')
        if _HAN.search(kept) and not any(sign in kept for sign in "<>@"):
            return kept[:MAX_NAME_CHARS]
    return ""


def _reread(raw: str) -> list[str]:
    found = []
    for code in ("utf-8", "gb18030"):
        try:
            found.append(raw.encode("latin-1").decode(code))
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return found
