"""Stored agents: a prompt with its schema and skills under a name, one row a version. The same content under a name is the same version.

Every function takes the tenant and can see nothing of another's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.errors import NotFound
from heliograph.ids import new_id
from heliograph.store.tables import agents

LATEST = "latest"


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an agent. `json_schema`, `json_sample` and `config` are JSON text; `digest`: of all that makes two agents the same."""

    tenant: str
    id: str
    name: str
    version: int
    description: str
    prompt: str
    digest: str
    json_schema: str | None
    json_sample: str | None
    config: str
    created_at: datetime
    updated_at: datetime

    @property
    def title(self) -> str:
        """`<name>:<version>`."""
        return f"{self.name}:{self.version}"


async def publish(
    conn: AsyncConnection,
    tenant: str,
    name: str,
    *,
    description: str,
    prompt: str,
    digest: str,
    json_schema: str | None,
    config: str,
) -> Agent:
    """The version of this content under this name: the one there is, else a new one; the newest from now on."""
    # whoever publishes under this name takes its turn, so that versions have no gaps
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"agent name {tenant} {name}", 0))))
    mine = agents.c.tenant == tenant, agents.c.name == name
    known = update(agents).where(*mine, agents.c.digest == digest).values(updated_at=func.clock_timestamp()).returning(agents)
    row = (await conn.execute(known)).mappings().one_or_none()
    if row is None:
        version = (await conn.scalar(select(func.max(agents.c.version)).where(*mine)) or 0) + 1
        values: dict[str, Any] = {
            "id": new_id(), "tenant": tenant, "name": name, "version": version, "description": description, "prompt": prompt,
            "digest": digest, "json_schema": json_schema, "config": config,
        }  # fmt: skip
        row = (await conn.execute(insert(agents).values(values).returning(agents))).mappings().one()
    return Agent(**row)


async def list_(conn: AsyncConnection, tenant: str, *, skip: int = 0, limit: int = 1000) -> list[Agent]:
    """The tenant's agents, every version, the newest first."""
    query = select(agents).where(agents.c.tenant == tenant).order_by(agents.c.created_at.desc(), agents.c.id).offset(skip).limit(limit)
    return [Agent(**row) for row in (await conn.execute(query)).mappings()]


async def get(conn: AsyncConnection, tenant: str, id: str) -> Agent | None:
    """The version with this id."""
    row = (await conn.execute(select(agents).where(agents.c.tenant == tenant, agents.c.id == id))).mappings().one_or_none()
    return Agent(**row) if row else None


async def named(conn: AsyncConnection, tenant: str, name: str, version: str = LATEST) -> Agent | None:
    """A version of the agent with this name, the one published last where none is said. Raises NotFound for a version that is not there."""
    query = select(agents).where(agents.c.tenant == tenant, agents.c.name == name)
    newest = query.order_by(agents.c.updated_at.desc(), agents.c.version.desc()).limit(1)
    latest = (await conn.execute(newest)).mappings().one_or_none()
    if latest is None or version == LATEST:
        return Agent(**latest) if latest else None
    number = int(version) if version.isascii() and version.isdecimal() and len(version) < 9 else 0
    row = (await conn.execute(query.where(agents.c.version == number))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no version {version[:50]!r} of agent {name[:100]!r}; the newest is {latest['version']}.", param="name")
    return Agent(**row)


async def with_prompt(conn: AsyncConnection, tenant: str, prompt: str) -> Agent | None:
    """The agent with this prompt that was published last."""
    query = select(agents).where(agents.c.tenant == tenant, agents.c.prompt == prompt)
    row = (await conn.execute(query.order_by(agents.c.updated_at.desc(), agents.c.id).limit(1))).mappings().one_or_none()
    return Agent(**row) if row else None


async def with_digest(conn: AsyncConnection, tenant: str, digest: str) -> Agent | None:
    """The agent of just this content that was published last."""
    query = select(agents).where(agents.c.tenant == tenant, agents.c.digest == digest)
    row = (await conn.execute(query.order_by(agents.c.updated_at.desc(), agents.c.id).limit(1))).mappings().one_or_none()
    return Agent(**row) if row else None
