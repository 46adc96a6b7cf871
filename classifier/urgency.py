"""How urgent a report is, with reasons: danger to life, then class and condition, then words that raise it.

Danger words stand in rules.py, the limits in the class table, words that raise in data/taxonomy/urgency.toml. A matter
that is over is routine whatever its class.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from classifier.features import MAX_CHARS
from classifier.fold import legible
from classifier.quiet import quiet
from classifier.rules import danger, rules
from intake.model import Subclass, Urgency
from intake.taxonomy import Taxonomy

TABLE_FILE = Path(__file__).resolve().parent.parent / "data" / "taxonomy" / "urgency.toml"
NEAR_CHARS = 40
_ORDER = (Urgency.ROUTINE, Urgency.URGENT, Urgency.EMERGENCY)
_WITHIN_CLAUSE = "[^，。；！？!?;\\n]"
_SENTENCE = re.compile(r"[^。！？!?\n]+")


@dataclass(frozen=True, slots=True)
class Urged:
    """A level and why, in words for operators; no reason where class and condition alone decide."""

    level: Urgency
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table, compiled."""

    reason: str
    level: Urgency
    words: re.Pattern[str]
    near: re.Pattern[str] | None


def urgency_of(text: str, subclass: Subclass | None, condition: str, taxonomy: Taxonomy) -> Urged:
    """The urgency of a report judged to be of a class (None for other bodies' matters) and a condition. Never raises."""
    titles = {rule.name: rule.title for rule in rules()}
    hits = danger(text[:MAX_CHARS])
    if hits:
        return Urged(Urgency.EMERGENCY, tuple(dict.fromkeys(titles[hit.rule] for hit in hits)))
    folded = legible(text[:MAX_CHARS])
    if is_over(folded):
        return Urged(Urgency.ROUTINE, ("已处理或恢复",))
    usual = _usual(subclass, condition, taxonomy)
    raised = [row for row in rows() if _ORDER.index(row.level) > _ORDER.index(usual) and any(_counted(folded, row))]
    level = max((usual, *(row.level for row in raised)), key=_ORDER.index)
    return Urged(level, tuple(row.reason for row in raised))


def is_over(folded: str) -> bool:
    """Whether the last sentence says that the matter is settled, and asks for nothing more."""
    sentences = [sentence for sentence in _SENTENCE.findall(folded) if sentence.strip()]
    return bool(sentences) and quiet().is_over(sentences[-1])


@cache
def rows() -> tuple[Row, ...]:
    """The table in file order."""
    held = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))["row"]
    return tuple(
        Row(
            reason=row["reason"],
            level=Urgency(row["level"]),
            words=re.compile("|".join(row["words"]).replace(".{", _WITHIN_CLAUSE + "{")),
            near=re.compile(row["near"]) if "near" in row else None,
        )
        for row in held
    )


def _usual(subclass: Subclass | None, condition: str, taxonomy: Taxonomy) -> Urgency:
    """What the limits say of the condition, else the class."""
    if subclass is None:
        return Urgency.ROUTINE
    limits = taxonomy.limits_for(subclass, condition) if condition else ()
    return limits[0].urgency if limits else taxonomy.entries[subclass].urgency


def _counted(folded: str, row: Row) -> Iterator[bool]:
    for found in row.words.finditer(folded):
        start, end = found.span()
        if row.near and not row.near.search(folded, max(0, start - NEAR_CHARS), end + NEAR_CHARS):
            continue
        if not quiet().is_denied(folded, start, end):
            yield True
