"""Telephone numbers: whatever a carrier, a SIP header or a citizen writes, turned into one normal form.

The only importer of phonenumbers. How a number is shown stands in masking.py.
"""

import re
from dataclasses import dataclass
from typing import Literal

import phonenumbers

PhoneKind = Literal["mobile", "landline", "service", "foreign", "unknown"]

_MOST_DIGITS = 24
# Prefixes of cheap long-distance carriers, which some exchanges leave before the number.
_CARRIER_PREFIX = re.compile(r"^(?:179[0-9]{2}|125[0-9]{2}|193|190)(?=0?1[3-9]\d{9}$|0\d{9,11}$)")
# The number plan has given new mobile ranges almost yearly; any of them is taken, whether the library knows it or not.
_MOBILE = re.compile(r"^0?(1[3-9]\d{9})$")
# 110 and its like, 12345 and 12319, 10086, 95xxx and 96xxx, 106 message ports, 400 and 800 lines (电信网编号计划).
_SERVICE = re.compile(
    r"^(?:1[0-2]\d|1[0-2]\d{3}|123\d{2}|11\d{3}|100\d{2}|10[1-9]\d{2}|9[56]\d{3,6}|106\d{5,20}|[48]00\d{7})$"
)
_LOCAL = re.compile(r"^[2-8]\d{6,7}$")
_LANDLINE = re.compile(r"^0(?![48]00)(10|2\d|[3-9]\d{2})([2-8]\d{6,7})$")
_SHORT_BEHIND_AREA = re.compile(r"^0(?:10|2\d|[3-9]\d{2})(1[12]\d{1,3}|9[56]\d{3,4})$")
_EXTENSION = re.compile(r"(?:转|分机|ext\.?|,|;|#|[-—](?=\d{1,5}$)(?<=\d{7}[-—]))\D{0,3}(\d{1,6})$", re.IGNORECASE)
_ADDRESS = re.compile(r"^(?:sips?|tel):([^@;>?]*)", re.IGNORECASE)
_NOT_DIALLED = re.compile(r"[\s()（）\[\]·.\-‐-—－_/]")
_FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20}


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number in normal form.

    `e164` is the key to compare and store: +86… or +<country>…, but bare digits for service and unknown numbers, which
    have no E.164 form. `national` is what a telephone in this city dials, digits only. `extension` may be empty.
    """

    e164: str
    national: str
    kind: PhoneKind
    extension: str = ""


def parse_phone(raw: str, *, area_code: str) -> Phone | None:
    """The number in `raw`, or None when it is withheld, absent or not a number at all. Never raises.

    Understands 0, 86, 0086 and +86 before it, with or without the area code, full-width digits, blanks, brackets,
    extensions (转801), SIP and tel addresses. `area_code` is the city's own, with or without its leading 0.
    """
    text = _unwrapped(raw.translate(_FULL_WIDTH).strip())
    extension = ""
    if found := _EXTENSION.search(text):
        text, extension = text[: found.start()], found.group(1)
    digits = _NOT_DIALLED.sub("", text)
    plus = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _MOST_DIGITS or not digits.strip("0"):
        return None
    local_code = area_code.strip().lstrip("0")
    phone = _abroad(digits, plus=plus) or _mainland(digits, plus=plus, area_code=local_code)
    return _with_extension(phone, extension)


def is_landline(e164: str) -> bool:
    """Whether a number in normal form is a landline of +86, which takes no text messages."""
    return e164.startswith("+86") and _LANDLINE.match("0" + e164[3:]) is not None


def is_personal(e164: str) -> bool:
    """Whether a number in normal form is a mobile or landline number of +86, which a person answers."""
    return is_landline(e164) or (e164.startswith("+86") and _MOBILE.match(e164[3:]) is not None)


def _unwrapped(text: str) -> str:
    """The number inside `"name" <sip:number@host>` or `tel:number`; words such as anonymous stay words."""
    if "<" in text:
        text = text[text.index("<") + 1 :].partition(">")[0]
    if found := _ADDRESS.match(text):
        return found.group(1)
    return text


def _abroad(digits: str, *, plus: bool) -> Phone | None:
    """A number outside +86, written with + or 00. Hong Kong, Macao and Taiwan have number plans of their own."""
    if not plus and not digits.startswith("00"):
        return None
    international = digits if plus else digits[2:]
    if international.startswith("86"):
        return None
    try:
        parsed = phonenumbers.parse("+" + international)
    except phonenumbers.NumberParseException:
        return Phone(digits, digits, "unknown")
    if not phonenumbers.is_possible_number(parsed):
        return Phone(digits, digits, "unknown")
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, "00" + e164[1:], "foreign")


def _mainland(digits: str, *, plus: bool, area_code: str) -> Phone:
    """A number of +86 in any of its written forms. A bare 86 is read as local digits first, after + or 00 never."""
    digits = _CARRIER_PREFIX.sub("", digits)
    without_country = re.sub(r"^(?:00)?86", "", digits)
    surely = plus or digits.startswith("00")
    if surely and _LANDLINE.match("0" + without_country):
        return _landline("0" + without_country)
    for candidate in (without_country,) if surely else (digits, without_country):
        if phone := _national(candidate, area_code=area_code):
            return phone
    return Phone(digits, digits, "unknown")


def _national(digits: str, *, area_code: str) -> Phone | None:
    """A number without country code: mobile, service, local or with area code; None when it fits none of them."""
    if found := _MOBILE.match(digits):
        return Phone("+86" + found.group(1), found.group(1), "mobile")
    if _is_landline_without_zero(digits):
        digits = "0" + digits
    if _SERVICE.match(digits):
        return Phone(digits, digits, "service")
    if found := _SHORT_BEHIND_AREA.match(digits):
        return Phone(found.group(1), found.group(1), "service")
    if _LOCAL.match(digits) and area_code:
        digits = f"0{area_code}{digits}"
    return _landline(digits) if _LANDLINE.match(digits) else None


def _landline(digits: str) -> Phone:
    """A landline number from its digits with 0 and area code."""
    return Phone("+86" + digits[1:], digits, "landline")


def _is_landline_without_zero(digits: str) -> bool:
    """Whether 51265212345 means 0512-65212345: some exchanges drop the 0, so the number plan has to tell."""
    if len(digits) < 10 or digits.startswith(("0", "106")) or not _LANDLINE.match("0" + digits):
        return False
    parsed = phonenumbers.parse("+86" + digits)
    return phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE


def _with_extension(phone: Phone, extension: str) -> Phone:
    """Only a landline has extensions; digits behind any other number are somebody's slip."""
    if not extension or phone.kind != "landline":
        return phone
    return Phone(phone.e164, phone.national, phone.kind, extension)
