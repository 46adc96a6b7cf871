"""Chinese text cut into words: the only importer of jieba.

The dictionary is jieba's own without its rarest entries, the colloquial terms of the class table and
data/dictionary.txt. What the classifier makes of the words stands in features.py.
"""

import math
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import jieba

from intake.taxonomy import load_taxonomy

DICTIONARY = Path(__file__).resolve().parent.parent / "data" / "dictionary.txt"
LONGEST_TERM = 4
RAREST_KEPT = 4

# What jieba cuts; it hands everything else through character by character.
_RUN = re.compile(r"[\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]+")


def cut(text: str) -> list[str]:
    """Cut the Chinese and Latin runs of a text into words; what lies between them is dropped.

    The cuts are jieba's own (`HMM=False`; a property test compares them), found with logarithms taken once instead of
    at every look: twice as fast. Without the hidden Markov guess at unknown words, because it glues names together,
    costs time and helped nothing.
    """
    weights, unknown = _weights()
    return [word for run in _RUN.findall(text) for word in _cut_run(run, weights.get, unknown)]


def search_tokens(text: str) -> list[str]:
    """Words, the words inside long words, and every pair of neighbouring characters, for a search index.

    The pairs make any two-character substring findable, whatever the dictionary thinks of it. Repeats are kept.
    """
    text = text.casefold()
    words = [word for word in _tokenizer().cut_for_search(text, HMM=False) if word.strip()]
    return words + [pair for pair in map("".join, pairwise(text)) if not _has_space(pair)]


def warm() -> None:
    """Load the dictionary now (about a quarter of a second) instead of at the first text."""
    _weights()


def own_words() -> tuple[str, ...]:
    """The words we add to jieba's: short terms of the class table and data/dictionary.txt, sorted."""
    lines = (line.partition("#")[0].strip() for line in DICTIONARY.read_text(encoding="utf-8").splitlines())
    terms = (term for entry in load_taxonomy().entries.values() for term in (entry.name, *entry.terms))
    return tuple(sorted({line for line in lines if line} | {term for term in terms if _is_word(term)}))


def _is_word(term: str) -> bool:
    """Longer terms and those with 了 are phrases (井盖丢了); as words they would hide 井盖 from the model."""
    return len(term) <= LONGEST_TERM and "了" not in term


def _cut_run(run: str, weight_of: Callable[[str], float | None], unknown: float) -> list[str]:
    """The likeliest words of a run without marks: the best way on from each place, found from the end."""
    size = len(run)
    best, turn = [0.0] * (size + 1), [0] * size
    for start in range(size - 1, -1, -1):
        score, end = unknown + best[start + 1], start + 1
        is_found, stop = False, start + 1
        while stop <= size and (weight := weight_of(run[start:stop])) is not None:
            # A weight of 0 marks the beginning of a longer word; every word weighs less than 0.
            if weight and (not is_found or weight + best[stop] >= score):
                score, end, is_found = weight + best[stop], stop, True
            stop += 1
        best[start], turn[start] = score, end
    return list(_joined(run, turn))


def _joined(run: str, turn: list[int]) -> Iterator[str]:
    """The words along the turns; single Latin letters and digits in a row are one word."""
    start, held = 0, ""
    while start < len(run):
        word, start = run[start : turn[start]], turn[start]
        if len(word) == 1 and word.isascii() and word.isalnum():
            held += word
            continue
        if held:
            yield held
            held = ""
        yield word
    if held:
        yield held


def _has_space(pair: str) -> bool:
    return any(map(str.isspace, pair))


@cache
def _tokenizer() -> jieba.Tokenizer:
    """A tokenizer filled by ourselves.

    jieba would keep a marshalled cache in the shared temp folder, where another user could plant one. Leaving out the
    200,000 words its list counts three times or less makes the loading faster than that cache (0.23 s against 0.48 s)
    and saves 48 MB, so there is no cache at all.
    """
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = _prefix_dictionary()
    tokenizer.initialized = True
    for word in own_words():
        tokenizer.add_word(word)
    return tokenizer


@cache
def _weights() -> tuple[dict[str, float], float]:
    """The logarithm of each word's share, 0 for mere beginnings of words, and the weight of an unknown character."""
    tokenizer = _tokenizer()
    total = math.log(tokenizer.total)
    counts = tokenizer.FREQ.items()
    return {word: math.log(count) - total if count else 0.0 for word, count in counts}, -total


def _prefix_dictionary() -> tuple[dict[str, int], int]:
    """jieba's form: each word with its count, and each beginning of a word with 0."""
    counts: dict[str, int] = {}
    with Path(jieba.__file__).with_name("dict.txt").open(encoding="utf-8") as stream:
        for line in stream:
            word, count, _ = line.split(" ", 2)
            if int(count) >= RAREST_KEPT:
                counts[word] = int(count)
    prefixes = {word[:end]: 0 for word in counts for end in range(1, len(word))}
    return prefixes | counts, sum(counts.values())
