"""`migrate`: bring the database to the current schema. `serve` does the same at its start."""

import asyncio

import click

from intake.settings import load_settings
from intake.wiring import migrate


@click.command("migrate")
def command() -> None:
    """创建或升级数据库。"""
    asyncio.run(migrate(load_settings()))
    click.echo("数据库已是最新结构。")
