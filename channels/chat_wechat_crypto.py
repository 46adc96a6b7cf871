"""WeChat's safe mode: signatures and the AES envelope of messages. The only importer of `cryptography` in channels/.

Source: developers.weixin.qq.com, 消息加解密说明: AES-256-CBC under the EncodingAESKey with its first 16 bytes as the
vector, padded to 32 bytes by PKCS#7; inside stand 16 random bytes, the length (4 bytes), the message and the account.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from channels.webhook import Forged, same_secret

KEY_CHARS = 43
BLOCK_BYTES = 32
RANDOM_BYTES = 16


@dataclass(frozen=True, slots=True)
class Seal:
    """What only WeChat and we know of one account. Raises ValueError for a key that is none."""

    app_id: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.aes_key) != KEY_CHARS or len(_key(self.aes_key)) != BLOCK_BYTES:
            raise ValueError("aes_key 应为 43 个字符（公众平台上的 EncodingAESKey）")

    def check(self, given: str, *parts: str) -> None:
        """Raise Forged unless `given` is the signature over the parts."""
        if not same_secret(given, self.sign(*parts)):
            raise Forged

    def sign(self, *parts: str) -> str:
        """SHA-1 of the token and the parts, sorted and joined; hex."""
        text = "".join(sorted((self.token, *parts)))
        return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()

    def open(self, sealed: str) -> bytes:
        """The message inside; raises Forged where it was not sealed for this account with its key."""
        try:
            whole = base64.b64decode(sealed, validate=True)
            key = _key(self.aes_key)
            # The mode is WeChat's choice. Nobody gets to try texts on it: the signature is checked before.
            opener = Cipher(algorithms.AES(key), modes.CBC(key[:RANDOM_BYTES])).decryptor()
            plain = opener.update(whole) + opener.finalize()
        except (binascii.Error, ValueError):
            raise Forged from None
        plain = plain[: -plain[-1]] if plain and 1 <= plain[-1] <= BLOCK_BYTES else b""
        length = int.from_bytes(plain[RANDOM_BYTES : RANDOM_BYTES + 4], "big")
        start = RANDOM_BYTES + 4
        message, account = plain[start : start + length], plain[start + length :]
        if len(message) != length or not same_secret(account.decode("utf-8", "replace"), self.app_id):
            raise Forged
        return message


def _key(text: str) -> bytes:
    """The 32 bytes of an EncodingAESKey; whatever its spare bits are."""
    try:
        return base64.b64decode(text + "=")
    except binascii.Error:
        return b""
