"""`user`: accounts from the command line, on a stopped or a running gateway. Passwords come by standard input only."""

import asyncio
import sys
from dataclasses import replace

import click

from intake import signin
from intake.accounts import add_user
from intake.errors import BadInput
from intake.model import Role
from intake.password import hash_password, one_time_password, weakness_of
from intake.ports import Work
from intake.records import Session, User
from intake.settings import load_settings
from intake.wiring import open_gateway
from intake.workflow import EVERY_UNIT, ROLE_WORDS

ROLES = [role.value for role in Role if role not in (Role.SYSTEM, Role.CITIZEN)]
from_stdin = click.option("--password-stdin", is_flag=True, help="从标准输入读取密码；不加则生成一次性密码。")


@click.group("user")
def command() -> None:
    """管理账号。"""


@command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="岗位")
@click.option("--unit", default="", help="专业部门账号所属单位，不填可代所有单位办理；来源方账号则为来源")
@from_stdin
def add(name: str, role: str, unit: str, *, password_stdin: bool) -> None:
    """新增账号 NAME，或启用城市资料里尚无密码的账号。"""
    password, once = _password(stdin=password_stdin)
    user = asyncio.run(_add(name, Role(role), unit, password, once=once))
    click.echo(f"账号 {user.name}（{ROLE_WORDS[user.role]}）已可使用。")
    if user.unit == EVERY_UNIT:
        click.echo("该账号未指定单位，可代所有单位签收和反馈；指定单位请加 --unit。")
    if once:
        click.echo(f"一次性密码：{password}")


async def _add(name: str, role: Role, unit: str, password: str, *, once: bool) -> User:
    async with open_gateway(load_settings(), judging=False) as running:
        units, sources = running.gateway.city.units, running.gateway.city.sources
        hashed = hash_password(password)

        def unit_of_work(work: Work) -> User:
            user = add_user(work, name=name, role=role, unit=unit, units=units, password_hash=hashed, sources=sources)
            if once:
                user = work.change(user, replace(user, must_change=True))
            return user

        return await running.store.write(unit_of_work)


@command.command("password")
@click.argument("name")
@from_stdin
def password(name: str, *, password_stdin: bool) -> None:
    """重设账号 NAME 的密码，并使其已登录的会话失效。"""
    secret, once = _password(stdin=password_stdin)
    asyncio.run(_set_password(name, secret, once=once))
    click.echo(f"一次性密码：{secret}" if once else f"账号 {name} 的密码已重设。")


async def _set_password(name: str, secret: str, *, once: bool) -> None:
    hashed = hash_password(secret)
    async with open_gateway(load_settings(), judging=False) as running:
        user = await running.store.read(lambda work: _named(work, name))
        await running.store.write(lambda work: signin.change_password(work, user.user_id, hashed, must_change=once))


@command.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """停用账号 NAME；其会话和令牌立即失效。"""

    def unit_of_work(work: Work) -> None:
        user = _named(work, name)
        work.change(user, replace(user, disabled=True))
        work.remove(Session, user_id=user.user_id)

    async def run() -> None:
        async with open_gateway(load_settings(), judging=False) as running:
            await running.store.write(unit_of_work)

    asyncio.run(run())
    click.echo(f"账号 {name} 已停用。")


@command.command("list")
def list_users() -> None:
    """列出账号。"""

    async def run() -> list[User]:
        async with open_gateway(load_settings(), judging=False) as running:
            return await running.store.read(lambda work: work.find(User, order="name"))

    for user in asyncio.run(run()):
        state = "停用" if user.disabled else "" if user.password_hash else "未设密码"
        click.echo(f"{user.name:16} {ROLE_WORDS[user.role]:6} {user.unit:20} {user.display_name} {state}".rstrip())


def _named(work: Work, name: str) -> User:
    user = signin.user_named(work, name)
    if user is None:
        raise BadInput("name", f"没有账号 {name}。")
    return user


def _password(*, stdin: bool) -> tuple[str, bool]:
    if not stdin:
        return one_time_password(), True
    secret = sys.stdin.readline().rstrip("\r\n")
    if weakness := weakness_of(secret):
        raise BadInput("password", weakness)
    return secret, False
