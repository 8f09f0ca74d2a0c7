"""What each tenant used in each month (UTC). A sum of its own, so that deleting a prediction gives none of it back."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import credits


def month_of(moment: datetime) -> date:
    """The first day of the month that `moment` lies in, by UTC."""
    return moment.astimezone(UTC).date().replace(day=1)


async def add(conn: AsyncConnection, tenant: str, amount: int, *, at: datetime) -> None:
    """Add to the sum of the month that `at` lies in. The row stays locked until the transaction ends, so this comes late in it."""
    row = insert(credits).values(tenant=tenant, month=month_of(at), used=amount)
    await conn.execute(row.on_conflict_do_update(index_elements=["tenant", "month"], set_={"used": credits.c.used + row.excluded.used}))


async def used(conn: AsyncConnection, tenant: str, *, at: datetime) -> int:
    """The credits that the tenant has used in the month that `at` lies in."""
    query = select(credits.c.used).where(credits.c.tenant == tenant, credits.c.month == month_of(at))
    return await conn.scalar(query) or 0
