"""Every table: the records of model.py and records.py, and the store's own (blocks, counters, feed, search, tries).

Indexes stand beside what they serve. History is append-only by triggers (triggers.py). The migrations in migrations/
must lead to exactly this; tests/contract/ compares the two on both databases.
"""

from typing import Any, cast

import sqlalchemy as sa

from intake import records as r
from intake.dialogue_record import Conversation
from intake.model import Case
from intake.store.mapping import RecordTable, to_micros
from intake.store.tables_channel import channel_tables
from intake.store.tables_desk import desk_tables
from intake.store.tables_link import link_tables
from intake.store.tables_orders import order_tables
from intake.store.tables_phone import phone_tables
from intake.store.tables_text import text_tables
from intake.vault import Vault
from intake.workflow import ENDED

METADATA = sa.MetaData(naming_convention={
    "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s",
})  # fmt: skip
CASE = {"case_no": "cases.case_no"}


def _sort_at(case: Case, _: Vault) -> int:
    """Ordering inside one urgency: what falls due first, be it ours or from above, then what waits longest."""
    dues = [moment for moment in (case.due_at, case.upstream_due_at) if moment is not None]
    return cast("int", to_micros(min(dues, default=case.received_at)))


cases = RecordTable(
    Case, "cases", METADATA, key=["case_no"],
    derived={
        "live": (sa.Boolean(), lambda case, _: case.state not in ENDED),
        "rank": (sa.SmallInteger(), lambda case, _: case.urgency.rank),
        "sort_at": (sa.BigInteger(), _sort_at),
    },
    extra=[
        sa.Index(None, "live", "rank", "sort_at", "case_no"),
        sa.Index(None, "state", "rank", "sort_at", "case_no"),
        sa.Index(None, "unit", "live", "rank", "sort_at", "case_no"),
        sa.Index(None, "operator_id", "live", "rank", "sort_at", "case_no"),
        sa.Index(None, "due_at"),
        sa.Index(None, "main_case_no"),
        sa.Index(None, "upstream_no"),
        sa.Index(None, "grid_code", "received_at"),
        sa.Index(None, "grid_code", "kind", "subclass_code", "received_at"),
        # Holds only what waits for next year's holidays, so it costs nothing the rest of the year.
        sa.Index("ix_cases_provisional", "case_no", sqlite_where=sa.text("due_provisional"),
                 postgresql_where=sa.text("due_provisional")),
    ],
)  # fmt: skip
contacts = RecordTable(
    r.Contact, "contacts", METADATA, key=["contact_id"],
    sealed={"sealed": ("address", "name", "phone")},
    derived={
        "phone_hash": (sa.Text(), lambda contact, vault: vault.lookup_hash(contact.phone, "phone")),
        "address_hash": (sa.Text(), lambda contact, vault: vault.lookup_hash(contact.address, "address")),
        "tail_hash": (sa.Text(), lambda contact, vault: vault.lookup_hash(contact.phone[-4:], "phone tail")),
    },
    added={"tail_hash"},
    extra=[sa.Index(None, "phone_hash"), sa.Index(None, "channel", "address_hash"), sa.Index(None, "tail_hash")],
)  # fmt: skip
TABLES: dict[type, RecordTable[Any]] = {
    table.record: table
    for table in cast("tuple[RecordTable[Any], ...]", (
        cases,
        contacts,
        RecordTable(r.JournalEntry, "journal", METADATA, key=["entry_id"], sealed={"raw": ("raw",), "answer": ("answer",)},
                    extra=[sa.UniqueConstraint("channel", "provider_id"), sa.Index(None, "state", "entry_id")]),
        RecordTable(r.Reporter, "reporters", METADATA, key=["reporter_id"], references=CASE,
                    extra=[sa.Index(None, "case_no"), sa.Index(None, "contact_id")]),
        # What people did, for their own figures; the many lines of citizens and of the system stay out of the index.
        RecordTable(r.HistoryEntry, "history", METADATA, key=["case_no", "seq"], references=CASE,
                    extra=[sa.Index("ix_history_actor", "actor_id", "at", sqlite_where=sa.text("actor_id > 0"),
                                    postgresql_where=sa.text("actor_id > 0"))]),
        RecordTable(r.Remark, "remarks", METADATA, key=["remark_id"], references=CASE, extra=[sa.Index(None, "case_no")]),
        RecordTable(r.Request, "requests", METADATA, key=["request_id"], references=CASE,
                    extra=[sa.Index(None, "case_no"), sa.Index(None, "state", "kind", "request_id")]),
        RecordTable(r.Debt, "debts", METADATA, key=["debt_id"], references=CASE,
                    extra=[sa.UniqueConstraint("case_no", "reporter_id", "kind", "round"),
                           sa.Index(None, "end", "due_at", "debt_id")]),
        RecordTable(r.Reply, "replies", METADATA, key=["reply_id"], references=CASE,
                    extra=[sa.UniqueConstraint("debt_id"), sa.Index(None, "case_no")]),
        RecordTable(Conversation, "conversations", METADATA, key=["thread"], extra=[sa.Index(None, "contact_id")]),
        # No reference to a case: an automatic answer to a greeting belongs to none (case_no 0).
        RecordTable(r.OutboxRow, "outbox", METADATA, key=["outbox_id"], sealed={"words": ("words",)},
                    extra=[sa.Index(None, "state", "next_at", "outbox_id"), sa.Index(None, "case_no"),
                           sa.Index(None, "contact_id", "outbox_id"), sa.Index(None, "channel", "provider_id")]),
        RecordTable(r.DeliveryRow, "deliveries", METADATA, key=["report_id"],
                    extra=[sa.Index(None, "outbox_id"), sa.Index(None, "channel", "provider_id")]),
        RecordTable(r.Task, "tasks", METADATA, key=["task_id"], references=CASE,
                    extra=[sa.Index(None, "case_no"), sa.Index(None, "state", "kind", "task_id")]),
        RecordTable(r.Timer, "timers", METADATA, key=["timer_id"], references=CASE,
                    extra=[sa.Index(None, "case_no"), sa.Index(None, "fired_at", "due_at")]),
        RecordTable(r.Attachment, "attachments", METADATA, key=["token"], references=CASE,
                    extra=[sa.Index(None, "case_no")]),
        RecordTable(r.User, "users", METADATA, key=["user_id"], extra=[sa.UniqueConstraint("name")]),
        RecordTable(r.Session, "sessions", METADATA, key=["session_hash"], extra=[sa.Index(None, "expires_at")]),
        RecordTable(r.Token, "tokens", METADATA, key=["token_id"],
                    extra=[sa.UniqueConstraint("token_hash"), sa.Index(None, "user_id")]),
        RecordTable(r.View, "views", METADATA, key=["view_id"], references=CASE, extra=[sa.Index(None, "case_no")]),
        *desk_tables(METADATA),
        *text_tables(METADATA),
        *channel_tables(METADATA),
        *phone_tables(METADATA),
        *order_tables(METADATA),
        *link_tables(METADATA),
    ))
}  # fmt: skip

