"""`python -m intake train`: fit a model on the corpus, with what operators taught if asked, and write it with its card.

The first model becomes the champion; later ones stand beside it as the challenger until `model promote`. How it is fitted
stands in classifier/train.py; here are only the options, the progress bar and the printed card.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.learning import CAP, WEIGHT
from intake.errors import IntakeError
from intake.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from classifier.learning import Lessons
    from classifier.registry import Card

FOLDER = click.Path(path_type=Path, file_okay=False)
HELP = "用语料（可加受理员的更正）训练分类模型，写出模型文件及其说明卡。已有在用模型时，新模型为候选，用 model promote 启用。"


@click.command("train", help=HELP)
@click.option("--corpus", type=FOLDER, default=None, help="语料目录，内有 train.jsonl，可有 dev.jsonl；默认 data/corpus。")
@click.option("--corrections", is_flag=True, help="加入本市已立案案件中受理员确认或更正的类别。")
@click.option("--weight", type=click.FloatRange(0.0, 10.0, min_open=True), default=WEIGHT, show_default=True,
              help="一条更正相当于几条语料。")
@click.option("--cap", type=click.IntRange(1), default=CAP, show_default=True, help="每名受理员最多采用多少条。")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="模型文件；默认在数据目录的 models 下。")
@click.option("--home", envvar="INTAKE_HOME", default="var", type=FOLDER, help="数据目录。")
def command(*, corpus: Path | None, corrections: bool, weight: float, cap: int, out: Path | None, home: Path) -> None:
    """Train and print what came out."""
    from classifier.versions import Shelf

    shelf = Shelf(home / "models")
    path = out or (shelf.challenger if shelf.champion.exists() else shelf.champion)
    try:
        lessons = lessons_from(home, weight=weight, cap=cap) if corrections else None
        card = train_to(path, corpus=corpus, lessons=lessons)
    except IntakeError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"模型已写入 {path}（{card.texts} 条文本，其中更正 {card.corrections} 条，置信度按 {card.calibrated_on} 校准）")
    for title, scores in (("校准语料", card.scores), ("测试语料", card.tested), ("最近确认的案件", card.newest)):
        for name, score in scores.items():
            click.echo(f"  {title:8} {name:22} {score:.4f}")
    if path == shelf.challenger:
        click.echo("这是候选模型，正与在用模型并行试判；python -m intake model compare 比较，model promote 启用。")


def lessons_from(home: Path, *, weight: float, cap: int) -> "Lessons":
    """What operators taught, from the gateway's database; texts that measure are left out."""
    from classifier.corpus import read_split
    from classifier.learning import lessons
    from intake.commands.confirmed import read_decided

    measuring = [example.text for split in ("dev", "test") for example in read_split(split, load_taxonomy())]
    return lessons(read_decided(home).confirmed, weight=weight, cap=cap, without=measuring)


def train_to(path: Path, *, corpus: Path | None = None, lessons: "Lessons | None" = None) -> "Card":
    """Train with a progress bar on stderr and save the model to `path`; used by `classify` and by the first start.

    Always with the class table's own choice of optional classes, so that who asks first does not change the model.
    """
    from rich.console import Console
    from rich.progress import Progress

    from classifier import registry
    from classifier.corpus import CORPUS_FOLDER
    from classifier.train import stages, train_from

    folder = corpus or CORPUS_FOLDER
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("读取语料", total=stages(folder) + 1)

        def advance(stage: str) -> None:
            bar.update(task, description=stage, advance=1)

        model, card = train_from(folder, load_taxonomy(), lessons=lessons, progress=advance)
        advance("写出模型")
        registry.save(path, model=model, card=card)
        bar.update(task, description="完成", completed=stages(folder) + 1)
    return card
