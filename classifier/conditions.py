"""Which condition (立案条件) of its class a report tells: 缺失或移位, 破损, 松动异响; empty where it does not tell.

A table of words for every condition (data/taxonomy/conditions.toml); the conditions a class has come from its limits.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from classifier.features import MAX_CHARS
from classifier.fold import legible
from classifier.quiet import quiet
from intake.model import Subclass
from intake.taxonomy import Taxonomy

TABLE_FILE = Path(__file__).resolve().parent.parent / "data" / "taxonomy" / "conditions.toml"
OTHER = "其他情形"
_WITHIN_CLAUSE = "[^，。；！？!?;\\n]"
# A denial between the words of one match: 井盖没有丢.
_UNDONE = re.compile("(?:没有?|并?未|没被|不是)(?=[丢偷盗坏破裂断倒歪掉少缺塌漏堵松])")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; `rank` is its place in the file."""

    rank: int
    words: re.Pattern[str]
    also: re.Pattern[str] | None
    implied: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A condition and the words that tell it, `text[start:end]`; both 0 where the class itself implies it."""

    condition: str
    start: int = 0
    end: int = 0


def condition_of(text: str, subclass: Subclass, taxonomy: Taxonomy) -> Told:
    """The condition of a class that a text tells, one of `taxonomy.conditions(subclass)` or empty. Never raises."""
    table = rows()
    known = sorted((table[name].rank, name) for name in taxonomy.conditions(subclass) if name in table)
    folded = legible(text[:MAX_CHARS])
    for _, name in known:
        found = _told(folded, table[name])
        if found:
            return Told(name, *found.span())
    return Told(implied_by(subclass, taxonomy))


def implied_by(subclass: Subclass, taxonomy: Taxonomy) -> str:
    """The condition that goes without saying: the only one of a class such as 油烟污染, or the row marked so."""
    named = [name for name in taxonomy.conditions(subclass) if name != OTHER]
    if len(named) == 1 and named[0] not in rows():
        return named[0]
    return next((name for name in named if name in rows() and rows()[name].implied), "")


@cache
def rows() -> Mapping[str, Row]:
    """The table by the name of the condition."""
    held = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))["row"]
    table: dict[str, Row] = {}
    for rank, row in enumerate(held):
        words = "|".join(row["words"]).replace(".{", _WITHIN_CLAUSE + "{")
        also = re.compile(row["also"]) if "also" in row else None
        table |= dict.fromkeys(row["names"], Row(rank, re.compile(words), also, row.get("implied", False)))
    return table


def _told(folded: str, row: Row) -> re.Match[str] | None:
    if row.also and not row.also.search(folded):
        return None
    return next((found for found in row.words.finditer(folded) if _is_so(folded, found)), None)


def _is_so(folded: str, found: re.Match[str]) -> bool:
    return not _UNDONE.search(found.group()) and not quiet().is_denied(folded, *found.span())
