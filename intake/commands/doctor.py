"""`doctor`: look the whole gateway over, running or stopped, and say what is wrong. Exits 1 then, for timers."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa

from channels.order_webhook import read_setting
from intake import doctor
from intake.call import CallRecording
from intake.commands.doctor_phone import phone_findings
from intake.commands.replies import overdue_debts
from intake.doctor import Finding
from intake.errors import IntakeError, Misconfigured
from intake.model import Case
from intake.records import Attachment
from intake.settings import Settings, load_settings
from intake.store import counts, triggers
from intake.store.glance import glance
from intake.store.mapping import from_micros
from intake.store.schema import HEAD, revision_of
from intake.store.setting import StoreSetting
from intake.store.tables import TABLES
from intake.store.work import Work
from intake.vault import Vault
from intake.wiring import city_of, held_vault, utc_now

CASES = TABLES[Case].table.c
PUSH = "上级工单推送 {}"
SPOOLED = ("*.report", "*.message", "*.call")
Check = Callable[[Work], Finding]


@click.command("doctor")
@click.option("--all", "every_case", is_flag=True, help="核对全部流转记录，而不只是抽查一千件。")
def command(*, every_case: bool) -> None:
    """体检：结构、触发器、计数、流转记录、暂存、照片和录音、工单反馈、台账、磁盘、时钟和密钥；有异常时以非零退出。"""
    sys.exit(print_findings(asyncio.run(examine(load_settings(), every_case=every_case))))


def print_findings(findings: list[Finding]) -> int:
    for line in doctor.lines(findings):
        click.echo(line)
    return doctor.exit_code(findings)


async def examine(settings: Settings, *, every_case: bool = False) -> list[Finding]:
    """Every check, whatever the others found; a check that cannot be made is wrong itself."""
    findings = [_guarded(check, name) for name, check in outside_checks(settings)] + await phone_findings(settings.phone)
    try:
        vault = held_vault(settings)
        setting = StoreSetting(vault=vault, clock=utc_now, zone=city_of(settings).zone, words=lambda text: ())
        if settings.is_embedded and not settings.database_path.exists():
            return [*findings, Finding("数据库", f"还没有 {settings.database_path}", wrong=True)]
        found = await glance(settings.database_place, lambda c: inside(setting.work(c), vault, settings, every_case))
    except IntakeError as error:
        found = [Finding("数据库", error.message, wrong=True)]
    return findings + found


def outside_checks(settings: Settings) -> list[tuple[str, Callable[[], Finding]]]:
    """Checks that need no database: keys, spool, disks."""
    places = {path for path in (settings.home, settings.spool_path, settings.media) if path.exists()}
    disks = {path.stat().st_dev: path for path in sorted(places, reverse=True)}
    return [
        ("密钥", lambda: _key_file(settings)),
        ("暂存", lambda: _spool(settings.spool_path)),
        *(("磁盘", lambda p=path: _disk(p)) for path in disks.values()),
        *((PUSH.format(source), lambda s=source: _push(settings, s)) for source in settings.orders),
    ]


def _guarded(check: Callable[[], Finding], name: str) -> Finding:
    try:
        return check()
    except OSError as error:
        return Finding(name, f"无法检查：{error.strerror}", wrong=True)


def _key_file(settings: Settings) -> Finding:
    given = settings.master_key.get_secret_value()
    mode = None if given else settings.key_path.stat().st_mode
    return doctor.key_file(str(settings.key_path), mode)


def _spool(folder: Path) -> Finding:
    damaged = sorted(path.name for kind in SPOOLED for path in (folder / "damaged").glob(kind))
    return doctor.spool(sum(1 for kind in SPOOLED for _ in folder.glob(kind)), damaged)


def _disk(path: Path) -> Finding:
    usage = shutil.disk_usage(path)
    return doctor.disk(str(path), free=usage.free, total=usage.total)


def _push(settings: Settings, source: str) -> Finding:
    """An address that is refused keeps the gateway from starting; it is told here before somebody updates."""
    name = PUSH.format(source)
    try:
        return Finding(name, read_setting(source, settings.orders[source]).push_url.partition("?")[0])
    except Misconfigured as error:
        return Finding(name, error.message, wrong=True)


def inside(work: Work, vault: Vault, settings: Settings, every_case: bool) -> list[Finding]:
    """Checks of the database, in one snapshot. Of another schema version nothing more can be said."""
    connection = work.connection
    structure = doctor.schema(revision_of(connection), HEAD)
    if structure.wrong:
        return [structure]
    numbers = list(connection.execute(sa.select(CASES.case_no).order_by(CASES.case_no)).scalars())
    # Asked before the long checks: both clocks must be read at one moment.
    clock = doctor.clock(utc_now(), newest_at=_newest_at(connection), server_at=_server_at(connection))
    checks: Iterable[Callable[[], Finding]] = (
        lambda: doctor.triggers(triggers.missing(connection)),
        lambda: doctor.counters(counts.differing(connection)),
        lambda: doctor.histories(work, numbers, every=every_case),
        lambda: doctor.journal(work),
        lambda: doctor.media([*work.find(Attachment), *work.find(CallRecording)], files_in(settings.media), now=work.now),
        lambda: doctor.recordings(work),
        lambda: doctor.orders(work),
        lambda: doctor.channel_memory(work),
        lambda: doctor.debts(*overdue_debts(work)),
        lambda: doctor.keys_fit(work, vault),
    )
    return [structure, clock, *(_told(check) for check in checks)]


def _told(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except IntakeError as error:
        return Finding("解密", error.message, wrong=True)


def files_in(media: Path) -> dict[str, datetime]:
    """Tokens of the files below the media folder with their last change; thumbnails stand with their picture."""
    files = (path for path in media.glob("??/*") if path.suffix != ".part" and ".thumb." not in path.name)
    found: dict[str, datetime] = {}
    for path in files:
        try:
            found[path.name.partition(".")[0]] = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            continue
    return found


def _newest_at(connection: sa.Connection) -> datetime | None:
    return from_micros(connection.execute(sa.select(sa.func.max(CASES.updated_at))).scalar())


def _server_at(connection: sa.Connection) -> datetime | None:
    """The server's clock; an embedded database has none of its own."""
    if connection.dialect.name == "sqlite":
        return None
    moment: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)
