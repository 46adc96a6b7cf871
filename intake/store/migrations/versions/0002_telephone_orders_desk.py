"""Calls and call-backs of the telephone, orders from above, and what the desk keeps for its people."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_summaries",
        sa.Column("summary_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("caller_key", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("summary_id", name=op.f("pk_call_summaries")),
        sa.UniqueConstraint("draft_id", name=op.f("uq_call_summaries_draft_id")),
    )
    op.create_index(op.f("ix_call_summaries_caller_key_at"), "call_summaries", ["caller_key", "at"], unique=False)
    op.create_index(op.f("ix_call_summaries_user_id_at"), "call_summaries", ["user_id", "at"], unique=False)
    op.create_table(
        "callbacks",
        sa.Column("callback_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owed_at", sa.BigInteger(), nullable=False),
        sa.Column("place_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("dialled_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_hash", sa.Text(), nullable=False),
        sa.Column("open_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("open_key", name=op.f("uq_callbacks_open_key")),
    )
    op.create_index(op.f("ix_callbacks_number_hash"), "callbacks", ["number_hash"], unique=False)
    op.create_index(
        op.f("ix_callbacks_state_place_at_callback_id"), "callbacks", ["state", "place_at", "callback_id"], unique=False
    )
    op.create_table(
        "calls",
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("caller_kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("end", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("summed_by", sa.BigInteger(), nullable=False),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.Column("debt_id", sa.BigInteger(), nullable=False),
        sa.Column("callback_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("rating", sa.BigInteger(), nullable=False),
        sa.Column("emergency_at", sa.BigInteger(), nullable=True),
        sa.Column("emergency_to", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_position", sa.LargeBinary(), nullable=False),
        sa.Column("number_hash", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_calls")),
        sa.UniqueConstraint("server", "leg_id", name=op.f("uq_calls_server_leg_id")),
    )
    op.create_index(op.f("ix_calls_case_no"), "calls", ["case_no"], unique=False)
    op.create_index(
        "ix_calls_live",
        "calls",
        ["call_id"],
        unique=False,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.create_index(op.f("ix_calls_number_hash_call_id"), "calls", ["number_hash", "call_id"], unique=False)
    op.create_index(op.f("ix_calls_ref"), "calls", ["ref"], unique=False)
    op.create_index(
        "ix_calls_unended",
        "calls",
        ["call_id"],
        unique=False,
        sqlite_where=sa.text("\"end\" = ''"),
        postgresql_where=sa.text("\"end\" = ''"),
    )
    op.create_index(
        "ix_calls_unsummed",
        "calls",
        ["operator_id", "call_id"],
        unique=False,
        sqlite_where=sa.text("summary = ''"),
        postgresql_where=sa.text("summary = ''"),
    )
    op.create_table(
        "case_links",
        sa.Column("link_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.Column("other_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_case_links")),
        sa.UniqueConstraint("case_no", "other_no", "kind", name=op.f("uq_case_links_case_no_other_no_kind")),
    )
    op.create_index(op.f("ix_case_links_other_no"), "case_links", ["other_no"], unique=False)
    op.create_table(
        "channel_memory",
        sa.Column("memory_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("memory_id", name=op.f("pk_channel_memory")),
        sa.UniqueConstraint("name", name=op.f("uq_channel_memory_name")),
    )
    op.create_table(
        "drafts",
        sa.Column("draft_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_drafts")),
    )
    op.create_index(op.f("ix_drafts_call_id"), "drafts", ["call_id"], unique=False)
    op.create_index(op.f("ix_drafts_user_id_ended_at"), "drafts", ["user_id", "ended_at"], unique=False)
    op.create_table(
        "line_spells",
        sa.Column("spell_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("spell_id", name=op.f("pk_line_spells")),
    )
    op.create_index(op.f("ix_line_spells_user_id_from_at"), "line_spells", ["user_id", "from_at"], unique=False)
    op.create_table(
        "marks",
        sa.Column("mark_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("lifted_by", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mark_id", name=op.f("pk_marks")),
    )
    op.create_index(op.f("ix_marks_number_hash"), "marks", ["number_hash"], unique=False)
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_until_at"), "notices", ["until_at"], unique=False)
    op.create_table(
        "operator_lines",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_operator_lines")),
    )
    op.create_index(op.f("ix_operator_lines_call_id"), "operator_lines", ["call_id"], unique=False)
    op.create_index(op.f("ix_operator_lines_extension"), "operator_lines", ["extension"], unique=False)
    op.create_table(
        "order_sheets",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_order_sheets")),
    )
    op.create_table(
        "pieces",
        sa.Column("piece_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("piece_id", name=op.f("pk_pieces")),
        sa.UniqueConstraint("channel", "provider_id", name=op.f("uq_pieces_channel_provider_id")),
    )
    op.create_index(op.f("ix_pieces_joined_at"), "pieces", ["joined_at"], unique=False)
    op.create_index(op.f("ix_pieces_sender_joined_at"), "pieces", ["sender", "joined_at"], unique=False)
    op.create_table(
        "playbacks",
        sa.Column("playback_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recording_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("playback_id", name=op.f("pk_playbacks")),
    )
    op.create_index(op.f("ix_playbacks_recording_id"), "playbacks", ["recording_id"], unique=False)
    op.create_table(
        "presences",
        sa.Column("gateway", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("watching", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_presences")),
    )
    op.create_table(
        "recordings",
        sa.Column("recording_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("confidence_pct", sa.BigInteger(), nullable=False),
        sa.Column("transcribed_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("call_id", "name", name=op.f("uq_recordings_call_id_name")),
        sa.UniqueConstraint("token", name=op.f("uq_recordings_token")),
    )
    op.create_index(op.f("ix_recordings_case_no"), "recordings", ["case_no"], unique=False)
    op.create_index(
        op.f("ix_recordings_stored_at_recording_id"), "recordings", ["stored_at", "recording_id"], unique=False
    )
    op.create_index(
        op.f("ix_recordings_transcribed_at_recording_id"),
        "recordings",
        ["transcribed_at", "recording_id"],
        unique=False,
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_seen_at"), "runs", ["seen_at"], unique=False)
    op.create_table(
        "saved_views",
        sa.Column("saved_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("saved_id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_saved_views_user_id_name")),
    )
    op.create_table(
        "told",
        sa.Column("told_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("told_id", name=op.f("pk_told")),
    )
    op.create_index(op.f("ix_told_call_id"), "told", ["call_id"], unique=False)
    op.create_index(op.f("ix_told_case_no"), "told", ["case_no"], unique=False)
    op.create_table(
        "orders",
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("case_no", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("sign_due_at", sa.BigInteger(), nullable=True),
        sa.Column("contact_due_at", sa.BigInteger(), nullable=True),
        sa.Column("finish_due_at", sa.BigInteger(), nullable=True),
        sa.Column("signed_at", sa.BigInteger(), nullable=True),
        sa.Column("contacted_at", sa.BigInteger(), nullable=True),
        sa.Column("contact_result", sa.Text(), nullable=False),
        sa.Column("extension_at", sa.BigInteger(), nullable=True),
        sa.Column("returned_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("satisfaction", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_orders_case_no")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
        sa.UniqueConstraint("source", "number", name=op.f("uq_orders_source_number")),
    )
    op.create_index(op.f("ix_orders_case_no"), "orders", ["case_no"], unique=False)
    op.create_table(
        "order_news",
        sa.Column("news_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_order_news_order_id")),
        sa.PrimaryKeyConstraint("news_id", name=op.f("pk_order_news")),
    )
    op.create_index(op.f("ix_order_news_order_id"), "order_news", ["order_id"], unique=False)
    op.create_index(op.f("ix_order_news_source_news_id"), "order_news", ["source", "news_id"], unique=False)
    op.create_index(
        op.f("ix_order_news_state_next_at_news_id"), "order_news", ["state", "next_at", "news_id"], unique=False
    )
    op.add_column("cases", sa.Column("upstream_due_at", sa.BigInteger(), nullable=True))
    op.add_column("cases", sa.Column("upstream_source", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("cases", sa.Column("upstream_state", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("cases", sa.Column("upstream_sign_due_at", sa.BigInteger(), nullable=True))
    op.add_column("cases", sa.Column("upstream_contact_due_at", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_cases_grid_code_received_at"), "cases", ["grid_code", "received_at"], unique=False)
    op.create_index(
        "ix_cases_provisional",
        "cases",
        ["case_no"],
        unique=False,
        sqlite_where=sa.text("due_provisional"),
        postgresql_where=sa.text("due_provisional"),
    )
    op.add_column("contacts", sa.Column("tail_hash", sa.Text(), nullable=True))
    op.create_index(op.f("ix_contacts_tail_hash"), "contacts", ["tail_hash"], unique=False)
    op.create_index(
        "ix_history_actor",
        "history",
        ["actor_id", "at"],
        unique=False,
        sqlite_where=sa.text("actor_id > 0"),
        postgresql_where=sa.text("actor_id > 0"),
    )
    op.create_index(op.f("ix_outbox_contact_id_outbox_id"), "outbox", ["contact_id", "outbox_id"], unique=False)
    op.add_column("reporters", sa.Column("reply_by", sa.Text(), server_default=sa.text("''"), nullable=False))
