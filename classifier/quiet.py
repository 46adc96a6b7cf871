"""Whether words count: denied ("没有漏气"), settled ("已修好") or only feared ("怕着火") matters do not.

The expressions stand at the end of data/taxonomy/danger.toml; used by rules.py, conditions.py and urgency.py.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DANGER_FILE = Path(__file__).resolve().parent.parent / "data" / "taxonomy" / "danger.toml"
NEAR_CHARS = 30
_CLAUSE_END = re.compile(r"[，。！？；：、,.!?;:\s]")
_SENTENCE_END = re.compile(r"[。！？!?\n]")


@dataclass(frozen=True, slots=True)
class Quiet:
    """What takes the weight out of a word; the meaning of each expression stands beside it in danger.toml."""

    negated: re.Pattern[str]
    supposed: re.Pattern[str]
    feared: re.Pattern[str]
    settled: re.Pattern[str]
    unsettled: re.Pattern[str]
    turned: re.Pattern[str]

    def is_denied(self, text: str, start: int, end: int) -> bool:
        """Whether the words at text[start:end] are said not to be so, or to be over."""
        return self.negated.search(before(text, start)) is not None or self.is_over(after(text, end))

    def is_feared(self, text: str, start: int, end: int) -> bool:
        """Whether they are only feared, supposed or told of the past."""
        return bool(self.supposed.search(before(text, start)) or self.feared.search(after(text, end)))

    def is_over(self, rest: str) -> bool:
        """Whether the rest of a sentence says that the matter is over, and does not take it back."""
        settled = self.settled.search(rest)
        if not settled or self.unsettled.search(rest[: settled.start()]):
            return False
        return not self.turned.search(rest, settled.end()) and not self.turned.search(rest[: settled.start()])


@cache
def quiet() -> Quiet:
    """The expressions, compiled once."""
    held = tomllib.loads(DANGER_FILE.read_text(encoding="utf-8"))["quiet"]
    return Quiet(**{name: re.compile(pattern) for name, pattern in held.items()})


def before(text: str, start: int) -> str:
    """What stands before a place in its clause, at most NEAR_CHARS characters."""
    return _CLAUSE_END.split(text[max(0, start - NEAR_CHARS) : start])[-1]


def after(text: str, end: int) -> str:
    """What stands behind a place in its sentence, at most NEAR_CHARS characters."""
    return _SENTENCE_END.split(text[end : end + NEAR_CHARS], maxsplit=1)[0]
