"""`python -m intake evaluate`: how good the model is on labelled texts, in tables and as a page.

Figures come from classifier/evaluate.py, the page from classifier/report_html.py.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.report_html import FIGURES, Page, page_of
from intake.errors import IntakeError
from intake.model import Subclass
from intake.taxonomy import OUT_OF_SCOPE, Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from classifier.corpus import Example
    from classifier.evaluate import Answer, Report

CONFUSIONS_SHOWN = 20


@click.command("evaluate", help="在标注文本上评测分类模型：命中率、各类得分、校准、弃答、易混类别，并写出网页报告。")
@click.option("--file", "labelled", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
              help="标注文件，每行一个 JSON；默认 data/corpus/test.jsonl。")
@click.option("--report", "page", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="网页报告；默认在数据目录的 reports 下，旁边是可靠性图 PNG。")
@click.option("--home", envvar="INTAKE_HOME", default="var", type=click.Path(path_type=Path), help="数据目录。")
def command(*, labelled: Path | None, page: Path | None, home: Path) -> None:
    """Print all tables for one file and write them as a page; optional classes count as their base class."""
    from rich.console import Console
    from rich.progress import track

    from classifier.corpus import CORPUS_FOLDER, read_examples
    from classifier.evaluate import judge_all, report
    from classifier.told_score import told_scores
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
    answers = judge_all(classifier.judge, watched, taxonomy)
    found = report(answers)
    found = replace(found, scores={**found.scores, **_places(examples), **told_scores(examples, taxonomy)})
    print_report(found, console=console, taxonomy=taxonomy)
    out = page or home / "reports" / f"{path.stem}-{classifier.version}.html"
    about = Page(classifier.version, path.name, lambda label: _name(label, taxonomy))
    write_page(out, about, found, judged=list(zip(examples, answers, strict=True)))
    click.echo(f"网页报告已写入 {out}", err=True)


def write_page(out: Path, about: Page, report: "Report", *, judged: "list[tuple[Example, Answer]]") -> None:
    """The page, and beside it the diagram as a PNG of the same name."""
    from classifier.report_diagram import reliability_png

    diagram = reliability_png(report.bins)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".png").write_bytes(diagram)
    out.write_text(page_of(about, report, diagram=diagram, judged=judged), encoding="utf-8")


def _places(examples: "tuple[Example, ...]") -> dict[str, float]:
    from classifier.place_score import place_scores
    from classifier.places import find_place

    def span(text: str) -> tuple[int, int] | None:
        found = find_place(text)
        return (found.start, found.end) if found else None

    return place_scores(span, examples)


def print_report(report: "Report", *, console: "Console", taxonomy: Taxonomy) -> None:
    """Print the figures, the per-class table and the confusion pairs."""
    figures = _table(f"{report.texts} 条文本", "指标", "含义", "值")
    for name, title in FIGURES.items():
        if name in report.scores:
            figures.add_row(name, title, f"{report.scores[name]:.4f}")
    groups = _table("按语体和长度（字）", "分组", "条数", "首选", "前三")
    for each in report.slices:
        groups.add_row(each.name, str(each.texts), f"{each.top1:.3f}", f"{each.top3:.3f}")
    trust = _table("校准", "置信度", "条数", "平均置信度", "实际准确率")
    for point in report.bins:
        trust.add_row(f"{point.low:.1f}-{point.high:.1f}", str(point.texts), f"{point.confidence:.3f}", f"{point.precision:.3f}")
    classes = _table("各类", "类别", "名称", "条数", "查准", "查全", "F1")
    for line in report.classes:
        shares = (f"{share:.2f}" for share in (line.precision, line.recall, line.f1))
        classes.add_row(line.name, _name(line.name, taxonomy), str(line.texts), *shares)
    confusions = _table("易混类别", "应为", "判为", "条数")
    for truth, said, count in report.confusions[:CONFUSIONS_SHOWN]:
        confusions.add_row(f"{truth} {_name(truth, taxonomy)}", f"{said} {_name(said, taxonomy)}", str(count))
    for table in (classes, confusions, groups, trust, figures):
        console.print(table)


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    return Table(*columns, title=title)


def _name(label: str, taxonomy: Taxonomy) -> str:
    return OUT_OF_SCOPE if label == "none" else taxonomy.name(Subclass.parse(label))
