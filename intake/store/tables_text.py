"""Tables of the text channels: pieces of long messages, and when gateways ran. What was said is sealed."""

from typing import Any

import sqlalchemy as sa

from intake.joining import Piece
from intake.liveness import Run
from intake.store.mapping import RecordTable


def text_tables(metadata: sa.MetaData) -> tuple[RecordTable[Any], ...]:
    """Every table of the text channels, on the shared metadata."""
    return (
        RecordTable(Piece, "pieces", metadata, key=["piece_id"], sealed={"sealed": ("raw",)},
                    extra=[sa.UniqueConstraint("channel", "provider_id"), sa.Index(None, "joined_at"),
                           sa.Index(None, "sender", "joined_at")]),
        RecordTable(Run, "runs", metadata, key=["run_id"], extra=[sa.Index(None, "seen_at")]),
    )  # fmt: skip
