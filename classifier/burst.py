"""Bursts: many reports of one matter, close together in place and time, give one alarm.

Streaming and pure: no clock, no store; time is what the reports say. The thresholds are the table `burst` of
data/repeats.toml. What is done about an alarm is not decided here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from classifier.repeats_ground import metres_between, point_of
from classifier.repeats_matter import LIKELY, kindred
from classifier.repeats_text import IN_PLACE, TABLES, read
from intake.model import Place, Subclass

# Names of areas that are too wide to say that two reports mean one place.
_WIDE = ("市", "区", "县", "镇", "乡")


@dataclass(frozen=True, slots=True)
class BurstRule:
    """`least` reports within `within_m` metres and `within_min` minutes. `kinds` are beginnings of `event:0402`."""

    name: str
    kinds: tuple[str, ...]
    least: int
    within_m: float
    within_min: float

    @property
    def span(self) -> timedelta:
        return timedelta(minutes=self.within_min)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A report as far as bursts go. `at` is aware; `text` names the place where `place` has neither point nor grid."""

    id: int
    subclass: Subclass
    at: datetime
    place: Place = field(default_factory=Place)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A burst that has just been found: which rule, the subclass of the report that completed it, and all reports."""

    rule: BurstRule
    subclass: Subclass
    ids: tuple[int, ...]
    first_at: datetime
    last_at: datetime


RULES = tuple(BurstRule(**{**row, "kinds": tuple(row["kinds"])}) for row in TABLES["burst"])


@dataclass(slots=True)
class _Seen:
    """A sighting with the names read from it, and whether an alarm was already given for its burst."""

    sighting: Sighting
    names: frozenset[str]
    is_told: bool = False


class BurstWatch:
    """Sees reports one by one and remembers those of the longest span of its rules."""

    def __init__(self, rules: Sequence[BurstRule] = RULES) -> None:
        self._rules = tuple(rules)
        self._longest = max((rule.span for rule in self._rules), default=timedelta())
        self._seen: list[_Seen] = []

    def see(self, sighting: Sighting) -> Alarm | None:
        """Take a report in; an alarm when it completes a burst, and only then.

        Later reports of the burst join it silently, until it has been quiet for the rule's span.
        """
        self._forget(sighting.at)
        new = _Seen(sighting, place_names(sighting))
        self._seen.append(new)
        rule = next((rule for rule in self._rules if _applies(rule, sighting.subclass)), None)
        if rule is None:
            return None
        members = [seen for seen in self._seen if _is_together(seen, new, rule)]
        # Who joins a burst that was told carries it on, so that it stays one alarm as long as it lasts.
        new.is_told = len(members) >= rule.least or any(seen.is_told for seen in members)
        if len(members) < rule.least or any(seen.is_told for seen in members if seen is not new):
            return None
        for seen in members:
            seen.is_told = True
        moments = [seen.sighting.at for seen in members]
        ids = tuple(seen.sighting.id for seen in members)
        return Alarm(rule, sighting.subclass, ids, min(moments), max(moments))

    def _forget(self, now: datetime) -> None:
        if self._seen and now - self._seen[0].sighting.at > self._longest:
            self._seen = [seen for seen in self._seen if now - seen.sighting.at <= self._longest]


def bursts(sightings: Iterable[Sighting], rules: Sequence[BurstRule] = RULES) -> tuple[Alarm, ...]:
    """All alarms of reports in time order."""
    watch = BurstWatch(rules)
    return tuple(alarm for alarm in map(watch.see, sightings) if alarm is not None)


def place_names(sighting: Sighting) -> frozenset[str]:
    """Names read from place and text, without those of wide areas."""
    names = read(sighting.text, place=sighting.place.text).names
    return frozenset(name for name in names if not name.startswith(IN_PLACE) and not name.endswith(_WIDE))


def _applies(rule: BurstRule, subclass: Subclass) -> bool:
    return str(subclass).startswith(rule.kinds)


def _is_together(one: _Seen, other: _Seen, rule: BurstRule) -> bool:
    """Whether two reports are near in time, of one matter and in one place, by the best both of them have."""
    mine, theirs = one.sighting, other.sighting
    if abs(mine.at - theirs.at) > rule.span or kindred(str(mine.subclass), str(theirs.subclass)) < LIKELY:
        return False
    here, there = point_of(mine.place), point_of(theirs.place)
    if here and there:
        return metres_between(here, there) <= rule.within_m
    if mine.place.grid_code and theirs.place.grid_code:
        return mine.place.grid_code == theirs.place.grid_code
    return one is other or bool(one.names & other.names)
