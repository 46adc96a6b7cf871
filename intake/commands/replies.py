"""`replies audit`: is any reply owed and late? Exits 1 when one is, so that a timer can alarm."""

import asyncio
import sys

import click

from intake.ledger import REPLY_WORDS, is_overdue
from intake.ports import Work
from intake.records import Debt, Reply
from intake.settings import load_settings
from intake.wiring import open_gateway


@click.group("replies")
def command() -> None:
    """回复台账。"""


@command.command("audit")
def audit() -> None:
    """核对台账：有逾期未答复时逐条列出，并以非零退出。"""
    open_count, late = asyncio.run(_audit())
    for debt in late:
        click.echo(f"逾期：{debt.case_no} {REPLY_WORDS[debt.kind]} 应于 {debt.due_at:%Y-%m-%d %H:%M} UTC 前答复")
    click.echo(f"待回复 {open_count} 件，其中逾期 {len(late)} 件。")
    if late:
        sys.exit(1)


async def _audit() -> tuple[int, list[Debt]]:
    async with open_gateway(load_settings(), judging=False) as running:
        return await running.store.read(overdue_debts)


def overdue_debts(work: Work) -> tuple[int, list[Debt]]:
    """How many debts are open, and those that are late."""
    debts = work.find(Debt, end="", order="due_at,debt_id")
    late = []
    for debt in debts:
        if debt.due_at > work.now:
            continue
        replies = work.find(Reply, debt_id=debt.debt_id)
        sent_at = replies[0].sent_at if replies else None
        if is_overdue(debt, sent_at=sent_at, now=work.now):
            late.append(debt)
    return len(debts), late
