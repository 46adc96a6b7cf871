"""Case numbers and query codes: how they look, are read and are derived. Blocks of numbers are leased by the store.

受理编号: digits only, yymmdd and a daily sequence of at least five digits, growing when needed, never re-used.
查询码: six digits, derived from case, epoch and the server's key, so that it is stored nowhere and can be rotated.
"""

import hashlib
import hmac
import re
import secrets
from datetime import date

from intake.text import normalise

CASE_NO_DIGITS = range(11, 15)
CODE_DIGITS = 6


def case_no(day: date, sequence: int) -> int:
    """Join day and sequence: 2026-11-20, 7 → 26112000007."""
    return int(f"{day:%y%m%d}{sequence:05d}")


def parse_case_no(raw: str) -> int | None:
    """Read a number as people type it (blanks, dashes, full-width digits); None when it cannot be one."""
    digits = re.sub(r"[\s\-—_.·]", "", normalise(raw[:64]))
    if not digits.isascii() or not digits.isdigit() or len(digits) not in CASE_NO_DIGITS:
        return None
    return int(digits)


def query_code(number: int, epoch: int, key: bytes) -> str:
    """The six digits of a case. HMAC-SHA256 keeps them unguessable without the server's key."""
    # hmac.new and not hmac.digest: the latter lets go of the interpreter lock, for which every report would then queue.
    mac = hmac.new(key, f"query-code:{number}:{epoch}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(mac[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def code_matches(given: str, number: int, epoch: int, key: bytes) -> bool:
    """Compare in constant time; also for input that is no code at all."""
    digits = re.sub(r"\s", "", normalise(given[:64]))
    return hmac.compare_digest(digits.encode(), query_code(number, epoch, key).encode())


def new_secret() -> str:
    """An unguessable address or token, 256 bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str | bytes) -> str:
    """What is stored of a secret that is long and random in itself (session, token, idempotency key)."""
    return hashlib.sha256(secret if isinstance(secret, bytes) else secret.encode()).hexdigest()
