"""What Asterisk tells over AMI: an event or a response as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass

NUMBER, NAME = "CallerIDNum", "CallerIDName"


@dataclass(frozen=True, slots=True)
class Told:
    """An event or a response: header names in lower case; a header that comes several times is joined by line breaks."""

    event: str
    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name.lower(), "")

    def variable(self, name: str, *, prefix: str = "") -> str:
        """A channel variable that manager.conf lets events carry (channelvars); `prefix` "dest" for the other leg's."""
        for line in self[f"{prefix}chanvariable"].split("\n"):
            if line.startswith(f"{name}="):
                return line.partition("=")[2]
        return ""


def is_forged(headers: Mapping[str, object]) -> bool:
    """Whether a caller wrote headers of his own into an event.

    Asterisk prints the number of a SIP caller with every line break in it; behind it stands his name, whose breaks are
    escaped. So whatever comes between the two, one without the other, or a second one of either, is the caller's.
    """
    names = list(headers)
    if NUMBER not in names or NAME not in names:
        return NUMBER in names or NAME in names
    behind = names[names.index(NUMBER) + 1 :]
    return behind[:1] != [NAME] or any(isinstance(headers[name], list) for name in (NUMBER, NAME))
