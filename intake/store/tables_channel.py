"""What channels keep beside messages (channel_memory.py). Sealed, because an access token is as good as a password."""

from typing import Any

import sqlalchemy as sa

from intake.channel_memory import Kept
from intake.store.mapping import RecordTable


def channel_tables(metadata: sa.MetaData) -> tuple[RecordTable[Any], ...]:
    """The one table of channels, on the shared metadata."""
    return (
        RecordTable(Kept, "channel_memory", metadata, key=["memory_id"], sealed={"sealed": ("value",)},
                    extra=[sa.UniqueConstraint("name")]),
    )  # fmt: skip
