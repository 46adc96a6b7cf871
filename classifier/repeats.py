"""Likely repeats of a report among the open ones: an index that is asked, not a scan, and a list that a person judges.

Nothing is ever merged here (process.md §4). Reading is in repeats_text.py, the inverted index in repeats_postings.py,
the matter in repeats_matter.py, weighing in repeats_evidence.py. An index belongs to one thread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from classifier.repeats_evidence import Evidence, RepeatWhy, chance, heights, reasons
from classifier.repeats_ground import Ground
from classifier.repeats_matter import KindTable, SenseTable
from classifier.repeats_postings import Postings
from classifier.repeats_report import Report
from classifier.repeats_text import Numbers, Reading, agreements, disagreements, read

LIMIT = 5
# Reports compared in full for one question, and of these the ones whose numbers and sides are compared as well.
POOL, CLOSEST = 300, 40
RARE_SCALE = 50.0
# Sum of squared rarity at which the shared names are as good as a whole address.
NAMES_ENOUGH = 80.0
RECENT_DAYS = 30.0
# A name of a place says more about sameness than as many pairs of characters of the matter.
NAME_PULL = 2.0
KIND_PULL = 3.0
# A subclass with this chance is one the report may be found by.
LIKELY_FROM = 0.15
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A likely repeat. `score` is 0..1."""

    id: int
    score: float
    reasons: tuple[RepeatWhy, ...] = ()


class RepeatIndex:
    """The open reports. `neighbours` gives the grids that touch a grid, where the city knows them."""

    def __init__(self, neighbours: Callable[[str], frozenset[str]] | None = None) -> None:
        self._pairs, self._names, self._likely = Postings(), Postings(), Postings()
        self._kinds, self._senses, self._ground = KindTable(), SenseTable(), Ground(neighbours)
        self._slot_of: dict[int, int] = {}
        self._id_of: list[int] = []
        self._numbers: list[Numbers] = []
        self._at_s = np.zeros(1024)
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._slot_of)

    def add(self, report: Report) -> None:
        """Take a report in; one of the same id is replaced."""
        self.remove(report.id)
        slot = self._new_slot()
        reading = read(report.text, place=report.place.text)
        self._slot_of[report.id], self._id_of[slot], self._numbers[slot] = slot, report.id, reading.numbers
        self._at_s[slot] = report.at.timestamp()
        self._pairs.add(slot, reading.pairs)
        self._names.add(slot, reading.names)
        self._likely.add(slot, likely(report.kinds))
        self._kinds.put(slot, report.kinds)
        self._senses.put(slot, report.sense)
        self._ground.put(slot, report.place)

    def remove(self, report_id: int) -> None:
        """Forget a report, for instance because its case was closed; one that is not there is no error."""
        slot = self._slot_of.pop(report_id, None)
        if slot is None:
            return
        self._pairs.drop(slot)
        self._names.drop(slot)
        self._likely.drop(slot)
        self._ground.drop(slot)
        self._numbers[slot] = {}
        heappush(self._free, slot)

    def candidates(self, report: Report, limit: int = LIMIT) -> tuple[Candidate, ...]:
        """The likeliest repeats, best first, whatever their score; none for a text that says nothing.

        Among equals the newest comes first. The report itself is left out if it is in the index.
        """
        reading = read(report.text, place=report.place.text)
        slots = self._pool(report, reading)
        if not len(slots) or limit < 1:
            return ()
        way = "full" if report.kinds else "text"
        evidence = self._evidence(report, reading, slots=slots)
        first = np.argsort(-heights(evidence, way=way), kind="stable")[: max(CLOSEST, limit)]
        slots, evidence = slots[first], {name: values[first] for name, values in evidence.items()}
        evidence |= self._numbered(reading, slots)
        total = heights(evidence, way=way)
        order = np.lexsort((-self._at_s[slots], -total))[:limit].tolist()
        return tuple(Candidate(self._id_of[slots[n]], round(chance(total[n]), 4), reasons(evidence, n)) for n in order)

    def evidence(self, report: Report) -> tuple[list[int], Evidence]:
        """The ids of all reports that would be compared in full, and every column of evidence; for fitting weights."""
        reading = read(report.text, place=report.place.text)
        slots = self._pool(report, reading)
        found = {**self._evidence(report, reading, slots=slots), **self._numbered(reading, slots)}
        return [self._id_of[slot] for slot in slots.tolist()], found

    def _new_slot(self) -> int:
        if self._free:
            return heappop(self._free)
        self._id_of.append(0)
        self._numbers.append({})
        if len(self._id_of) > len(self._at_s):
            self._at_s = np.concatenate((self._at_s, np.zeros(len(self._at_s))))
        return len(self._id_of) - 1

    def _pool(self, report: Report, reading: Reading) -> NDArray[np.intp]:
        """Slots worth comparing in full: all of a small index, else those that share most of what is rare."""
        own = self._slot_of.get(report.id, -1)
        if not reading.pairs:
            return np.zeros(0, dtype=np.intp)
        if len(self) <= POOL:
            return np.array([slot for slot in self._slot_of.values() if slot != own], dtype=np.intp)
        size = len(self._id_of)
        shared = self._pairs.gather(reading.pairs, slots=size)
        shared += NAME_PULL * self._names.gather(reading.names, slots=size)
        shared += KIND_PULL * self._likely.gather(likely(report.kinds), slots=size)
        shared[self._ground.around(report.place)] += NAMES_ENOUGH
        shared[own if own >= 0 else []] = 0.0
        best = np.argpartition(-shared, POOL)[:POOL]
        return np.asarray(best[shared[best] > 0.0], dtype=np.intp)

    def _evidence(self, report: Report, reading: Reading, *, slots: NDArray[np.intp]) -> Evidence:
        """All columns that are cheap for many at once."""
        listed = slots.tolist()
        pairs, names = self._pairs.overlap(reading.pairs, listed), self._names.overlap(reading.names, listed)
        kind, kindred = self._kinds.likeness(report.kinds, slots)
        named = np.minimum(names.shared / NAMES_ENOUGH, 1.0)
        days = np.abs(self._at_s[slots] - report.at.timestamp()) / DAY_S
        return {
            "words": pairs.cosine,
            "rare": np.log1p(pairs.shared / RARE_SCALE),
            "names": named,
            "kind": np.maximum(kind, kindred),
            "sense": self._senses.likeness(report.sense, slots),
            "place_and_kind": named * kind,
            "recent": np.exp(-days / RECENT_DAYS),
            **self._ground.evidence(report.place, slots),
        }

    def _numbered(self, reading: Reading, slots: NDArray[np.intp]) -> Evidence:
        mine, others = reading.numbers, [self._numbers[slot] for slot in slots.tolist()]
        return {
            "agrees": np.array([float(len(agreements(mine, other))) for other in others]),
            "differs": np.array([float(len(disagreements(mine, other))) for other in others]),
        }


def likely(kinds: Mapping[str, float]) -> tuple[str, ...]:
    """The subclasses a report may be found by."""
    return tuple(kind for kind, chance_of in kinds.items() if chance_of >= LIKELY_FROM)
