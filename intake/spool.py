"""Reports kept on disk while the database cannot be written: one sealed, fsynced file each, replayed later.

A file is named by time and case number, so the order and the number are known without opening it; AES-GCM both hides
the content and shows any damage. May lie on another disk. What is damaged is put aside, never deleted.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from intake.errors import Misconfigured
from intake.model import Inbound
from intake.receive import inbound_of, raw_of
from intake.records import JournalEntry
from intake.vault import Vault

SUFFIX = ".report"
PURPOSE = "spool"
DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Spooled:
    """A report that waits for the database, with the number its sender was given."""

    case_no: int
    inbound: Inbound
    path: Path


class Spool:
    """The folder and, in memory, which numbers and provider ids wait in it."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder, self._vault = folder, vault
        self._waiting: dict[int, Spooled] = {}
        self._by_id: dict[tuple[str, str], int] = {}

    def open(self) -> int:
        """Read what an earlier run left; returns how many wait."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                self._remember(self._read(path))
            except (Misconfigured, ValueError, KeyError, TypeError):
                self._put_aside(path)
        return len(self._waiting)

    def put(self, case_no: int, inbound: Inbound) -> Spooled:
        """Keep a report; it is on the disk when this returns. Raises OSError when this disk fails too."""
        name = f"{inbound.received_at:%Y%m%dT%H%M%S%f}-{case_no}{SUFFIX}"
        path, draft = self._folder / name, self._folder / f"{name}.draft"
        plain = json.dumps({"case_no": case_no, "received_at": inbound.received_at.isoformat(), "raw": raw_of(inbound)})
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(self._vault.seal(plain.encode(), PURPOSE))
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(path)
        self._sync_folder()
        return self._remember(Spooled(case_no, inbound, path))

    def waiting(self) -> Iterator[Spooled]:
        """What waits, oldest first."""
        return iter(sorted(self._waiting.values(), key=lambda one: one.path.name))

    def __len__(self) -> int:
        return len(self._waiting)

    def numbered(self, case_no: int) -> Spooled | None:
        return self._waiting.get(case_no)

    def same_message(self, inbound: Inbound) -> Spooled | None:
        """The report that the same provider id brought before, while it still waits."""
        number = self._by_id.get((inbound.channel, inbound.provider_id)) if inbound.provider_id else None
        return self._waiting.get(number) if number else None

    def remove(self, spooled: Spooled) -> None:
        """Forget a report that is in the database now."""
        spooled.path.unlink(missing_ok=True)
        self._waiting.pop(spooled.case_no, None)
        self._by_id.pop((spooled.inbound.channel, spooled.inbound.provider_id), None)

    def _remember(self, spooled: Spooled) -> Spooled:
        self._waiting[spooled.case_no] = spooled
        if spooled.inbound.provider_id:
            self._by_id[(spooled.inbound.channel, spooled.inbound.provider_id)] = spooled.case_no
        return spooled

    def _read(self, path: Path) -> Spooled:
        value = json.loads(self._vault.unseal(path.read_bytes(), PURPOSE))
        received_at = datetime.fromisoformat(value["received_at"])
        entry = JournalEntry(0, "", "", received_at, value["raw"])
        return Spooled(value["case_no"], replace(inbound_of(entry), received_at=received_at), path)

    def _put_aside(self, path: Path) -> None:
        aside = self._folder / DAMAGED
        aside.mkdir(mode=0o700, exist_ok=True)
        path.rename(aside / path.name)

    def damaged(self) -> list[str]:
        """File names that could not be read; an administrator must look."""
        return sorted(path.name for path in (self._folder / DAMAGED).glob(f"*{SUFFIX}"))

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
