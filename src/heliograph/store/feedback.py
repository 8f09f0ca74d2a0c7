"""Feedback: what people said of an answer: the response as it should be, notes, or both. It goes with what it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import delete as delete_from
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.errors import Conflict
from heliograph.ids import new_id
from heliograph.store.predictions import REQUESTS
from heliograph.store.tables import completions, feedback, predictions

About = Literal["request_id", "agent_execution_id", "chat_id"]
"""The column that names what an item is about; on the wire the field of the same name."""

MOST = 1000
"""Items about one thing."""


_KINDS: dict[About, tuple[str, ...]] = {
    "request_id": REQUESTS,
    "agent_execution_id": ("execution",),
    "chat_id": ("completion",),
}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing said. `response` is JSON text, key order kept. Of the three ids, one is set."""

    tenant: str
    id: str
    request_id: str | None
    agent_execution_id: str | None
    chat_id: str | None
    response: str | None
    notes: str | None
    created_at: datetime


async def there(conn: AsyncConnection, tenant: str, about: About, entity: str, *, hold: bool = False) -> bool:
    """Whether the tenant has what feedback is about; with `hold` it stays until the transaction ends."""
    mine = predictions.c.tenant == tenant, predictions.c.id == entity, predictions.c.kind.in_(_KINDS[about])
    query = select(predictions.c.id).where(*mine)
    if await conn.scalar(query.with_for_update(read=True, key_share=True) if hold else query) is not None:
        return True
    passed_on = select(completions.c.id).where(completions.c.tenant == tenant, completions.c.id == entity)
    return about == "chat_id" and await conn.scalar(passed_on) is not None


async def submit(conn: AsyncConnection, tenant: str, about: About, entity: str, *, response: str | None, notes: str | None) -> Item:
    """The new item; or the newest one about `entity`, when that says the same: a client that tries again says nothing new.

    The caller holds `entity` (`there`). Raises Conflict when there are `MOST` items about it.
    """
    # equal ones at the same time take their turn
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"feedback {tenant} {about} {entity}", 0))))
    newest = await list_(conn, tenant, about, entity, limit=1)
    if newest and (newest[0].response, newest[0].notes) == (response, notes):
        return newest[0]
    mine = feedback.c.tenant == tenant, feedback.c[about] == entity
    if (await conn.scalar(select(func.count()).select_from(feedback).where(*mine)) or 0) >= MOST:
        raise Conflict(f"There are {MOST} items of feedback about this already.")
    values = {"id": new_id(), "tenant": tenant, about: entity, "response": response, "notes": notes}
    return Item(**(await conn.execute(insert(feedback).values(values).returning(feedback))).mappings().one())


async def list_(conn: AsyncConnection, tenant: str, about: About, entity: str, *, skip: int = 0, limit: int = 10) -> list[Item]:
    """What was said about `entity`, newest first."""
    query = select(feedback).where(feedback.c.tenant == tenant, feedback.c[about] == entity)
    query = query.order_by(feedback.c.created_at.desc(), feedback.c.id).offset(skip).limit(limit)
    return [Item(**row) for row in (await conn.execute(query)).mappings()]


async def entities(conn: AsyncConnection, tenant: str, *, after: str = "", limit: int = 100) -> list[str]:
    """The ids, ascending from `after` on, of the tenant's predictions that somebody said something of."""
    query = select(feedback.c.request_id).distinct().where(feedback.c.tenant == tenant, feedback.c.request_id > after)
    return [str(row.request_id) for row in await conn.execute(query.order_by(feedback.c.request_id).limit(limit))]


async def forget(conn: AsyncConnection) -> int:
    """Remove what was said of executions and chats that are gone, of all tenants, and return how many. What was said of a request goes
    with its row."""
    about = func.coalesce(feedback.c.agent_execution_id, feedback.c.chat_id)
    kept = [select(table.c.id).where(table.c.tenant == feedback.c.tenant, table.c.id == about) for table in (predictions, completions)]
    gone = delete_from(feedback).where(feedback.c.request_id.is_(None), *(~each.exists() for each in kept))
    return (await conn.execute(gone)).rowcount
