"""What an operator does to the queue: look at it, hold work back, let it go on.

Work that is `paused` because it waits for its model can be held as well; a release lets it try at once.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.jobs import queue

_SET = text("INSERT INTO server (name, value) VALUES (:name, 'held') ON CONFLICT (name) DO NOTHING")
_DROP = text("DELETE FROM server WHERE name = :name OR (:all AND name LIKE 'hold:%')")
_SCOPE = (
    "(CAST(:tenant AS text) IS NULL OR p.tenant = :tenant) AND (CAST(:ids AS text[]) IS NULL OR p.id = ANY(:ids)) "
    "AND p.tenant = job.args->>'tenant' AND p.id = job.args->>'prediction' AND job.queue_name = ANY(:queues) AND job.status = 'todo'"
)
_HOLD = text(
    "WITH held AS (UPDATE procrastinate_jobs AS job SET priority = :priority, scheduled_at = :never FROM predictions AS p "  # noqa: S608 - constants
    f"    WHERE {_SCOPE} AND p.status IN ('pending', 'enqueued', 'paused') AND job.priority <> :priority RETURNING p.tenant, p.id) "
    "UPDATE predictions SET status = 'paused' FROM held WHERE predictions.tenant = held.tenant AND predictions.id = held.id"
)
_HELD = text(
    "SELECT job.id, job.queue_name, p.tenant, p.id, p.tier, p.started_at IS NOT NULL FROM predictions AS p, procrastinate_jobs AS job "  # noqa: S608
    f"WHERE {_SCOPE} AND p.status = 'paused' ORDER BY job.id FOR UPDATE OF job, p"
)
_RELEASE = text("UPDATE procrastinate_jobs SET priority = :priority, scheduled_at = NULL WHERE id = :job")
_RESUMED = text("UPDATE predictions SET status = :status WHERE tenant = :tenant AND id = :id")
_HOLDS = text(
    "SELECT coalesce(t.name, '') FROM server AS s LEFT JOIN tenants AS t ON s.name = 'hold:' || t.id "
    "WHERE s.name = 'hold' OR s.name LIKE 'hold:%' ORDER BY 1"
)
_UNFINISHED = text(
    "SELECT p.id, t.name, p.status, p.tier, "
    "coalesce(p.domain, CASE WHEN p.kind IN ('completion', 'execution') THEN p.kind ELSE '-' END), "
    "to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), "
    "CAST(p.attempts AS text) FROM predictions AS p JOIN tenants AS t ON t.id = p.tenant "
    "LEFT JOIN procrastinate_jobs AS job ON job.id = p.job_id "
    "WHERE p.status IN ('pending', 'enqueued', 'running', 'paused') AND (CAST(:tenant AS text) IS NULL OR p.tenant = :tenant) "
    "ORDER BY p.status <> 'running', job.priority DESC NULLS LAST, job.id LIMIT :limit"
)


async def held_back(conn: AsyncConnection) -> list[str]:
    """Whose new work is held: names of tenants, or "" for everybody's."""
    return [str(name) for (name,) in await conn.execute(_HOLDS)]


async def unfinished(conn: AsyncConnection, tenant: str | None = None, *, limit: int = 50) -> list[tuple[str, ...]]:
    """What runs, then what waits, next first: id, tenant's name, status, tier, domain or kind, created (UTC) and runs, as text."""
    return [tuple(str(cell) for cell in row) for row in await conn.execute(_UNFINISHED, {"tenant": tenant, "limit": limit})]


async def hold(conn: AsyncConnection, tenant: str | None = None, *, ids: list[str] | None = None) -> int:
    """Hold back what waits, and what comes later, of a tenant or of all; or only the predictions `ids`. Returns how many wait now.

    What runs goes on. Held predictions are `paused`.
    """
    if ids is None:
        await conn.execute(_SET, {"name": queue.hold_name(tenant)})
    held = await conn.execute(
        _HOLD, {"queues": list(queue.WORK), "tenant": tenant, "ids": ids, "never": queue.NEVER, "priority": queue.HELD}
    )
    return held.rowcount


async def release(conn: AsyncConnection, tenant: str | None = None, *, ids: list[str] | None = None) -> int:
    """End the hold on a tenant, on all, or on the predictions `ids`; what it held is queued as if it had come now. Returns how many."""
    if ids is None:
        await conn.execute(_DROP, {"name": queue.hold_name(tenant), "all": tenant is None})
    held = (await conn.execute(_HELD, {"queues": list(queue.WORK), "tenant": tenant, "ids": ids})).all()
    for job_id, name, owner, prediction_id, tier, attempted in held:
        _, priority = await queue.place(conn, owner, queue.tier_of(tier), to=name)
        await conn.execute(_RELEASE, {"job": job_id, "priority": priority})
        await conn.execute(_RESUMED, {"tenant": owner, "id": prediction_id, "status": "enqueued" if attempted else "pending"})
        await queue.wake(conn, name, job_id)
    return len(held)
