"""How many true repeats stand in the list: reports with known groups are played in time order through an index.

Reports without a group, and texts put between, are there to be mistaken for repeats. Numbers only.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from classifier.repeats import Candidate, RepeatIndex
from classifier.repeats_report import Reporter


@dataclass(frozen=True, slots=True)
class Told:
    """A report of a known group; an empty group means it repeats nothing."""

    text: str
    at: datetime
    group: str


@dataclass(frozen=True, slots=True)
class Recall:
    """Over `asked` reports that have an earlier one of their group: shares 0..1.

    `at_5` is the share of all earlier members found among the first five, `any_at_5` the share of reports with at least
    one of them there, `first` the share whose first candidate is one.
    """

    asked: int
    at_5: float
    any_at_5: float
    first: float


def read_told(path: Path) -> tuple[Told, ...]:
    """Read JSON lines `{"text","at","group"}` in time order."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(Told(row["text"], datetime.fromisoformat(row["at"]), row["group"]) for row in rows)


def is_held_out(group: str) -> bool:
    """Whether a group belongs to the half that no weight was fitted on."""
    return bool(sha256(group.encode()).digest()[-1] & 1)


def lists(told: Sequence[Told], reporter: Reporter) -> list[tuple[Candidate, ...]]:
    """The candidates of each report among the earlier ones; ids are positions."""
    index, found = RepeatIndex(), []
    for place, each in enumerate(told):
        report = reporter.report(place, each.text, at=each.at)
        found.append(index.candidates(report))
        index.add(report)
    return found


def recall(
    told: Sequence[Told], found: Sequence[Iterable[Candidate]], *, counts: Callable[[str], bool] = bool
) -> Recall:
    """Measure lists against groups; only reports whose group `counts` are asked about."""
    earlier: dict[str, set[int]] = defaultdict(set)
    members = hits = asked = some = first = 0
    for place, (each, candidates) in enumerate(zip(told, found, strict=True)):
        true = earlier[each.group]
        if each.group and counts(each.group) and true:
            listed = [candidate.id for candidate in candidates]
            hit = len(true.intersection(listed))
            members, hits, asked = members + len(true), hits + hit, asked + 1
            some, first = some + bool(hit), first + (listed[:1] != [] and listed[0] in true)
        true.add(place)
    return Recall(asked, hits / max(members, 1), some / max(asked, 1), first / max(asked, 1))
