"""The log of programmatic chats: what was asked for and what came of it, kept for who asked.

Rows are written many at a time. `record` takes them from pass-through, a second's worth together, and from a run as it finishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import and_, cast, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import completions

Status = Literal["running", "completed", "failed", "cancelled"]
"""`running` are only those whose client chose the id."""


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """A chat as the log has it. `model`: as it was asked for; `answered_by`: the route that answered, `embedded` without a model.

    `request`: JSON text of messages (media by reference) and options. `response`: the first choice's text. `error`, `usage`,
    `metadata`: JSON text. `digest`: SHA-256 of the body, of one whose client chose the id.
    """

    tenant: str
    id: str
    session: str | None
    key_id: str | None
    model: str
    answered_by: str
    status: Status
    finish_reason: str | None
    stream: bool
    request: str
    response: str | None
    error: str | None
    usage: str | None
    metadata: str | None
    user_agent: str | None
    milliseconds: int
    created_at: datetime
    digest: str | None = None


_FIELDS = Completion.__struct_fields__
_TYPES = {"stream": "boolean", "milliseconds": "integer", "created_at": "timestamptz"}
RECORD = (
    f"INSERT INTO completions ({', '.join(_FIELDS)}) "  # noqa: S608 - names of our own
    f"SELECT {', '.join(_FIELDS)} FROM json_to_recordset(%s::json) "
    f"AS row({', '.join(name + ' ' + _TYPES.get(name, 'text') for name in _FIELDS)}) "
    "WHERE EXISTS (SELECT 1 FROM tenants WHERE tenants.id = row.tenant) "
    "ON CONFLICT (tenant, id) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in _FIELDS if name not in ('tenant', 'id', 'digest', 'created_at'))} "
    "WHERE completions.status = 'running'"
)
"""Takes `payload`. A tenant that was removed meanwhile has no log."""


def payload(rows: Sequence[Completion]) -> str:
    """The rows as the one parameter of `RECORD`, without NUL characters: models may write them, and PostgreSQL cannot keep them."""
    made = msgspec.json.encode(rows)
    if b"\\u0000" in made:
        made = msgspec.json.encode([{name: _without_nul(value) for name, value in msgspec.structs.asdict(row).items()} for row in rows])
    return made.decode()


def _without_nul(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


async def record(conn: AsyncConnection, rows: Sequence[Completion]) -> None:
    """Add rows to the log; one whose id the tenant's log has already is left as it is, unless that one was running."""
    await conn.execute(text(RECORD.replace("%s::json", "CAST(:rows AS json)")), {"rows": payload(rows)})


async def begin(conn: AsyncConnection, row: Completion, *, lost_before: datetime) -> Completion | None:
    """Note that a chat under an id of its client's is being answered; None when that is so now, else the one there is under this id.

    One with the same digest that failed, was cancelled, or has been running since `lost_before`, gives way.
    """
    made = insert(completions).values(msgspec.structs.asdict(row)).on_conflict_do_nothing().returning(completions.c.id)
    if (await conn.execute(made)).first() is not None:
        return None
    mine = completions.c.tenant == row.tenant, completions.c.id == row.id
    found = (await conn.execute(select(completions).where(*mine).with_for_update())).mappings().one_or_none()
    if found is None:
        return await begin(conn, row, lost_before=lost_before)
    there = Completion(**found)
    lost = there.status == "running" and there.created_at < lost_before
    if there.digest == row.digest and (there.status in ("failed", "cancelled") or lost):
        await conn.execute(update(completions).where(*mine).values(msgspec.structs.asdict(row)))
        return None
    return there


async def get(conn: AsyncConnection, tenant: str, id: str) -> Completion | None:
    """The tenant's chat with this id."""
    found = (await conn.execute(select(completions).where(completions.c.tenant == tenant, completions.c.id == id))).mappings().one_or_none()
    return Completion(**found) if found else None


async def list_(
    conn: AsyncConnection,
    tenant: str,
    *,
    limit: int,
    after: Completion | None = None,
    descending: bool = False,
    model: str | None = None,
    session: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> list[Completion]:
    """Chats of the tenant in the order of time, those behind `after`. `metadata`: only those whose metadata contain this object."""
    query = select(completions).where(completions.c.tenant == tenant)
    if model is not None:
        query = query.where(completions.c.model == model)
    if session is not None:
        query = query.where(completions.c.session == session)
    if metadata:
        query = query.where(cast(completions.c.metadata, JSONB).contains(metadata))
    at, id = completions.c.created_at, completions.c.id
    if after is not None:
        same = and_(at == after.created_at, id < after.id if descending else id > after.id)
        query = query.where(or_(at < after.created_at if descending else at > after.created_at, same))
    order = (at.desc(), id.desc()) if descending else (at, id)
    return [Completion(**row) for row in (await conn.execute(query.order_by(*order).limit(limit))).mappings()]


async def forget(conn: AsyncConnection, *, before: datetime) -> int:
    """Take the chats of all tenants from before then out of the log; how many there were."""
    return (await conn.execute(delete(completions).where(completions.c.created_at < before))).rowcount


async def forget_session(conn: AsyncConnection, tenant: str, session: str) -> int:
    """Take the chats of a session out of the log; how many there were."""
    return (await conn.execute(delete(completions).where(completions.c.tenant == tenant, completions.c.session == session))).rowcount


async def remove(conn: AsyncConnection, tenant: str, id: str) -> bool:
    """Take a chat out of the log; whether it was there."""
    gone = delete(completions).where(completions.c.tenant == tenant, completions.c.id == id).returning(completions.c.id)
    return (await conn.execute(gone)).first() is not None
