"""A telephone number a citizen gives of himself in a talk: 电话19900000001, or his number shared by his telephone's own act.

Pure. A bare number is not taken for his: people also write the numbers of posters and of others. A number in words is
used for replies to him only; what it is not is a proof of who he is (own cases are found by proven numbers alone).
"""

import re

from intake.model import Inbound
from intake.phone import parse_phone

_SAID = re.compile(
    r"(?:我的|本人|联系)*(?:电话|手机|手机号|手机号码|电话号码|号码)[是为]?[:：\s]*((?:\+?86)?[\s-]*1[3-9](?:[\s-]?\d){9})[。.]?"
)


def phone_said(inbound: Inbound) -> str:
    """The number in E.164 when the message says nothing else; empty otherwise, and on short messages, which have one."""
    if inbound.channel == "sms":
        return ""
    if inbound.phone and not inbound.text.strip():
        return inbound.phone
    found = _SAID.fullmatch(inbound.text.strip())
    phone = parse_phone(found.group(1), area_code="") if found else None
    return phone.e164 if phone and phone.kind == "mobile" else ""
