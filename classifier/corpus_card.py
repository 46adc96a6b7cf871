"""The counted part of data/corpus/CARD.md: splits, registers, lengths, likeness; written by `python -m classifier.corpus_card`.

The card's words are written by hand and left alone; a test says when the counts no longer fit the corpus.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from classifier.corpus import CORPUS_FOLDER, Example, digest, read_split
from classifier.decide import is_outside
from classifier.fold import SIMPLIFIED
from classifier.likeness import grams
from intake.model import Subclass
from intake.taxonomy import Taxonomy, load_taxonomy

CARD = CORPUS_FOLDER / "CARD.md"
BEGIN, END = "<!-- counted: begin -->\n", "<!-- counted: end -->\n"
SPLITS = ("train", "dev", "test")
REGISTERS = ("ticket", "sms", "letter", "speech")
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)

Splits = Mapping[str, Sequence[Example]]


def read_splits(folder: Path, taxonomy: Taxonomy) -> dict[str, tuple[Example, ...]]:
    return {split: read_split(split, taxonomy, folder=folder) for split in SPLITS}


def facts(splits: Splits) -> str:
    """The counted part as Markdown tables, the same for the same corpus."""
    return "\n".join([*_sizes(splits), "", *_registers(splits), "", *_lengths(splits), "", *_classes(splits)]) + "\n"


def rewrite(card: Path, splits: Splits) -> None:
    """Put the counted part between its marks, the rest of the card unchanged."""
    text = card.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    card.write_text(f"{before}{BEGIN}{facts(splits)}{END}{after}", encoding="utf-8")


def _sizes(splits: Splits) -> Iterator[str]:
    yield "| split | texts | event | component | out of scope | with a second class | with a place | traditional | digest |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    for split, examples in splits.items():
        kinds = Counter(example.label.partition(":")[0] for example in examples)
        second, placed = sum(bool(e.also) for e in examples), sum(bool(e.place) for e in examples)
        traditional = sum(any(ord(char) in SIMPLIFIED for char in e.text) for e in examples)
        counts = (len(examples), kinds["event"], kinds["component"], kinds["none"], second, placed, traditional)
        yield f"| {split} | " + " | ".join(f"{n:,}" for n in counts) + f" | `{digest(examples)[:12]}` |"


def _registers(splits: Splits) -> Iterator[str]:
    yield "| register | " + " | ".join(splits) + " |"
    yield "| --- |" + " ---: |" * len(splits)
    for register in REGISTERS:
        shares = (sum(e.register == register for e in examples) / max(len(examples), 1) for examples in splits.values())
        yield f"| {register} | " + " | ".join(f"{share:.0%}" for share in shares) + " |"


def _lengths(splits: Splits) -> Iterator[str]:
    yield "| characters | " + " | ".join(f"{share:.0%}" for share in QUANTILES) + " |"
    yield "| --- |" + " ---: |" * len(QUANTILES)
    for split, examples in splits.items():
        lengths = sorted(len(example.text) for example in examples) or [0]
        found = (lengths[min(int(share * len(lengths)), len(lengths) - 1)] for share in QUANTILES)
        yield f"| {split} | " + " | ".join(map(str, found)) + " |"


def _classes(splits: Splits) -> Iterator[str]:
    """Texts a class over train and dev, and how alike the likest two texts of a class are."""
    learned = [*splits.get("train", ()), *splits.get("dev", ())]
    counts = Counter(example.label for example in learned if not is_outside(example.label))
    yield "| texts of a class (train and dev) | classes | fewest | median | most |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for kind in ("event", "component"):
        sizes = sorted(n for label, n in counts.items() if Subclass.parse(label).kind == kind) or [0]
        yield f"| {kind} | {len(sizes)} | {sizes[0]} | {sizes[len(sizes) // 2]} | {sizes[-1]} |"
    every = [example for examples in splits.values() for example in examples]
    yield ""
    yield "| 4-grams two texts of a class share | pairs |"
    yield "| --- | ---: |"
    for title, share in _shares(every):
        yield f"| {title} | {share:.4%} |"


def _shares(examples: Sequence[Example]) -> Iterator[tuple[str, float]]:
    """Shares of all pairs inside a class by the part of the shorter text's 4-grams that both have."""
    groups: dict[str, list[frozenset[str]]] = {}
    for example in examples:
        if found := grams(example.text):
            groups.setdefault(example.label, []).append(found)
    bands = Counter(_band(share) for group in groups.values() for share in _shared(group))
    total = max(sum(math.comb(len(group), 2) for group in groups.values()), 1)
    bands[0] = total - sum(bands.values())
    for band, title in enumerate(("none", "up to a tenth", "up to a quarter", "up to half", "more (one is very short)")):
        yield title, bands[band] / total


def _shared(group: Sequence[frozenset[str]]) -> Iterator[float]:
    """The share of each pair that has any 4-gram in common; found by an index, because hardly any pair has."""
    users: defaultdict[str, list[int]] = defaultdict(list)
    for place, found in enumerate(group):
        common = Counter(user for gram in found for user in users[gram])
        yield from (count / min(len(found), len(group[other])) for other, count in common.items())
        for gram in found:
            users[gram].append(place)


def _band(share: float) -> int:
    return sum(share > edge for edge in (0.0, 0.1, 0.25, 0.5))


if __name__ == "__main__":
    rewrite(CARD, read_splits(CORPUS_FOLDER, load_taxonomy()))
