"""Sealing of personal data (contacts, raw messages) and of backups, and keyed look-up hashes. The only importer of
`cryptography`.

AES-256-GCM with a random nonce for each value; the purpose is bound in as associated data, so that a sealed value moved
to another column does not open. The keys stand in keyring.py.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from intake.errors import Misconfigured
from intake.keyring import ID_BYTES, KeyFile, KeyRing, derive

NONCE_BYTES = 12
FIRST_FORMAT = b"\x01"
FORMAT = b"\x02"
"""A sealed value is format, key id (4 bytes, not in the first format, which knew one key only), nonce, ciphertext."""
HEAD_BYTES = 1 + ID_BYTES
FILE_FORMAT = b"\x03"
SALT_BYTES = 16
FILE_HEAD_BYTES = HEAD_BYTES + SALT_BYTES
"""A file sealed in chunks begins with format, key id and the salt of its own key."""
TAG_BYTES = 16
CANNOT_OPEN = "无法解密：密钥不符或数据已损坏。"


class Vault:
    """Seals with the ring's key in use and opens with any of its keys. `file`, where there is one, is read again when it
    changes, so that a running gateway follows a rotation. A bare 32-byte key is a ring of one.
    """

    def __init__(self, ring: KeyRing | bytes, file: KeyFile | None = None) -> None:
        self._file = file
        self.ring = ring if isinstance(ring, KeyRing) else KeyRing.of(ring)
        self._take(self.ring)
        self._lookup_key = derive(self.ring.root, b"lookup")
        self.code_key = derive(self.ring.root, b"query-code")

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt with the key in use."""
        head, cipher = self._sealing
        nonce = os.urandom(NONCE_BYTES)
        return head + nonce + cipher.encrypt(nonce, plain, purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt; raises Misconfigured when no key of the ring fits or the value was changed."""
        cipher, start = self._cipher_of(sealed)
        body = start + NONCE_BYTES
        try:
            return cipher.decrypt(sealed[start:body], sealed[body:], purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise Misconfigured(CANNOT_OPEN) from error

    def lookup_hash(self, value: str, purpose: str) -> str:
        """A keyed hash to find a phone number or address again without storing it; empty for an empty value."""
        if not value:
            return ""
        return hmac.digest(self._lookup_key, f"{purpose}:{value}".encode(), hashlib.sha256).hex()

    @property
    def sealing_head(self) -> bytes:
        """What every value sealed with the key in use begins with."""
        return self._sealing[0]

    def refresh(self) -> None:
        """Take up a changed key file. One that cannot be read, or has another root, is left alone: the gateway goes on
        with the keys it holds, and `doctor` tells."""
        if self._file is None or not self._file.has_changed():
            return
        try:
            ring = self._file.read()
        except Misconfigured:
            return
        if ring.root == self.ring.root:
            self._take(ring)

    def file_key(self, salt: bytes, key_id: str, *, use: bytes = b"backup") -> bytes:
        """A key for one backup file, or for another `use`; raises Misconfigured when the ring has no such key."""
        for one in self.ring.keys:
            if one.id == key_id:
                return derive(one.key, use + b":" + salt)
        raise Misconfigured(f"密钥环里没有密钥 {key_id}，打不开这份文件。")

    def new_file(self, purpose: str) -> tuple[bytes, "ChunkCipher"]:
        """The head of a new file in chunks, sealed with the key in use, and its cipher."""
        head = FILE_FORMAT + self.sealing_head[1:] + os.urandom(SALT_BYTES)
        return head, self.file_cipher(head, purpose)

    def file_cipher(self, head: bytes, purpose: str) -> "ChunkCipher":
        """The cipher of a file in chunks by its head; raises Misconfigured when no key of the ring fits."""
        key_id, salt = head[1:HEAD_BYTES].hex(), head[HEAD_BYTES:FILE_HEAD_BYTES]
        if key_id not in {one.id for one in self.ring.keys}:
            self.refresh()
        return ChunkCipher(self.file_key(salt, key_id, use=b"file"), head + purpose.encode())

    def _take(self, ring: KeyRing) -> None:
        self._ciphers = {bytes.fromhex(one.id): AESGCM(derive(one.key, b"seal")) for one in ring.keys}
        self._first_cipher = AESGCM(derive(ring.root, b"seal"))
        in_use = bytes.fromhex(ring.sealing_id)
        self._sealing = (FORMAT + in_use, self._ciphers[in_use])
        self.ring = ring

    def _cipher_of(self, sealed: bytes) -> tuple[AESGCM, int]:
        """The cipher for a value and where its nonce begins."""
        if sealed[:1] == FIRST_FORMAT:
            return self._first_cipher, 1
        key_id = sealed[1:HEAD_BYTES]
        if sealed[:1] == FORMAT and key_id not in self._ciphers:
            self.refresh()
        cipher = self._ciphers.get(key_id) if sealed[:1] == FORMAT else None
        if cipher is None:
            raise Misconfigured(CANNOT_OPEN)
        return cipher, HEAD_BYTES


class ChunkCipher:
    """The chunks of one file under a key of the file's own. Number and end are part of each chunk's nonce, so chunks can
    be neither changed, moved, left out nor cut off at the end unnoticed."""

    def __init__(self, key: bytes, header: bytes) -> None:
        self._cipher, self._header = AESGCM(key), header

    def seal(self, plain: bytes, *, number: int, last: bool) -> bytes:
        return self._cipher.encrypt(_chunk_nonce(number, last=last), plain, self._header)

    def open(self, sealed: bytes, *, number: int, last: bool) -> bytes:
        """Raises Misconfigured for a wrong key or passphrase and for any damage."""
        try:
            return self._cipher.decrypt(_chunk_nonce(number, last=last), sealed, self._header)
        except (InvalidTag, ValueError) as error:
            raise Misconfigured(CANNOT_OPEN) from error


def _chunk_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + bytes([last])


def is_file_head(head: bytes) -> bool:
    return head[:1] == FILE_FORMAT and len(head) >= FILE_HEAD_BYTES
