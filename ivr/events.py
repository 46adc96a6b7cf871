"""What can happen to a call, as the engine is told it. Drivers (keyboard, Asterisk) turn the outside into these.

Order of a hang-up during a recording: first Recorded with what there is, then Hangup.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Started:
    """The call begins; `facts` overlay those the flow declares."""

    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resumed:
    """A driver took up a stored position again: what was asked last is asked once more."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Keys pressed, without the terminator; "" when only the terminator was pressed."""

    keys: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was keyed or said in the time given."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording has ended. `ref` names it for good; `key` is the key that ended it, if one did."""

    ref: str
    seconds: float
    key: str = ""


@dataclass(frozen=True, slots=True)
class ActResult:
    """The outside answers. `ticket` repeats the one asked with, so that a late answer to an older question is known."""

    name: str
    result: str
    values: Mapping[str, str] = field(default_factory=dict)
    ticket: int | None = None


@dataclass(frozen=True, slots=True)
class PersonAnswered:
    """Somebody took the call that was handed over."""


@dataclass(frozen=True, slots=True)
class PersonLeft:
    """The talk is over and the caller is still on the line."""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Whoever talked with the caller gave him to somebody who did not answer: he is where he was before the talk."""


@dataclass(frozen=True, slots=True)
class GivenOn:
    """Whoever talked with the caller wants him to be served by somebody else: he waits again."""


@dataclass(frozen=True, slots=True)
class NobodyThere:
    """The call could not be handed over: nobody logged in, refused, no such destination."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """The time given to an act, a wait or a question is over."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The caller is gone."""


Event = (
    Started | Resumed | Digits | Silence | Recorded | ActResult | PersonAnswered | PersonLeft | GivenBack | GivenOn | NobodyThere
    | Timeout | Hangup
)  # fmt: skip
