"""`person export` and `person erase`: a citizen's copy of what is stored about him, and its erasure."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from intake import person
from intake.backlog import Backlog
from intake.call_spool import CallSpool
from intake.codes import parse_case_no
from intake.errors import BadInput, Refused
from intake.model import Actor, Inbound
from intake.phone import parse_phone
from intake.ports import Work
from intake.records import Contact
from intake.retention import Erased, delete_files
from intake.settings import Settings, load_settings
from intake.spool import Spool
from intake.store.overwrite import finish_overwriting, overwrite_deleted
from intake.traces import Traces, traces_of
from intake.wiring import Running, open_gateway

T = TypeVar("T")
CASE = "case:"


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept under a number, or under the address of a channel that knows no numbers."""

    contacts: list[Contact]
    traces: Traces


Act = Callable[[Work, Found, str, Actor], T]
phone_or_case = click.argument("phone", required=False, default="")
of_case = click.option("--case", default="", help="不用号码，而以受理编号指明反映人（微信、Telegram 等没有号码的）。")
reason_of = click.option("--reason", required=True, help="理由，例如“本人申请，见第 12 号申请表”；会记录在案。")
by_whom = click.option("--by", required=True, help="以哪个账号的名义（管理员或值班长）。")


@click.group("person")
def command() -> None:
    """个人信息的查阅与删除。"""


@command.command("export")
@phone_or_case
@of_case
@reason_of
@by_whom
def export(phone: str, case: str, reason: str, by: str) -> None:
    """以 JSON 输出与号码 PHONE 有关的全部信息；每次导出都记入查看记录。"""

    def act(work: Work, found: Found, number: str, actor: Actor) -> dict[str, Any]:
        return person.export_person(work, found.contacts, phone=number, actor=actor, reason=reason, traces=found.traces)

    value = asyncio.run(_run(phone or f"{CASE}{case}", by, act))
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    click.echo()


@command.command("erase")
@phone_or_case
@of_case
@reason_of
@by_whom
@click.option("--also-open", is_flag=True, help="在办案件也删除；欠他的回复以“无联系方式”结束。")
def erase(phone: str, case: str, reason: str, by: str, *, also_open: bool) -> None:
    """删除与号码 PHONE 有关的个人信息；案件和流转记录保留。"""

    def act(work: Work, found: Found, number: str, actor: Actor) -> list[Erased]:
        return person.erase_person(work, found.contacts, phone=number, actor=actor, reason=reason, also_open=also_open,
                                   traces=found.traces)  # fmt: skip

    erased = asyncio.run(_run(phone or f"{CASE}{case}", by, act, erasing=True))
    for one in erased:
        click.echo(f"{one.case_no or '通话'}：已删除" + ("，欠他的回复已结束" if one.counts.get("excused") else ""))
    click.echo(f"共 {len(erased)} 件。" if erased else "没有与该号码有关的案件和通话。")


async def _run(given: str, by: str, act: Act[T], *, erasing: bool = False) -> T:
    settings = load_settings()
    async with open_gateway(settings, judging=False) as running:
        number = await _number_of(given, running)
        refuse_spooled(settings, running, number)
        if erasing:
            await running.store.write(overwrite_deleted)

        def unit(work: Work) -> T:
            actor = person.actor_for(work, by)
            vault = running.gateway.vault
            return act(work, Found(person.contacts_of(work, vault, number), traces_of(work, vault, number)), number, actor)

        result = await running.store.write(unit)
        if erasing:
            await _finish(settings, running, result)
        return result


async def _finish(settings: Settings, running: Running, erased: Any) -> None:
    for one in erased:
        delete_files(settings.media, one.files)
    while await running.store.write(finish_overwriting):
        pass


async def _number_of(given: str, running: Running) -> str:
    """The number in normal form, or that of who reported a case, or his address where he gave none."""
    if not given.startswith(CASE):
        return _normal(given, running)
    case_no = parse_case_no(given.removeprefix(CASE))
    if case_no is None:
        raise BadInput("phone", "请给出电话号码，或用 --case 给出受理编号。")
    return await running.store.read(lambda work: person.number_of_case(work, case_no))


def _normal(phone: str, running: Running) -> str:
    found = parse_phone(phone, area_code=running.gateway.city.area_code)
    if found is None:
        raise BadInput("phone", "电话号码无法识别。")
    return found.e164


def refuse_spooled(settings: Settings, running: Running, number: str) -> None:
    """A report that waits on disk for the database is neither seen nor reached here; better to be asked again later."""
    spool = Spool(settings.spool_path, running.gateway.vault)
    spool.open()
    backlog = Backlog(settings.spool_path, running.gateway.vault)
    backlog.open()
    said = (backlog.read(name).thing for name in backlog.names())
    waiting = [one.inbound for one in spool.waiting()] + [one for one in said if isinstance(one, Inbound)]
    calls = CallSpool(settings.spool_path, running.gateway.vault)
    calls.open()
    numbers = {one.phone for one in waiting} | {one.address for one in waiting} | {one.call.caller for one in calls.waiting()}
    if number in numbers:
        raise Refused("该号码还有反映或通话在暂存中等待入库，请稍后再试。")
