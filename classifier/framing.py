"""What stands around a complaint whatever it is about is left out: salutations, the call-taker's formulas, form fields.

The expressions are data (data/framing.toml). What is put around texts for training stands in around.py.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

TABLE_FILE = Path(__file__).resolve().parent.parent / "data" / "framing.toml"
BLANK = "\N{LOWER ONE EIGHTH BLOCK}"
"""Stands for each character left out: no letter and no mark, so that positions in the text stay true."""


def without_framing(folded: str) -> str:
    """A text in half width, simplified, with every digit 0, its office formulas blanked; the length stays."""
    for expression in _office():
        folded = expression.sub(blanked, folded)
    return folded


def blanked(found: re.Match[str]) -> str:
    return BLANK * (found.end() - found.start())


@cache
def _office() -> tuple[re.Pattern[str], ...]:
    """One by one, because the search for an expression that must begin with one of a few characters is fast."""
    held = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))["office"]
    return tuple(map(re.compile, held["expressions"]))
