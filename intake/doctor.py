"""What can be wrong with a gateway, told in plain lines: each check turns facts into one Finding.

Pure, or questions to a unit of work. Collecting the facts (database, folders, clock, disk) is commands/doctor.py's.
"""

import random
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from intake.call import CallRecording
from intake.channel_memory import Kept
from intake.errors import Misconfigured
from intake.history import verify_chain
from intake.model import Case
from intake.order import News
from intake.ports import Work
from intake.records import Attachment, Contact, Debt, HistoryEntry, JournalEntry, Task
from intake.switchboard_audio import MAX_ATTEMPTS
from intake.vault import Vault

SAMPLE = 1000
LEAST_FREE_BYTES = 1 << 30
LEAST_FREE_SHARE = 0.05
CLOCK_TOLERANCE = timedelta(seconds=5)
FIRST_YEAR = 2026
PENDING_PATIENCE = timedelta(minutes=10)
"""A report whose case could not be built is tried again every few seconds; after so long a person must look."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    name: str
    words: str
    wrong: bool = False


def _some(items: Sequence[object]) -> str:
    return "、".join(map(str, items[:SHOWN])) + (" 等" if len(items) > SHOWN else "")


def schema(held: str, head: str) -> Finding:
    if held == head:
        return Finding("数据库结构", f"版本 {held}")
    return Finding("数据库结构", f"版本是 {held or '空'}，程序需要 {head}，请运行 migrate。", wrong=True)


def triggers(missing: Sequence[str]) -> Finding:
    if not missing:
        return Finding("防篡改触发器", "齐全")
    return Finding("防篡改触发器", f"缺少 {_some(missing)}，请运行 migrate 并查明原因。", wrong=True)


def counters(differing: Sequence[str]) -> Finding:
    if not differing:
        return Finding("计数", "与案件一致")
    return Finding("计数", f"{len(differing)} 项与案件不符：{_some(differing)}", wrong=True)


def histories(work: Work, numbers: Sequence[int], *, every: bool) -> Finding:
    """Verify the chain of every case, or of a random thousand."""
    chosen = numbers if every or len(numbers) <= SAMPLE else sorted(random.SystemRandom().sample(numbers, SAMPLE))
    faults = []
    for number in chosen:
        case = work.get(Case, number)
        fault = verify_chain(work.find(HistoryEntry, case_no=number), case) if case else ""
        if fault:
            faults.append(f"{number} {fault}")
    scope = f"核对 {len(chosen)} 件，共 {len(numbers)} 件"
    if faults:
        return Finding("流转记录", f"{scope}，{len(faults)} 件有误：{_some(faults)}", wrong=True)
    return Finding("流转记录", f"{scope}，全部完整")


def journal(work: Work) -> Finding:
    """Messages whose case is not built."""
    waiting = work.find(JournalEntry, state="pending")
    old = [entry.entry_id for entry in waiting if work.now - entry.received_at > PENDING_PATIENCE]
    if old:
        return Finding("待建案的消息", f"{len(old)} 条建案一再失败，编号 {_some(old)}，请看日志 journal.not_built。", wrong=True)
    return Finding("待建案的消息", f"{len(waiting)} 条")


def spool(waiting: int, damaged: Sequence[str]) -> Finding:
    if damaged:
        return Finding("暂存", f"{len(damaged)} 个文件损坏：{_some(damaged)}；等待入库 {waiting} 件", wrong=True)
    return Finding("暂存", f"等待入库 {waiting} 件")


def media(kept: Iterable[Attachment | CallRecording], files: Mapping[str, datetime], *, now: datetime) -> Finding:
    """Pictures and recordings without a file, and files (token to last change) older than an hour that nothing holds."""
    tokens = {one.token: one.size for one in kept}
    missing = sorted(token[:8] for token, size in tokens.items() if size and token not in files)
    orphans = sorted(
        token[:8] for token, changed_at in files.items()
        if not tokens.get(token) and now - changed_at > timedelta(hours=1)
    )  # fmt: skip
    if missing or orphans:
        parts = [f"{len(missing)} 个照片或录音文件不见了：{_some(missing)}"] if missing else []
        parts += [f"{len(orphans)} 个文件不属于任何案件或通话：{_some(orphans)}"] if orphans else []
        return Finding("照片和录音", "；".join(parts), wrong=True)
    return Finding("照片和录音", f"{sum(bool(size) for size in tokens.values())} 个，文件齐全")


def recordings(work: Work) -> Finding:
    """Recordings that the exchange could not give us, however often it was asked."""
    waiting = [one for one in work.find(CallRecording, stored_at=None) if one.ref and one.erased_at is None]
    lost = [one.call_id for one in waiting if one.attempts >= MAX_ATTEMPTS]
    if lost:
        return Finding("录音取回", f"{len(lost)} 段多次取不回，已不再尝试，通话编号 {_some(lost)}", wrong=True)
    return Finding("录音取回", f"等待取回 {len(waiting)} 段")


def orders(work: Work) -> Finding:
    """What a source could not be told of its orders, and nobody has seen to yet."""
    failed = [task.case_no for task in work.find(Task, kind="order_push", state="open")]
    if failed:
        return Finding("上级工单反馈", f"{len(failed)} 条推送失败，受理编号 {_some(failed)}", wrong=True)
    waiting = sum(len(work.find(News, state=state)) for state in ("waiting", "sending"))
    return Finding("上级工单反馈", f"等待推送 {waiting} 条")


def channel_memory(work: Work) -> Finding:
    """Whether what channels keep over restarts (offsets, tokens) can be opened; a channel stands still otherwise."""
    try:
        return Finding("渠道记忆", f"{len(work.find(Kept))} 项，可以读取")
    except Misconfigured:
        return Finding("渠道记忆", "有的读不出，相应渠道会停止收发：密钥不是原来那一个，或数据已损坏。", wrong=True)


def debts(open_count: int, late: Sequence[Debt]) -> Finding:
    numbers = [debt.case_no for debt in late]
    if late:
        return Finding("回复台账", f"{len(late)} 条逾期未答复：{_some(numbers)}", wrong=True)
    return Finding("回复台账", f"待回复 {open_count} 条，没有逾期")


def disk(name: str, *, free: int, total: int) -> Finding:
    words = f"{name} 剩余 {free / 1e9:.1f} GB（{free / total:.0%}）"
    return Finding("磁盘", words, wrong=free < LEAST_FREE_BYTES or free < total * LEAST_FREE_SHARE)


def clock(now: datetime, *, newest_at: datetime | None, server_at: datetime | None) -> Finding:
    """Our clock against reason, against the newest row (it may not lie in the future) and the database server's."""
    if now.year < FIRST_YEAR:
        return Finding("时钟", f"本机时间是 {now:%Y-%m-%d %H:%M} UTC，明显不对。", wrong=True)
    if newest_at is not None and newest_at - now > CLOCK_TOLERANCE:
        return Finding("时钟", f"本机时间早于最近一件案件（{newest_at:%Y-%m-%d %H:%M} UTC），时钟倒退了。", wrong=True)
    if server_at is not None and abs(server_at - now) > CLOCK_TOLERANCE:
        seconds = (now - server_at).total_seconds()
        return Finding("时钟", f"本机与数据库服务器相差 {seconds:.0f} 秒，请检查对时。", wrong=True)
    return Finding("时钟", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def key_file(path: str, mode: int | None) -> Finding:
    """`mode` is None when the key comes from the environment."""
    if mode is None:
        return Finding("密钥", "来自环境变量")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("密钥", f"{path} 其他用户可以读取，请运行 chmod 600。", wrong=True)
    return Finding("密钥", "只有本用户可读")


def keys_fit(work: Work, vault: Vault) -> Finding:
    """Whether the newest contact that still holds anything opens, and is found by its number again."""
    known = [row for row in work.find(Contact, order="-contact_id", limit=SAMPLE) if row.phone]
    if not known:
        return Finding("解密", "没有可以试的联系方式")
    found = work.find(Contact, phone_hash=vault.lookup_hash(known[0].phone, "phone"), limit=1)
    if not found:
        return Finding("解密", "按号码查不到已有的反映人：密钥不是原来那一个。", wrong=True)
    return Finding("解密", "正常")


def exit_code(findings: Collection[Finding]) -> int:
    """1 when anything is wrong, for timers that alarm."""
    return int(any(one.wrong for one in findings))


def lines(findings: Iterable[Finding]) -> list[str]:
    """One plain line for each check."""
    return [f"{'异常' if one.wrong else '正常'}  {one.name}：{one.words}" for one in findings]
