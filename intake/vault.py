"""Sealing of personal data (contacts, raw messages) and keyed look-up hashes. The only importer of `cryptography`.

AES-256-GCM with a random nonce for each value; the purpose is bound in as associated data, so that a sealed value moved
to another column does not open. Keys come from a file under the home folder or from the environment.
"""

import hashlib
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from intake.errors import Misconfigured

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = b"\x01"


class Vault:
    """Holds the server's keys, all derived from one master key."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise Misconfigured("主密钥必须是 32 字节。")
        self._cipher = AESGCM(_derive(master, b"seal"))
        self._lookup_key = _derive(master, b"lookup")
        self.code_key = _derive(master, b"query-code")

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt; the result holds format, nonce and ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        return FORMAT + nonce + self._cipher.encrypt(nonce, plain, purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt; raises Misconfigured when the key is not the one it was sealed with or the value was changed."""
        try:
            return self._cipher.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise Misconfigured("无法解密：密钥不符或数据已损坏。") from error

    def lookup_hash(self, value: str, purpose: str) -> str:
        """A keyed hash to find a phone number or address again without storing it; empty for an empty value."""
        if not value:
            return ""
        return hmac.digest(self._lookup_key, f"{purpose}:{value}".encode(), hashlib.sha256).hex()


def _derive(master: bytes, purpose: bytes) -> bytes:
    return hmac.digest(master, b"intake:" + purpose, hashlib.sha256)


def load_master_key(path: Path) -> bytes:
    """Read the key file, or make it (mode 0600) at the first start. A shorter or longer file is refused."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(os.urandom(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise Misconfigured(f"密钥文件长度不对：{path}")
    return key
