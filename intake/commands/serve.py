"""`serve`: the gateway itself. Starts the parts, says where to go, and stops within seconds without losing anything."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import aiohttp
import click
import structlog
import uvloop
from aiohttp import web

import channels
from channels.order_webhook import OrderWebhook, read_setting
from channels.web.media_sweep import run_sweep
from intake.accounts import has_administrator, make_first_accounts
from intake.channel_memory import StoreMemory
from intake.chores import run_chores
from intake.commands.calendar import recompute_due_times
from intake.commands.serve_loops import Stop, cancel, keep_up, wait_for_end
from intake.commands.serve_phone import PhoneParts, open_phone
from intake.commands.serve_speech import transcript_loops
from intake.courier import Courier
from intake.errors import IntakeError, Misconfigured
from intake.log import set_up_logging
from intake.order_push import Herald, Push
from intake.password import hash_password, one_time_password
from intake.ports import Sends
from intake.reconcile import run_reconciling
from intake.settings import Settings, load_settings
from intake.store import triggers
from intake.wiring import Running, build_listener, open_backlog, open_gateway

if TYPE_CHECKING:
    from channels.web.setting import WebSetting

SHUTDOWN_S = 2.0
log = structlog.get_logger()


@click.command("serve")
@click.option("--train/--no-train", "train_first", default=True, help="没有分类模型时先训练一个。")
def command(*, train_first: bool) -> None:
    """启动受理网关。"""
    settings = load_settings()
    set_up_logging(settings.log_level)
    if train_first:
        ensure_model(settings)
    uvloop.run(serve(settings))


def ensure_model(settings: Settings) -> None:
    """Build the classifier's model when there is none; the gateway also serves without one."""
    from classifier.registry import default_path

    path = default_path(settings.home)
    if path.exists():
        return
    from intake.commands.train import train_to

    click.echo("首次启动：正在训练分类模型，约需一两分钟 …", err=True)
    try:
        train_to(path)
    except IntakeError as error:
        click.echo(f"分类模型未能建立（{error.message}），受理照常，只是没有类别建议。", err=True)


async def serve(settings: Settings) -> None:
    """Run until a signal asks to stop."""
    stop = Stop.on_signals()
    async with open_gateway(settings) as running, AsyncExitStack() as stack:
        once = await first_accounts(running)
        await confirm_due_times(running)
        tasks = await start_parts(settings, running, stack)
        announce(settings, once)
        log.info("gateway.started", run_id=running.run_id)
        await wait_for_end(stop, tasks)
        log.info("gateway.stopping", run_id=running.run_id)


async def confirm_due_times(running: Running) -> None:
    """A profile with a new year's holidays is read at a start: what was provisional is counted anew then."""
    done = await recompute_due_times(running)
    if done.moved or done.confirmed:
        log.info("calendar.recomputed", moved=done.moved, confirmed=done.confirmed)
    if done.waiting:
        log.warning("calendar.year_missing", provisional=done.waiting)


async def first_accounts(running: Running) -> tuple[str, str]:
    """Name and one-time password of the first administrator, empty when there is one already."""
    if await running.store.read(has_administrator):
        return ("", "")
    password = one_time_password()
    hashed = await asyncio.to_thread(hash_password, password)
    accounts = running.gateway.city.accounts
    name = await running.store.write(lambda work: make_first_accounts(work, accounts, admin_hash=hashed))
    return (name, password) if name else ("", "")


async def start_parts(settings: Settings, running: Running, stack: AsyncExitStack) -> list["asyncio.Task[None]"]:
    """The loops and the web server; each has one owner here, which stops it."""
    gateway = running.gateway
    by_name = await open_channels(settings, running, stack)
    senders: dict[str, Sends] = {
        route: channel for channel in by_name.values() if hasattr(channel, "send") for route in channels.routes_of(channel)
    }
    senders |= voice_sender(running)
    courier = Courier(running.store, running.rules, senders, name=settings.gateway_name, run_id=running.run_id)
    loops: dict[str, Callable[[], Coroutine[None, None, None]]] = {
        "feed": lambda: gateway.feed.run(running.store.watch),
        "admission": gateway.admission.run,
        "courier": courier.run,
        "chores": lambda: run_chores(running.store, running.rules, gateway.judge, feed_keep=settings.feed_keep),
        "switchboard": running.switchboard.run,
        "repeats": gateway.repeats.run,
        "callbacks": running.switchboard.callbacks.run,
        "pictures": lambda: run_sweep(running.store, settings.media, spool=settings.spool_path),
    }
    pushes = await open_pushes(settings, running, stack)
    loops["orders"] = Herald(running.store, pushes).run
    loops |= await transcript_loops(settings, running, stack)
    phone = await open_phone(settings, running, stack)
    loops |= phone.loops
    tasks = [asyncio.create_task(keep_up(name, loop), name=name) for name, loop in loops.items()]
    stack.push_async_callback(cancel, tasks)
    await start_web(settings, running, stack, tasks, by_name, phone)
    return tasks


def voice_sender(running: Running) -> dict[str, Sends]:
    """The automatic voice reply, where the city switched it on."""
    board = running.switchboard
    return {board.voice.kind: board.voice} if board.book.rules().voice.enabled else {}


