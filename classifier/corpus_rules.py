"""What the corpus must satisfy before anything is trained on it: enough texts a class, no copies, places that stand there.

The least numbers are data (data/corpus/floors.toml). Whether a line can be read at all is corpus.py's matter.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from classifier.corpus import CORPUS_FOLDER, NONE, Example
from classifier.decide import is_outside
from classifier.likeness import pairs_alike
from intake.model import Kind
from intake.taxonomy import ClassEntry, Taxonomy

FLOORS_FILE = CORPUS_FOLDER / "floors.toml"
Table = Mapping[str, float]


def read_floors(path: Path = FLOORS_FILE) -> dict[str, Table]:
    """The tables of floors.toml: `corpus`, `test`, `guard`, `newest`, `drift`; each name to a number."""
    found: dict[str, Table] = tomllib.loads(path.read_text(encoding="utf-8"))
    return found


def too_few(examples: Iterable[Example], taxonomy: Taxonomy, fewest: Table) -> dict[str, tuple[int, int]]:
    """Classes with fewer texts than asked: label to (texts there, texts asked); `none` for out of scope."""
    counts = Counter(NONE if is_outside(example.label) else example.label for example in examples)
    asked = {str(e.subclass): int(fewest[_group(e)]) for e in taxonomy.entries.values() if not e.retired_on}
    asked[NONE] = int(fewest["outside"])
    return {label: (counts[label], least) for label, least in asked.items() if counts[label] < least}


def misplaced(examples: Iterable[Example]) -> list[str]:
    """Texts whose place is no part of them."""
    return [example.text for example in examples if example.place not in example.text]


def copies(splits: Mapping[str, Sequence[Example]]) -> list[tuple[str, str, float]]:
    """Pairs of texts that are too much alike, with the share: inside one class, and across splits whatever the class.

    Too much is more than half of the shorter one's character 4-grams (likeness.py).
    """
    placed = [(split, example) for split, examples in splits.items() for example in examples]
    found = []
    for pair in pairs_alike([example.text for _, example in placed]):
        (one_split, one), (other_split, other) = placed[pair.first], placed[pair.second]
        if one_split != other_split or one.label == other.label:
            found.append((f"{one_split}: {one.text}", f"{other_split}: {other.text}", pair.share))
    return found


def _group(entry: ClassEntry) -> str:
    if entry.optional:
        return "optional"
    return "event" if entry.subclass.kind is Kind.EVENT else "component"
