"""Why a text was given its class: the words that spoke for it, as spans of the text as given.

What each feature adds is told by exact.py; here it is spread over the characters, gathered into words and joined into
spans a person can read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifier.exact import ExactModel
from classifier.features import WORD_MARK, placed_features

MOST_REASONS = 6
LONGEST_SPAN = 8
LEAST_WEIGHT = 0.03
# Words of one character that say nothing by themselves; they may stand inside a span, never at its edge.
_EMPTY = frozenset("的了着呢吧啊呀吗嘛在是有和与就都也还很太个我你他它这那把被给到去来说要")


@dataclass(frozen=True, slots=True)
class Reason:
    """Words that spoke for the class: `text[start:end]`. `weight` is their share, 0..1, of all that spoke for it."""

    start: int
    end: int
    text: str
    weight: float


def reasons(model: ExactModel, text: str, label: int) -> tuple[Reason, ...]:
    """The weightiest words for a label (its position among `model.labels`), at most six, heaviest first."""
    placed = placed_features(text)
    shares = model.shares([feature for feature, _, _ in placed], label)
    weights = [0.0] * len(text)
    for (_, start, end), share in zip(placed, shares, strict=True):
        for at in range(start, end):
            weights[at] += share / (end - start)
    words = [(start, end, sum(weights[start:end])) for feature, start, end in placed if feature.startswith(WORD_MARK)]
    total = sum(weight for _, _, weight in words if weight > 0)
    spans = (
        Reason(start, end, text[start:end], round(weight / total, 4)) for start, end, weight in _joined(words, text)
    )
    weighty = (span for span in spans if span.weight >= LEAST_WEIGHT)
    return tuple(sorted(weighty, key=lambda span: (-span.weight, span.start))[:MOST_REASONS])


def _joined(words: Sequence[tuple[int, int, float]], text: str) -> Iterator[tuple[int, int, float]]:
    """Neighbouring words that speak for the class as one span, without empty words at its edges."""
    held: list[tuple[int, int, float]] = []
    for word in words:
        fits = held and word[0] == held[-1][1] and word[1] - held[0][0] <= LONGEST_SPAN
        if held and not (fits and word[2] > 0):
            yield from _trimmed(held, text)
            held = []
        if word[2] > 0:
            held.append(word)
    yield from _trimmed(held, text)


def _trimmed(held: list[tuple[int, int, float]], text: str) -> Iterator[tuple[int, int, float]]:
    while held and text[held[0][0] : held[0][1]] in _EMPTY:
        held = held[1:]
    while held and text[held[-1][0] : held[-1][1]] in _EMPTY:
        held = held[:-1]
    if held:
        yield held[0][0], held[-1][1], sum(weight for _, _, weight in held)
