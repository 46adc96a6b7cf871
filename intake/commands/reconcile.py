"""`reconcile`: what providers know against what we know; exits 1 when a difference is left or a list could not be read."""

import asyncio
import sys
from datetime import timedelta
from functools import partial

import aiohttp
import click

import channels
from intake.errors import Misconfigured
from intake.reconcile import Outcome, reconcile
from intake.settings import Settings, load_settings
from intake.wiring import build_listener, open_gateway


@click.command("reconcile")
@click.option("--days", default=2, show_default=True, type=click.IntRange(1, 30), help="核对最近多少天。")
def command(days: int) -> None:
    """与服务商的清单核对来信和状态报告，补收遗漏的；没有清单的渠道只列出可能有遗漏的时段。"""
    outcomes = asyncio.run(_run(load_settings(), days))
    for outcome in outcomes:
        for line in lines(outcome):
            click.echo(line)
    sys.exit(any(one.left or one.fault for one in outcomes))


async def _run(settings: Settings, days: int) -> list[Outcome]:
    from channels.web.hooks import HOOKED, Hooked, hear
    from channels.web.server import build_app
    from channels.web.setting import WebSetting

    if not settings.channels:
        raise Misconfigured("没有启用任何渠道。")
    async with open_gateway(settings) as running, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        shared = {"public_url": settings.public_url, "area_code": running.gateway.city.area_code}
        by_name = {name: channels.build(name, given, http, shared=shared) for name, given in settings.channels.items()}
        # Not served: only what is around a hook, so that pictures come along as if the webhook had come.
        app = build_app(running.gateway, WebSetting(media=settings.media, public_url=settings.public_url.rstrip("/")))
        app[HOOKED] = Hooked(build_listener(running.gateway), by_name)
        since = running.gateway.now() - timedelta(days=days)
        return [
            await reconcile(running.store, running.rules, name, channel, emit=partial(hear, app, channel), since=since)
            for name, channel in by_name.items()
        ]


def lines(outcome: Outcome) -> list[str]:
    """What was found, for the person at the terminal."""
    name = outcome.channel
    if outcome.fault:
        return [f"{name}：清单读取失败（{outcome.fault}），请稍后再试。"]
    if outcome.has_list:
        told = (f"{name}：服务商清单 {outcome.listed} 条，补收来信 {outcome.missed} 条、状态报告 {outcome.late} 条，"
                f"查明去向 {outcome.looked_up} 条；剩余差异 {outcome.left}。")  # fmt: skip
        more = [f"  清单中有 {outcome.foreign} 条不是本系统发出的。"] if outcome.foreign else []
    else:
        seconds = int(outcome.redelivers_for.total_seconds())
        length = f"{seconds // 60} 分钟" if seconds >= 60 else f"{seconds} 秒"
        told = f"{name}：服务商没有清单，无法核对；其重发时限约 {length}。"
        more = [f"  {gap.start_at:%Y-%m-%d %H:%M} 至 {gap.end_at:%Y-%m-%d %H:%M}（UTC）网关未运行，期间的来信可能已丢失，无法找回。"
                for gap in outcome.gaps] or ["  没有超过重发时限的中断。"]  # fmt: skip
    more += [f"  去向不明的回复 {outcome.unsure} 条，见“待办”。"] if outcome.unsure else []
    return [told, *more]
