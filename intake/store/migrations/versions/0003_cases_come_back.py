"""Earlier cases of one class at one spot are found by an index."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_cases_grid_code_kind_subclass_code_received_at"),
        "cases",
        ["grid_code", "kind", "subclass_code", "received_at"],
        unique=False,
    )
