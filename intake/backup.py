"""What a backup holds and in which order it is taken: spool, database, pictures, and a manifest with checksums.

The file's form and encryption are backup_file.py's, copying a database backup_database.py's, what has to be done in the
database after a restore store/resume.py's. The key ring is never part of a backup: it is kept apart from it.
"""

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, cast

from intake.backup_database import copy_database
from intake.backup_file import SealedReader, SealedWriter, key_for, new_header, read_header
from intake.errors import Misconfigured, Refused
from intake.vault import Vault

SPOOLED = (".report", ".message", ".call")
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1 << 28
BLOCK = 1 << 20
STRANGE = "备份文件里有不认识的内容。"
NAME = re.compile(
    r"(?:media/[\w-]{2}/[\w-]+(?:\.thumb)?\.\w+|spool/(?:damaged/)?[\w-][\w.-]*|intake\.db|postgres\.dump)", re.ASCII
)
"""Every name that may stand in a backup; anything else is refused, so that a forged one can write nowhere else."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be backed up. `place` is the SQLite file or the PostgreSQL address."""

    place: Path | str
    media: Path
    spool: Path
    city: str
    revision: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `files` maps names to (bytes, SHA-256); `root` names the ring it belongs to."""

    made_at: str
    city: str
    database: str
    revision: str
    root: str
    files: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        return sum(size for size, _ in self.files.values())


def make_backup(source: Source, target: Path, vault: Vault, *, now: datetime, passphrase: str = "") -> Manifest:
    """Write one encrypted file (mode 0600), whole or not at all. Refuses to overwrite."""
    if target.exists():
        raise Refused(f"文件已存在：{target}")
    header = new_header(vault, passphrase=passphrase)
    key = key_for(header, vault, passphrase=passphrase)
    draft = target.with_name(f".{target.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            manifest = _write_all(source, SealedWriter(stream, header, key), vault, now)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _write_all(source: Source, sealed: SealedWriter, vault: Vault, now: datetime) -> Manifest:
    database = "sqlite" if isinstance(source.place, Path) else "postgresql"
    manifest = Manifest(now.isoformat(), source.city, database, source.revision, vault.ring.fingerprint)
    with tarfile.open(fileobj=sealed, mode="w|", bufsize=BLOCK) as tar, _workshop(source) as room:
        folder = Path(room)
        # The order matters while reports come in. Spool before database: a report that moves over in between is in both,
        # and its replay is recognised; the other way round it would be in neither. Database before pictures: a picture
        # is on the disk before its case is, so every picture the copied database knows is found afterwards.
        for name, path in _spooled(source.spool):
            _add(tar, manifest, name, path)
        copy = copy_database(source.place, folder)
        _add(tar, manifest, copy.name, copy)
        copy.unlink()
        for name, path in _pictures(source.media):
            _add(tar, manifest, name, path)
        text = json.dumps(asdict(manifest), ensure_ascii=False).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    sealed.finish()
    return manifest


def _workshop(source: Source) -> "tempfile.TemporaryDirectory[str]":
    """Beside the database's file the copy is as safe as the original (folder 0700); media's folder for PostgreSQL."""
    beside = source.place.parent if isinstance(source.place, Path) else source.media.parent
    beside.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=".backup-", dir=beside)


def _spooled(folder: Path) -> Iterator[tuple[str, Path]]:
    for prefix, part in (("spool", folder), ("spool/damaged", folder / "damaged")):
        kept = (path for path in part.glob("*") if path.suffix in SPOOLED)
        yield from ((f"{prefix}/{path.name}", path) for path in sorted(kept))


def _pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.glob("??/*")):
        name = f"media/{path.parent.name}/{path.name}"
        if NAME.fullmatch(name) and path.suffix != ".part":
            yield name, path


def _add(tar: tarfile.TarFile, manifest: Manifest, name: str, path: Path) -> None:
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return  # replayed from the spool, or erased, while the backup runs
    with stream:
        info = tarfile.TarInfo(name)
        info.size = os.fstat(stream.fileno()).st_size
        counted = _Hashing(stream)
        tar.addfile(info, cast("IO[bytes]", counted))
    manifest.files[name] = (info.size, counted.digest.hexdigest())


class _Hashing:
    """Passes reads on and keeps their SHA-256."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.digest = stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self.digest.update(block)
        return block


def unpack(file: Path, folder: Path | None, vault: Vault, *, passphrase: str = "") -> Manifest:
    """Read a backup through and check every sum; with a folder its files are written there (mode 0600). Raises
    Misconfigured for a wrong key, damage, or a ring with another root, whose query codes would not fit."""
    try:
        with file.open("rb") as stream:
            header = read_header(stream)
            sealed = SealedReader(stream, header, key_for(header, vault, passphrase=passphrase))
            manifest = _read_all(sealed, folder)
            sealed.drain()
    except tarfile.TarError as error:
        raise Misconfigured("备份文件已损坏。") from error
    if manifest.root != vault.ring.fingerprint:
        raise Misconfigured("密钥文件不是这份备份所属的那一个：联系方式将无法查对，市民的查询码也会失效。")
    return manifest


def _read_all(sealed: SealedReader, folder: Path | None) -> Manifest:
    found: dict[str, tuple[int, str]] = {}
    manifest: Manifest | None = None
    with tarfile.open(fileobj=cast("BinaryIO", io.BufferedReader(sealed, BLOCK)), mode="r|", bufsize=BLOCK) as tar:
        for member in tar:
            stream = tar.extractfile(member)
            if stream is None:
                raise Misconfigured(STRANGE)
            if member.name == MANIFEST:
                manifest = _manifest_from(stream.read(MAX_MANIFEST_BYTES))
            else:
                found[member.name] = _take(member, stream, folder)
    if manifest is None or manifest.files != found:
        raise Misconfigured("备份文件与其清单不符。")
    return manifest


def _manifest_from(text: bytes) -> Manifest:
    try:
        value = json.loads(text)
        files = {name: (int(size), str(digest)) for name, (size, digest) in value.pop("files").items()}
        return Manifest(**value, files=files)
    except (ValueError, TypeError, KeyError) as error:
        raise Misconfigured("备份文件的清单已损坏。") from error


def _take(member: tarfile.TarInfo, stream: IO[bytes], folder: Path | None) -> tuple[int, str]:
    if not NAME.fullmatch(member.name):
        raise Misconfigured(STRANGE)
    counted = cast("IO[bytes]", hashing := _Hashing(stream))
    if folder is None:
        while counted.read(BLOCK):
            pass
    else:
        _write_file(folder / member.name, counted)
    return member.size, hashing.digest.hexdigest()


def _write_file(target: Path, content: IO[bytes]) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        shutil.copyfileobj(content, out, BLOCK)
        out.flush()
        os.fsync(out.fileno())
