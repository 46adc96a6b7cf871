"""`restore`: a backup into an empty home, made ready for use, and looked over by the doctor."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import click

from intake.backup import Manifest, unpack
from intake.backup_database import POSTGRES_NAME, SQLITE_NAME, load_postgres
from intake.commands.backup import passphrase_option, read_passphrase, told
from intake.commands.doctor import examine, print_findings
from intake.errors import Misconfigured, Refused
from intake.keyring import KeyFile, ring_from_bytes
from intake.settings import Settings, load_settings
from intake.store.glance import glance, has_tables
from intake.store.resume import doubt_unsent, leap_ahead
from intake.vault import Vault
from intake.wiring import held_vault, open_gateway

ALLOWED_IN_HOME = frozenset({"keys", "intake.toml", "models"})


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), required=True, help="还原到这个空目录。")
@click.option("--key-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="原来的密钥文件，会复制到新目录。")
@click.option("--moved", is_flag=True, help="搬迁：备份前网关已停止，其后没有再发出回复。")
@click.option("--check", "only_check", is_flag=True, help="只核对备份文件能否打开、是否完整，不还原。")
@passphrase_option
def command(file: Path, home: Path, key_file: Path | None, *, moved: bool, only_check: bool, passphrase_stdin: bool) -> None:
    """把备份 FILE 还原到空目录，并做一次体检。用 PostgreSQL 时先设好 INTAKE_DATABASE_URL，指向一个空库。"""
    settings = load_settings(home=home)
    passphrase = read_passphrase() if passphrase_stdin else ""
    if only_check:
        vault = Vault(ring_from_bytes(key_file.read_bytes())) if key_file else held_vault(settings)
        manifest = unpack(file, None, vault, passphrase=passphrase)
        click.echo("\n".join([*told(manifest), "备份文件完整，可以还原。"]))
        return
    manifest = asyncio.run(restore(settings, file, key_file=key_file, passphrase=passphrase))
    click.echo("\n".join(told(manifest)))
    doubted = asyncio.run(resume(settings, moved=moved))
    if doubted:
        click.echo(f"{doubted} 条回复备份时尚未发出，此后是否已发无法得知，已转为待办，请逐条核实。")
    click.echo("已还原。体检结果：")
    sys.exit(print_findings(asyncio.run(examine(settings, every_case=True))))


async def restore(settings: Settings, file: Path, *, key_file: Path | None = None, passphrase: str = "") -> Manifest:
    """Unpack beside the target, check everything, and only then put database, pictures and spool in their places."""
    await refuse_occupied(settings)
    vault = _vault(settings, key_file)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.home) as name:
        folder = Path(name)
        manifest = await asyncio.to_thread(unpack, file, folder, vault, passphrase=passphrase)
        wanted = "sqlite" if settings.is_embedded else "postgresql"
        if manifest.database != wanted:
            raise Misconfigured(f"备份来自 {manifest.database}，而现在设置的是 {wanted}，请检查 INTAKE_DATABASE_URL。")
        if key_file is not None:
            KeyFile(settings.key_path).write(vault.ring)
        await asyncio.to_thread(_put_in_place, settings, folder)
    return manifest


async def refuse_occupied(settings: Settings) -> None:
    """Raise Refused unless home (keys and settings apart), pictures, spool and database are empty."""
    there = [path.name for path in settings.home.iterdir()] if settings.home.exists() else []
    if unexpected := sorted(set(there) - ALLOWED_IN_HOME):
        raise Refused(f"目录 {settings.home} 不是空的：{'、'.join(unexpected[:5])}")
    if settings.spool_path.exists() and any(settings.spool_path.iterdir()):
        raise Refused(f"暂存目录 {settings.spool_path} 不是空的。")
    if not settings.is_embedded and await glance(settings.database_place, has_tables):
        raise Refused("INTAKE_DATABASE_URL 指向的数据库不是空的。")


def _vault(settings: Settings, key_file: Path | None) -> Vault:
    if key_file is None:
        return held_vault(settings)
    if settings.key_path.exists():
        raise Refused(f"{settings.key_path} 已有密钥文件，不再复制。")
    return Vault(ring_from_bytes(key_file.read_bytes()))


def _put_in_place(settings: Settings, folder: Path) -> None:
    if settings.is_embedded:
        shutil.move(folder / SQLITE_NAME, settings.database_path)
    else:
        load_postgres(settings.database_url.get_secret_value(), folder / POSTGRES_NAME)
    for part, target in (("media", settings.media), ("spool", settings.spool_path)):
        if (folder / part).exists():
            if target.exists():
                target.rmdir()
            shutil.move(folder / part, target)


async def resume(settings: Settings, *, moved: bool) -> int:
    """Make the restored database ready for use; returns how many messages an operator has to look at."""
    async with open_gateway(settings, judging=False) as running:
        await running.store.write(lambda work: leap_ahead(work, running.gateway.city.zone))
        return 0 if moved else await running.store.write(doubt_unsent)
