"""`token`: bearer tokens for programs that act as a user. The token alone is printed, once."""

import asyncio
from dataclasses import replace

import click

from intake.errors import BadInput
from intake.ports import Work
from intake.records import Token
from intake.settings import load_settings
from intake.signin import issue_token, user_named
from intake.wiring import open_gateway


@click.group("token")
def command() -> None:
    """管理接口令牌。"""


@command.command("add")
@click.argument("name")
def add(name: str) -> None:
    """为账号 NAME 签发令牌，只打印令牌本身。"""

    def unit_of_work(work: Work) -> str:
        user = user_named(work, name)
        if user is None or user.disabled:
            raise BadInput("name", f"没有可用的账号 {name}。")
        return issue_token(work, user)

    async def run() -> str:
        async with open_gateway(load_settings(), judging=False) as running:
            return await running.store.write(unit_of_work)

    click.echo(asyncio.run(run()))


@command.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """吊销账号 NAME 的全部令牌。"""

    def unit_of_work(work: Work) -> int:
        user = user_named(work, name)
        tokens = [t for t in work.find(Token, user_id=user.user_id if user else 0) if t.revoked_at is None]
        for token in tokens:
            work.change(token, replace(token, revoked_at=work.now))
        return len(tokens)

    async def run() -> int:
        async with open_gateway(load_settings(), judging=False) as running:
            return await running.store.write(unit_of_work)

    click.echo(f"已吊销 {asyncio.run(run())} 个令牌。")
