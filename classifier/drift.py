"""Whether what comes in, or what operators make of it, has moved away from what the model learned.

Three signs: the mix of classes, the share of texts the model abstains from, and how often people overrule it, in all and
for each class. Pure; limits are data (data/corpus/floors.toml, [drift]); the command reads the cases.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from classifier.learning import Confirmed, plain, proposal
from intake.model import Case, Prediction

RARE = 10


@dataclass(frozen=True, slots=True)
class Period:
    """What a stretch of time looked like; `proposed` and `overruled` count decided cases by the class proposed."""

    texts: int = 0
    abstained: int = 0
    mix: Mapping[str, int] = field(default_factory=Counter)
    proposed: Mapping[str, int] = field(default_factory=Counter)
    overruled: Mapping[str, int] = field(default_factory=Counter)

    @property
    def abstention_rate(self) -> float:
        return self.abstained / max(self.texts, 1)

    @property
    def override_rate(self) -> float:
        return sum(self.overruled.values()) / max(sum(self.proposed.values()), 1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A figure above its limit; `subject` is a class for override rates, else empty."""

    figure: str
    value: float
    limit: float
    subject: str = ""


def period(cases: Iterable[Case], decided: Iterable[Confirmed]) -> Period:
    """Sum up cases that a model judged, and those among them that a person has decided."""
    judged = [case.prediction for case in cases if case.prediction.model_version and case.prediction.top]
    spoken = [each for each in decided if each.proposed]
    return Period(
        texts=len(judged),
        abstained=sum(each.abstained and not each.out_of_scope for each in judged),
        mix=Counter(_first(each) for each in judged),
        proposed=Counter(each.proposed for each in spoken),
        overruled=Counter(each.proposed for each in spoken if each.is_correction),
    )


def mix_distance(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Jensen-Shannon divergence of two counts in bits, 0..1, less what chance alone gives for so few texts.

    Two samples of one distribution with k classes differ by (k - 1) / (8 ln 2) * (1/n + 1/m) bits on average (second
    order of the divergence); without taking that off, two hundred classes would always look as if they moved. That holds
    for classes of some size, so the rare ones are counted as one.
    """
    totals = sum(one.values()), sum(other.values())
    if not all(totals):
        return 0.0
    counts = _rare_together(one, other)
    measured = math.fsum(_part(n / totals[0], m / totals[1]) for n, m in counts)
    chance = (len(counts) - 1) / (8 * math.log(2)) * (1 / totals[0] + 1 / totals[1])
    return max(0.0, measured - chance)


def alarms(now: Period, before: Period, limits: Mapping[str, float]) -> list[Alarm]:
    """What exceeds its limit. Fewer than `fewest` texts raise no alarm; rises need as many in the period before."""
    found = _override_alarms(now, limits)
    if now.texts < limits["fewest"]:
        return found
    figures = {"abstention_rate": now.abstention_rate}
    if before.texts >= limits["fewest"]:
        figures["mix"] = mix_distance(now.mix, before.mix)
        figures["abstention_rise"] = now.abstention_rate - before.abstention_rate
    high = [Alarm(name, value, limits[name]) for name, value in figures.items() if value > limits[name]]
    return high + found


def override_rates(now: Period) -> list[tuple[str, int, float]]:
    """Class, decided proposals and share overruled; the most overruled first."""
    rates = [(name, count, now.overruled.get(name, 0) / count) for name, count in now.proposed.items()]
    return sorted(rates, key=lambda row: (-row[2], -row[1], row[0]))


def _override_alarms(now: Period, limits: Mapping[str, float]) -> list[Alarm]:
    found = []
    if sum(now.proposed.values()) >= limits["fewest"] and now.override_rate > limits["override_rate"]:
        found.append(Alarm("override_rate", now.override_rate, limits["override_rate"]))
    limit = limits["class_override_rate"]
    rates = [row for row in override_rates(now) if row[1] >= limits["class_fewest"] and row[2] > limit]
    return found + [Alarm("class_override_rate", rate, limit, name) for name, _, rate in rates]


def _first(prediction: Prediction) -> str:
    """The likeliest answer, proposed or not: abstentions are texts of some class too."""
    return plain(proposal(prediction) or str(prediction.top[0].subclass))


def _rare_together(one: Mapping[str, int], other: Mapping[str, int]) -> list[tuple[int, int]]:
    """Both counts of each class that is seen RARE times at least, and of all others together."""
    counts = [(one.get(name, 0), other.get(name, 0)) for name in {*one, *other}]
    rare = [pair for pair in counts if sum(pair) < RARE]
    kept = [pair for pair in counts if sum(pair) >= RARE]
    return [*kept, (sum(n for n, _ in rare), sum(m for _, m in rare))] if rare else kept


def _part(one: float, other: float) -> float:
    middle = (one + other) / 2
    return sum(share * math.log2(share / middle) / 2 for share in (one, other) if share)
