"""`keys`: the ring of master keys. A rotation seals every stored row anew while the gateway runs; keys are never shown."""

import asyncio
from datetime import UTC, datetime
from functools import partial

import click

from intake.errors import Misconfigured
from intake.keyring import KeyFile, KeyRing
from intake.settings import Settings, load_settings
from intake.sounds import reseal_sounds
from intake.store.reseal import SEALED_KINDS, count_old, reseal_some
from intake.wiring import AnyStore, held_vault, open_gateway

ROWS_AT_ONCE = 200
PASSES = 5
IN_ENVIRONMENT = "主密钥来自环境变量 INTAKE_MASTER_KEY：请在其末尾以逗号追加新密钥并重启各网关，再运行 keys reseal。"


@click.group("keys")
def command() -> None:
    """主密钥。"""


@command.command("list")
def list_keys() -> None:
    """列出密钥的编号、生成日期和用途，不显示密钥本身。"""
    ring = held_vault(load_settings()).ring
    for one in ring.keys:
        made = f"{one.made_at:%Y-%m-%d}" if one.made_at else "日期不详"
        click.echo(f"{one.id}  {made}  {_use_of(ring, one.id)}")


def _use_of(ring: KeyRing, key_id: str) -> str:
    if key_id == ring.sealing_id:
        return "加密和解密"
    return "备用，尚未启用" if key_id == ring.keys[-1].id else "只用于解密"


@command.command("add")
def add() -> None:
    """预备一把新密钥而不启用；多机部署时先把密钥文件复制到每台机器，再运行 keys rotate。"""
    file = key_file(load_settings())
    ring = file.read()
    if not ring.has_prepared_key:
        ring = ring.with_new_key(datetime.now(UTC))
        file.write(ring)
    click.echo(f"备用密钥 {ring.keys[-1].id} 已在密钥文件中。")


@command.command("rotate")
def rotate() -> None:
    """启用新密钥并用它重新加密全部数据；网关可以照常运行。市民的查询码不变。"""
    settings = load_settings()
    click.echo(f"启用密钥 {put_new_key_in_use(key_file(settings))}，正在重新加密 …")
    tell(asyncio.run(reseal_all(settings)))


@command.command("reseal")
def reseal() -> None:
    """用正在使用的密钥重新加密尚未更换的数据（轮换中断后继续，或密钥来自环境变量时）。"""
    tell(asyncio.run(reseal_all(load_settings())))


def key_file(settings: Settings) -> KeyFile:
    """The file of the ring; raises Misconfigured when the keys come from the environment."""
    if settings.master_key.get_secret_value():
        raise Misconfigured(IN_ENVIRONMENT)
    return KeyFile(settings.key_path)


def put_new_key_in_use(file: KeyFile) -> str:
    """Seal with the prepared key from now on, or with a new one where none is prepared; returns its id."""
    ring = file.read()
    prepared = ring if ring.has_prepared_key else ring.with_new_key(datetime.now(UTC))
    file.write(prepared.sealing_with_newest())
    return prepared.keys[-1].id


async def reseal_all(settings: Settings) -> tuple[int, int, int]:
    """Rows sealed anew, rows still under an old key, and recordings sealed anew."""
    async with open_gateway(settings, judging=False) as running:
        done = await reseal_store(running.store)
        left = [await running.store.read(partial(count_old, kind=kind)) for kind in SEALED_KINDS]
        files = await asyncio.to_thread(reseal_sounds, running.gateway.vault, settings.media)
    return done, sum(left), files


async def reseal_store(store: AnyStore, *, at_once: int = ROWS_AT_ONCE) -> int:
    """Pass over all sealed rows until a pass finds nothing left to do; returns how many rows were written."""
    total = 0
    for _ in range(PASSES):
        written = sum([await _reseal_kind(store, kind, at_once) for kind in SEALED_KINDS])
        total += written
        if not written:
            break
    return total


async def _reseal_kind(store: AnyStore, kind: type, at_once: int) -> int:
    total, after = 0, 0
    while True:
        unit = partial(reseal_some, kind=kind, after=after, limit=at_once)
        after, written = await store.write(unit)
        total += written
        if not after:
            return total


def tell(outcome: tuple[int, int, int]) -> None:
    done, left, files = outcome
    click.echo(f"重新加密 {done} 行、录音 {files} 段，仍用旧密钥的 {left} 行。" + ("请稍后再运行 keys reseal。" if left else ""))
    click.echo("备份和暂存中的文件仍用当时的密钥，旧密钥请勿从密钥文件中删除。")
