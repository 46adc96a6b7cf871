"""`python -m intake label`: a person answers by keyboard, the most informative texts come first, every answer is kept.

Which text is next stands in classifier/labelling.py, how an answer is read in classifier/label_answer.py. Personal data
is masked before a text is shown or saved. What is saved is a corpus file; answering can go on another day.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click

from classifier.corpus import NONE
from classifier.label_answer import Unread, read_label
from classifier.labelling import Proposal, proposals
from intake.errors import IntakeError
from intake.masking import mask_text
from intake.taxonomy import OUT_OF_SCOPE, Taxonomy, load_taxonomy

FILE = click.Path(path_type=Path, dir_okay=False)
KEYS = "序号、类别代码或名称；n [电话] 非城管事项；s 跳过；u 撤销上一条；q 结束"


@click.command("label", help="标注：从 JSON 行文件中先挑模型最拿不准、又各不相同的文本，由人逐条定类。")
@click.argument("texts", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=FILE, default=None, help="标注文件，追加写入，可分多次完成；默认在原文件旁，后缀 .labelled.jsonl。")
@click.option("--home", envvar="INTAKE_HOME", default="var", type=click.Path(path_type=Path), help="数据目录。")
def command(*, texts: Path, out: Path | None, home: Path) -> None:
    """Ask until everything is answered or the person stops."""
    from intake.commands.classify import ready_classifier

    taxonomy = load_taxonomy()
    try:
        classifier = ready_classifier(home, taxonomy)
    except IntakeError as error:
        raise click.ClickException(error.message) from error
    saved = Saved(out or texts.with_suffix(".labelled.jsonl"))
    waiting = list(read_texts(texts))
    done = saved.texts()
    click.echo(f"{len(set(waiting) - set(done))} 条待标注，已标注 {len(done)} 条。{KEYS}")
    count = ask_all(proposals(waiting, classifier.judge, done=done), saved, taxonomy)
    click.echo(f"本次标注 {count} 条，已存入 {saved.path}")


def read_texts(path: Path) -> Iterator[str]:
    """The masked texts of a file of `{"text"}` lines; lines that cannot be read are told on stderr."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
            yield mask_text(text.strip())
        except (ValueError, KeyError, TypeError, AttributeError):
            click.echo(f"第 {number} 行无法读取", err=True)


class Saved:
    """The file of answers: one line each, on disk before the next question is asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._starts: list[int] = []

    def texts(self) -> list[str]:
        """The texts answered so far; a last line cut short by a crash is taken off the file."""
        if not self.path.exists():
            return []
        raw = self.path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if whole != raw:
            os.truncate(self.path, len(whole))
        return [json.loads(line)["text"] for line in whole.splitlines() if line.strip()]

    def add(self, text: str, label: str) -> None:
        kind, _, code = label.partition(":")
        name = "redirect" if kind == NONE else "subclass_code"
        with self.path.open("ab") as stream:
            self._starts.append(stream.tell())
            stream.write(json.dumps({"text": text, "kind": kind, name: code}, ensure_ascii=False).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())

    def undo(self) -> bool:
        """Take back the last answer of this sitting; False where there is none."""
        if not self._starts:
            return False
        os.truncate(self.path, self._starts.pop())
        return True


def ask_all(order: Iterator[Proposal], saved: Saved, taxonomy: Taxonomy) -> int:
    """Ask one after the other; returns how many answers stand at the end."""
    answered: list[Proposal] = []
    again: list[Proposal] = []
    while (proposal := again.pop() if again else next(order, None)) is not None:
        typed = _ask(proposal, taxonomy)
        if typed == "q":
            break
        if typed == "u":
            again.append(proposal)
            if saved.undo():
                again.append(answered.pop())
        elif typed != "s":
            saved.add(proposal.text, typed)
            answered.append(proposal)
    return len(answered)


def _ask(proposal: Proposal, taxonomy: Taxonomy) -> str:
    """A label, or one of the keys s, u and q. Asks again while nothing can be made of what was typed."""
    offered = [ranked.subclass for ranked in proposal.judged.top]
    click.echo(f"\n{proposal.text}")
    for number, ranked in enumerate(proposal.judged.top, 1):
        name = f"{ranked.subclass} {taxonomy.name(ranked.subclass)}" if ranked.subclass else OUT_OF_SCOPE
        click.echo(f"  {number}  {ranked.confidence:5.1%}  {name}")
    while True:
        try:
            typed = click.prompt("类别", default="", show_default=False, prompt_suffix="> ").strip()
        except click.Abort:
            # Ctrl-C and the end of input end the sitting; everything answered is saved.
            return "q"
        if typed.lower() in ("s", "u", "q"):
            return str(typed.lower())
        try:
            return read_label(typed, offered, taxonomy)
        except Unread as problem:
            click.echo(str(problem))
