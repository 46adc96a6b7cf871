"""Where a call stands, as a plain value that can be stored and read back, and the outcome it ends with.

A stored position holds what the caller keyed (query codes too): the store seals it like any personal data.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FINISHED, HUNG_UP, LIMIT, LOST = "finished", "hung_up", "limit", "lost"
"""How a call ended: by its flow, by the caller, by the step limit, or because the flow no longer knows its node."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One take: what the flow calls it, the reference it is kept under, its length, and whether an act took it in."""

    name: str
    ref: str
    seconds: float
    saved: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """A call between two events. `taken` counts bounded edges, `steps` nodes entered, `tries` failed answers here.

    `pending`: something was keyed or said that no result has settled and no person has heard yet.
    """

    flow: str
    node: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    answered: tuple[str, ...] = ()
    recordings: tuple[Recording, ...] = ()
    taken: Mapping[str, int] = field(default_factory=dict)
    tries: int = 0
    steps: int = 0
    ticket: int = 0
    pending: bool = False
    settled: str = ""
    queued: bool = False
    talking: bool = False
    served: bool = False
    limited: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. `taken_in`: it still has to become an Inbound; `call_back`: a person owes this caller a call.

    `queued` calls that were not `served` are the ones abandoned while waiting; whether one is owed a call-back depends on
    how long it waited, which only the driver knows.
    """

    flow: str
    end: str
    how: str
    node: str
    answers: Mapping[str, str]
    recordings: tuple[Recording, ...]
    taken_in: bool
    call_back: bool
    queued: bool
    served: bool


def to_json(position: Position) -> str:
    return json.dumps(asdict(position), ensure_ascii=False, sort_keys=True)


def from_json(text: str) -> Position:
    """The position stored; raises ValueError when the text is none."""
    raw: Any = json.loads(text)
    try:
        recordings = tuple(Recording(**each) for each in raw["recordings"])
        return Position(**raw | {"recordings": recordings, "answered": tuple(raw["answered"])})
    except (TypeError, KeyError) as error:
        raise ValueError("no stored position") from error
