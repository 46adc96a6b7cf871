"""`python -m intake train`: fit a model on the corpus and write it with its card.

How it is fitted stands in classifier/train.py; here are only the options, the progress bar and the printed card.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from intake.errors import IntakeError
from intake.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from classifier.registry import Card

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("train", help="用语料训练分类模型，写出模型文件及其说明卡。")
@click.option("--corpus", type=FOLDER, default=None, help="语料目录，内有 train.jsonl，可有 dev.jsonl；默认 data/corpus。")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="模型文件；默认在数据目录的 models 下。")
@click.option("--home", envvar="INTAKE_HOME", default="var", type=FOLDER, help="数据目录。")
def command(corpus: Path | None, out: Path | None, home: Path) -> None:
    """Train and print what came out."""
    from classifier.registry import default_path

    path = out or default_path(home)
    try:
        card = train_to(path, corpus=corpus)
    except IntakeError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"模型已写入 {path}（{card.texts} 条语料，置信度按 {card.calibrated_on} 校准）")
    for name, score in card.scores.items():
        click.echo(f"  {name:22} {score:.4f}")


def train_to(path: Path, *, corpus: Path | None = None) -> "Card":
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

        model, card = train_from(folder, load_taxonomy(), progress=advance)
        advance("写出模型")
        registry.save(path, model=model, card=card)
        bar.update(task, description="完成", completed=stages(folder) + 1)
    return card
