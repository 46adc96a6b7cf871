"""The challenger's answers beside the champion's: one short line a text, kept in a file, counted when asked.

A line holds a keyed hash of the text, never the text, and what each model said. Who writes them, off the path of a
report, is live.py; who was right is known once a person has decided the case (learning.py).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from classifier.learning import proposal
from intake.model import Prediction

MOST_BYTES = 20_000_000
"""A record of this size (some hundred thousand texts) has said what it can; more is not written."""


@dataclass(frozen=True, slots=True)
class Beside:
    """One text judged by both. An answer is a class or `none`; `_sure` tells whether it was proposed."""

    key: str
    champion: str
    champion_sure: bool
    challenger: str
    challenger_sure: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Texts both judged, on how many the answers agree, and of those a person has decided, who was right."""

    texts: int = 0
    agreed: int = 0
    decided: int = 0
    champion_right: int = 0
    challenger_right: int = 0
    only_champion_right: int = 0
    only_challenger_right: int = 0


def beside(key: str, champion: Prediction, challenger: Prediction) -> Beside:
    """The line for one text."""
    return Beside(key, _answer(champion), bool(proposal(champion)), _answer(challenger), bool(proposal(challenger)))


def append(path: Path, line: Beside) -> None:
    """Add a line; once the record is full nothing happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        if stream.tell() < MOST_BYTES:
            stream.write(json.dumps(asdict(line), separators=(",", ":")) + "\n")


def read(path: Path) -> Iterator[Beside]:
    """The lines of a record, none where there is no file; a line cut short by a crash is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as stream:
        for text in stream:
            try:
                yield Beside(**json.loads(text))
            except (ValueError, TypeError):
                continue


def tally(lines: Iterator[Beside], decided: Mapping[str, str]) -> Tally:
    """Count a record. `decided` gives a person's answer (a class or `none`) by key."""
    every = list(lines)
    known = [(line, decided[line.key]) for line in every if line.key in decided]
    right = [(line.champion == truth, line.challenger == truth) for line, truth in known]
    return Tally(
        texts=len(every),
        agreed=sum(line.champion == line.challenger for line in every),
        decided=len(known),
        champion_right=sum(one for one, _ in right),
        challenger_right=sum(other for _, other in right),
        only_champion_right=sum(one and not other for one, other in right),
        only_challenger_right=sum(other and not one for one, other in right),
    )


def _answer(prediction: Prediction) -> str:
    """The first answer, proposed or not."""
    return proposal(prediction) or (str(prediction.top[0].subclass) if prediction.top else "")
