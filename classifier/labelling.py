"""Which unlabelled texts are worth a person's time: where the model wavers, and unlike what was already asked.

Pure and deterministic; asking and saving stands in intake/commands/label.py.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from classifier.decide import Judgement
from classifier.likeness import grams

GRAM = 2
POOL = 1000
RECENT = 300
"""Only so many of the most doubtful texts are compared, with so many of the last ones: the next comes at once."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A text to be labelled, what the model thinks of it, and how much it may teach (0..1)."""

    text: str
    judged: Judgement
    worth: float


def proposals(
    texts: Iterable[str], judge: Callable[[str], Judgement], *, done: Iterable[str] = ()
) -> Iterator[Proposal]:
    """The texts in the order of their worth, each once and none of `done`.

    Worth is doubt (one less the lead of the first answer over the second) times unlikeness: one less the largest share of
    character pairs common with a text in `done` or proposed before.
    """
    known = list(dict.fromkeys(done))
    asked = dict.fromkeys(texts).keys() - known
    judged = sorted(((text, judge(text)) for text in asked), key=lambda pair: (-doubt(pair[1]), pair[0]))
    while judged:
        yield from _spread(judged[:POOL], known)
        known += [text for text, _ in judged[:POOL]]
        judged = judged[POOL:]


def doubt(judged: Judgement) -> float:
    """One less the lead of the best answer over the second, 0..1."""
    first, second, *_ = judged.ranked
    return 1.0 - (first.confidence - second.confidence)


def _spread(pool: Sequence[tuple[str, Judgement]], known: Sequence[str]) -> Iterator[Proposal]:
    """Greedily the text of most worth; after each the others' likeness to what is known is brought up to date."""
    pairs = {text: grams(text, GRAM) for text, _ in pool}
    nearest = dict.fromkeys(pairs, 0.0)
    for text in known[-RECENT:]:
        _bring_closer(nearest, pairs, grams(text, GRAM))
    left = dict(pool)
    while left:
        worth = {text: doubt(judged) * (1.0 - nearest[text]) for text, judged in left.items()}
        best = max(worth, key=lambda text: worth[text])
        yield Proposal(best, left.pop(best), worth[best])
        nearest.pop(best)
        _bring_closer(nearest, pairs, pairs[best])


def _bring_closer(nearest: dict[str, float], pairs: dict[str, frozenset[str]], to: frozenset[str]) -> None:
    for text in nearest:
        either = len(pairs[text] | to)
        if either:
            nearest[text] = max(nearest[text], len(pairs[text] & to) / either)
