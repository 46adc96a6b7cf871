"""`python -m intake classify`: JSON lines `{"id","text"}` in, judged JSON lines out, in the same order.

The classifier itself stands in classifier/classify.py; the shape of the output line is a promise to other programs.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from intake.errors import IntakeError, Misconfigured
from intake.gazetteer import Gazetteer
from intake.profile import CITIES
from intake.taxonomy import OUT_OF_SCOPE, Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from classifier.classify import TextClassifier
    from classifier.decide import Ranked
    from classifier.places import PlaceFound

LINE_HELP = '逐行判别：标准输入每行一个 JSON {"id","text"}，按原顺序输出类别、置信度、依据、紧急程度、情形和地点。'


@click.command("classify", help=LINE_HELP)
@click.option("--home", envvar="INTAKE_HOME", default="var", type=click.Path(path_type=Path), help="数据目录。")
@click.option("--city", default=None, help="城市资料的名称或路径；给出时按其地名库查找地点和网格。")
def command(home: Path, city: str | None) -> None:
    """Judge stdin line by line. Bad lines are told on stderr, the others still answered, and the exit code is then 1."""
    taxonomy = load_taxonomy(optional_on=())
    try:
        classifier = ready_classifier(home, taxonomy, gazetteer=gazetteer_of(city) if city else None)
    except IntakeError as error:
        raise click.ClickException(error.message) from error
    bad = answer_lines(sys.stdin.buffer, sys.stdout, classifier=classifier, taxonomy=taxonomy)
    sys.exit(1 if bad else 0)


def gazetteer_of(city: str) -> Gazetteer:
    """The gazetteer of a city profile, by name or by path; raises Misconfigured."""
    folder = Path(city) if "/" in city else CITIES / city
    try:
        return Gazetteer.load(folder / "gazetteer.csv")
    except (OSError, ValueError) as error:
        raise Misconfigured(f"城市资料 {city} 的地名库无法读取：{error}") from error


def ready_classifier(home: Path, taxonomy: Taxonomy, *, gazetteer: Gazetteer | None = None) -> "TextClassifier":
    """Load the model below `home`, training one first where there is none; raises BadModel or BadInput."""
    from classifier.classify import TextClassifier
    from classifier.registry import default_path
    from intake.commands.train import train_to

    path = default_path(home)
    if not path.exists():
        click.echo("还没有分类模型，先用语料训练一个，大约一分钟。", err=True)
        train_to(path)
    return TextClassifier.load(path, taxonomy, gazetteer)


def answer_lines(lines: Iterable[bytes], out: TextIO, *, classifier: "TextClassifier", taxonomy: Taxonomy) -> int:
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
    told = classifier.explain(text)
    top = [_row(ranked, taxonomy) for ranked in told.judgement.top]
    return top[0] | {
        "abstained": told.judgement.abstained,
        "out_of_scope": told.judgement.out_of_scope,
        "redirect": told.judgement.redirect,
        "top": top,
        "why": [asdict(reason) for reason in told.why],
        "urgency": told.urged.level.value,
        "condition": told.condition,
        "place": _place(told.place),
    }


def _place(found: "PlaceFound | None") -> dict[str, object] | None:
    if found is None:
        return None
    return {"text": found.text, "start": found.start, "end": found.end, "parts": dict(found.parts), "grid": found.grid}


def _row(ranked: "Ranked", taxonomy: Taxonomy) -> dict[str, object]:
    subclass = ranked.subclass
    return {
        "kind": subclass.kind.value if subclass else "none",
        "subclass_code": subclass.code if subclass else "",
        "subclass": taxonomy.name(subclass) if subclass else OUT_OF_SCOPE,
        "confidence": round(ranked.confidence, 4),
    }
