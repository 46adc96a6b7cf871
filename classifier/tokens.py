"""Chinese text cut into words: the only importer of jieba.

The dictionary is jieba's own without its rarest entries, the colloquial terms of the class table and
data/dictionary.txt. What the classifier makes of the words stands in features.py.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import jieba

from intake.taxonomy import load_taxonomy

DICTIONARY = Path(__file__).resolve().parent.parent / "data" / "dictionary.txt"
LONGEST_TERM = 4
RAREST_KEPT = 4

# Part-of-speech tags of jieba's dictionary: places and bodies; then verbs, adjectives, adverbs, pronouns, times,
# prepositions, conjunctions, particles, states and set phrases.
_NAME_TAGS = frozenset(("ns", "nt"))
_PLAIN_TAGS = frozenset("vadrtpcuyezoil")

# What jieba cuts; it hands everything else through character by character.
_LETTERS = re.compile(r"[^\W_]+")
_RUN = re.compile(r"[\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]+")


@dataclass(frozen=True, slots=True)
class _Dictionary:
    """jieba's dictionary with our words added, and which of its words name places or are anything but nouns."""

    tokenizer: jieba.Tokenizer
    names: frozenset[str]
    plain: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Weights:
    """The logarithm of each word's share, 0 for mere beginnings of words; single characters apart, because that is
    twice as fast: every character is looked up, and the small table stays in the processor's cache."""

    first: Mapping[str, float]
    longer: Mapping[str, float]
    unknown: float


def cut(text: str) -> list[str]:
    """Cut the Chinese and Latin runs of a text into words; what lies between them is dropped.

    The cuts are jieba's own (`HMM=False`; a property test compares them), found with logarithms taken once instead of
    at every look: twice as fast. Without the hidden Markov guess at unknown words, because it glues names together,
    costs time and helped nothing.
    """
    weights = _weights()
    return [word for run in _RUN.findall(text) for word in _cut_run(run, weights)]


def cut_with_places(text: str) -> list[tuple[int, str]]:
    """The words of `cut`, each with the position where it starts in the text."""
    weights = _weights()
    found = []
    for run in _RUN.finditer(text):
        at = run.start()
        for word in _cut_run(run.group(), weights):
            found.append((at, word))
            at += len(word)
    return found


def is_place_name(word: str) -> bool:
    """Whether jieba's dictionary lists the word as a place or as a body named after one."""
    return word in _loaded().names


def is_in_dictionary(word: str) -> bool:
    """Whether jieba's dictionary or ours lists the word at all."""
    weights = _weights()
    return bool((weights.first if len(word) == 1 else weights.longer).get(word))


def is_term(word: str) -> bool:
    """Whether it is a word of ours: a term of the class table (路灯不亮) or of data/dictionary.txt."""
    return word in _own()


def is_plain(word: str) -> bool:
    """Whether the dictionary lists it as anything but a noun or a name: verbs, adjectives, pronouns, particles."""
    return word in _loaded().plain


def search_tokens(text: str) -> list[str]:
    """Words, the words inside long words, and every pair of neighbouring characters, for a search index.

    The pairs make any two-character substring findable, whatever the dictionary thinks of it. Only letters and digits,
    in lower case; repeats are kept. The words are those of jieba's `cut_for_search`, found by our own cut.
    """
    weights = _weights()
    found: list[str] = []
    for run in _LETTERS.findall(text.lower()):
        found += map("".join, pairwise(run))
        for word in _cut_run(run, weights):
            found.append(word)
            if len(word) > 3:
                found += [part for part in map("".join, zip(word, word[1:], word[2:], strict=False)) if weights.longer.get(part)]
    return found


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


def _cut_run(run: str, weights: _Weights) -> list[str]:
    """The likeliest words of a run without marks: the best way on from each place, found from the end."""
    first_of, weight_of, unknown = weights.first.get, weights.longer.get, weights.unknown
    size = len(run)
    best, turn = [0.0] * (size + 1), [0] * size
    for start in range(size - 1, -1, -1):
        weight = first_of(run[start])
        # A weight of 0 marks the beginning of a longer word; every word weighs less than 0.
        score, end, is_found = (weight or unknown) + best[start + 1], start + 1, bool(weight)
        stop = start + 2
        while weight is not None and stop <= size and (weight := weight_of(run[start:stop])) is not None:
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


@cache
def _own() -> frozenset[str]:
    return frozenset(own_words())


@cache
def _tokenizer() -> jieba.Tokenizer:
    """A tokenizer filled by ourselves.

    jieba would keep a marshalled cache in the shared temp folder, where another user could plant one. Leaving out the
    200,000 words its list counts three times or less makes the loading faster than that cache (0.23 s against 0.48 s)
    and saves 48 MB, so there is no cache at all.
    """
    return _loaded().tokenizer


@cache
def _weights() -> _Weights:
    tokenizer = _tokenizer()
    total = math.log(tokenizer.total)
    first: dict[str, float] = {}
    longer: dict[str, float] = {}
    for word, count in tokenizer.FREQ.items():
        (first if len(word) == 1 else longer)[word] = math.log(count) - total if count else 0.0
    return _Weights(first, longer, -total)


@cache
def _loaded() -> _Dictionary:
    counts: dict[str, int] = {}
    names, plain = set(), set()
    with Path(jieba.__file__).with_name("dict.txt").open(encoding="utf-8") as stream:
        for line in stream:
            word, count, tag = line.split()
            if int(count) < RAREST_KEPT:
                continue
            counts[word] = int(count)
            if tag in _NAME_TAGS:
                names.add(word)
            elif tag[0] in _PLAIN_TAGS:
                plain.add(word)
    # jieba's form: each word with its count, and each beginning of a word with 0.
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ = {word[:end]: 0 for word in counts for end in range(1, len(word))} | counts
    tokenizer.total = sum(counts.values())
    tokenizer.initialized = True
    for word in own_words():
        tokenizer.add_word(word)
    return _Dictionary(tokenizer, frozenset(names), frozenset(plain))
