"""Who has which case open, told between gateways on one database: a row for each gateway, rewritten as its consoles change.

Presence is true only while a connection stands, so a row that is not renewed counts for nothing. What a gateway knows of
its own consoles, and telling them, is channels/web/desk_bus.py's.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from intake.ports import Work

RENEW_EVERY = timedelta(seconds=20)
LASTS = timedelta(seconds=60)
Watching = tuple[int, int, str]
"""Case, user and the user's name."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What one run of a gateway has open. `watching` is a JSON list of Watching."""

    gateway: str
    seen_at: datetime
    watching: str


def note_presence(work: Work, gateway: str, watching: Iterable[Watching]) -> None:
    """What is open on this gateway now; nothing is written when nothing changed and the row is fresh."""
    words = json.dumps(sorted(set(watching)), ensure_ascii=False)
    held = work.get(Presence, gateway, lock=True)
    if held is None:
        work.add(Presence(gateway, work.now, words))
    elif held.watching != words or work.now - held.seen_at >= RENEW_EVERY:
        work.change(held, replace(held, seen_at=work.now, watching=words))


def presence_elsewhere(work: Work, gateway: str) -> frozenset[Watching]:
    """What is open on other gateways that were heard of lately."""
    rows = [row for row in work.find(Presence) if row.gateway != gateway and work.now - row.seen_at < LASTS]
    return frozenset((case_no, user_id, name) for row in rows for case_no, user_id, name in json.loads(row.watching))


def leave(work: Work, gateway: str) -> None:
    """This gateway ends, and so do its consoles."""
    held = work.get(Presence, gateway, lock=True)
    if held is not None:
        work.change(held, replace(held, seen_at=work.now, watching="[]"))