async def open_channels(settings: Settings, running: Running, stack: AsyncExitStack) -> dict[str, Any]:
    """The channels of the settings by module name, over one HTTP client that keeps no cookies."""
    if not settings.channels:
        return {}
    http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
    shared = {"public_url": settings.public_url, "area_code": running.gateway.city.area_code}
    by_name = {name: channels.build(name, given, http, shared=shared) for name, given in settings.channels.items()}
    for name, channel in by_name.items():
        if hasattr(channel, "remember"):
            channel.remember(StoreMemory(running.store, name, settings.gateway_name))
    return by_name


async def open_pushes(settings: Settings, running: Running, stack: AsyncExitStack) -> dict[str, Push]:
    """Where sources of orders from above hear from us; a source without an address picks its news up."""
    if unknown := sorted(settings.orders.keys() - running.gateway.city.sources.keys()):
        raise Misconfigured(f"城市资料 orders.toml 里没有来源 {unknown[0]}。")
    if not settings.orders:
        return {}
    http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
    found = {source: read_setting(source, given) for source, given in settings.orders.items()}
    return {source: OrderWebhook(setting, http).push for source, setting in found.items()}


def ready_checks(running: Running, tasks: list["asyncio.Task[None]"]) -> list[Callable[[], Awaitable[str]]]:
    """What only the wiring can see: the loops are alive, history is protected."""

    async def loops_run() -> str:
        return "a loop has ended" if any(task.done() for task in tasks) else ""

    async def history_is_protected() -> str:
        absent = await running.store.read(lambda work: triggers.missing(work.connection))
        return f"triggers missing: {', '.join(absent)}" if absent else ""

    return [loops_run, history_is_protected]


def web_setting(settings: Settings) -> "WebSetting":
    """What the web server needs of the settings."""
    from channels.web.setting import WebSetting

    return WebSetting(
        media=settings.media,
        public_url=settings.public_url.rstrip("/"),
        trusted_proxies=tuple(ip_network(text) for text in settings.trusted_proxies),
        secure_cookies=settings.secure_cookies,
        report_limit=settings.report_limit,
        status_limit=settings.status_limit,
        sign_in_limit=settings.sign_in_limit,
        api_limit=settings.api_limit,
        map_tiles=settings.map_tiles,
        shares_database=not settings.is_embedded,
    )


async def start_web(
    settings: Settings, running: Running, stack: AsyncExitStack, tasks: list["asyncio.Task[None]"],
    by_name: Mapping[str, Any], phone: PhoneParts,
) -> None:  # fmt: skip
    from channels.web.connection import make_runner
    from channels.web.desk_phone import TELEPHONE
    from channels.web.health import READY_CHECKS
    from channels.web.hooks import HOOKED, Hooked, hear
    from channels.web.metrics import METRICS
    from channels.web.server import build_app
    from channels.web.spoken import SPEECH

    app = build_app(running.gateway, web_setting(settings))
    app[READY_CHECKS] += ready_checks(running, tasks)
    listener = build_listener(running.gateway, open_backlog(settings, running))
    app[TELEPHONE].board = running.switchboard
    if phone.speech is not None:
        app[SPEECH] = phone.speech
    app[METRICS].show(phone.figures)
    app[HOOKED] = Hooked(listener, by_name)
    comparing = partial(
        run_reconciling, running.store, running.rules, by_name, emit_of=lambda channel: partial(hear, app, channel),
        run_id=running.run_id, gateway=settings.gateway_name,
    )  # fmt: skip
    for name, loop in (("listener", listener.run), ("reconcile", comparing)):
        tasks.append(asyncio.create_task(keep_up(name, loop), name=name))
    tasks += start_listening(app, running, by_name)
    runner = make_runner(app, shutdown_s=SHUTDOWN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, settings.host, settings.port, backlog=1024).start()
    except OSError:
        click.echo(f"端口 {settings.port} 已被占用，可用 INTAKE_PORT 换一个。", err=True)
        raise SystemExit(3) from None


def start_listening(app: web.Application, running: Running, by_name: Mapping[str, Any]) -> list["asyncio.Task[None]"]:
    """Channels that fetch what is said to them themselves; each is started again when a fault ended it."""
    from channels.web.hooks import hear

    def loop_of(channel: Any) -> Callable[[], Coroutine[None, None, None]]:
        return lambda: channel.run(partial(hear, app, channel), clock=running.gateway.now)

    return [
        asyncio.create_task(keep_up(name, loop_of(channel)), name=name)
        for name, channel in by_name.items() if hasattr(channel, "run")
    ]  # fmt: skip


def announce(settings: Settings, once: tuple[str, str]) -> None:
    """Where to go, for the person at the terminal; standard output, not the log."""
    url = settings.public_url or f"http://{settings.host}:{settings.port}"
    lines = ["", f"  市民反映与查询  {url}/", f"  受理席登录      {url}/desk", f"  接口说明        {url}/api/docs"]
    if once[0]:
        lines += ["", f"  首个管理员账号  {once[0]}", f"  一次性密码      {once[1]}  （登录后须修改，只显示这一次）"]
    lines += ["", "  按 Ctrl-C 停止。", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
