"""Making predictions as the API does: row and job in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.extraction.options import Recorded
from heliograph.extraction.plan import Plan
from heliograph.jobs import bodies, queue
from heliograph.store import predictions, tenants
from heliograph.store.database import Database
from heliograph.store.predictions import Input, Prediction

PLAN = Plan(
    kind="document", operation="generate", mode="extract", domain="document.receipt", schema_from="domain",
    schema={"type": "object", "properties": {"total": {"type": "number"}}},
)  # fmt: skip


HEAR = Plan(kind="audio", operation="generate", mode="transcribe", domain="audio.transcription", schema_from="domain", recorded=Recorded())


async def submit(
    conn: AsyncConnection, id: str, *, tenant: str = tenants.DEFAULT, tier: str = "standard", reads: Sequence[Input] = (), **row: Any
) -> int:
    """A new prediction and its job; the job's id."""
    plan = row.pop("plan", PLAN)
    created = await predictions.create(
        conn, tenant, id=id, kind=plan.kind, operation=plan.operation, domain=plan.domain, model="vlm-1",
        request=bodies.request_text({}, plan), digest="0", tier=tier, reads=reads, **row,
    )  # fmt: skip
    assert created
    return await queue.enqueue(conn, tenant, id, tier)


async def look(database: Database, id: str, tenant: str = tenants.DEFAULT) -> Prediction:
    """The prediction's row as it is now."""
    async with database.begin() as conn:
        row = await predictions.get(conn, tenant, id)
    assert row
    return row


async def queued(database: Database) -> list[tuple[str, str, str]]:
    """Queue, prediction and status of every job there is."""
    async with database.begin() as conn:
        rows = await conn.execute(text("SELECT queue_name, args->>'prediction', CAST(status AS text) FROM procrastinate_jobs ORDER BY id"))
        return [tuple(row) for row in rows]


def usage(row: Prediction) -> dict[str, Any]:
    """The row's usage, parsed."""
    assert row.usage
    return msgspec.json.decode(row.usage)
