"""The journal of a prediction's run: what a step made stands here before the next begins, and a rerun reads it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import delete as delete_from
from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import predictions, steps


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A finished step: `key` such as `page:0:17`; `output` is JSON text, `blob` the key of larger output."""

    key: str
    output: str | None
    blob: str | None
    created_at: datetime


async def record(
    conn: AsyncConnection, tenant: str, prediction: str, run: str, key: str, *, output: str | None = None, blob: str | None = None
) -> bool:
    """Write a finished step down, if `run` still holds the prediction; whether it does. The first output of a key stays."""
    held = select(literal(tenant), literal(prediction), literal(key), literal(output), literal(blob)).where(
        predictions.c.tenant == tenant,
        predictions.c.id == prediction,
        predictions.c.run == run,
        predictions.c.status == "running",
        predictions.c.cancelled.is_(False),
    )
    write = insert(steps).from_select(["tenant", "prediction", "key", "output", "blob"], held.with_for_update(read=True))
    # doing nothing on a conflict would return no row; an update that changes nothing returns one
    unchanged = write.on_conflict_do_update(index_elements=["tenant", "prediction", "key"], set_={"created_at": steps.c.created_at})
    return (await conn.execute(unchanged.returning(steps.c.key))).first() is not None


async def get(conn: AsyncConnection, tenant: str, prediction: str, key: str) -> Step | None:
    """The step, when it was finished before."""
    query = select(*_COLUMNS).where(steps.c.tenant == tenant, steps.c.prediction == prediction, steps.c.key == key)
    row = (await conn.execute(query)).mappings().one_or_none()
    return Step(**row) if row else None


async def list_(conn: AsyncConnection, tenant: str, prediction: str, *, prefix: str = "") -> list[Step]:
    """The finished steps whose keys begin with `prefix`, in the order in which they were finished."""
    query = select(*_COLUMNS).where(steps.c.tenant == tenant, steps.c.prediction == prediction)
    if prefix:
        query = query.where(steps.c.key.startswith(prefix, autoescape=True))
    return [Step(**row) for row in (await conn.execute(query.order_by(steps.c.created_at, steps.c.key))).mappings()]


async def clear(conn: AsyncConnection, tenant: str, prediction: str) -> int:
    """Forget the journal of a prediction that is final, and return how many steps it had."""
    gone = await conn.execute(delete_from(steps).where(steps.c.tenant == tenant, steps.c.prediction == prediction))
    return gone.rowcount


_COLUMNS = (steps.c.key, steps.c.output, steps.c.blob, steps.c.created_at)
