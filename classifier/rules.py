"""Words that mean danger whatever the class: gas, live wires, collapse, open shafts, fire, people hurt.

A plain table (data/taxonomy/danger.toml), no model and no dictionary, so that it works when the classifier does not.
Negations, settled matters and mere fears do not count. What follows from a hit is decided in intake/.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DANGER_FILE = Path(__file__).resolve().parent.parent / "data" / "taxonomy" / "danger.toml"
NEAR_CHARS = 30
APART_CHARS = 10
_CLAUSE_END = re.compile(r"[，。！？；：、,.!?;:\s]")
_WITHIN_CLAUSE = "[^，。；！？!?;\\n]"
_SENTENCE_END = re.compile(r"[。！？!?\n]")


@dataclass(frozen=True, slots=True)
class Hit:
    """A danger word as it stands in the text: `text[start:end] == word`. `rule` is a name of danger.toml."""

    word: str
    rule: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table, compiled. `call` is the emergency number to show, or empty."""

    name: str
    title: str
    call: str
    words: re.Pattern[str]
    near: re.Pattern[str] | None
    apart: re.Pattern[str] | None
    sure: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """What takes the danger out of a word; the meaning of each stands beside it in danger.toml."""

    negated: re.Pattern[str]
    supposed: re.Pattern[str]
    feared: re.Pattern[str]
    settled: re.Pattern[str]
    unsettled: re.Pattern[str]
    turned: re.Pattern[str]


def danger(text: str) -> tuple[Hit, ...]:
    """Danger words of a text in the order they stand, at most one for each place. Never raises; linear in the length."""
    table, quiet = _table()
    hits = [
        Hit(found.group(), rule.name, found.start(), found.end())
        for rule in table
        for found in rule.words.finditer(text)
        if _counts(text, found, rule=rule, quiet=quiet)
    ]
    return _first_of_each_place(sorted(hits, key=lambda hit: (hit.start, -hit.end)))


def rules() -> tuple[Rule, ...]:
    """The table in file order, for lists of titles and emergency numbers."""
    return _table()[0]


def numbers_to_call(hits: tuple[Hit, ...]) -> tuple[str, ...]:
    """The emergency numbers that go with some hits, each once, in table order."""
    met = {hit.rule for hit in hits}
    return tuple(dict.fromkeys(rule.call for rule in rules() if rule.name in met and rule.call))


def _first_of_each_place(hits: list[Hit]) -> tuple[Hit, ...]:
    kept: list[Hit] = []
    for hit in hits:
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return tuple(kept)


def _counts(text: str, found: re.Match[str], *, rule: Rule, quiet: Quiet) -> bool:
    start, end = found.span()
    if rule.near and not rule.near.search(text, max(0, start - NEAR_CHARS), end + NEAR_CHARS):
        return False
    if rule.apart and rule.apart.search(text, max(0, start - APART_CHARS), end + APART_CHARS):
        return False
    before = _CLAUSE_END.split(text[max(0, start - NEAR_CHARS) : start])[-1]
    after = _SENTENCE_END.split(text[end : end + NEAR_CHARS], maxsplit=1)[0]
    if rule.sure and (quiet.supposed.search(before) or quiet.feared.search(after)):
        return False
    return not quiet.negated.search(before) and not _is_settled(after, quiet)


def _is_settled(after: str, quiet: Quiet) -> bool:
    """Whether the rest of the sentence says that the matter is over, and does not take it back."""
    settled = quiet.settled.search(after)
    if not settled or quiet.unsettled.search(after[: settled.start()]):
        return False
    return not quiet.turned.search(after, settled.end()) and not quiet.turned.search(after[: settled.start()])


@cache
def _table() -> tuple[tuple[Rule, ...], Quiet]:
    held = tomllib.loads(DANGER_FILE.read_text(encoding="utf-8"))
    table = tuple(
        Rule(
            name=row["name"],
            title=row["title"],
            call=row["call"],
            words=re.compile("|".join(f"(?:{word})" for word in row["words"]).replace(".{", _WITHIN_CLAUSE + "{")),
            near=re.compile(row["near"]) if "near" in row else None,
            apart=re.compile(row["apart"]) if "apart" in row else None,
            sure=row.get("sure", False),
        )
        for row in held["rule"]
    )
    return table, Quiet(**{name: re.compile(pattern) for name, pattern in held["quiet"].items()})
