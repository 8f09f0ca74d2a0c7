"""skills: packages by version, and which predictions use them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema up to this revision."""
    now = sa.text("clock_timestamp()")
    op.create_table(
        "skills",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant", sa.String, sa.ForeignKey("tenants.id", ondelete="CASCADE", name="fk_skills_tenant"), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("blob", sa.String, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("is_public", sa.Boolean, server_default="false", nullable=False),
        sa.Column("warnings", sa.Text, server_default="[]", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_skills"),
        sa.UniqueConstraint("tenant", "name", "hash", name="uq_skills_tenant_name_hash"),
        sa.UniqueConstraint("tenant", "name", "number", name="uq_skills_tenant_name_number"),
    )
    op.create_index("ix_skills_tenant_created_at", "skills", ["tenant", "created_at"])
    op.create_index("ix_skills_tenant_updated_at", "skills", ["tenant", "updated_at"])
    op.create_index("ix_skills_tenant_name_updated_at", "skills", ["tenant", "name", "updated_at"])
    shown = sa.text("is_public AND deleted_at IS NULL")
    op.create_index("ix_skills_public_name", "skills", ["name", "tenant"], postgresql_where=shown)
    op.create_index("ix_skills_public_created_at", "skills", ["created_at"], postgresql_where=shown)
    op.create_index("ix_skills_public_updated_at", "skills", ["updated_at"], postgresql_where=shown)
    op.create_index("ix_skills_blob", "skills", ["blob"])
    op.create_table(
        "skill_uses",
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("prediction", sa.String, nullable=False),
        sa.Column("skill", sa.String, sa.ForeignKey("skills.id", ondelete="CASCADE", name="fk_skill_uses_skill"), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "prediction", "skill", name="pk_skill_uses"),
        sa.ForeignKeyConstraint(
            ["tenant", "prediction"], ["predictions.tenant", "predictions.id"], ondelete="CASCADE", name="fk_skill_uses_prediction"
        ),
    )
    op.create_index("ix_skill_uses_skill", "skill_uses", ["skill"])
