"""The outcome of a measurement: JSON beside the code, and a section of docs/performance.md between its two marks."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table as ScreenTable

from bench.process import ROOT

RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
MARKS = "<!-- bench:{} -->", "<!-- /bench:{} -->"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words, ready to be read."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What one question's measurement found. `facts` are the bare figures, machine and units among them."""

    name: str
    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)


def show(result: Result, console: Console) -> None:
    """Print it for the person at the terminal."""
    console.rule(result.title)
    for table in result.tables:
        shown = ScreenTable(*table.columns, title=table.title or None)
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
    for note in result.notes:
        console.print(f"· {note}", highlight=False)


def save(result: Result, folder: Path = RESULTS) -> Path:
    """Write the JSON; returns where."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    path.write_text(json.dumps(asdict(result), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def write_section(result: Result, path: Path = PAGE) -> None:
    """Put the section into the page: in place of its former self, or at the end."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Performance\n"
    start, end = (mark.format(result.name) for mark in MARKS)
    section = f"{start}\n{markdown(result)}\n{end}"
    former = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    text = former.sub(lambda _: section, text) if former.search(text) else f"{text.rstrip()}\n\n{section}\n"
    path.write_text(text, encoding="utf-8")


def markdown(result: Result) -> str:
    """The section's text."""
    lines = [f"## {result.title}"]
    for table in result.tables:
        lines += ["", f"**{table.title}**"] if table.title else []
        lines += ["", _row(table.columns), _row(["---"] * len(table.columns)), *map(_row, table.rows)]
    if result.notes:
        lines += ["", *(f"- {note}" for note in result.notes)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
