"""How much callers without a key have had today, by browser and by address. Only keyed digests of either are kept."""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import guests


async def count(conn: AsyncConnection, day: date, id: str, *, most: int) -> bool:
    """Count one more for `id` on this day; whether it had fewer than `most` before. What is refused is not counted."""
    if most <= 0:
        return False
    added = insert(guests).values(day=day, id=id, chats=1)
    counted = added.on_conflict_do_update(
        index_elements=["day", "id"], set_={"chats": guests.c.chats + 1}, where=guests.c.chats < most
    ).returning(guests.c.chats)
    return (await conn.execute(counted)).first() is not None


async def forget(conn: AsyncConnection, before: date) -> int:
    """Remove the counts of earlier days; how many there were."""
    return (await conn.execute(delete(guests).where(guests.c.day < before))).rowcount