feed = sa.Table(
    "feed", METADATA,
    sa.Column("feed_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("case_no", sa.BigInteger(), nullable=False),
    sa.Column("at", sa.BigInteger(), nullable=False),
    sa.Column("step", sa.Text(), nullable=False),
    sa.Column("state", sa.Text(), nullable=False),
    sa.Column("version", sa.BigInteger(), nullable=False),
    sa.Column("unit", sa.Text(), nullable=False),
    sa.Column("urgency", sa.Text(), nullable=False),
    sa.Column("co_unit", sa.Text(), nullable=False),
    sqlite_autoincrement=True,
)  # fmt: skip
blocks = sa.Table(
    "blocks", METADATA,
    sa.Column("name", sa.Text(), primary_key=True), sa.Column("next", sa.BigInteger(), nullable=False),
)  # fmt: skip
counters = sa.Table(
    "counters", METADATA,
    sa.Column("name", sa.Text(), primary_key=True), sa.Column("n", sa.BigInteger(), nullable=False),
)  # fmt: skip
tries = sa.Table(
    "tries", METADATA,
    sa.Column("name", sa.Text(), primary_key=True), sa.Column("window_at", sa.BigInteger(), primary_key=True),
    sa.Column("n", sa.BigInteger(), nullable=False),
)  # fmt: skip
