"""The key table of docs/desk.md against the keys that templates and scripts really have."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "desk.md"
WEB = ROOT / "channels" / "web"
DESK = ("queue.js", "keys.js", "desk.js", "call.js", "pop.js", "case.js")
TEMPLATES = ("call*.html", "desk_queue.html", "desk_rows.html", "callback_rows.html", "desk_drafts.html", "desk_case.html",
             "case_*.html")  # fmt: skip
GIVEN = {"回车": "Enter", "Esc": "Escape"}
NOT_TOLD = {"Enter", "ArrowUp", "ArrowDown"}
"""Arrows choose in a list of suggestions, as everywhere; Enter follows a link."""


def told() -> set[str]:
    """Keys of the first and third column of the table; `1`…`0` stands for all digits."""
    lines = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert lines
    cells = [cell for line in lines for cell in line.strip("|").split("|")[::2]]
    keys = {key for cell in cells for key in re.findall(r"`([^`]+)`", cell)}
    digits = set("1234567890") if any("`1`…`0`" in cell for cell in cells) else set()
    return {GIVEN.get(key, key) for key in keys} | digits


def real() -> set[str]:
    """Keys that a script adds or a template of the desk carries."""
    found: set[str] = set()
    for name in DESK:
        text = (WEB / "static" / name).read_text(encoding="utf-8")
        found |= set(re.findall(r'onKey\("([^"]+)"', text)) | set(re.findall(r'\["(\w)", "[\w-]+"\]', text))
    for pattern in TEMPLATES:
        for path in (WEB / "templates").glob(pattern):
            found |= set(re.findall(r'data-key="([^"{]+)"', path.read_text(encoding="utf-8")))
    tabs = re.search(r'TAB_KEYS = "([^"]+)"', (WEB / "desk_queue.py").read_text(encoding="utf-8"))
    assert tabs
    return found | set(tabs[1])


def test_every_key_of_the_guide_does_something() -> None:
    assert told() - real() - {"Ctrl", "Escape", "F8", "F9"} == set()
    assert "F9" in (WEB / "static" / "pop.js").read_text(encoding="utf-8")


def test_every_key_of_the_desk_is_in_the_guide() -> None:
    assert real() - told() - NOT_TOLD == set()
