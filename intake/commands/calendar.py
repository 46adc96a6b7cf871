"""`calendar`: which years' holidays are loaded, and provisional due times made real after a new year came in."""

import asyncio

import click

from intake.provisional import Recomputed, recompute_all
from intake.settings import load_settings
from intake.store.provisional import provisional_numbers
from intake.wiring import Running, city_of, open_gateway


@click.group("calendar")
def command() -> None:
    """工作日历。"""


@command.command("show")
def show() -> None:
    """列出各工作日历及已载入的节假日年份。"""
    for calendar in city_of(load_settings()).calendars.values():
        loaded = f"节假日已载入至 {calendar.last_loaded_year} 年" if calendar.days == "working_days" else "不分节假日"
        click.echo(f"{calendar.name:12} {calendar.title}  {loaded}")


@command.command("recompute")
def recompute() -> None:
    """新一年的节假日载入后，重算暂定的时限；网关启动时也会自动重算。"""

    async def run() -> Recomputed:
        async with open_gateway(load_settings(), judging=False) as running:
            return await recompute_due_times(running)

    done = asyncio.run(run())
    click.echo(f"时限有变 {done.moved} 件，确认不变 {done.confirmed} 件，仍待载入节假日 {done.waiting} 件。")


async def recompute_due_times(running: Running) -> Recomputed:
    """Every provisional due time of this gateway's database."""

    async def waiting(after: int, limit: int) -> list[int]:
        return await running.store.read(lambda work: provisional_numbers(work.connection, after, limit))

    return await recompute_all(running.store, waiting, running.rules)
