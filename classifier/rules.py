"""Words that mean danger whatever the class: gas, live wires, collapse, open shafts, fire, people hurt.

A plain table (data/taxonomy/danger.toml), no model and no dictionary, so that it works when the classifier does not.
Negations, settled matters and mere fears do not count. What follows from a hit is decided in intake/.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache

from classifier.fold import legible
from classifier.quiet import DANGER_FILE, NEAR_CHARS, Quiet, quiet

APART_CHARS = 10
_WITHIN_CLAUSE = "[^，。；！？!?;\\n]"


@dataclass(frozen=True, slots=True)
class Hit:
    """A danger word as it stands in the text: `text[start:end] == word`. `rule` is a name of danger.toml."""

    word: str
    rule: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table, compiled.

    `call` is the emergency number to show, or empty. `near` must stand within `reach` characters of the words.
    """

    name: str
    title: str
    call: str
    words: re.Pattern[str]
    near: re.Pattern[str] | None
    reach: int
    apart: re.Pattern[str] | None
    sure: bool


def danger(text: str) -> tuple[Hit, ...]:
    """Danger words of a text in the order they stand, at most one for each place. Never raises; linear in the length."""
    folded, silence = legible(text), quiet()
    hits = [
        Hit(text[found.start() : found.end()], rule.name, found.start(), found.end())
        for rule in rules()
        for found in rule.words.finditer(folded)
        if _counts(folded, found, rule=rule, silence=silence)
    ]
    return _first_of_each_place(sorted(hits, key=lambda hit: (hit.start, -hit.end)))


@cache
def rules() -> tuple[Rule, ...]:
    """The table in file order, for lists of titles and emergency numbers."""
    held = tomllib.loads(DANGER_FILE.read_text(encoding="utf-8"))
    return tuple(
        Rule(
            name=row["name"],
            title=row["title"],
            call=row["call"],
            words=re.compile("|".join(f"(?:{word})" for word in row["words"]).replace(".{", _WITHIN_CLAUSE + "{")),
            near=re.compile(row["near"]) if "near" in row else None,
            reach=row.get("reach", NEAR_CHARS),
            apart=re.compile(row["apart"]) if "apart" in row else None,
            sure=row.get("sure", False),
        )
        for row in held["rule"]
    )


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


def _counts(text: str, found: re.Match[str], *, rule: Rule, silence: Quiet) -> bool:
    start, end = found.span()
    if rule.near and not rule.near.search(text, max(0, start - rule.reach), end + rule.reach):
        return False
    if rule.apart and rule.apart.search(text, max(0, start - APART_CHARS), end + APART_CHARS):
        return False
    if rule.sure and silence.is_feared(text, start, end):
        return False
    return not silence.is_denied(text, start, end)
