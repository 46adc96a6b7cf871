"""Which texts of many are nearly the same: an index of character 4-grams, so that all pairs are found without comparing all.

Used to keep twins out of the corpus and to spread what is proposed for labelling. Nothing here knows labels.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GRAM = 4
MOST_SHARED = 0.5
# A text of a dozen characters is bound to stand inside a longer one sooner or later; that makes it no copy.
FEWEST_GRAMS = 10
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two texts by their places in the sequence; `share` is how much of the shorter one's 4-grams the other has."""

    first: int
    second: int
    share: float


def grams(text: str, size: int = GRAM) -> frozenset[str]:
    """The character n-grams of a text without marks and blanks; empty for a text shorter than `size`."""
    plain = _MARKS.sub("", text)
    return frozenset(plain[start : start + size] for start in range(len(plain) - size + 1))


def pairs_alike(texts: Sequence[str]) -> list[Pair]:
    """All pairs where more than half of the shorter one's 4-grams stand in the other, and all that are the same.

    Exact: who shares more than half must share one of any half, so only the rarest half of a text is looked up.
    """
    held = [grams(text) for text in texts]
    users: defaultdict[str, list[int]] = defaultdict(list)
    for place, found in enumerate(held):
        for gram in found:
            users[gram].append(place)
    pairs = [pair for place, found in enumerate(held) for pair in _alike_to(place, found, held=held, users=users)]
    return sorted({*pairs, *_same(texts)})


def _alike_to(
    place: int, found: frozenset[str], *, held: Sequence[frozenset[str]], users: dict[str, list[int]]
) -> Iterable[Pair]:
    """Pairs in which the text at `place` is the shorter one (of equals the earlier)."""
    if len(found) < FEWEST_GRAMS:
        return
    # Ties by the gram itself: the order of a set changes from run to run.
    rarest = sorted(found, key=lambda gram: (len(users[gram]), gram))[: (len(found) + 1) // 2]
    for other in {user for gram in rarest for user in users[gram]}:
        if (len(held[other]), other) <= (len(found), place):
            continue
        share = len(found & held[other]) / len(found)
        if share > MOST_SHARED:
            yield Pair(min(place, other), max(place, other), share)


def _same(texts: Sequence[str]) -> Iterable[Pair]:
    """Texts that are equal but for marks and blanks, whatever their length."""
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        plain = _MARKS.sub("", text)
        before = first.setdefault(plain, place)
        if plain and before != place and len(grams(text)) < FEWEST_GRAMS:
            yield Pair(before, place, 1.0)
