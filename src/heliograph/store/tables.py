"""The tables, as SQLAlchemy Core. Every row but the server's own belongs to a tenant; every query names it.

JSON that a caller sent or will get is text, never JSONB: key order is part of the answer.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)  # fmt: skip

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _now(name: str = "created_at") -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


def _tenant() -> Column[str]:
    return Column("tenant", String, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False)


server = Table("server", metadata, Column("name", String, primary_key=True), Column("value", Text, nullable=False))
"""The server's own facts: the URL signing secret, the schema's age."""

tenants = Table(
    "tenants", metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("webhook_secret", String, nullable=False),
    _now(),
)  # fmt: skip

keys = Table(
    "keys", metadata,
    Column("id", String, primary_key=True),
    _tenant(),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),  # sha256 hex of the key: 256 random bits need no slow hash
    Column("prefix", String, nullable=False),
    _now(),
    Column("last_used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("minute", BigInteger, nullable=False, server_default="0"),  # since 1970; the window of the rate limit
    Column("used", Integer, nullable=False, server_default="0"),  # requests counted in it, by all replicas
)  # fmt: skip

files = Table(
    "files", metadata,
    Column("id", String, primary_key=True),
    _tenant(),
    Column("filename", String, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("md5", String),  # null until the upload is verified
    Column("sha256", String),
    Column("purpose", String, nullable=False),
    Column("media_type", String),
    Column("blob", String, nullable=False),
    Column("state", String, nullable=False, server_default="ready"),  # uploading | ready
    Column("public", Boolean, nullable=False, server_default="false"),
    _now(),
    Column("expires_at", DateTime(timezone=True)),
    Index(None, "tenant", "md5"),
    Index(None, "tenant", "created_at"),
    Index(None, "tenant", "sha256"),
    Index(None, "expires_at"),
    Index(None, "blob"),
)  # fmt: skip

predictions = Table(
    "predictions", metadata,
    Column("tenant", String, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # document | image; the route's first word; or execution | completion
    Column("operation", String, nullable=False),  # generate | execute | schema | chat
    Column("status", String, nullable=False, server_default="pending"),
    Column("domain", String),
    Column("model", String, nullable=False),
    Column("request", Text, nullable=False),  # the parsed body, as JSON text; media replaced by references
    Column("digest", String, nullable=False),  # sha256 of the canonical body: same id or key, same body?
    Column("key_id", String),  # the API key that asked
    Column("response", Text),
    Column("usage", Text),
    Column("error", Text),  # {"type", "message", "pages_read"}
    Column("metadata", Text),
    Column("callback_url", Text),
    Column("tier", String, nullable=False, server_default="standard"),
    Column("retain", Boolean, nullable=False, server_default="true"),
    Column("log", Boolean, nullable=False, server_default="true"),
    Column("job_id", BigInteger),  # procrastinate's
    Column("run", String),  # fencing token of the attempt that may finish this row
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("cancelled", Boolean, nullable=False, server_default="false"),
    Column("credits", Integer, nullable=False, server_default="0"),
    Column("session", String),  # of a completion: the chat that it is a turn of
    Column("agent", String),  # of an execution: the agent's name and version
    Column("listened_at", DateTime(timezone=True)),  # of a completion: when somebody last waited for its answer
    Column[float]("progress", REAL),  # of a Request: 0 to 1, and never less than it was; null until it begins
    Column("step", Text),  # of a Request that runs: what is being done
    _now(),
    Column("started_at", DateTime(timezone=True)),
    Column("completed_at", DateTime(timezone=True)),
    Column("delivered_at", DateTime(timezone=True)),
    Index(None, "tenant", "created_at"),
    Index("ix_predictions_tenant_kind_created_at", "tenant", "kind", "created_at"),
    Index("ix_predictions_session", "tenant", "session", postgresql_where=text("session IS NOT NULL")),
    Index(None, "tenant", "status"),
    Index(None, "status", "created_at"),
    Index(None, "completed_at"),
    Index("ix_predictions_unfinished", "tenant", "digest", postgresql_where=text("status IN ('pending', 'enqueued', 'running', 'paused')")),
)  # fmt: skip

inputs = Table(
    "inputs", metadata,
    Column("tenant", String, primary_key=True),
    Column("prediction", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("source", String, nullable=False),  # file | data | url
    Column("file_id", String),
    Column("url", Text),
    Column("blob", String),  # for data URIs: stored at submit; for URLs: once fetched
    Column("bytes", BigInteger),
    Column("sha256", String),
    Index(None, "tenant", "file_id"),
    Index(None, "blob"),
)  # fmt: skip
"""What a prediction reads, in order. A URL is fetched by the worker, once; its bytes then stand under `blob`."""

steps = Table(
    "steps", metadata,
    Column("tenant", String, primary_key=True),
    Column("prediction", String, primary_key=True),
    Column("key", String, primary_key=True),  # such as "fetch:0" or "page:0:17"
    Column("output", Text),  # JSON, or null
    Column("blob", String),  # larger output
    _now(),
)  # fmt: skip
"""The journal: a step's output stands here before the next begins, and a rerun reads it."""

