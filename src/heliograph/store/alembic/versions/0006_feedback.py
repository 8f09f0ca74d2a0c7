"""feedback: what people said of answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, sa.ForeignKey("tenants.id", ondelete="CASCADE", name="fk_feedback_tenant"), nullable=False),
        sa.Column("request_id", sa.String),
        sa.Column("agent_execution_id", sa.String),
        sa.Column("chat_id", sa.String),
        sa.Column("response", sa.Text),
        sa.Column("notes", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(
            ["tenant", "request_id"], ["predictions.tenant", "predictions.id"], ondelete="CASCADE", name="fk_feedback_request"
        ),
        sa.CheckConstraint("num_nonnulls(request_id, agent_execution_id, chat_id) = 1", name="ck_feedback_about_one"),
    )
    op.create_index("ix_feedback_tenant_request_id_created_at", "feedback", ["tenant", "request_id", "created_at"])
