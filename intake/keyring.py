"""The ring of master keys: one root that never changes, and keys for sealing of which one is in use.

Look-up hashes and citizens' query codes come from the root, so they survive a rotation; sealed values carry the id of
their key, so older ones still open. Kept as a file of the owner's own or given by the environment. No cipher is here:
that is vault.py's.
"""

import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from intake.errors import Misconfigured

KEY_BYTES = 32
ID_BYTES = 4
MAX_FILE_BYTES = 65_536


def derive(master: bytes, purpose: bytes) -> bytes:
    """A key for one purpose; knowing it tells nothing of the master or of other purposes (HMAC-SHA256)."""
    return hmac.digest(master, b"intake:" + purpose, hashlib.sha256)


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 bytes that values are sealed with. `made_at` is None for a key that came without a date."""

    key: bytes
    made_at: datetime | None = None

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that name the key and give nothing of it away."""
        return derive(self.key, b"id")[:ID_BYTES].hex()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys oldest first; `sealing_id` names the one new values are sealed with. The others only open."""

    root: bytes
    keys: tuple[MasterKey, ...]
    sealing_id: str

    def __post_init__(self) -> None:
        if any(len(key) != KEY_BYTES for key in (self.root, *(one.key for one in self.keys))):
            raise Misconfigured("主密钥必须是 32 字节。")
        if self.sealing_id not in {one.id for one in self.keys}:
            raise Misconfigured("密钥环有误：找不到正在使用的密钥。")

    @classmethod
    def of(cls, *masters: bytes) -> Self:
        """A ring of bare keys: the first is the root, the last seals."""
        keys = tuple(MasterKey(master) for master in masters)
        return cls(masters[0], keys, keys[-1].id)

    @classmethod
    def fresh(cls, now: datetime) -> Self:
        """A new ring for a new installation."""
        first = MasterKey(os.urandom(KEY_BYTES), now)
        return cls(os.urandom(KEY_BYTES), (first,), first.id)

    @property
    def fingerprint(self) -> str:
        """Names the root: two rings with the same one give the same look-up hashes and query codes."""
        return derive(self.root, b"fingerprint")[:8].hex()

    def with_new_key(self, now: datetime) -> "KeyRing":
        """One more key, prepared but not yet in use, so that it can be copied to every machine first."""
        return replace(self, keys=(*self.keys, MasterKey(os.urandom(KEY_BYTES), now)))

    def sealing_with_newest(self) -> "KeyRing":
        return replace(self, sealing_id=self.keys[-1].id)

    @property
    def has_prepared_key(self) -> bool:
        return self.keys[-1].id != self.sealing_id


def ring_from_text(text: str) -> KeyRing:
    """Keys from the environment: base64 of 32 bytes each, parted by commas, the root first, the newest last."""
    try:
        return KeyRing.of(*(base64.b64decode(part.strip(), validate=True) for part in text.split(",")))
    except ValueError as error:
        raise Misconfigured("INTAKE_MASTER_KEY 应为 32 字节密钥的 base64，多个以逗号分隔。") from error


def ring_from_bytes(content: bytes) -> KeyRing:
    """Read the file's content; 32 bare bytes (the first form of the file) are a ring of one key."""
    if len(content) == KEY_BYTES:
        return KeyRing.of(content)
    try:
        value = json.loads(content)
        keys = tuple(
            MasterKey(base64.b64decode(one["key"]), datetime.fromisoformat(one["made_at"]) if one["made_at"] else None)
            for one in value["keys"]
        )
        return KeyRing(base64.b64decode(value["root"]), keys, value["sealing"])
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured("密钥文件无法读取。") from error


def bytes_of(ring: KeyRing) -> bytes:
    """The file's content: JSON, keys in base64."""
    keys = [
        {"id": one.id, "made_at": one.made_at.isoformat() if one.made_at else "", "key": base64.b64encode(one.key).decode()}
        for one in ring.keys
    ]
    value = {"root": base64.b64encode(ring.root).decode(), "sealing": ring.sealing_id, "keys": keys}
    return json.dumps(value, indent=1).encode() + b"\n"


class KeyFile:
    """The file of the ring. Remembers which state of it was read last, so that a change is noticed by one stat call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, ...] = ()

    def exists(self) -> bool:
        return self.path.exists()

    def read(self) -> KeyRing:
        """Raises Misconfigured when the file is missing or no ring."""
        try:
            self._seen = self._state()
            content = self.path.read_bytes() if self.path.stat().st_size <= MAX_FILE_BYTES else b""
        except OSError as error:
            raise Misconfigured(f"密钥文件读不到：{self.path}") from error
        return ring_from_bytes(content)

    def has_changed(self) -> bool:
        """Whether the file is another than the one read last; a file that is gone for the moment has not changed."""
        try:
            return self._state() != self._seen
        except OSError:
            return False

    def write(self, ring: KeyRing) -> None:
        """Replace the file in one move (mode 0600), so that a reader finds the old ring or the new one, never half."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(bytes_of(ring))
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def make(self) -> KeyRing:
        """A fresh ring at the first start. Of two gateways that start at once both read the ring of the first."""
        draft = KeyFile(self.path.with_name(f".{self.path.name}.new.{os.getpid()}"))
        draft.write(KeyRing.fresh(datetime.now(UTC)))
        try:
            os.link(draft.path, self.path)
        except FileExistsError:
            pass
        finally:
            draft.path.unlink()
        return self.read()

    def _state(self) -> tuple[int, ...]:
        found = self.path.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size
