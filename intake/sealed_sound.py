"""Sealed sounds of any length: written, read and wound through in chunks, so that an hour of speech never stands in memory.

A file is its head (format, key id, salt) and chunks under a key of its own; a chunk that was changed, moved or cut off does
not open. What was sealed whole (voice notes, and recordings before this format) is read as before.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from intake.durable import sync_folder
from intake.vault import FILE_HEAD_BYTES, TAG_BYTES, Vault, is_file_head

CHUNK = 1 << 20
SEALED_CHUNK = CHUNK + TAG_BYTES


class SoundWriter:
    """Seals what is added; nothing has its name before `finish`, and `discard` (harmless afterwards) leaves nothing behind.
    Everything raises OSError."""

    def __init__(self, vault: Vault, path: Path, purpose: str) -> None:
        self.size, self._hash, self._rest, self._number = 0, hashlib.sha256(), bytearray(), 0
        self._path, self._draft = path, path.with_name(f"{path.name}.part")
        head, self._cipher = vault.new_file(purpose)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stream: BinaryIO = os.fdopen(os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._stream.write(head)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._hash.update(piece)
        self._rest += piece
        # The last chunk is marked as such, so a full one waits until it is known whether more comes.
        while len(self._rest) > CHUNK:
            self._seal(bytes(self._rest[:CHUNK]), last=False)
            del self._rest[:CHUNK]

    def finish(self) -> None:
        """Bring it to the disk and give it its name."""
        self._seal(bytes(self._rest), last=True)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._draft.rename(self._path)
        sync_folder(self._path.parent)

    def discard(self) -> None:
        with suppress(OSError):
            self._stream.close()
        self._draft.unlink(missing_ok=True)

    def _seal(self, plain: bytes, *, last: bool) -> None:
        self._stream.write(self._cipher.seal(plain, number=self._number, last=last))
        self._number += 1


def parts(vault: Vault, path: Path, purpose: str, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The sound from byte `start` to before `stop`, a chunk at a time. Raises OSError, Misconfigured for what does not open."""
    with path.open("rb") as stream:
        head = stream.read(FILE_HEAD_BYTES)
        if not is_file_head(head):
            yield vault.unseal(head + stream.read(), purpose)[start:stop]
            return
        cipher = vault.file_cipher(head, purpose)
        sealed = os.fstat(stream.fileno()).st_size - FILE_HEAD_BYTES
        last = max(0, -(-sealed // SEALED_CHUNK) - 1)
        end = CHUNK * (last + 1) if stop is None else stop
        for number in range(start // CHUNK, min(last, (end - 1) // CHUNK) + 1):
            stream.seek(FILE_HEAD_BYTES + number * SEALED_CHUNK)
            plain = cipher.open(stream.read(SEALED_CHUNK), number=number, last=number == last)
            at = number * CHUNK
            yield plain[max(0, start - at) : max(0, end - at)]


def sealed_with(vault: Vault, path: Path) -> bool:
    """Whether the file is sealed with the key in use. Raises OSError."""
    with path.open("rb") as stream:
        head = stream.read(FILE_HEAD_BYTES)
    wanted = vault.sealing_head
    return head[1 : len(wanted)] == wanted[1:] if is_file_head(head) else head.startswith(wanted)


def is_in_chunks(path: Path) -> bool:
    """Raises OSError."""
    with path.open("rb") as stream:
        return is_file_head(stream.read(FILE_HEAD_BYTES))
