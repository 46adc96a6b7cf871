"""Messages whose words are still to be drafted are found by an index of their own, among talks that nobody drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNDRAFTED = "kind = 'message' AND size > 0 AND transcribed_at IS NULL"


def upgrade() -> None:
    op.create_index(
        "ix_recordings_undrafted",
        "recordings",
        ["recording_id"],
        unique=False,
        sqlite_where=sa.text(UNDRAFTED),
        postgresql_where=sa.text(UNDRAFTED),
    )
    op.drop_index(op.f("ix_recordings_transcribed_at_recording_id"), table_name="recordings")
