"""The features of a text counted by number, at serving time: what features.py lists, looked up without listing it.

Dictionaries alone: a search in arrays is no faster for texts of this length, and each call of numpy may hand the
interpreter to another thread of a busy gateway. The property test of exact.py holds this equal to features.py.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import add

from classifier.features import WORD_MARK, fold
from classifier.tokens import cut

LATEST = 256
"""Texts remembered; a few megabytes at most."""


class FeatureTable:
    """A model's features by number. Does not change."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        """`tokens` maps feature strings of features.py to their numbers."""
        # A report is judged, compared with others and explained: the latest texts are cut once.
        self.counts: Callable[[str], Mapping[int, int]] = lru_cache(LATEST)(self._count)
        """How often each known feature stands in a text, in no particular order."""
        self._words = {token[1:]: number for token, number in tokens.items() if token.startswith(WORD_MARK)}
        # Only neighbours in a run of Chinese characters are features, so pairs over any mark are simply not found.
        self._characters = {token: number for token, number in tokens.items() if not token.startswith(WORD_MARK)}

    def _count(self, text: str) -> dict[int, int]:
        folded, find = fold(text), self._characters.get
        counts: Counter[int | None] = Counter(map(self._words.get, cut(folded)))
        counts.update(map(find, folded))
        counts.update(map(find, map(add, folded, folded[1:])))
        counts.pop(None, None)
        return counts  # type: ignore[return-value]  # None was the only other key
