"""Units of work about pieces of long messages: keep one, see what is ready, mark what was joined.

A piece is durable before its provider is answered; what is joined stays as an empty row for some days, so that a late
repeat is recognised. Which pieces belong together is joining.py's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from intake.joining import Piece, groups, is_full, is_ready, joined
from intake.model import Inbound
from intake.ports import Work
from intake.receive import inbound_of, raw_of
from intake.records import JournalEntry
from intake.text import ucs2_units

KEPT_FOR = timedelta(days=7)
TURN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Joined:
    """A message put together of pieces, which `mark_joined` is told of in the unit of work that hears it."""

    inbound: Inbound
    pieces: tuple[int, ...]


def keep_piece(work: Work, inbound: Inbound, sender: str) -> list[Joined] | None:
    """Store a piece once; gives what its sender's pieces make now, oldest first. None when it is no piece after all: a
    short text that nothing came before."""
    # One after the other for each sender, so that of two last pieces at once the second sees the first.
    work.count_try(f"piece:{sender}", window=TURN)
    part = inbound.part
    if part is None:
        return None
    if work.find(Piece, channel=inbound.channel, provider_id=inbound.provider_id, limit=1):
        return []
    waiting = work.find(Piece, sender=sender, joined_at=None)
    full = part.total > 0 or is_full(inbound.text)
    if not full and not any(not piece.total for piece in waiting):
        return None
    # The moment of arrival counts, not the provider's: gaps are ours to measure.
    piece = Piece(work.new_id(), inbound.channel, inbound.provider_id, sender, work.now, _packed(inbound),
                  ucs2_units(inbound.text) if full else 0, part.ref, part.number, part.total)  # fmt: skip
    work.add(piece)
    return _ready(work, [*waiting, piece])


def ready_pieces(work: Work) -> list[Joined]:
    """Messages of all senders that are whole or waited for long enough."""
    return _ready(work, work.find(Piece, joined_at=None))


def mark_joined(work: Work, numbers: Sequence[int]) -> None:
    """Empty the pieces of a message that is in the journal now."""
    for number in numbers:
        piece = work.get(Piece, number, lock=True)
        if piece is not None and piece.joined_at is None:
            work.change(piece, replace(piece, raw="", joined_at=work.now))


def forget_pieces(work: Work) -> int:
    """Drop what was joined long ago; returns how many."""
    old = [piece for piece in work.find(Piece, order="piece_id", limit=1000)
           if piece.joined_at is not None and work.now - piece.joined_at > KEPT_FOR]  # fmt: skip
    return sum(work.remove(Piece, piece_id=piece.piece_id) for piece in old)


def _ready(work: Work, pieces: Sequence[Piece]) -> list[Joined]:
    whole = [group for group in groups(pieces) if is_ready(group, work.now)]
    return [Joined(joined([(piece, unpacked(piece)) for piece in group]), tuple(piece.piece_id for piece in group))
            for group in whole]  # fmt: skip


def _packed(inbound: Inbound) -> str:
    # All ASCII, because a piece may be cut through a character, and half a one cannot be written otherwise.
    return json.dumps(raw_of(inbound))


def unpacked(piece: Piece) -> Inbound:
    """A piece that waits, read back."""
    return inbound_of(JournalEntry(0, "", "", piece.received_at, json.loads(piece.raw)))
