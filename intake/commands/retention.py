"""`retention run`: erase personal data that has outlived its period, on a running gateway, a few cases at a time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import click
import structlog

from intake import desk_retention
from intake.call_retention import erase_call
from intake.model import Case
from intake.profile import City
from intake.records import OutboxRow
from intake.retention import (
    KIND_WORDS,
    KINDS,
    Erased,
    Periods,
    delete_files,
    erase_answers,
    erase_served,
    erase_stranger,
    has_served,
    load_periods,
)  # fmt: skip
from intake.settings import load_settings
from intake.store.aged import aged_answers, aged_cases, aged_strangers
from intake.store.aged_calls import aged_calls
from intake.store.aged_desk import aged_desk
from intake.store.overwrite import finish_overwriting, overwrite_deleted
from intake.store.work import Work
from intake.wiring import AnyStore, open_gateway

CASES_AT_ONCE = 20
COUNT_WORDS = KIND_WORDS | {"messages": "原始消息", "words": "文字中的个人信息", "answers": "自动回复的文字",
                            "strangers": "未建案者的联系方式", "calls": "通话", "drafts": "来电草稿",
                            "summaries": "来电小结", "sheets": "未导入的工单表", "pieces": "未收齐的短信"}  # fmt: skip
Aged = Callable[..., list[int]]
OUTSIDE: dict[str, Aged] = {"strangers": aged_strangers, "answers": aged_answers,
                            **{kind: partial(aged_desk, kind=kind) for kind in desk_retention.KINDS}}  # fmt: skip
PERIOD_OF = {"strangers": "contacts", "answers": "messages"}
log = structlog.get_logger()


@click.group("retention")
def command() -> None:
    """个人信息保存期限。"""


@command.command("run")
@click.option("--dry-run", is_flag=True, help="只统计，不删除。")
def run(*, dry_run: bool) -> None:
    """清除保存期已满的个人信息；案件和流转记录保留。"""
    for line in asyncio.run(_run(dry_run=dry_run)):
        click.echo(line)


async def _run(*, dry_run: bool) -> list[str]:
    settings = load_settings()
    async with open_gateway(settings, judging=False) as running:
        periods = periods_of(running.gateway.city)
        if dry_run:
            return told(await count_served(running.store, periods), periods, "期满待清除")
        return told(await erase_all(running.store, periods, settings.media), periods, "已清除")


def periods_of(city: City) -> Periods:
    return load_periods(city.folder / "retention.toml", reopen_days=city.reopen_days)


def told(counts: Mapping[str, int], periods: Periods, word: str) -> list[str]:
    """What was or would be erased, and what is kept, in plain lines."""
    lines = [f"{KIND_WORDS[kind]}：结案后保存 {days} 天（有争议的至少 {periods.disputed} 天）"
             for kind, days in periods.days.items()]  # fmt: skip
    lines += [f"{word}：{COUNT_WORDS[name]} {n} 条" for name, n in counts.items()]
    lines += [] if counts else ["没有期满的个人信息。"]
    return [*lines, f"查看记录和流转记录不清除；网络日志至少保存 {periods.kept['logs']} 天，由本机日志轮转设定。"]


async def count_served(store: AnyStore, periods: Periods) -> dict[str, int]:
    """Cases of which each kind would be erased now."""
    counts: Counter[str] = Counter()
    for kind in KINDS:
        after = 0
        while page := await store.read(partial(_aged, kind=kind, periods=periods, after=after)):
            after = page[-1]
            counts[kind] += await store.read(partial(_served, kind=kind, page=page, periods=periods))
    for kind, aged in OUTSIDE.items():
        after = 0
        while page := await store.read(partial(_outside, aged=aged, kind=kind, periods=periods, after=after)):
            after = page[-1]
            counts[kind] += len(page)
    return {kind: n for kind, n in counts.items() if n}


async def erase_all(store: AnyStore, periods: Periods, media: Path) -> dict[str, int]:
    """Erase everything that has served, each few cases in one unit of work; files are deleted once it is durable."""
    await store.write(overwrite_deleted)
    totals: Counter[str] = Counter()
    for kind in KINDS:
        after = 0
        while page := await store.read(partial(_aged, kind=kind, periods=periods, after=after)):
            after = page[-1]
            erased: list[Erased] = await store.write(partial(_erase, kind=kind, page=page, periods=periods))
            for one in erased:
                totals.update(one.counts)
                await asyncio.to_thread(delete_files, media, one.files)
    for kind, aged in OUTSIDE.items():
        after = 0
        while page := await store.read(partial(_outside, aged=aged, kind=kind, periods=periods, after=after)):
            after = page[-1]
            totals[kind] += await store.write(partial(_erase_outside, kind=kind, page=page, periods=periods))
    totals["calls"] += await erase_calls(store, periods, media)
    totals = +totals
    if totals:
        while await store.write(finish_overwriting):
            pass
    log.info("retention.run", **totals)
    return dict(totals)


async def erase_calls(store: AnyStore, periods: Periods, media: Path) -> int:
    """Calls are as old as their end and wait for the longer of the two periods; returns how many were erased."""
    after, erased_calls = 0, 0
    while page := await store.read(partial(_aged_calls, periods=periods, after=after)):
        after = page[-1]
        erased: list[Erased] = await store.write(partial(_erase_calls, page=page, periods=periods))
        for one in erased:
            erased_calls += len(one.counts)
            await asyncio.to_thread(delete_files, media, one.files)
    return erased_calls


def _aged_calls(work: Work, *, periods: Periods, after: int) -> list[int]:
    before = min(periods.ended_before(kind, work.now) for kind in ("contacts", "recordings"))
    return aged_calls(work.connection, before=before, after=after, limit=CASES_AT_ONCE)


def _erase_calls(work: Work, *, page: list[int], periods: Periods) -> list[Erased]:
    return [erase_call(work, call_id, periods) for call_id in page]


def _aged(work: Work, *, kind: str, periods: Periods, after: int) -> list[int]:
    return aged_cases(
        work.connection, kind, ended_before=periods.ended_before(kind, work.now),
        disputed_before=periods.disputed_before(kind, work.now), after=after, limit=CASES_AT_ONCE,
    )  # fmt: skip


def _outside(work: Work, *, aged: Aged, kind: str, periods: Periods, after: int) -> list[int]:
    """What belongs to no case is as old as its last word."""
    before = (periods.ended_before(PERIOD_OF[kind], work.now) if kind in PERIOD_OF
              else desk_retention.before_of(kind, periods, work.now))  # fmt: skip
    return aged(work.connection, before=before, after=after, limit=CASES_AT_ONCE)


def _erase_outside(work: Work, *, kind: str, page: list[int], periods: Periods) -> int:
    if kind in desk_retention.ERASERS:
        return sum(desk_retention.ERASERS[kind](work, number, periods) for number in page)
    if kind == "strangers":
        return sum(erase_stranger(work, number) for number in page)
    rows = (work.get(OutboxRow, number, lock=True) for number in page)
    return erase_answers(work, [row for row in rows if row is not None])


def _erase(work: Work, *, kind: str, page: list[int], periods: Periods) -> list[Erased]:
    return [erase_served(work, case_no, [kind], periods) for case_no in page]


def _served(work: Work, *, kind: str, page: list[int], periods: Periods) -> int:
    cases = (work.get(Case, case_no) for case_no in page)
    return sum(has_served(work, case, kind, periods) for case in cases if case)
