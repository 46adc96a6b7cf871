"""Cases that ended long ago and still hold personal data: what a retention run has to look at.

Only the coarse question, answered by the database; retention.py looks at each case again before it erases anything.
"""

from datetime import datetime

import sqlalchemy as sa

from intake.dialogue_record import Conversation
from intake.model import Case
from intake.records import Attachment, Contact, JournalEntry, OutboxRow, Reporter
from intake.store.mapping import to_micros
from intake.store.tables import TABLES

CASES, REPORTERS = TABLES[Case].table.c, TABLES[Reporter].table.c
CONTACTS, JOURNAL = TABLES[Contact].table.c, TABLES[JournalEntry].table.c
ATTACHMENTS, OUTBOX, TALKS = TABLES[Attachment].table.c, TABLES[OutboxRow].table.c, TABLES[Conversation].table.c


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


def aged_strangers(connection: sa.Connection, *, before: datetime, after: int, limit: int) -> list[int]:
    """Contacts beyond `after`, in order, who stand in no case and have not written since a time. Who opted out is kept:
    without his number his wish could not be followed."""
    reporter = sa.exists().where(REPORTERS.contact_id == CONTACTS.contact_id)
    talk = sa.exists().where(TALKS.contact_id == CONTACTS.contact_id, TALKS.updated_at >= to_micros(before))
    statement = (
        sa.select(CONTACTS.contact_id)
        .where(CONTACTS.contact_id > after, CONTACTS.created_at < to_micros(before), sa.func.length(CONTACTS.sealed) > 0)
        .where(CONTACTS.opted_out_at.is_(None), ~reporter, ~talk)
        .order_by(CONTACTS.contact_id)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def aged_answers(connection: sa.Connection, *, before: datetime, after: int, limit: int) -> list[int]:
    """Automatic answers beyond `after` that belong to no case, are not on their way and older than a time."""
    statement = (
        sa.select(OUTBOX.outbox_id)
        .where(OUTBOX.outbox_id > after, OUTBOX.case_no == 0, OUTBOX.created_at < to_micros(before))
        .where(sa.func.length(OUTBOX.words) > 0, OUTBOX.state.not_in(("waiting", "claimed")))
        .order_by(OUTBOX.outbox_id)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


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
