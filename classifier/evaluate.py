"""How good a model is on labelled texts: ranks, calibration, abstaining, out of scope, and where it errs.

Takes any function from text to Judgement, so that it measures exactly what intake gets. Numbers only; the command
prints them, train.py writes them on the model's card.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from classifier.calibration import Bin, calibration_error, coverage_at, reliability
from classifier.corpus import NONE, Example
from classifier.decide import Judgement, choice
from intake.model import Subclass
from intake.taxonomy import Taxonomy

STATED_PRECISION = 0.95
FEWEST_TEXTS = 5
LENGTHS = (0, 20, 40, 80, 150, 1_000_000)


@dataclass(frozen=True, slots=True)
class Answer:
    """One text judged. Names are `event:0101` or `none`; `accepted` holds `truth` and what else counts as right."""

    truth: str
    accepted: frozenset[str]
    ranked: tuple[str, ...]
    confidence: float
    gap: float
    abstained: bool
    register: str = ""
    length: int = 0

    @property
    def is_right(self) -> bool:
        return self.ranked[0] in self.accepted

    def is_in_first(self, places: int) -> bool:
        """Whether an accepted answer is among the first so many."""
        return not self.accepted.isdisjoint(self.ranked[:places])

    @property
    def counted_as(self) -> str:
        """The true class for tables: an accepted answer counts as the truth."""
        return self.ranked[0] if self.is_right else self.truth


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One line of the per-class table; `texts` is how many have this truth."""

    name: str
    texts: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Slice:
    """Texts of one register or length with their shares of right answers."""

    name: str
    texts: int
    top1: float
    top3: float


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one evaluation. `scores` are shares 0..1; `confusions` are (truth, answer, texts), most first.

    `bins` are the points of the reliability diagram; `slices` the registers, then the lengths in characters.
    """

    texts: int
    scores: Mapping[str, float]
    classes: tuple[ClassScore, ...]
    confusions: tuple[tuple[str, str, int], ...]
    bins: tuple[Bin, ...] = ()
    slices: tuple[Slice, ...] = ()


def judge_all(judge: Callable[[str], Judgement], examples: Iterable[Example], taxonomy: Taxonomy) -> list[Answer]:
    """Judge each example; optional classes that are off count as their base class on both sides."""
    return [_answer(judge(example.text), example, taxonomy) for example in examples]


def report(answers: Sequence[Answer]) -> Report:
    """Measure a set of answers, at least one."""
    best = np.array([answer.confidence for answer in answers])
    right = np.array([answer.is_right for answer in answers])
    offered = np.array([not answer.abstained or answer.ranked[0] == NONE for answer in answers])
    classes = _class_scores(answers)
    outside = next((line.f1 for line in classes if line.name == NONE), 0.0)
    scores = {
        "top1": float(right.mean()),
        "top1_strict": _share(answer.ranked[0] == answer.truth for answer in answers),
        "top3": _share(answer.is_in_first(3) for answer in answers),
        "macro_f1": _mean(line.f1 for line in classes if line.texts >= FEWEST_TEXTS and line.name != NONE),
        "macro_f1_all": _mean(line.f1 for line in classes if line.name != NONE),
        "out_of_scope_f1": outside,
        "calibration_error": calibration_error(best, right),
        "coverage_at_95": coverage_at(best, right, precision=STATED_PRECISION),
        "precision_top60": float(right[np.argsort(-best, kind="stable")[: max(1, int(len(best) * 0.6))]].mean()),
        "abstention_rate": _share(answer.abstained for answer in answers),
        "precision_when_sure": float(right[offered].mean()) if offered.any() else 1.0,
        "wrong_among_unsure": float((~right[~offered]).mean()) if (~offered).any() else 0.0,
        "errors_kept_back": float((~right & ~offered).sum() / max(int((~right).sum()), 1)),
    }
    wrong = Counter((answer.truth, answer.ranked[0]) for answer in answers if not answer.is_right)
    pairs = tuple((truth, said, count) for (truth, said), count in wrong.most_common())
    return Report(len(answers), scores, classes, pairs, reliability(best, right), _slices(answers))


def rounded(found: Report) -> dict[str, float]:
    """The scores as a model's card keeps them."""
    return {name: round(score, 4) for name, score in found.scores.items()}


def name_of(subclass: Subclass | None) -> str:
    """`event:0101`, or `none` for out of scope."""
    return str(subclass) if subclass else NONE


def _answer(judged: Judgement, example: Example, taxonomy: Taxonomy) -> Answer:
    truth, *others = (name_of(choice(label, taxonomy)) for label in (example.label, *example.also))
    first, second, *_ = judged.ranked
    return Answer(
        truth=truth,
        accepted=frozenset((truth, *others)),
        ranked=tuple(name_of(ranked.subclass) for ranked in judged.ranked),
        confidence=first.confidence,
        gap=first.confidence - second.confidence,
        abstained=judged.abstained,
        register=example.register,
        length=len(example.text),
    )


def _slices(answers: Sequence[Answer]) -> tuple[Slice, ...]:
    registers = sorted({answer.register for answer in answers})
    groups = [(name or "-", [each for each in answers if each.register == name]) for name in registers]
    for low, high in pairwise(LENGTHS):
        name = f"{low}-{high - 1}" if high < LENGTHS[-1] else f"{low}+"
        groups.append((name, [each for each in answers if low <= each.length < high]))
    return tuple(
        Slice(name, len(group), _share(each.is_right for each in group), _share(each.is_in_first(3) for each in group))
        for name, group in groups
        if group
    )


def _class_scores(answers: Sequence[Answer]) -> tuple[ClassScore, ...]:
    true = Counter(answer.counted_as for answer in answers)
    said = Counter(answer.ranked[0] for answer in answers)
    hits = Counter(answer.ranked[0] for answer in answers if answer.is_right)
    return tuple(
        ClassScore(
            name=name,
            texts=true[name],
            precision=hits[name] / said[name] if said[name] else 0.0,
            recall=hits[name] / true[name],
            f1=2 * hits[name] / (said[name] + true[name]),
        )
        for name in sorted(true)
    )


def _share(values: Iterable[bool]) -> float:
    return _mean(map(float, values))


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return sum(held) / len(held) if held else 0.0
