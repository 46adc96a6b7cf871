"""Corpus texts once more with sentences around them that say nothing of the matter, for training alone.

So what no expression of framing.py leaves out is learned to stand with every class. The sentences are data
(data/framing.toml, table `around`, and data/asides.txt); the corpus card declares it.
"""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from classifier.corpus import Example
from classifier.framing import TABLE_FILE

SENTENCE_END = "。！？!?；;，,：:"
ASIDES_FILE = TABLE_FILE.with_name("asides.txt")
OPENED, CLOSED, CLOSED_TWICE = 0.7, 0.7, 0.25
"""How often a text gets an opening, a closing, and a second one."""
ASIDES = (0, 0, 1, 1, 2, 3)
"""How many sentences about person and history a text gets, each number as likely as its neighbours."""


@dataclass(frozen=True, slots=True)
class Around:
    """Sentences that can stand before, beside and behind a complaint; `asides` tell of person and case."""

    openings: Sequence[str]
    closings: Sequence[str]
    asides: Sequence[str]


def framed(examples: Iterable[Example], *, share: float, weight: float, seed: int) -> Iterator[Example]:
    """About `share` of the examples once more with sentences around them, weighing `weight` of the original.

    Which, and what stands around, follows from the text and `seed` alone.
    """
    for example in examples:
        chance = Random(f"{seed} {example.text}")  # noqa: S311 - repeatable training, nothing secret
        if chance.random() < share:
            yield replace(example, text=_with_some_around(example.text, chance), place="", weight=example.weight * weight)


def _with_some_around(text: str, chance: Random) -> str:
    around = _around()
    before = chance.choice(around.openings) if chance.random() < OPENED else ""
    behind = chance.choice(around.closings) if chance.random() < CLOSED else ""
    last = chance.choice(around.closings) if chance.random() < CLOSED_TWICE else ""
    closed = text if text.endswith(tuple(SENTENCE_END)) else f"{text}。"
    matter = [closed]
    for aside in chance.sample(around.asides, chance.choice(ASIDES)):
        matter.insert(chance.randint(0, len(matter)), aside)
    return "".join([before, *matter, behind, last])


@cache
def _around() -> Around:
    held = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))["around"]
    lines = ASIDES_FILE.read_text(encoding="utf-8").splitlines()
    asides = [*held["asides"], *(line for line in lines if line and not line.startswith("#"))]
    return Around(held["openings"], held["closings"], asides)
