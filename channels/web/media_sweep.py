"""Pictures and sounds that a crash left without a case: written, and then nothing came to hold them. Found by their age,
and removed.

A picture is durable before its report is; what dies between the two leaves a file that nobody can ever see.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import structlog

from intake.call import CallRecording
from intake.ports import Store, Work
from intake.records import Attachment, JournalEntry

EVERY_S = 6 * 3600.0
YOUNGEST_S, OLDEST_S = 3600.0, 30 * 86400.0
"""Younger files may still get their case. Older ones were looked at on some earlier round, so a round stays cheap."""
AT_ONCE = 200
SPOOLED = ("*.report", "*.message", "*.call")
_FILE = re.compile(r"([A-Za-z0-9_-]{43})\.(?:jpg|sealed)")
_DRAFT = re.compile(r"[A-Za-z0-9_-]{43}(?:\.thumb)?\.(?:(?:jpg|sealed|anew)\.part|anew)")
"""What write_whole and the rotation of keys leave when they are killed; nothing ever asks for one."""
log = structlog.get_logger()


async def run_sweep(store: Store, folder: Path, *, spool: Path) -> None:
    """Go round until cancelled. What waits on disk for the database has no rows yet, so while there is any, nothing is
    removed."""
    while True:
        if not await asyncio.to_thread(holds_any, spool):
            removed = await sweep(store, folder, now_s=time.time())
            if removed:
                log.warning("media.swept", pictures=removed)
        await asyncio.sleep(EVERY_S)


def holds_any(spool: Path) -> bool:
    """Whether reports, messages or calls wait in the spool folder."""
    return any(True for kind in SPOOLED for _ in spool.glob(kind))


async def sweep(store: Store, folder: Path, *, now_s: float) -> int:
    """Remove files between an hour and a month old that belong to nothing, and drafts that were never finished, however old;
    returns how many. `now_s` is a Unix time."""
    tokens = await asyncio.to_thread(lambda: sorted(_aged(folder, now_s)))
    removed = await asyncio.to_thread(_remove_drafts, folder, now_s)
    for start in range(0, len(tokens), AT_ONCE):
        some = tokens[start : start + AT_ONCE]
        orphans = await store.read(partial(_without_case, tokens=some))
        await asyncio.to_thread(_remove, folder, orphans)
        removed += len(orphans)
    return removed


def _aged(folder: Path, now_s: float) -> Iterator[str]:
    for path in folder.glob("??/*"):
        found = _FILE.fullmatch(path.name)
        if found and YOUNGEST_S <= _age_s(path, now_s) <= OLDEST_S:
            yield found[1]


def _age_s(path: Path, now_s: float) -> float:
    """Seconds since it was written; 0 for one that was given its name or forgotten a moment ago."""
    try:
        return now_s - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _remove_drafts(folder: Path, now_s: float) -> int:
    drafts = [path for path in folder.glob("??/*") if _DRAFT.fullmatch(path.name) and _age_s(path, now_s) >= YOUNGEST_S]
    for path in drafts:
        path.unlink(missing_ok=True)
    return len(drafts)


def _without_case(work: Work, tokens: list[str]) -> list[str]:
    """A recording of a call is held by its own row until the call has a case. A report whose case could not be built names
    its pictures in its sealed message only, so while there is one, nothing is taken for forgotten."""
    if work.find(JournalEntry, state="pending", limit=1):
        return []
    return [token for token in tokens
            if work.get(Attachment, token) is None and not work.find(CallRecording, token=token, limit=1)]  # fmt: skip


def _remove(folder: Path, tokens: list[str]) -> None:
    for token in tokens:
        for name in (f"{token}.jpg", f"{token}.thumb.jpg", f"{token}.sealed"):
            (folder / token[:2] / name).unlink(missing_ok=True)
