"""`python -m intake evaluate`: how good the model is on labelled texts. Figures come from classifier/evaluate.py."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from intake.errors import IntakeError
from intake.model import Subclass
from intake.taxonomy import OUT_OF_SCOPE, Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from classifier.evaluate import Report

CONFUSIONS_SHOWN = 20


@click.command("evaluate", help="在标注文本上评测分类模型：命中率、各类得分、校准、弃答、易混类别。")
@click.option("--file", "labelled", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
              help="标注文件，每行一个 JSON；默认 data/corpus/test.jsonl。")
@click.option("--home", envvar="INTAKE_HOME", default="var", type=click.Path(path_type=Path), help="数据目录。")
def command(labelled: Path | None, home: Path) -> None:
    """Print all tables for one file; optional classes count as their base class."""
    from rich.console import Console
    from rich.progress import track

    from classifier.corpus import CORPUS_FOLDER, read_examples
    from classifier.evaluate import judge_all, report
    from intake.commands.classify import ready_classifier

    taxonomy = load_taxonomy(optional_on=())
    path = labelled or CORPUS_FOLDER / "test.jsonl"
    if not path.exists():
        raise click.ClickException("还没有测试语料 data/corpus/test.jsonl，请用 --file 指定标注文件。")
    try:
        examples = read_examples(path, taxonomy)
        classifier = ready_classifier(home, taxonomy)
    except IntakeError as error:
        raise click.ClickException(error.message) from error
    if not examples:
        raise click.ClickException("标注文件是空的。")
    console = Console()
    watched = track(examples, description="判别", console=Console(stderr=True))
    print_report(report(judge_all(classifier.judge, watched, taxonomy)), console=console, taxonomy=taxonomy)


def print_report(report: "Report", *, console: "Console", taxonomy: Taxonomy) -> None:
    """Print the figures, the per-class table and the confusion pairs."""
    figures = _table(f"{report.texts} 条文本", "指标", "值")
    for name, score in report.scores.items():
        figures.add_row(name, f"{score:.4f}")
    classes = _table("各类", "类别", "名称", "条数", "查准", "查全", "F1")
    for line in report.classes:
        shares = (f"{share:.2f}" for share in (line.precision, line.recall, line.f1))
        classes.add_row(line.name, _name(line.name, taxonomy), str(line.texts), *shares)
    confusions = _table("易混类别", "应为", "判为", "条数")
    for truth, said, count in report.confusions[:CONFUSIONS_SHOWN]:
        confusions.add_row(f"{truth} {_name(truth, taxonomy)}", f"{said} {_name(said, taxonomy)}", str(count))
    for table in (classes, confusions, figures):
        console.print(table)


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    return Table(*columns, title=title)


def _name(label: str, taxonomy: Taxonomy) -> str:
    return OUT_OF_SCOPE if label == "none" else taxonomy.name(Subclass.parse(label))
