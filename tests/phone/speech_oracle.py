"""How far what a recogniser heard is from what was said: for tests that listen."""

import re

from intake.pinyin import rough_sounds

DIGITS, UNITS = "零一二三四五六七八九", {"十": 10, "百": 100, "千": 1000}
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


def in_figures(text: str) -> str:
    """Characters alone, every number as figures, however it was written: 十一月二十日 and 11月20日 are the same."""
    plain = re.sub(r"[^\w]|_", "", text).translate(str.maketrans("幺两兩〇", "一二二零"))
    return re.sub(r"[零一二三四五六七八九十百千0-9]+", lambda found: _figures(found[0]), plain)


def _figures(run: str) -> str:
    if not set(run) & set(UNITS):
        return "".join(str(DIGITS.index(char)) if char in DIGITS else char for char in run)
    total, digit = 0, ""
    for char in run:
        if char in UNITS:
            total, digit = total + int(digit or "1") * UNITS[char], ""
        else:
            digit += str(DIGITS.index(char)) if char in DIGITS else char
    return str(total + int(digit or "0"))


def value_errors(said: str, heard: str) -> int:
    """Edits that turn a part of what was heard, the likeliest, into the value that was said; both as figures."""
    value, text = in_figures(said), in_figures(heard)
    row = [0] * (len(text) + 1)
    for at, one in enumerate(value, 1):
        above, row[0] = row[0], at
        for to, other in enumerate(text, 1):
            above, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, above + (one != other))
    return min(row)
