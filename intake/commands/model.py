"""`python -m intake model`: the models of a gateway, compared, promoted, taken back, and watched for drift.

What is decided stands in classifier/ (compare, guard, versions, shadow, drift); here it is read, asked and printed.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from classifier.compare import Comparison, compare, unlearned
from classifier.corpus import read_split
from classifier.corpus_rules import read_floors
from classifier.drift import Period, alarms, mix_distance, override_rates, period
from classifier.learning import plain
from classifier.registry import StoredModel, load
from classifier.report_html import FIGURES
from classifier.shadow import Tally, read, tally
from classifier.versions import Shelf, loaded
from intake.commands.confirmed import Decided, read_decided
from intake.errors import IntakeError
from intake.model import Subclass
from intake.settings import load_settings
from intake.taxonomy import OUT_OF_SCOPE, Taxonomy, load_taxonomy
from intake.wiring import city_of, utc_now

if TYPE_CHECKING:
    from classifier.guard import Scores

HOME = click.option("--home", envvar="INTAKE_HOME", default="var", type=click.Path(path_type=Path), help="数据目录。")
CLASSES_SHOWN = 12
DRIFT_WORDS = {
    "mix": "类别构成的变化",
    "abstention_rate": "弃答率",
    "abstention_rise": "弃答率上升",
    "override_rate": "受理员改判率",
    "class_override_rate": "某一类别的改判率",
}


@dataclass(frozen=True, slots=True)
class Contest:
    """Champion and challenger, and what people decided meanwhile."""

    champion: StoredModel
    challenger: StoredModel
    decided: Decided


@click.group("model")
def command() -> None:
    """分类模型：列出、比较、启用、退回、查看变化。"""


@command.command("list")
@HOME
def list_models(home: Path) -> None:
    """列出在用、候选和以往的模型。"""
    shelf = Shelf(home / "models")
    found = [("在用", loaded(shelf.champion)), ("候选", loaded(shelf.challenger))]
    found += [("以往", loaded(shelf.earlier(version))) for version in shelf.earlier_versions()]
    for role, stored in found:
        if stored is not None:
            click.echo(f"{role}  {stored.version}  {_card_line(stored)}")
    if not any(stored for _, stored in found):
        click.echo("还没有模型，请运行 python -m intake train。")
    for act in shelf.acts():
        step = "启用" if act.step == "promote" else "退回"
        click.echo(f"{act.at[:19]}  {step} {act.version}（原为 {act.replaced or '无'}）")


@command.command("compare")
@HOME
def compare_models(home: Path) -> None:
    """比较在用模型和候选模型：测试语料、最近确认的案件、并行试判。"""
    contest = _contest(home)
    _print_comparison(_compared(contest, home))
    _print_tally(_tallied(contest, Shelf(home / "models")))


@command.command("promote")
@HOME
def promote(home: Path) -> None:
    """启用候选模型；任何一项受保护的指标下降时拒绝。运行中的网关几秒内自动换用。"""
    contest = _contest(home)
    comparison = _compared(contest, home)
    if comparison.falls:
        lines = "\n".join(f"  {fall}" for fall in comparison.falls)
        raise click.ClickException(f"候选模型有指标下降，不能启用：\n{lines}")
    act = Shelf(home / "models").promote(contest.challenger.version, at=utc_now())
    click.echo(f"已启用 {act.version}，原模型 {act.replaced} 已保留，可用 model rollback 退回。")


@command.command("rollback")
@HOME
def rollback(home: Path) -> None:
    """退回上一个在用模型。"""
    act = Shelf(home / "models").rollback(at=utc_now())
    click.echo(f"已退回 {act.version}（{act.replaced} 已保留）。")


@command.command("drift")
@click.option("--days", type=click.IntRange(1, 365), default=30, show_default=True, help="与之前同样长的一段时间比较。")
@HOME
def drift(days: int, home: Path) -> None:
    """类别构成、弃答率、改判率有没有变化；超过限值时以 1 退出。"""
    decided, limits = read_decided(home), read_floors()["drift"]
    now, before = _periods(decided, days)
    _print_period(now, before, loaded(Shelf(home / "models").champion))
    found = alarms(now, before, limits)
    for alarm in found:
        where = f"（{_name(alarm.subject, load_taxonomy())}）" if alarm.subject else ""
        click.echo(f"警报：{DRIFT_WORDS[alarm.figure]}{where} {alarm.value:.3f}，限值 {alarm.limit:.3f}")
    if not found:
        click.echo("没有超过限值的变化。")
    raise SystemExit(1 if found else 0)


def _contest(home: Path) -> Contest:
    """Read both models and what people decided; a plain error where one of the two is missing."""
    shelf = Shelf(home / "models")
    if not shelf.challenger.exists():
        raise click.ClickException("没有候选模型，请先运行 python -m intake train。")
    try:
        return Contest(load(shelf.champion), load(shelf.challenger), read_decided(home))
    except IntakeError as error:
        raise click.ClickException(error.message) from error


def _compared(contest: Contest, home: Path) -> Comparison:
    """Measured with the city's own choice of optional classes, as its gateway judges."""
    taxonomy = city_of(load_settings(home=home)).taxonomy
    return compare(
        contest.champion,
        contest.challenger,
        test=read_split("test", taxonomy),
        newest=unlearned(contest.decided.confirmed, contest.champion, contest.challenger),
        taxonomy=taxonomy,
        floors=read_floors(),
    )


