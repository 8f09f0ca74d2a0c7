"""credits: what a tenant used in a month, so that deleting a prediction gives none of it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.create_table(
        "credits",
        sa.Column("tenant", sa.String, sa.ForeignKey("tenants.id", ondelete="CASCADE", name="fk_credits_tenant"), nullable=False),
        sa.Column("month", sa.Date, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "month", name="pk_credits"),
    )
    op.execute(
        "INSERT INTO credits (tenant, month, used) SELECT tenant, CAST(date_trunc('month', completed_at AT TIME ZONE 'UTC') AS date), "
        "sum(credits) FROM predictions WHERE credits > 0 AND completed_at IS NOT NULL GROUP BY 1, 2"
    )
    op.drop_index("ix_predictions_tenant_completed_at")  # the sum over predictions was all that asked it
