"""`python -m intake repeats`: JSON lines `{"id","text","at"}` in time order in, likely repeats among the earlier ones out.

The index stands in classifier/repeats.py; the shape of the output line is a promise to other programs.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from intake.errors import IntakeError
from intake.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from classifier.repeats_report import Reporter

LINE_HELP = '逐行找重复：标准输入按时间顺序每行一个 JSON {"id","text","at"}，输出它在先前各条中最像的五条。'

# A time without a zone is the caller's own clock, and all callers are in China.
_LOCAL = timezone(timedelta(hours=8))
_START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One report of the input; `at` is None where no time could be read. `id` is given back as it came."""

    id: object
    text: str
    at: datetime | None


@click.command("repeats", help=LINE_HELP)
@click.option("--home", envvar="INTAKE_HOME", default="var", type=click.Path(path_type=Path), help="数据目录。")
def command(home: Path) -> None:
    """Answer stdin line by line. Bad lines are told on stderr, the others still answered, and the exit code is then 1."""
    bad = answer_lines(sys.stdin.buffer, sys.stdout, reporter=ready_reporter(home))
    sys.exit(1 if bad else 0)


def ready_reporter(home: Path) -> "Reporter":
    """With the model below `home`, trained first where there is none; by words alone where it cannot be had."""
    from classifier.registry import default_path
    from classifier.repeats_report import Reporter
    from intake.commands.train import train_to

    taxonomy, path = load_taxonomy(optional_on=()), default_path(home)
    try:
        if not path.exists():
            click.echo("还没有分类模型，先用语料训练一个，大约一分钟。", err=True)
            train_to(path)
        return Reporter.load(path, taxonomy)
    except IntakeError:
        click.echo("没有可用的分类模型，只按文字比较，准确度会低一些；python -m intake train 可以训练。", err=True)
        return Reporter(None, taxonomy)


def answer_lines(lines: Iterable[bytes], out: TextIO, *, reporter: "Reporter") -> int:
    """Answer each line that can be read, empty lines apart; returns how many could not."""
    from classifier.repeats import RepeatIndex

    index, ids, bad, last_at = RepeatIndex(), list[object](), 0, _START
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = read_line(raw)
        except (ValueError, RecursionError) as error:
            bad += 1
            click.echo(f"第 {number} 行无法读取：{error}", err=True)
            continue
        # The lines come in time order, so the last time known is the best guess for one that cannot be read.
        last_at = line.at or last_at
        report = reporter.report(len(ids), line.text, at=last_at)
        found = [{"id": ids[each.id], "score": each.score} for each in index.candidates(report)]
        # Escaped, because an id may hold anything, even half of a surrogate pair.
        out.write(json.dumps({"id": line.id, "candidates": found}) + "\n")
        ids.append(line.id)
        if has_words(line.text):
            index.add(report)
    out.flush()
    return bad


def has_words(text: str) -> bool:
    """Whether a text says anything; what says nothing repeats nothing."""
    return any(map(str.isalnum, text))


def read_line(raw: bytes) -> Line:
    """One line of input; raises ValueError with the reason in Chinese."""
    try:
        row = json.loads(raw)
    except ValueError as error:
        raise ValueError("不是有效的 JSON") from error
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("text"), str):
        raise ValueError('应为 {"id": …, "text": "…", "at": "…"}')
    return Line(row["id"], row["text"], moment(row.get("at")))


def moment(written: object) -> datetime | None:
    """A time in ISO form as aware UTC, read as China's where no zone is given; None for anything else."""
    try:
        at = datetime.fromisoformat(str(written))
        return (at if at.tzinfo else at.replace(tzinfo=_LOCAL)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
