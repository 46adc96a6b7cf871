"""`python -m intake prompts`: the recordings of what is said on the telephone: list, render, check, export.

The shipped ones say data/prompts/zh.toml; a city's own (greetings, reworded prompts, its own recordings) stand in the
folder prompts/ of its profile and go before them by name.
"""

import asyncio
import shutil
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import click

from channels.phone.pack_worker import PackWorker, WorkerFailed
from channels.phone.prompt_context import Within, contexts
from channels.phone.prompt_files import ENDING, PromptFiles, read_manifest, write_manifest
from channels.phone.prompt_plan import JOINED, city_plan, planned
from channels.phone.rendering import BadSound, faults, is_current, render
from channels.phone.speech_pack.pack import VOICES, Pack, pack_at
from channels.phone.synthesis import PackEngine
from intake.profile import City
from intake.settings import load_settings
from intake.status import CITIZEN_WORDS
from intake.wiring import city_of
from ivr.problem import FlowError
from ivr.prompts import PROMPTS, load_prompts

LANGUAGE = "zh"
SHIPPED = PROMPTS / LANGUAGE
CITY_FOLDER = "prompts"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of recordings with what it must hold, and between what some of that is said."""

    title: str
    folder: Path
    plan: Mapping[str, str]
    within: Mapping[str, Within]


@click.group("prompts")
def command() -> None:
    """电话提示音：列出、合成、检查、导出。"""


@command.command("list")
@click.option("--missing", is_flag=True, help="只列出还没有录音的。")
def list_command(*, missing: bool) -> None:
    """列出全部提示音：文件名、时长、声音、文字。"""
    for shelf in shelves(city_of(load_settings())):
        files = read_manifest(shelf.folder)
        click.echo(f"{shelf.title}  {shelf.folder}")
        for name, text in shelf.plan.items():
            file = files.get(name)
            current = is_current(file, shelf.folder / f"{name}{ENDING}", text)
            if missing and current:
                continue
            length = f"{file.seconds:6.2f}s  {file.voice:12}" if file and current else "   缺                 "
            click.echo(f"  {length}  {name:28}  {text}")


@command.command("render")
@click.option("--voice", type=click.Choice(VOICES), default=VOICES[0], show_default=True, help="合成所用的声音。")
@click.argument("names", nargs=-1)
@click.option("--again", is_flag=True, help="全部重做，而不只是缺少的和文字改过的。")
@click.option("--city-only", is_flag=True, help="只做本市的。")
def render_command(*, names: tuple[str, ...], voice: str, again: bool, city_only: bool) -> None:
    """合成缺少的和文字改过的提示音，以及 NAMES 所列的；本市目录 prompts/ 里的 WAV 录音优先，按统一响度收入。"""
    settings = load_settings()
    wanted = shelves(city_of(settings))[1 if city_only else 0 :]
    chosen = {name for shelf in wanted for name in shelf.plan} if again else set(names)
    try:
        asyncio.run(_render(wanted, pack_at(settings.speech), voice=voice, again=chosen))
    except (WorkerFailed, BadSound) as error:
        raise click.ClickException(f"未能完成：{error}") from error


@command.command("check")
def check_command() -> None:
    """检查每一条文案都有录音，文字相符，响度一致，没有削顶。"""
    found = [(shelf, fault) for shelf in shelves(city_of(load_settings())) for fault in faults(shelf.plan, shelf.folder)]
    for shelf, fault in found:
        click.echo(f"{shelf.title}  {fault.name}：{fault.what}", err=True)
    if found:
        raise click.ClickException(f"共 {len(found)} 处问题。重新合成：python -m intake prompts render")
    click.echo("提示音齐全，文字、响度都相符。")


@command.command("export")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="目标目录。")
def export_command(*, out: Path) -> None:
    """把通用的和本市的提示音合在一个目录里，供复制到 Asterisk 的声音目录。"""
    click.echo(f"{export(city_of(load_settings()), out)} 个文件已写到 {out}")


def export(city: City, out: Path) -> int:
    """Write shipped and city files with one manifest; returns how many there are."""
    folders = [shelf.folder for shelf in shelves(city)]
    files = PromptFiles.load(*folders).files
    for name in files:
        source = next(path for folder in reversed(folders) if (path := folder / f"{name}{ENDING}").exists())
        target = out / f"{name}{ENDING}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    write_manifest(out, files)
    return len(files)


def shelves(city: City) -> tuple[Shelf, Shelf]:
    """The shipped recordings and the city's, in the order in which they override each other."""
    try:
        prompts = load_prompts()[LANGUAGE]
        own = city.folder / CITY_FOLDER
        wording = own / f"{LANGUAGE}.toml"
        local = city_plan(prompts, city.lines, wording.read_text(encoding="utf-8") if wording.exists() else "")
    except FlowError as error:
        raise click.ClickException(str(error)) from error
    fixed = [*(entry.name for entry in city.taxonomy.entries.values()), *CITIZEN_WORDS.values()]
    shipped = planned(prompts, fixed)
    # Any prompt may be spoken by a person of the city; the text is then the shipped one.
    recorded = {name: shipped[name] for path in own.rglob("*.wav") if (name := _name(path, own)) in shipped}
    within = contexts(prompts, JOINED)
    return Shelf("通用", SHIPPED, shipped, within), Shelf(city.name, own, {**recorded, **local}, _among(within, local, shipped))


def _among(within: Mapping[str, Within], local: Mapping[str, str], shipped: Mapping[str, str]) -> dict[str, Within]:
    """A phrase the city says as it is shipped has the shipped one's context."""
    return {name: each for name, each in within.items() if local.get(name) == shipped.get(name)}


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


async def _render(wanted: tuple[Shelf, ...], pack: Pack, *, voice: str, again: Set[str]) -> None:
    async with PackWorker(pack, "synthesis") as worker:
        engine = PackEngine(worker, voice)

        async def say(text: str, speed: float, *, before: str = "", after: str = "") -> bytes:
            if not pack.is_installed():
                raise WorkerFailed("没有安装语音组件，请先运行 make speech")
            return await engine.say(text, speed, before=before, after=after)

        for shelf in wanted:
            shelf.folder.mkdir(parents=True, exist_ok=True)
            made = await render(shelf.plan, shelf.folder, say=say, voice=voice, again=again, within=shelf.within)
            click.echo(f"{shelf.title}：做了 {len(made)} 条，共 {len(shelf.plan)} 条。")
