"""`Idempotency-Key`: the same key and body get the same answer, for a day."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import delete as delete_from
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import idempotency


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What a key was used for: the digest of the body, and the prediction that answered."""

    key: str
    digest: str
    prediction: str
    created_at: datetime


async def recall(conn: AsyncConnection, tenant: str, key: str, *, since: datetime) -> Remembered | None:
    """What the key was used for since then."""
    columns = [idempotency.c[field] for field in Remembered.__struct_fields__]
    query = select(*columns).where(idempotency.c.tenant == tenant, idempotency.c.key == key, idempotency.c.created_at >= since)
    row = (await conn.execute(query)).mappings().one_or_none()
    return Remembered(**row) if row else None


async def remember(conn: AsyncConnection, tenant: str, key: str, *, digest: str, prediction: str, forgotten_before: datetime) -> Remembered:
    """Use the key for `prediction` and return what it stands for: the same when it was new, else what it was used for before.

    Two requests at once take their turn: the second waits here for the first's transaction. A use before
    `forgotten_before` does not count.
    """
    await conn.execute(
        delete_from(idempotency).where(
            idempotency.c.tenant == tenant, idempotency.c.key == key, idempotency.c.created_at < forgotten_before
        )
    )
    values = {"tenant": tenant, "key": key, "digest": digest, "prediction": prediction}
    await conn.execute(insert(idempotency).values(values).on_conflict_do_nothing())
    columns = [idempotency.c[field] for field in Remembered.__struct_fields__]
    query = select(*columns).where(idempotency.c.tenant == tenant, idempotency.c.key == key)
    return Remembered(**(await conn.execute(query)).mappings().one())


async def forget(conn: AsyncConnection, *, before: datetime) -> int:
    """Remove what was remembered before then, of all tenants, and return how many."""
    return (await conn.execute(delete_from(idempotency).where(idempotency.c.created_at < before))).rowcount
