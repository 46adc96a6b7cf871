"""Writing brought to one form, one character for one: half width, simplified. Positions in a text stay true.

What the model leaves out besides (digits, denied matters) is in features.py. Needs nothing but the table.
"""

from pathlib import Path

TABLE_FILE = Path(__file__).resolve().parent.parent / "data" / "traditional.txt"
_FULL_WIDTH = 0xFEE0


def read_table(path: Path = TABLE_FILE) -> dict[int, str]:
    """Simplified forms by the code of the traditional character; each entry of the file is a pair of characters."""
    lines = (line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines())
    return {ord(pair[0]): pair[1] for line in lines for pair in line.split() if pair[0] != pair[1]}


SIMPLIFIED = read_table()
# Letters in lower case, digits and the marks of addresses in half width; other marks say the same in either width.
_LEGIBLE = (
    SIMPLIFIED
    | {code + shift: chr(code + 32) for code in range(ord("A"), ord("Z") + 1) for shift in (0, _FULL_WIDTH)}
    | {code + _FULL_WIDTH: chr(code) for code in range(0x21, 0x5B) if chr(code) in "#-/0123456789"}
    | {0x3000: " ", 0xA0: " ", 0x09: " "}
)


def legible(text: str) -> str:
    """Simplified, half width, lower case; `len` and positions as in `text`."""
    return text.translate(_LEGIBLE)
