"""What stands around a complaint whatever it is about: left out when a text is read, put around texts for training.

The expressions and the sentences are data (data/framing.toml). Reading is features.py's matter, training train.py's.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from classifier.corpus import Example

TABLE_FILE = Path(__file__).resolve().parent.parent / "data" / "framing.toml"
BLANK = "\N{LOWER ONE EIGHTH BLOCK}"
"""Stands for each character left out: no letter, no mark, so that positions in the text stay true."""
SENTENCE_END = "。！？!?；;，,：:"


@dataclass(frozen=True, slots=True)
class Around:
    """Sentences that can stand before, between and behind; `asides` tell of the person, never of the matter."""

    openings: Sequence[str]
    closings: Sequence[str]
    asides: Sequence[str]


def without_framing(folded: str) -> str:
    """A text in the form of features.fold with office formulas blanked; the length stays."""
    return _office().sub(_blanked, folded)


def framed(examples: Iterable[Example], *, share: float, weight: float, seed: int) -> Iterator[Example]:
    """Some of the examples once more with sentences around them, weighing `weight` of the original.

    Which, and what stands around, follows from the text and `seed` alone.
    """
    for example in examples:
        chance = Random(f"{seed} {example.text}")
        if chance.random() < share:
            yield replace(example, text=_around(example.text, chance), place="", weight=example.weight * weight)


def _around(text: str, chance: Random) -> str:
    """One to three sentences in all, at least one of them outside the text."""
    around = _sentences()
    before = chance.choice(around.openings) if chance.random() < 0.7 else ""
    aside = chance.choice(around.asides) if chance.random() < 0.4 else ""
    behind = chance.choice(around.closings) if not before or chance.random() < 0.8 else ""
    closed = text if text.endswith(tuple(SENTENCE_END)) else f"{text}。"
    if aside and chance.random() < 0.4:
        return before + aside + closed + behind
    return before + closed + aside + behind


def _blanked(found: re.Match[str]) -> str:
    return BLANK * (found.end() - found.start())


@cache
def _office() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{expression})" for expression in _held()["office"]["expressions"]))


@cache
def _sentences() -> Around:
    return Around(**_held()["around"])


def _held() -> Mapping[str, Any]:
    return tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))
