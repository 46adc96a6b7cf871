"""Whether one model may take another's place: every guarded figure is compared, and each fall is named with numbers.

Which figures and how far they may fall is data (data/corpus/floors.toml, [guard] and [newest]). Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LOWER_IS_BETTER = frozenset(("calibration_error", "abstention_rate"))
FEWEST = "fewest"

Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fall:
    """A figure that got worse by more than allowed, and on which texts (`test` or `newest`)."""

    where: str
    figure: str
    before: float
    after: float

    def __str__(self) -> str:
        return f"{self.where} {self.figure}: {self.before:.4f} → {self.after:.4f}"


def falls(where: str, *, champion: Scores, challenger: Scores, allowed: Scores) -> list[Fall]:
    """The guarded figures in which the challenger is worse than the champion by more than `allowed`."""
    return [
        Fall(where, figure, champion[figure], challenger[figure])
        for figure, tolerance in allowed.items()
        if figure != FEWEST and _loss(figure, champion[figure], challenger[figure]) > tolerance + 1e-12
    ]


def below(scores: Scores, floors: Scores) -> list[Fall]:
    """The figures that miss their floor, or exceed it where lower is better."""
    return [
        Fall("floor", figure, floor, scores[figure])
        for figure, floor in floors.items()
        if _loss(figure, floor, scores[figure]) > 0
    ]


def _loss(figure: str, before: float, after: float) -> float:
    return after - before if figure in LOWER_IS_BETTER else before - after
