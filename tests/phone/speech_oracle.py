"""How far what a recogniser heard is from what was said: for tests that listen."""

import re

from intake.pinyin import rough_sounds

FIGURES = str.maketrans("0123456789幺两", "零一二三四五六七八九一二")


def bare(text: str) -> str:
    """Characters alone, figures as they are said."""
    return re.sub(r"[^\w]|_", "", text).translate(FIGURES)


def error_rate(said: str, heard: str) -> float:
    """Edits for each character of what was said."""
    return distance(bare(said), bare(heard)) / max(1, len(bare(said)))


def sound_error_rate(said: str, heard: str) -> float:
    """The same over rough syllables: homophones are heard rightly."""
    wanted = rough_sounds(bare(said))
    return distance(wanted, rough_sounds(bare(heard))) / max(1, len(wanted))


def distance(first: "str | tuple[str, ...]", second: "str | tuple[str, ...]") -> int:
    """Levenshtein's."""
    row = list(range(len(second) + 1))
    for at, one in enumerate(first, 1):
        above, row[0] = row[0], at
        for to, other in enumerate(second, 1):
            above, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, above + (one != other))
    return row[-1]
