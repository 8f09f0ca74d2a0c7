"""sweeps: indexes for what looks over many rows, so that it stays quick when there are a million."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.create_index("ix_files_tenant_sha256", "files", ["tenant", "sha256"])
    op.create_index("ix_files_expires_at", "files", ["expires_at"])
    op.create_index("ix_predictions_tenant_completed_at", "predictions", ["tenant", "completed_at"])
    op.create_index("ix_predictions_completed_at", "predictions", ["completed_at"])
    unfinished = sa.text("status IN ('pending', 'enqueued', 'running', 'paused')")
    op.create_index("ix_predictions_unfinished", "predictions", ["tenant", "digest"], postgresql_where=unfinished)
    # cancelling a prediction looks for its job
    op.execute("CREATE INDEX ix_procrastinate_jobs_prediction ON procrastinate_jobs ((args->>'tenant'), (args->>'prediction'))")
