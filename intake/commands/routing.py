"""`routing`: try a draft table over past cases before it is put in force, and see which rules were proven wrong."""

import asyncio
from pathlib import Path

import click

from intake.model import Case
from intake.ports import Work
from intake.records import HistoryEntry
from intake.routing import load_rules
from intake.routing_trial import Against, evidence, moved_by
from intake.settings import load_settings
from intake.wiring import open_gateway

SHOWN = 30


@click.group("routing")
def command() -> None:
    """派遣规则。"""


@command.command("try")
@click.argument("draft", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def try_draft(draft: Path) -> None:
    """用草拟的规则表 DRAFT 重派以往案件，列出会改派的部分。"""

    async def run() -> tuple[list[Case], list[Against]]:
        async with open_gateway(load_settings(), judging=False) as running:
            return await running.store.read(lambda work: (work.find(Case), _evidence(work)))

    settings = load_settings()
    from intake.wiring import city_of

    city = city_of(settings)
    cases, against = asyncio.run(run())
    moved = moved_by(load_rules(draft, city.units), cases, city.zone)
    total = sum(one.count for one in moved)
    click.echo(f"以往案件 {len(cases)} 件，按草案会改派 {total} 件。")
    for one in moved[:SHOWN]:
        names = [city.units[unit].name if unit in city.units else unit for unit in (one.from_unit, one.to_unit)]
        click.echo(f"{one.count:6} 件  {names[0]} → {names[1]}  （规则：{one.rule}，例：{one.example}）")
    _print_evidence(against)


@command.command("evidence")
def show_evidence() -> None:
    """列出被退单证明有误的规则。"""

    async def run() -> list[Against]:
        async with open_gateway(load_settings(), judging=False) as running:
            return await running.store.read(_evidence)

    _print_evidence(asyncio.run(run()))


def _evidence(work: Work) -> list[Against]:
    returned = {line.case_no for line in work.find(HistoryEntry, step="decide_return")}
    return evidence(work.find(HistoryEntry, case_no=number) for number in sorted(returned))


def _print_evidence(found: list[Against]) -> None:
    click.echo("退单同意（派遣有误）的规则：" if found else "没有同意的退单。")
    for one in found[:SHOWN]:
        click.echo(f"{one.returned:6} / {one.sent} 件  {one.rule}  → {one.unit}")
