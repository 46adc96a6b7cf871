"""`python -m intake classify`: JSON lines `{"id","text"}` in, judged JSON lines out, in the same order.

The classifier itself stands in classifier/classify.py; the shape of the output line is a promise to other programs.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from intake.errors import IntakeError
from intake.taxonomy import OUT_OF_SCOPE, Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from classifier.classify import TextClassifier
    from classifier.decide import Ranked

LINE_HELP = '逐行判别：标准输入每行一个 JSON {"id","text"}，按原顺序输出类别、置信度和前五名。'


@click.command("classify", help=LINE_HELP)
@click.option("--home", envvar="INTAKE_HOME", default="var", type=click.Path(path_type=Path), help="数据目录。")
def command(home: Path) -> None:
    """Judge stdin line by line. Bad lines are told on stderr, the others still answered, and the exit code is then 1."""
    taxonomy = load_taxonomy(optional_on=())
    try:
        classifier = ready_classifier(home, taxonomy)
    except IntakeError as error:
        raise click.ClickException(error.message) from error
    bad = answer_lines(sys.stdin.buffer, sys.stdout, classifier=classifier, taxonomy=taxonomy)
    sys.exit(1 if bad else 0)


def ready_classifier(home: Path, taxonomy: Taxonomy) -> "TextClassifier":
    """Load the model below `home`, training one first where there is none; raises BadModel or BadInput."""
    from classifier.classify import TextClassifier
    from classifier.registry import default_path
    from intake.commands.train import train_to

    path = default_path(home)
    if not path.exists():
        click.echo("还没有分类模型，先用语料训练一个，大约一分钟。", err=True)
        train_to(path)
    return TextClassifier.load(path, taxonomy)


def answer_lines(
    lines: Iterable[bytes], out: TextIO, *, classifier: "TextClassifier", taxonomy: Taxonomy
) -> int:
    """Answer each line that can be read, empty lines apart; returns how many could not."""
    bad = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case_id, text = read_line(line)
        except (ValueError, RecursionError) as error:
            bad += 1
            click.echo(f"第 {number} 行无法读取：{error}", err=True)
            continue
        answer = {"id": case_id} | judged(text, classifier=classifier, taxonomy=taxonomy)
        out.write(json.dumps(answer, ensure_ascii=False) + "\n")
    out.flush()
    return bad


def read_line(line: bytes) -> tuple[object, str]:
    """The id, given back as it came, and the text; raises ValueError with the reason in Chinese."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError("不是有效的 JSON") from error
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("text"), str):
        raise ValueError('应为 {"id": …, "text": "…"}')
    return row["id"], row["text"]


def judged(text: str, *, classifier: "TextClassifier", taxonomy: Taxonomy) -> dict[str, object]:
    """Everything an output line says about a text; the best guess stands there even when abstained."""
    judgement = classifier.judge(text)
    top = [_row(ranked, taxonomy) for ranked in judgement.top]
    return top[0] | {
        "abstained": judgement.abstained,
        "out_of_scope": judgement.out_of_scope,
        "redirect": judgement.redirect,
        "top": top,
    }


def _row(ranked: "Ranked", taxonomy: Taxonomy) -> dict[str, object]:
    subclass = ranked.subclass
    return {
        "kind": subclass.kind.value if subclass else "none",
        "subclass_code": subclass.code if subclass else "",
        "subclass": taxonomy.name(subclass) if subclass else OUT_OF_SCOPE,
        "confidence": round(ranked.confidence, 4),
    }
