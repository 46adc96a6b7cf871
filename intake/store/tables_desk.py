"""Tables of the desk: the records of desk_record.py. What callers said is sealed; the rest holds nothing personal."""

from typing import Any

import sqlalchemy as sa

from intake import desk_record as d
from intake.presence import Presence
from intake.store.mapping import RecordTable


def desk_tables(metadata: sa.MetaData) -> tuple[RecordTable[Any], ...]:
    """Every table of the desk, on the shared metadata."""
    return (
        RecordTable(d.SavedView, "saved_views", metadata, key=["saved_id"],
                    extra=[sa.UniqueConstraint("user_id", "name")]),
        RecordTable(d.Draft, "drafts", metadata, key=["draft_id"], sealed={"sealed": ("caller", "typed")},
                    extra=[sa.Index(None, "user_id", "ended_at"), sa.Index(None, "call_id")]),
        RecordTable(d.CallSummary, "call_summaries", metadata, key=["summary_id"], sealed={"sealed": ("note",)},
                    extra=[sa.Index(None, "user_id", "at"), sa.Index(None, "caller_key", "at"),
                           sa.UniqueConstraint("draft_id")]),
        RecordTable(Presence, "presences", metadata, key=["gateway"]),
        RecordTable(d.Notice, "notices", metadata, key=["notice_id"], extra=[sa.Index(None, "until_at")]),
    )  # fmt: skip
