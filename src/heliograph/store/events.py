"""The log of a run's events: appended to by whoever holds the run, read by everybody who listens to it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import events, predictions

CHANNEL = "heliograph_events"
"""Where listeners hear that a run has something new: a JSON list of tenant, prediction and the last number, 0 for its end."""


class Entry(msgspec.Struct, frozen=True):
    """An event: its number, from 1 without gaps, what the run calls it, and the event itself as JSON text."""

    seq: int
    key: str
    data: str


async def append(conn: AsyncConnection, tenant: str, prediction: str, run: str, new: Sequence[tuple[str, str]]) -> int | None:
    """Append (key, JSON) pairs whose keys are not there yet, and tell listeners when the transaction commits.

    Returns the last number; None when `run` does not hold the prediction any more, or its result is not wanted.
    """
    held = select(predictions.c.id).where(
        predictions.c.tenant == tenant,
        predictions.c.id == prediction,
        predictions.c.run == run,
        predictions.c.status == "running",
        predictions.c.cancelled.is_(False),
    )
    # appenders of one run take their turn: an overtaken one must not number events beside its successor
    if (await conn.execute(held.with_for_update(key_share=True))).first() is None:
        return None
    mine = events.c.tenant == tenant, events.c.prediction == prediction
    last: int = await conn.scalar(select(func.coalesce(func.max(events.c.seq), 0)).where(*mine)) or 0
    known = set((await conn.scalars(select(events.c.key).where(*mine, events.c.key.in_([key for key, _ in new])))).all())
    fresh = {key: data for key, data in new if key not in known}
    rows = [
        {"tenant": tenant, "prediction": prediction, "seq": number, "key": key, "data": data}
        for number, (key, data) in enumerate(fresh.items(), last + 1)
    ]
    if rows:
        await conn.execute(insert(events), rows)
        await tell(conn, tenant, prediction, last + len(rows))
    return last + len(rows)


async def tell(conn: AsyncConnection, tenant: str, prediction: str, seq: int = 0) -> None:
    """Wake the listeners of a run when the transaction commits; with 0 because it ended."""
    payload = msgspec.json.encode([tenant, prediction, seq]).decode()
    await conn.execute(select(func.pg_notify(CHANNEL, payload)))


async def after(conn: AsyncConnection, tenant: str, prediction: str, seq: int = 0, *, most: int = 1000) -> list[Entry]:
    """The events that follow number `seq`, in order."""
    query = select(events.c.seq, events.c.key, events.c.data).where(
        events.c.tenant == tenant, events.c.prediction == prediction, events.c.seq > seq
    )
    return [Entry(*row) for row in (await conn.execute(query.order_by(events.c.seq).limit(most))).tuples()]


async def under(conn: AsyncConnection, tenant: str, prediction: str, prefix: str) -> list[Entry]:
    """The events whose keys begin with `prefix`, in order."""
    query = select(events.c.seq, events.c.key, events.c.data).where(
        events.c.tenant == tenant, events.c.prediction == prediction, events.c.key.startswith(prefix, autoescape=True)
    )
    return [Entry(*row) for row in (await conn.execute(query.order_by(events.c.seq))).tuples()]
