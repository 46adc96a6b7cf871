"""Signing in: sessions for browsers, bearer tokens for programs, both found by the hash of a long random secret.

Passwords are checked before the unit of work (argon2 is slow on purpose); here the outcome is written down, with a lock
after too many failures. A session is new after every sign-in and change of password.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from intake.codes import digest_of, new_secret
from intake.errors import NotSignedIn, TooMany
from intake.model import Actor
from intake.ports import Work
from intake.records import Session, Token, User

SESSION_LENGTH = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=5)
MAX_FAILURES = 5
LOCK = timedelta(minutes=10)
WRONG = "用户名或密码不正确。"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a request comes from. `csrf` is empty for bearer tokens, which no browser sends by itself."""

    actor: Actor
    display_name: str
    csrf: str = ""
    must_change: bool = False
    session_hash: str = ""


def actor_of(user: User) -> Actor:
    return Actor(user.user_id, user.name, user.role, user.unit)


def user_named(work: Work, name: str) -> User | None:
    found = work.find(User, name=name, limit=1)
    return found[0] if found else None


def refuse_locked(user: User | None, work: Work) -> None:
    """Raise TooMany while a user is locked after too many wrong passwords."""
    if user and user.locked_until_at and user.locked_until_at > work.now:
        left = int((user.locked_until_at - work.now).total_seconds()) + 1
        raise TooMany("密码多次输错，账号已暂时锁定，请稍后再试。", retry_after_s=left)


def open_session(work: Work, user_id: int, *, matches: bool) -> str:
    """Write down a sign-in attempt; returns the new session's secret, or raises NotSignedIn after counting it."""
    user = work.get(User, user_id, lock=True) if user_id else None
    refuse_locked(user, work)
    if user is None or user.disabled or not matches:
        raise NotSignedIn(WRONG)
    if user.failed_count or user.locked_until_at:
        work.change(user, replace(user, failed_count=0, locked_until_at=None))
    secret = new_secret()
    work.add(Session(digest_of(secret), user.user_id, new_secret(), work.now, work.now, work.now + SESSION_LENGTH))
    return secret


def count_failure(work: Work, user_id: int) -> None:
    """One more wrong password; the fifth locks the user for ten minutes."""
    user = work.get(User, user_id, lock=True)
    if user is None:
        return
    count = user.failed_count + 1
    held = user.locked_until_at if user.locked_until_at and user.locked_until_at > work.now else None
    until = work.now + LOCK if count >= MAX_FAILURES else held
    work.change(user, replace(user, failed_count=0 if count >= MAX_FAILURES else count, locked_until_at=until))


def who_has_session(work: Work, secret: str) -> SignedIn | None:
    """The person behind a session cookie, or None."""
    session = work.get(Session, digest_of(secret))
    if session is None or session.expires_at <= work.now:
        return None
    user = work.get(User, session.user_id)
    if user is None or user.disabled:
        return None
    return SignedIn(actor_of(user), user.display_name, session.csrf, user.must_change, session.session_hash)


def who_has_token(work: Work, secret: str) -> SignedIn | None:
    """The person a bearer token acts as, or None."""
    found = work.find(Token, token_hash=digest_of(secret), limit=1)
    if not found or found[0].revoked_at is not None:
        return None
    user = work.get(User, found[0].user_id)
    if user is None or user.disabled:
        return None
    return SignedIn(actor_of(user), user.display_name)


def close_session(work: Work, session_hash: str) -> None:
    work.remove(Session, session_hash=session_hash)


def change_password(work: Work, user_id: int, new_hash: str, *, must_change: bool = False) -> None:
    """Store a new password and end every session of the user, the present one too."""
    user = work.get(User, user_id, lock=True)
    if user is None:
        raise NotSignedIn
    changed = replace(user, password_hash=new_hash, must_change=must_change, failed_count=0, locked_until_at=None)
    work.change(user, changed)
    work.remove(Session, user_id=user_id)


def issue_token(work: Work, user: User) -> str:
    """A new bearer token; the secret is shown once and only its hash is kept."""
    secret = new_secret()
    work.add(Token(work.new_id(), user.user_id, digest_of(secret), work.now))
    return secret
