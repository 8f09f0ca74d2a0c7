"""agents: sessions and their turns, events, artifacts, stored agents, the log of completions, guests."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up to this revision."""
    op.add_column("predictions", sa.Column("session", sa.String))
    op.add_column("predictions", sa.Column("agent", sa.String))
    op.add_column("predictions", sa.Column("listened_at", sa.DateTime(timezone=True)))
    op.create_index("ix_predictions_tenant_kind_created_at", "predictions", ["tenant", "kind", "created_at"])
    op.create_index("ix_predictions_session", "predictions", ["tenant", "session"], postgresql_where=sa.text("session IS NOT NULL"))
    # each queue has rounds of its own, and is asked for its head and for a tenant's last
    op.execute("DROP INDEX ix_procrastinate_jobs_waiting")
    op.execute("CREATE INDEX ix_procrastinate_jobs_head ON procrastinate_jobs (queue_name, priority) WHERE status = 'todo'")
    op.execute(
        "CREATE INDEX ix_procrastinate_jobs_waiting ON procrastinate_jobs (queue_name, (args->>'tenant'), priority) WHERE status = 'todo'"
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String, nullable=False),
        _tenant("sessions"),
        sa.Column("guest", sa.String),
        sa.Column("title", sa.String),
        sa.Column("ui", sa.Boolean, server_default="false", nullable=False),
        sa.Column("share", sa.String),
        sa.Column("writer", sa.String),
        sa.Column("writer_until", sa.DateTime(timezone=True)),
        _at("created_at"),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("share", name="uq_sessions_share"),
    )
    op.create_index("ix_sessions_tenant_updated_at", "sessions", ["tenant", "updated_at"])
    op.create_table(
        "turns",
        sa.Column("session", sa.String, sa.ForeignKey("sessions.id", ondelete="CASCADE", name="fk_turns_session"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("completion", sa.String, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        _at("created_at"),
        sa.PrimaryKeyConstraint("session", "position", name="pk_turns"),
    )
    op.create_table(
        "events",
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("prediction", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        _at("created_at"),
        sa.PrimaryKeyConstraint("tenant", "prediction", "seq", name="pk_events"),
        sa.UniqueConstraint("tenant", "prediction", "key", name="uq_events_tenant_prediction_key"),
    )
    op.create_table(
        "artifacts",
        sa.Column("tenant", sa.String, sa.ForeignKey("tenants.id", ondelete="CASCADE", name="fk_artifacts_tenant"), nullable=False),
        sa.Column("namespace", sa.String, nullable=False),
        sa.Column("ref", sa.String, nullable=False),
        sa.Column("prediction", sa.String, nullable=False),
        sa.Column("seed", sa.String, nullable=False),
        sa.Column("filename", sa.String),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("blob", sa.String, nullable=False),
        sa.Column("facts", sa.Text, server_default="{}", nullable=False),
        _at("created_at"),
        sa.PrimaryKeyConstraint("tenant", "namespace", "ref", name="pk_artifacts"),
        sa.UniqueConstraint("tenant", "namespace", "seed", name="uq_artifacts_tenant_namespace_seed"),
    )
    op.create_index("ix_artifacts_tenant_namespace_filename", "artifacts", ["tenant", "namespace", "filename"])
    op.create_index("ix_artifacts_tenant_prediction", "artifacts", ["tenant", "prediction"])
    op.create_index("ix_artifacts_blob", "artifacts", ["blob"])
    op.create_table(
        "agents",
        sa.Column("id", sa.String, nullable=False),
        _tenant("agents"),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("description", sa.Text, server_default="", nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("json_schema", sa.Text),
        sa.Column("json_sample", sa.Text),
        sa.Column("config", sa.Text, server_default="{}", nullable=False),
        _at("created_at"),
        _at("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
        sa.UniqueConstraint("tenant", "name", "version", name="uq_agents_tenant_name_version"),
    )
    op.create_index("ix_agents_tenant_digest", "agents", ["tenant", "digest"])
    op.create_index("ix_agents_tenant_created_at", "agents", ["tenant", "created_at"])
    op.create_table(
        "completions",
        sa.Column("tenant", sa.String, sa.ForeignKey("tenants.id", ondelete="CASCADE", name="fk_completions_tenant"), nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("session", sa.String),
        sa.Column("key_id", sa.String),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("answered_by", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("finish_reason", sa.String),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("response", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("usage", sa.Text),
        sa.Column("metadata", sa.Text),
        sa.Column("user_agent", sa.String),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("digest", sa.String),
        _at("created_at"),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_completions"),
    )
    op.create_index("ix_completions_tenant_created_at", "completions", ["tenant", "created_at"])
    op.create_index("ix_completions_tenant_session", "completions", ["tenant", "session"])
    op.create_table(
        "guests",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("chats", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day", "id", name="pk_guests"),
    )


def _at(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)


def _tenant(table: str) -> sa.Column[str]:
    return sa.Column("tenant", sa.String, sa.ForeignKey("tenants.id", ondelete="CASCADE", name=f"fk_{table}_tenant"), nullable=False)
