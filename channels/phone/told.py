"""What Asterisk tells over AMI: an event or a response as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass


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
