"""The features of a text counted by number, at serving time: what features.py lists, looked up all at once.

Words are looked up one by one; characters and their pairs, most of the features, in two arrays. The property test of
exact.py holds this equal to features.py.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from classifier.features import WORD_MARK, fold
from classifier.tokens import cut

_UNITS = 0x10000
_NONE = -1
# Greater than any pair, so that a search in the sorted pairs always ends on an entry.
_LAST = np.iinfo(np.int64).max


class FeatureTable:
    """A model's features by number. Does not change."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        """`tokens` maps feature strings of features.py to their numbers, which are not negative."""
        self._words = {token[1:]: number for token, number in tokens.items() if token.startswith(WORD_MARK)}
        self._chars = np.full(_UNITS, _NONE, dtype=np.int32)
        pairs = {_LAST: _NONE}
        for token, number in tokens.items():
            if token.startswith(WORD_MARK):
                continue
            if len(token) == 1:
                self._chars[ord(token)] = number
            else:
                pairs[ord(token[0]) << 16 | ord(token[1])] = number
        ordered = sorted(pairs.items())
        self._pairs = np.array([code for code, _ in ordered], dtype=np.int64)
        self._pair_numbers = np.array([number for _, number in ordered], dtype=np.int32)

    def counts(self, text: str) -> dict[int, int]:
        """How often each known feature stands in a text, in no particular order."""
        folded = fold(text)
        find = self._words.get
        # Characters beyond the basic plane become two units, which are no feature and join no Chinese neighbours.
        units = np.frombuffer(folded.encode("utf-16-le", "surrogatepass"), "<u2")
        of_chars, of_pairs = self._chars[units], self._numbers_of_pairs(units)
        known = [number for word in cut(folded) if (number := find(word)) is not None]
        return Counter(known + of_chars[of_chars >= 0].tolist() + of_pairs[of_pairs >= 0].tolist())

    def _numbers_of_pairs(self, units: NDArray[np.uint16]) -> NDArray[np.int32]:
        codes = units[:-1].astype(np.int64) << 16 | units[1:]
        nearest = self._pairs.searchsorted(codes)
        return np.where(self._pairs[nearest] == codes, self._pair_numbers[nearest], _NONE)

