"""What the desk and the channels keep beside cases and has grown old: what a retention run has to look at."""

from datetime import datetime

import sqlalchemy as sa

from intake.desk_record import CallSummary, Draft
from intake.joining import Piece
from intake.order import SheetHeld
from intake.store.mapping import to_micros
from intake.store.tables import TABLES

DRAFTS, SUMMARIES = TABLES[Draft].table.c, TABLES[CallSummary].table.c
SHEETS, PIECES = TABLES[SheetHeld].table.c, TABLES[Piece].table.c
HOLDS: dict[str, tuple[sa.Column[int], sa.Column[int], sa.ColumnElement[bool]]] = {
    "drafts": (DRAFTS.draft_id, DRAFTS.updated_at, sa.func.length(DRAFTS.sealed) > 0),
    "summaries": (SUMMARIES.summary_id, SUMMARIES.at,
                  sa.or_(sa.func.length(SUMMARIES.sealed) > 0, SUMMARIES.caller_key != "")),
    "sheets": (SHEETS.user_id, SHEETS.at, sa.true()),
    "pieces": (PIECES.piece_id, PIECES.received_at, sa.true()),
}  # fmt: skip
"""Kind to its key, the moment from which it ages, and whether a row still holds something personal."""


def aged_desk(connection: sa.Connection, *, kind: str, before: datetime, after: int, limit: int) -> list[int]:
    """Keys beyond `after`, in order, of rows of a kind that are older than a time and hold something."""
    key, moment, holds = HOLDS[kind]
    statement = sa.select(key).where(key > after, moment < to_micros(before), holds).order_by(key).limit(limit)
    return list(connection.execute(statement).scalars())
