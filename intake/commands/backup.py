"""`backup`: one encrypted file of everything but the keys, from a gateway that goes on running."""

import sys
from pathlib import Path

import click

from intake.backup import Manifest, Source, make_backup
from intake.settings import Settings, load_settings
from intake.store.schema import HEAD
from intake.wiring import city_of, held_vault, utc_now

passphrase_option = click.option("--passphrase-stdin", is_flag=True, help="用口令（从标准输入读取）代替密钥文件加密。")


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@passphrase_option
def command(file: Path, *, passphrase_stdin: bool) -> None:
    """把数据库、照片和暂存备份到加密文件 FILE；网关可以照常运行。密钥不在其中，须另行保管。"""
    settings = load_settings()
    passphrase = read_passphrase() if passphrase_stdin else ""
    manifest = make_backup(source_of(settings), file, held_vault(settings), now=utc_now(), passphrase=passphrase)
    for line in told(manifest):
        click.echo(line)
    click.echo(f"已备份到 {file}。密钥文件请另行保管：没有它，备份无法还原。")


def source_of(settings: Settings) -> Source:
    return Source(settings.database_place, settings.media, settings.spool_path, city_of(settings).name, HEAD)


def read_passphrase() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def told(manifest: Manifest) -> list[str]:
    """What a backup holds, in plain lines."""
    pictures = sum(name.startswith("media/") for name in manifest.files)
    spooled = sum(name.startswith("spool/") for name in manifest.files)
    return [
        f"{manifest.city}，{manifest.made_at[:19].replace('T', ' ')} UTC，数据库 {manifest.database}",
        f"文件 {len(manifest.files)} 个（照片 {pictures}，暂存 {spooled}），共 {manifest.total_bytes / 1e6:.1f} MB",
    ]
