"""What the engine tells a driver to do, in order. Seconds are whole; a driver does nothing that is not told here.

Of the commands of one step only the last one waits for an event. Keys pressed while prompts are said belong to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.position import Outcome


@dataclass(frozen=True, slots=True)
class Say:
    prompt: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Collect:
    """Wait for keys. `menu`: these answer at once, any key where `terminator` is ""; else a number ended by `terminator`."""

    min_digits: int
    max_digits: int
    terminator: str
    first_s: int
    between_s: int
    menu: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """Record after a tone, at most `max_s`, until `silence_s` of silence or any key."""

    name: str
    max_s: int
    silence_s: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Put a question to the outside; answer with ActResult carrying the same ticket, or Timeout after acts.ANSWER_S."""

    act: str
    values: Mapping[str, str]
    ticket: int


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give the caller to `to`. `keeps_place`: he waited before and does not go to the end of the queue."""

    to: str
    timeout_s: int
    keys: tuple[str, ...]
    keeps_place: bool


@dataclass(frozen=True, slots=True)
class End:
    """The flow is over; the driver hangs up unless the caller has done so."""

    outcome: Outcome


Command = Say | Collect | Record | Ask | HandOver | End
