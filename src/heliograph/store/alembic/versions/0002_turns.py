"""turns: what the queue asks to give each tenant its turn"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.execute("CREATE INDEX ix_procrastinate_jobs_waiting ON procrastinate_jobs ((args->>'tenant'), priority) WHERE status = 'todo'")
