"""Names of legs and interfaces: which operator's telephone is meant. `PJSIP/8001-0000002f` and `PJSIP/8001` are 8001."""

import re

_TELEPHONE = re.compile(r"^PJSIP/(\d{2,8})(?:-[0-9a-f]{8})?$")


def extension_of(leg: str) -> str:
    """The extension of a leg or interface, "" when it is no telephone of ours."""
    found = _TELEPHONE.match(leg)
    return found[1] if found else ""


def interface_of(extension: str) -> str:
    """The telephone as Asterisk's queues know it; raises ValueError for anything but digits."""
    if not (extension.isascii() and extension.isdigit() and 2 <= len(extension) <= 8):
        raise ValueError("no extension")
    return f"PJSIP/{extension}"