def _tallied(contest: Contest, shelf: Shelf) -> Tally:
    answers = {each.key: plain(each.label) for each in contest.decided.confirmed}
    return tally(read(shelf.shadow(contest.champion.version, contest.challenger.version)), answers)


def _periods(decided: Decided, days: int) -> tuple[Period, Period]:
    """The last `days` and as many before, by when a case came in."""
    last = utc_now()
    middle, first = last - timedelta(days=days), last - timedelta(days=2 * days)
    spoken = {each.case_no: each for each in decided.confirmed}

    def between(cases: "list[int]") -> Period:
        chosen = set(cases)
        return period(
            (case for case in decided.cases if case.case_no in chosen),
            (spoken[number] for number in cases if number in spoken),
        )

    new = [case.case_no for case in decided.cases if case.received_at >= middle]
    old = [case.case_no for case in decided.cases if first <= case.received_at < middle]
    return between(new), between(old)


def _print_comparison(found: Comparison) -> None:
    for title, measured in (("测试语料", found.test), ("双方都没有学过的最近确认案件", found.newest)):
        click.echo(f"{title} {measured.texts} 条" + ("" if measured.texts else "（没有，略过）"))
        _print_scores(measured.champion, measured.challenger)
    for fall in found.falls:
        click.echo(f"下降过多：{fall}")
    click.echo("不能启用。" if found.falls else "可以启用：没有受保护的指标下降。")


def _print_scores(champion: "Scores", challenger: "Scores") -> None:
    for name in FIGURES:
        if name in champion:
            one, other = champion[name], challenger[name]
            click.echo(f"  {name:22} 在用 {one:.4f}  候选 {other:.4f}  {other - one:+.4f}  {FIGURES[name]}")


def _print_tally(found: Tally) -> None:
    click.echo(f"并行试判 {found.texts} 条，答案一致 {found.agreed} 条；其中已由受理员定类 {found.decided} 条：")
    click.echo(f"  在用判对 {found.champion_right} 条，候选判对 {found.challenger_right} 条；"
               f"只有在用判对 {found.only_champion_right} 条，只有候选判对 {found.only_challenger_right} 条。")  # fmt: skip


def _print_period(now: Period, before: Period, champion: StoredModel | None) -> None:
    click.echo(f"近期案件 {now.texts} 件，之前 {before.texts} 件。")
    click.echo(f"弃答率 {now.abstention_rate:.3f}（之前 {before.abstention_rate:.3f}），"
               f"改判率 {now.override_rate:.3f}（之前 {before.override_rate:.3f}）。")  # fmt: skip
    click.echo(f"类别构成与之前的距离 {mix_distance(now.mix, before.mix):.3f} 比特（JS 散度，已扣除偶然）。")
    if champion and champion.card.counts:
        learned: dict[str, int] = {}
        for label, count in champion.card.counts.items():
            learned[plain(label)] = learned.get(plain(label), 0) + count
        click.echo(f"与训练语料的距离 {mix_distance(now.mix, learned):.3f} 比特（语料按类别均衡编写，只供参考）。")
    for name, count, rate in override_rates(now)[:CLASSES_SHOWN]:
        click.echo(f"  {name:16} {_name(name, load_taxonomy())}  建议 {count} 件，改判 {rate:.0%}")


def _card_line(stored: StoredModel) -> str:
    card = stored.card
    scores = "  ".join(f"{name} {card.tested[name]:.3f}" for name in ("top1", "top3", "macro_f1") if name in card.tested)
    learned = f"，更正 {card.corrections} 条（至 {card.learned_until[:10]}）" if card.corrections else ""
    return f"{card.texts} 条文本{learned}  {scores}"


def _name(label: str, taxonomy: Taxonomy) -> str:
    return OUT_OF_SCOPE if label == "none" else taxonomy.name(Subclass.parse(label))
