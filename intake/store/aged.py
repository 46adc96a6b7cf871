"""Cases that ended long ago and still hold personal data: what a retention run has to look at.

Only the coarse question, answered by the database; retention.py looks at each case again before it erases anything.
"""

from datetime import datetime

import sqlalchemy as sa

from intake.model import Case
from intake.records import Attachment, Contact, JournalEntry, Reporter
from intake.store.mapping import to_micros
from intake.store.tables import TABLES

CASES, REPORTERS = TABLES[Case].table.c, TABLES[Reporter].table.c
CONTACTS, JOURNAL = TABLES[Contact].table.c, TABLES[JournalEntry].table.c
ATTACHMENTS = TABLES[Attachment].table.c


def _media(family: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        ATTACHMENTS.case_no == CASES.case_no, ATTACHMENTS.size > 0, ATTACHMENTS.mime.like(f"{family}/%")
    )


HOLDS: dict[str, sa.ColumnElement[bool]] = {
    "contacts": sa.exists().where(
        REPORTERS.case_no == CASES.case_no, CONTACTS.contact_id == REPORTERS.contact_id, sa.func.length(CONTACTS.sealed) > 0
    ),
    "messages": sa.exists().where(
        REPORTERS.case_no == CASES.case_no, JOURNAL.entry_id == REPORTERS.entry_id, sa.func.length(JOURNAL.raw) > 0,
        JOURNAL.state == "built", JOURNAL.case_no == CASES.case_no,
    ),
    "photos": _media("image"),
    "recordings": _media("audio"),
}  # fmt: skip
"""Kind of personal data to the condition that a case still holds some."""


def aged_cases(
    connection: sa.Connection, kind: str, *, ended_before: datetime, disputed_before: datetime, after: int, limit: int
) -> list[int]:
    """Numbers beyond `after`, in order, of cases that ended before a time (another one when disputed) and hold `kind`."""
    disputed = sa.or_(CASES.rating == 2, CASES.reopen_count > 0)
    over = sa.or_(
        sa.and_(disputed, CASES.ended_at < to_micros(disputed_before)),
        sa.and_(sa.not_(disputed), CASES.ended_at < to_micros(ended_before)),
    )
    statement = (
        sa.select(CASES.case_no).where(CASES.case_no > after, over, HOLDS[kind]).order_by(CASES.case_no).limit(limit)
    )
    return list(connection.execute(statement).scalars())