credits = Table(
    "credits", metadata,
    Column("tenant", String, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("month", Date, primary_key=True),  # its first day, UTC
    Column("used", BigInteger, nullable=False),
)  # fmt: skip
"""What a tenant used, month by month; predictions may go, their credits stay used."""

idempotency = Table(
    "idempotency", metadata,
    Column("tenant", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("prediction", String, nullable=False),
    _now(),
)  # fmt: skip

deliveries = Table(
    "deliveries", metadata,
    Column("id", String, primary_key=True),
    _tenant(),
    Column("prediction", String, nullable=False),
    Column("webhook_id", String, nullable=False),  # stable over all attempts
    Column("attempt", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("status_code", Integer),
    Column("error", Text),
    _now("started_at"),
    Column("finished_at", DateTime(timezone=True)),
    UniqueConstraint("tenant", "prediction", "attempt"),
)  # fmt: skip

feedback = Table(
    "feedback", metadata,
    Column("id", String, primary_key=True),
    _tenant(),
    Column("request_id", String),  # of these three, one says what it is about
    Column("agent_execution_id", String),
    Column("chat_id", String),
    Column("response", Text),  # the corrected response, as JSON text
    Column("notes", Text),
    _now(),
    ForeignKeyConstraint(
        ["tenant", "request_id"], ["predictions.tenant", "predictions.id"], ondelete="CASCADE", name="fk_feedback_request"
    ),
    CheckConstraint("num_nonnulls(request_id, agent_execution_id, chat_id) = 1", name="ck_feedback_about_one"),
    Index(None, "tenant", "request_id", "created_at"),
)  # fmt: skip
"""What people said of answers; it goes with what it is about."""

skills = Table(
    "skills", metadata,
    Column("id", String, primary_key=True),
    _tenant(),
    Column("name", String, nullable=False),
    Column("description", Text),
    Column("version", String, nullable=False),  # YYYYMMDD-<8 hex of the hash>; the day is that of `created_at`, UTC
    Column("number", Integer, nullable=False),  # from 1, in the order in which contents first came
    Column("hash", String, nullable=False),  # sha256 of the content, hex
    Column("blob", String, nullable=False),
    Column("bytes", BigInteger, nullable=False),  # unpacked
    Column("files", Integer, nullable=False),
    Column("is_public", Boolean, nullable=False, server_default="false"),
    Column("warnings", Text, nullable=False, server_default="[]"),  # JSON
    _now(),
    _now("updated_at"),  # last published: the newest of a name is `latest`
    Column("deleted_at", DateTime(timezone=True)),
    UniqueConstraint("tenant", "name", "hash"),
    UniqueConstraint("tenant", "name", "number"),
    Index(None, "tenant", "created_at"),
    Index(None, "tenant", "updated_at"),
    Index(None, "tenant", "name", "updated_at"),
    Index("ix_skills_public_name", "name", "tenant", postgresql_where=text("is_public AND deleted_at IS NULL")),
    Index("ix_skills_public_created_at", "created_at", postgresql_where=text("is_public AND deleted_at IS NULL")),
    Index("ix_skills_public_updated_at", "updated_at", postgresql_where=text("is_public AND deleted_at IS NULL")),
    Index(None, "blob"),
)  # fmt: skip
"""Skills, one row a version. What is deleted keeps its row, so that predictions can say what they used."""

skill_uses = Table(
    "skill_uses", metadata,
    Column("tenant", String, primary_key=True),
    Column("prediction", String, primary_key=True),
    Column("skill", String, ForeignKey("skills.id", ondelete="CASCADE"), primary_key=True),
    ForeignKeyConstraint(
        ["tenant", "prediction"], ["predictions.tenant", "predictions.id"], ondelete="CASCADE", name="fk_skill_uses_prediction"
    ),
    Index(None, "skill"),
)  # fmt: skip
"""Which versions a prediction uses; `tenant` is the prediction's."""

sessions = Table(
    "sessions", metadata,
    Column("id", String, primary_key=True),  # a client may choose it; whose it is, is the tenant's that came first
    _tenant(),
    Column("guest", String),  # digest of the browser that it belongs to; null with a key
    Column("title", String),
    Column("ui", Boolean, nullable=False, server_default="false"),  # begun in the chat UI
    Column("share", String, unique=True),  # the token of its public link
    Column("writer", String),  # the completion that is adding a turn
    Column("writer_until", DateTime(timezone=True)),
    _now(),
    _now("updated_at"),
    Index(None, "tenant", "updated_at"),
)  # fmt: skip
"""Chats: a session is a thread of turns and the namespace of the artifacts made in it."""

turns = Table(
    "turns", metadata,
    Column("session", String, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),  # from 0
    Column("completion", String, nullable=False),  # the id of the completion that added it
    Column("message", Text, nullable=False),  # JSON of `agents.task.Message`; media by reference
    _now(),
)  # fmt: skip
"""The history of a session."""

events = Table(
    "events", metadata,
    Column("tenant", String, primary_key=True),
    Column("prediction", String, primary_key=True),
    Column("seq", Integer, primary_key=True),  # from 1, without gaps
    Column("key", String, nullable=False),  # what the run calls it: the same key is the same event
    Column("data", Text, nullable=False),  # JSON of `agents.events.Event`
    _now(),
    UniqueConstraint("tenant", "prediction", "key"),
)  # fmt: skip
"""What happened in a run, as listeners hear it; appended to, never changed."""

artifacts = Table(
    "artifacts", metadata,
    Column("tenant", String, primary_key=True),
    Column("namespace", String, primary_key=True),  # a session's or an execution's id
    Column("ref", String, primary_key=True),
    Column("prediction", String, nullable=False),  # the run that brought or made it
    Column("seed", String, nullable=False),  # what made it, the same when that is done again: a step and a place in it, or a content
    Column("filename", String),
    Column("source", String, nullable=False),  # store | manifest | workspace
    Column("media_type", String, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("blob", String, nullable=False),
    Column("facts", Text, nullable=False, server_default="{}"),  # JSON
    _now(),
    ForeignKeyConstraint(["tenant"], ["tenants.id"], ondelete="CASCADE", name="fk_artifacts_tenant"),
    UniqueConstraint("tenant", "namespace", "seed"),
    Index(None, "tenant", "namespace", "filename"),
    Index(None, "tenant", "prediction"),
    Index(None, "blob"),
)  # fmt: skip
"""What runs read and made, by reference."""

agents = Table(
    "agents", metadata,
    Column("id", String, primary_key=True),
    _tenant(),
    Column("name", String, nullable=False),
    Column("version", Integer, nullable=False),  # from 1
    Column("description", Text, nullable=False, server_default=""),
    Column("prompt", Text, nullable=False),
    Column("digest", String, nullable=False),  # sha256 of prompt and configuration: what makes two agents the same
    Column("json_schema", Text),
    Column("json_sample", Text),
    Column("config", Text, nullable=False, server_default="{}"),  # JSON: skills, service_tier, orchestration_mode, toolsets, inputs
    _now(),
    _now("updated_at"),
    UniqueConstraint("tenant", "name", "version"),
    Index(None, "tenant", "digest"),
    Index(None, "tenant", "created_at"),
)  # fmt: skip
"""Stored agents, one row a version."""

completions = Table(
    "completions", metadata,
    Column("tenant", String, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String, primary_key=True),
    Column("session", String),
    Column("key_id", String),
    Column("model", String, nullable=False),  # as it was asked for
    Column("answered_by", String, nullable=False),  # the route that answered
    Column("status", String, nullable=False),  # running (only where the client chose the id) | completed | failed | cancelled
    Column("finish_reason", String),
    Column("stream", Boolean, nullable=False),
    Column("request", Text, nullable=False),  # JSON: messages without media, and the options
    Column("response", Text),  # the answer's text
    Column("error", Text),  # {"type", "message"}
    Column("usage", Text),  # JSON
    Column("metadata", Text),  # JSON
    Column("user_agent", String),
    Column("milliseconds", Integer, nullable=False),
    Column("digest", String),  # sha256 of the body, where the client chose the id
    _now(),
    Index(None, "tenant", "created_at"),
    Index(None, "tenant", "session"),
)  # fmt: skip
"""The log of programmatic chats; written in batches, off the hot path."""

guests = Table(
    "guests", metadata,
    Column("day", Date, primary_key=True),  # UTC
    Column("id", String, primary_key=True),  # digest of a browser id or an address
    Column("chats", Integer, nullable=False),
)  # fmt: skip
"""How many chats callers without a key have had on a day."""
