"""Joining the pieces of a long short message that a provider hands on one by one. Pure; storing them is pieces.py's.

Pieces belong together by sender and the reference in their header (3GPP TS 23.040). Where a provider leaves the header
out, only this can be told: a piece that is followed by another is as long as a piece can be, and the next comes within
seconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from intake.model import Inbound
from intake.text import ucs2_units

FULL_UNITS = frozenset({66, 67, 69, 70})
"""Lengths in UCS-2 units at which senders cut: 67 and 66 beside a header, 70 whole, one less where a pair would be cut."""
FULL_SEPTETS = frozenset({152, 153, 159, 160})
"""The same for plain Latin letters."""
PATIENCE = timedelta(seconds=60)
"""A message whose pieces do not all come is taken in as it is."""
GAP = timedelta(seconds=8)
"""Without a reference, the next piece comes within so long."""
REFERENCE_LASTS = timedelta(minutes=10)
"""A reference has eight bits: later ones under the same number are another message's."""
MISSING = "……"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece as it came. `raw` is the message, sealed, empty once it was joined; `sender` the keyed hash of channel and
    address; `ref`, `number` and `total` as in model.Part."""

    piece_id: int
    channel: str
    provider_id: str
    sender: str
    received_at: datetime
    raw: str
    units: int = 0
    ref: str = ""
    number: int = 0
    total: int = 0
    joined_at: datetime | None = None


def is_full(text: str) -> bool:
    """Whether a text is as long as a piece that another one follows."""
    return ucs2_units(text) in (FULL_SEPTETS if text.isascii() else FULL_UNITS)


def groups(pieces: Iterable[Piece]) -> list[tuple[Piece, ...]]:
    """Pieces of several senders as messages, each in the order in which it is to be read."""
    found: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda one: (one.received_at, one.piece_id)):
        home = next((group for group in reversed(found) if _belongs(piece, group)), None)
        if home is None:
            found.append([piece])
        else:
            home.append(piece)
    return [tuple(sorted(group, key=lambda one: one.number)) for group in found]


def _belongs(piece: Piece, group: Sequence[Piece]) -> bool:
    first, last = group[0], group[-1]
    if (piece.sender, piece.ref, piece.total) != (first.sender, first.ref, first.total):
        return False
    if not piece.total:
        return bool(last.units) and piece.received_at - last.received_at <= GAP
    return piece.received_at - first.received_at <= REFERENCE_LASTS and piece.number not in {one.number for one in group}


def is_ready(group: Sequence[Piece], now: datetime) -> bool:
    """Whether a message is whole, or has been waited for long enough."""
    last = group[-1]
    if not last.total:
        return not last.units or now - last.received_at > GAP
    return len(group) == last.total or now - max(one.received_at for one in group) >= PATIENCE


def joined(parts: Sequence[tuple[Piece, Inbound]]) -> Inbound:
    """One message of the pieces of a group: known by its first piece, with a mark where pieces are missing."""
    texts: list[str] = []
    expected = 1
    for piece, inbound in parts:
        if piece.number > expected:
            texts.append(MISSING)
        texts.append(inbound.text)
        expected = piece.number + 1
    first, last = parts[0][1], parts[-1][0]
    if last.number < last.total:
        texts.append(MISSING)
    return replace(first, text="".join(texts), part=None, received_at=min(one.received_at for _, one in parts))
