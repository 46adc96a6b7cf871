"""`access report`: who looked at personal data in a month, and what of it should be asked about."""

import asyncio
from datetime import datetime, tzinfo

import click

from intake.access_report import Seen, judged, month_bounds, report_lines
from intake.settings import load_settings
from intake.store.seen import seen_between
from intake.wiring import open_gateway, utc_now


@click.group("access")
def command() -> None:
    """个人信息的查看记录。"""


@command.command("report")
@click.option("--month", default="", help="年月，例如 2026-11；不填为上个月。")
def report(month: str) -> None:
    """按账号统计一个月的查看次数，并列出夜间、频繁、非本人经办和保密件的查看。"""
    for line in asyncio.run(_report(month)):
        click.echo(line)


async def _report(month: str) -> list[str]:
    async with open_gateway(load_settings(), judging=False) as running:
        zone = running.gateway.city.zone
        chosen = month or month_before(utc_now(), zone)
        try:
            start, end = month_bounds(chosen, zone)
        except ValueError:
            raise click.BadParameter("年月应写成 2026-11。", param_hint="--month") from None
        seen: Seen = await running.store.read(lambda work: seen_between(work, start, end))
        return report_lines(judged(seen, zone), month=chosen, zone=zone)


def month_before(now: datetime, zone: tzinfo) -> str:
    local = now.astimezone(zone)
    return f"{local.year - (local.month == 1)}-{(local.month - 2) % 12 + 1:02}"
