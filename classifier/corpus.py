"""The labelled texts of data/corpus/, read and checked. What is made of them stands in train.py and evaluate.py.

A label is `event:0101`, or `none:12333` for a matter of another body with the number that takes it; `none:` alone
where the corpus names no number. Learning the destinations apart lets one model answer both questions.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from intake.errors import BadInput
from intake.model import Subclass
from intake.taxonomy import Taxonomy

CORPUS_FOLDER = Path(__file__).resolve().parent.parent / "data" / "corpus"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text. `also` holds further labels a careful person would accept; `place` is a part of the text.

    `condition` and `urgency` are what the text tells of them, empty where nobody marked it. `weight` is what the text
    counts in training beside a text of the corpus.
    """

    text: str
    label: str
    also: tuple[str, ...] = ()
    register: str = ""
    place: str = ""
    weight: float = 1.0
    condition: str = ""
    urgency: str = ""


class BadExample(BadInput):
    """A line of a corpus file cannot be used; the message names file and line."""

    code = "bad_example"

    def __init__(self, where: str, what: str) -> None:
        super().__init__("corpus", f"语料 {where} 无法使用：{what}")


def read_split(split: str, taxonomy: Taxonomy, *, folder: Path = CORPUS_FOLDER) -> tuple[Example, ...]:
    """The examples of `train`, `dev` or `test` in file order; empty when the file does not exist."""
    path = folder / f"{split}.jsonl"
    return read_examples(path, taxonomy) if path.exists() else ()


def read_examples(path: Path, taxonomy: Taxonomy) -> tuple[Example, ...]:
    """Read a file of JSON lines; raises BadExample at the first line that is not a labelled text."""
    with path.open(encoding="utf-8") as stream:
        lines = [(f"{path.name}:{number}", line) for number, line in enumerate(stream, 1) if line.strip()]
    return tuple(_example(where, line, taxonomy) for where, line in lines)


def digest(examples: Iterable[Example]) -> str:
    """SHA-256 of the texts and labels in order, in hexadecimal."""
    state = hashlib.sha256()
    for example in examples:
        state.update(f"{example.label}\t{example.text}\n".encode())
    return state.hexdigest()


def fold_of(examples: Sequence[Example], folds: int) -> list[int]:
    """A fold number for each example: each label's texts are dealt out in turn, so every fold sees every label."""
    dealt: dict[str, int] = {}
    numbers = []
    for example in examples:
        turn = dealt[example.label] = dealt.get(example.label, -1) + 1
        numbers.append(turn % folds)
    return numbers


def _example(where: str, line: str, taxonomy: Taxonomy) -> Example:
    try:
        row = json.loads(line)
        text, label = row["text"], _label(row, taxonomy)
        also = tuple(_label(other, taxonomy) for other in row.get("also", ()))
        held = {name: row.get(name, "") for name in ("register", "place", "condition", "urgency")}
        return Example(text, label, also, **held)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadExample(where, repr(error)) from error


def _label(row: object, taxonomy: Taxonomy) -> str:
    """A label from `{"kind", "subclass_code"}` or from the short form `event:0101`."""
    if isinstance(row, str):
        kind, _, code = row.partition(":")
        row = {"kind": kind, "subclass_code": code}
    if not isinstance(row, dict):
        raise TypeError("a label is an object or a text")
    if row["kind"] == NONE:
        return f"{NONE}:{row.get('redirect') or ''}"
    subclass = Subclass.parse(f"{row['kind']}:{row['subclass_code']}")
    if subclass not in taxonomy.entries:
        raise KeyError(str(subclass))
    return str(subclass)
