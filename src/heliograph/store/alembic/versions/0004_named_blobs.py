"""named blobs: indexes for whoever asks whether a blob or a file is still wanted."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.create_index("ix_files_blob", "files", ["blob"])
    op.create_index("ix_inputs_blob", "inputs", ["blob"])
    op.create_index("ix_inputs_tenant_file_id", "inputs", ["tenant", "file_id"])
