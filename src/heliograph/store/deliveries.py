"""Webhook deliveries: every attempt to tell a receiver, and how it went."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.ids import new_id
from heliograph.store.tables import deliveries


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt. `webhook_id` is the same for all attempts of a prediction; without `finished_at` it is under way, or was cut off."""

    id: str
    prediction: str
    webhook_id: str
    attempt: int
    url: str
    status_code: int | None
    error: str | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def acknowledged(self) -> bool:
        """Whether the receiver answered 2xx."""
        return self.status_code is not None and 200 <= self.status_code < 300


_COLUMNS = tuple(deliveries.c[field] for field in Delivery.__struct_fields__)


async def start(conn: AsyncConnection, tenant: str, prediction: str, *, webhook_id: str, url: str) -> Delivery:
    """Write the next attempt down before it is made."""
    before = select(func.coalesce(func.max(deliveries.c.attempt), 0)).where(
        deliveries.c.tenant == tenant, deliveries.c.prediction == prediction
    )
    values = {"id": new_id(), "tenant": tenant, "prediction": prediction, "webhook_id": webhook_id, "url": url}
    made = insert(deliveries).values(**values, attempt=before.scalar_subquery() + 1).returning(*_COLUMNS)
    return Delivery(**(await conn.execute(made)).mappings().one())


async def finish(conn: AsyncConnection, tenant: str, id: str, *, status_code: int | None, error: str | None = None) -> None:
    """Write down how the attempt went: the receiver's status, or the reason why there is none."""
    await conn.execute(
        update(deliveries)
        .where(deliveries.c.tenant == tenant, deliveries.c.id == id)
        .values(status_code=status_code, error=error, finished_at=func.clock_timestamp())
    )


async def list_(conn: AsyncConnection, tenant: str, prediction: str) -> list[Delivery]:
    """The attempts for a prediction, first to last."""
    query = select(*_COLUMNS).where(deliveries.c.tenant == tenant, deliveries.c.prediction == prediction).order_by(deliveries.c.attempt)
    return [Delivery(**row) for row in (await conn.execute(query)).mappings()]
