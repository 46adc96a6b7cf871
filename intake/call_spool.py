"""Calls kept on disk while the database cannot be written: one sealed file for each call, its last state in it.

Beside spool.py, which keeps reports: a call is a row that changes, so its newest file replaces the one before. What is
damaged is put aside, never deleted.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from intake.call import Call, CallRecording
from intake.durable import write_whole
from intake.errors import Misconfigured
from intake.vault import Vault

SUFFIX = ".call"
PURPOSE = "call-spool"
DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Owing:
    """A call-back to be written down: whose number, why, and the place in the queue it keeps."""

    number: str
    reason: str
    place_at: datetime


@dataclass(frozen=True, slots=True)
class CallFile:
    """A call with what hangs on it, as it stood when it was last changed."""

    call: Call
    recordings: tuple[CallRecording, ...] = ()
    owing: tuple[Owing, ...] = ()


class CallSpool:
    """The folder, and in memory what waits in it."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder, self._vault = folder, vault
        self._waiting: dict[int, CallFile] = {}

    def open(self) -> int:
        """Read what an earlier run left; returns how many calls wait."""
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                file = _read(self._vault.unseal(path.read_bytes(), PURPOSE))
            except (Misconfigured, ValueError, KeyError, TypeError):
                aside = self._folder / DAMAGED
                aside.mkdir(mode=0o700, exist_ok=True)
                path.rename(aside / path.name)
                continue
            self._waiting[file.call.call_id] = file
        return len(self._waiting)

    def put(self, file: CallFile) -> None:
        """Keep a call in place of what was kept of it before. Raises OSError when this disk fails too."""
        body = json.dumps(asdict(file), ensure_ascii=False, default=datetime.isoformat).encode()
        write_whole(self._path(file.call.call_id), self._vault.seal(body, PURPOSE))
        self._waiting[file.call.call_id] = file

    def get(self, call_id: int) -> CallFile | None:
        return self._waiting.get(call_id)

    def waiting(self) -> list[CallFile]:
        """What waits, oldest call first."""
        return sorted(self._waiting.values(), key=lambda file: file.call.call_id)

    def remove(self, file: CallFile) -> None:
        """Forget a call that is in the database now, unless it was kept anew meanwhile."""
        if self._waiting.get(file.call.call_id) is file:
            self._path(file.call.call_id).unlink(missing_ok=True)
            del self._waiting[file.call.call_id]

    def __len__(self) -> int:
        return len(self._waiting)

    def _path(self, call_id: int) -> Path:
        return self._folder / f"{call_id}{SUFFIX}"


def _read(body: bytes) -> CallFile:
    value = json.loads(body)
    return CallFile(
        _record(Call, value["call"]),
        tuple(_record(CallRecording, one) for one in value["recordings"]),
        tuple(_record(Owing, one) for one in value["owing"]),
    )


def _record(kind: Any, value: Mapping[str, Any]) -> Any:
    """A record from plain values: moments are the fields that end in _at."""
    names = {item.name for item in fields(kind)}
    return kind(**{
        name: datetime.fromisoformat(given) if name.endswith("_at") and given else given
        for name, given in value.items() if name in names
    })  # fmt: skip
