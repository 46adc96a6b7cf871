"""Passwords by argon2id; the only importer of argon2. Slow on purpose: call off the event loop."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS = 10
MAX_CHARS = 200
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""No letters that look like digits: a one-time password is read from a screen and typed."""
_hasher = PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password fits, made when it is first needed: hashing is slow on purpose, starting should not be."""
    return _hasher.hash(secrets.token_hex())


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def password_matches(stored_hash: str, password: str) -> bool:
    """Compare; an unknown user (empty hash) takes as long as a known one."""
    try:
        return _hasher.verify(stored_hash or _nobody(), password[:MAX_CHARS]) and bool(stored_hash)
    except (VerificationError, InvalidHashError):
        return False


def one_time_password() -> str:
    """Four groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def weakness_of(password: str) -> str:
    """Why a password cannot be taken, in plain words; empty when it can."""
    if len(password) < MIN_CHARS:
        return f"密码至少 {MIN_CHARS} 位。"
    if len(password) > MAX_CHARS:
        return f"密码最多 {MAX_CHARS} 位。"
    if len(set(password)) < 5:
        return "密码太简单，请混用不同的字符。"
    return ""
