"""progress: how far a prediction is, and at which step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.add_column("predictions", sa.Column("progress", sa.REAL))
    op.add_column("predictions", sa.Column("step", sa.Text))
