"""The form of a backup file: a header in the clear, then one encrypted stream in chunks. What is inside is backup.py's.

Written and read as a stream, so that its size does not matter to memory. The key comes from the ring (by its id) or from
a passphrase by scrypt; no key is ever in the file. Layout: MAGIC, header length (4 bytes), header (JSON), then chunks of
length (4 bytes) and ciphertext; the last chunk is marked inside its nonce, so a file cut short is noticed.
"""

import hashlib
import io
import json
import os
from dataclasses import asdict, dataclass
from typing import BinaryIO

from intake.errors import Misconfigured
from intake.vault import CANNOT_OPEN, ChunkCipher, Vault

MAGIC = b"INTAKE-BACKUP-1\n"
CHUNK_BYTES = 1 << 20
TAG_BYTES = 16
SALT_BYTES = 32
MAX_HEADER_BYTES = 4096
LENGTH_BYTES = 4
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 17, 8, 1
"""128 MiB for one try of a passphrase, as OWASP's password storage cheat sheet asks."""
MIN_PASSPHRASE = 12


@dataclass(frozen=True, slots=True)
class Header:
    """How the file's key is found. `key_id` is empty when a passphrase was used; salts are hexadecimal."""

    salt: str
    key_id: str = ""
    scrypt_n: int = 0


def new_header(vault: Vault, *, passphrase: str = "") -> Header:
    """For a new file: its own salt, and the ring's key in use or a passphrase (at least twelve characters)."""
    if not passphrase:
        return Header(os.urandom(SALT_BYTES).hex(), key_id=vault.ring.sealing_id)
    if len(passphrase) < MIN_PASSPHRASE:
        raise Misconfigured(f"备份口令至少 {MIN_PASSPHRASE} 个字符。")
    return Header(os.urandom(SALT_BYTES).hex(), scrypt_n=SCRYPT_N)


def key_for(header: Header, vault: Vault, *, passphrase: str = "") -> bytes:
    """The key of a file; raises Misconfigured when the ring has not the key, or a passphrase is needed and none given."""
    salt = bytes.fromhex(header.salt)
    if header.key_id:
        return vault.file_key(salt, header.key_id)
    if not passphrase:
        raise Misconfigured("这份备份用口令加密，请加 --passphrase-stdin 并从标准输入给出口令。")
    memory = 2 * 128 * header.scrypt_n * SCRYPT_R
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=header.scrypt_n, r=SCRYPT_R, p=SCRYPT_P, maxmem=memory, dklen=32)


class SealedWriter(io.RawIOBase):
    """A writable stream whose bytes reach `target` encrypted. `close` writes the last chunk; without it the file is
    known to be incomplete."""

    def __init__(self, target: BinaryIO, header: Header, key: bytes) -> None:
        text = json.dumps(asdict(header)).encode()
        target.write(MAGIC + len(text).to_bytes(LENGTH_BYTES, "big") + text)
        self._target, self._cipher = target, ChunkCipher(key, MAGIC + text)
        self._held, self._number = bytearray(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        block = bytes(data)  # type: ignore[call-overload]
        self._held += block
        while len(self._held) > CHUNK_BYTES:
            self._put(bytes(self._held[:CHUNK_BYTES]), last=False)
            del self._held[:CHUNK_BYTES]
        return len(block)

    def finish(self) -> None:
        """Write what is held back as the last chunk."""
        self._put(bytes(self._held), last=True)
        self._held.clear()

    def _put(self, plain: bytes, *, last: bool) -> None:
        sealed = self._cipher.seal(plain, number=self._number, last=last)
        self._target.write(len(sealed).to_bytes(LENGTH_BYTES, "big") + sealed)
        self._number += 1


def read_header(source: BinaryIO) -> Header:
    """The header of a backup file; raises Misconfigured for anything else."""
    try:
        if source.read(len(MAGIC)) != MAGIC:
            raise Misconfigured("这不是本系统的备份文件。")
        length = int.from_bytes(source.read(LENGTH_BYTES), "big")
        header = Header(**json.loads(source.read(min(length, MAX_HEADER_BYTES))))
        bytes.fromhex(header.salt)
    except (ValueError, TypeError, AttributeError) as error:
        raise Misconfigured("备份文件的文件头已损坏。") from error
    if header.scrypt_n not in (0, SCRYPT_N):
        # A forged header must not make us fill the memory.
        raise Misconfigured("备份文件的文件头已损坏。")
    return header


class SealedReader(io.RawIOBase):
    """A readable stream of what a SealedWriter wrote; `source` stands behind the header. Raises Misconfigured for a
    wrong key, damage, or an end that is missing."""

    def __init__(self, source: BinaryIO, header: Header, key: bytes) -> None:
        self._source = source
        self._cipher = ChunkCipher(key, MAGIC + json.dumps(asdict(header)).encode())
        self._held, self._number, self._ended = b"", 0, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._held and not self._ended:
            self._next()
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def drain(self) -> None:
        """Read to the end, so that a file cut short is noticed even when nobody wants its last bytes."""
        while not self._ended:
            self._next()

    def _next(self) -> None:
        length = int.from_bytes(self._source.read(LENGTH_BYTES), "big")
        sealed = self._source.read(min(length, CHUNK_BYTES + TAG_BYTES))
        if len(sealed) != length:
            raise Misconfigured(CANNOT_OPEN)
        following = self._source.peek(1) if isinstance(self._source, io.BufferedReader) else b""
        last = not following
        self._held = self._cipher.open(sealed, number=self._number, last=last)
        self._number, self._ended = self._number + 1, last
