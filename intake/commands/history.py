"""`history verify`: walk the flow record of every case and see whether its chain is whole."""

import asyncio
import sys

import click

from intake.history import verify_chain
from intake.model import Case
from intake.ports import Work
from intake.records import HistoryEntry
from intake.settings import load_settings
from intake.wiring import open_gateway


@click.group("history")
def command() -> None:
    """流转记录。"""


@command.command("verify")
def verify() -> None:
    """核对每件案件的流转记录是否完整、未被改动；有问题时以非零退出。"""

    def question(work: Work) -> tuple[int, list[str]]:
        cases = work.find(Case)
        found = ((case, verify_chain(work.find(HistoryEntry, case_no=case.case_no), case)) for case in cases)
        return len(cases), [f"{case.case_no} {fault}" for case, fault in found if fault]

    async def run() -> tuple[int, list[str]]:
        async with open_gateway(load_settings(), judging=False) as running:
            return await running.store.read(question)

    count, faults = asyncio.run(run())
    for fault in faults:
        click.echo(f"记录有误：{fault}")
    click.echo(f"核对 {count} 件，{len(faults)} 件有误。")
    if faults:
        sys.exit(1)
