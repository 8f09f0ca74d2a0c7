"""Predictions: what was asked, how far it is, and what came of it.

Every function but those that sweep over all tenants takes the tenant and can see nothing of another's.
A run of a prediction is fenced: who claims it sets a token, and only who holds the newest token may finish it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import and_, cast, func, or_, select, tuple_, update
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store import credits as spent
from heliograph.store.tables import deliveries, events, idempotency, inputs, predictions, steps

Status = Literal["pending", "enqueued", "running", "paused", "completed", "failed"]
UNFINISHED: tuple[Status, ...] = ("pending", "enqueued", "running", "paused")
CLAIMABLE: tuple[Status, ...] = ("pending", "enqueued", "running")
FINISHED: tuple[Status, ...] = ("completed", "failed")
REQUESTS = ("document", "image", "audio", "video")
"""The kinds of rows that are Requests; lists and lookups of one sort never show another's."""
RUNS = ("completion", "execution")
"""The kinds of rows that are runs of an agent."""


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction's row. `request`, `response`, `usage`, `error` and `metadata` are JSON text, key order kept."""

    tenant: str
    id: str
    kind: str
    operation: str
    status: Status
    domain: str | None
    model: str
    request: str
    digest: str
    key_id: str | None
    response: str | None
    usage: str | None
    error: str | None
    metadata: str | None
    callback_url: str | None
    tier: str
    retain: bool
    log: bool
    job_id: int | None
    run: str | None
    attempts: int
    cancelled: bool
    credits: int
    session: str | None
    agent: str | None
    listened_at: datetime | None
    progress: float | None
    step: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    delivered_at: datetime | None


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things a prediction reads: a `file`, `data` that came with the request, or a `url` that the worker fetches."""

    position: int
    source: Literal["file", "data", "url"]
    file_id: str | None = None
    url: str | None = None
    blob: str | None = None
    bytes: int | None = None
    sha256: str | None = None


async def create(
    conn: AsyncConnection,
    tenant: str,
    *,
    id: str,
    kind: str,
    operation: str,
    domain: str | None,
    model: str,
    request: str,
    digest: str,
    key_id: str | None = None,
    metadata: str | None = None,
    callback_url: str | None = None,
    tier: str = "standard",
    retain: bool = True,
    log: bool = True,
    created_at: datetime | None = None,
    reads: Iterable[Input] = (),
    session: str | None = None,
    agent: str | None = None,
    listened: bool = False,
) -> Prediction | None:
    """A new prediction, `pending`, and its inputs; None when the tenant has one with this id. `listened`: somebody waits for its answer,
    and when nobody does any more, it need not go on."""
    values: dict[str, Any] = {
        "tenant": tenant, "id": id, "kind": kind, "operation": operation, "domain": domain, "model": model, "request": request,
        "digest": digest, "key_id": key_id, "metadata": metadata, "callback_url": callback_url, "tier": tier, "retain": retain, "log": log,
        "session": session, "agent": agent, "listened_at": func.clock_timestamp() if listened else None,
    }  # fmt: skip
    if created_at is not None:
        values["created_at"] = created_at
    made = await conn.execute(insert(predictions).values(values).on_conflict_do_nothing().returning(predictions))
    row = made.mappings().one_or_none()
    if row is None:
        return None
    rows = [msgspec.structs.asdict(read) | {"tenant": tenant, "prediction": id} for read in reads]
    if rows:
        await conn.execute(insert(inputs), rows)
    return Prediction(**row)


async def get(conn: AsyncConnection, tenant: str, id: str, *, kinds: Sequence[str] | None = None) -> Prediction | None:
    """The tenant's prediction with this id; with `kinds`, only if it is of one of them."""
    row = (await conn.execute(select(predictions).where(*_this(tenant, id)))).mappings().one_or_none()
    return Prediction(**row) if row and (kinds is None or row["kind"] in kinds) else None


async def statuses(conn: AsyncConnection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Status]:
    """Only how far they are: what waiting calls ask for, again and again. `keys` are (tenant, id); what is gone is missing."""
    query = select(predictions.c.tenant, predictions.c.id, predictions.c.status)
    query = query.where(tuple_(predictions.c.tenant, predictions.c.id).in_(keys))
    return {(tenant, id): status for tenant, id, status in (await conn.execute(query)).tuples()}


async def of_session(conn: AsyncConnection, tenant: str, session: str) -> list[str]:
    """The ids of a session's runs, oldest first."""
    query = select(predictions.c.id).where(predictions.c.tenant == tenant, predictions.c.session == session)
    return list((await conn.execute(query.order_by(predictions.c.created_at))).scalars())


async def going(conn: AsyncConnection, tenant: str, id: str) -> bool | None:
    """Whether something may still come of it; None when there is no such."""
    query = select(predictions.c.status.in_(UNFINISHED) & predictions.c.cancelled.is_(False)).where(*_this(tenant, id))
    return await conn.scalar(query)


async def unfinished_like(conn: AsyncConnection, tenant: str, digest: str, *, key_id: str) -> Prediction | None:
    """The oldest unfinished prediction of an equal request by the same API key."""
    query = (
        select(predictions)
        .where(
            predictions.c.tenant == tenant, predictions.c.status.in_(UNFINISHED), predictions.c.cancelled.is_(False),
            predictions.c.digest == digest, predictions.c.key_id == key_id,
        )
        .order_by(predictions.c.created_at)
        .limit(1)
    )  # fmt: skip
    row = (await conn.execute(query)).mappings().one_or_none()
    return Prediction(**row) if row else None


async def lock(conn: AsyncConnection, tenant: str, what: str) -> None:
    """Wait until no other transaction holds this lock of the tenant, and hold it until this one ends."""
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"prediction {tenant} {what}", 0))))


async def list_(
    conn: AsyncConnection,
    tenant: str,
    *,
    skip: int = 0,
    limit: int = 10,
    metadata: Mapping[str, Any] | None = None,
    statuses: Sequence[Status] = (),
    kinds: Sequence[str] = REQUESTS,
    agent: str | None = None,
) -> list[Prediction]:
    """The tenant's predictions of these kinds, newest first. `metadata`: only those whose metadata contain this object; `statuses`: only
    these; `agent`: only its executions."""
    query = select(predictions).where(predictions.c.tenant == tenant, predictions.c.kind.in_(kinds))
    if metadata:
        query = query.where(cast(predictions.c.metadata, JSONB).contains(dict(metadata)))
    if statuses:
        query = query.where(predictions.c.status.in_(statuses))
    if agent is not None:
        query = query.where(predictions.c.agent == agent)
    query = query.order_by(predictions.c.created_at.desc(), predictions.c.id).offset(skip).limit(limit)
    return [Prediction(**row) for row in (await conn.execute(query)).mappings()]


async def reads(conn: AsyncConnection, tenant: str, id: str) -> list[Input]:
    """What the prediction reads, in order."""
    columns = [inputs.c[field] for field in Input.__struct_fields__]
    query = select(*columns).where(inputs.c.tenant == tenant, inputs.c.prediction == id).order_by(inputs.c.position)
    return [Input(**row) for row in (await conn.execute(query)).mappings()]


async def fetched(conn: AsyncConnection, tenant: str, id: str, position: int, *, blob: str, bytes: int, sha256: str) -> None:
    """Note where the bytes of a URL input stand, so that they are fetched once."""
    await conn.execute(
        update(inputs)
        .where(inputs.c.tenant == tenant, inputs.c.prediction == id, inputs.c.position == position)
        .values(blob=blob, bytes=bytes, sha256=sha256)
    )


# -- a run ----------------------------------------------------------------------------------------------------------


async def claim(conn: AsyncConnection, tenant: str, id: str, run: str) -> Prediction | None:
    """Begin, or take over, the work under the token `run`; None when there is nothing to do: finished, held, cancelled or gone.

    Whoever held an older token has lost the right to finish. `attempts` counts the claims that were not handed back.
    """
    change = (
        update(predictions)
        .where(*_this(tenant, id), predictions.c.status.in_(CLAIMABLE), predictions.c.cancelled.is_(False))
        .values(
            status="running", run=run, attempts=predictions.c.attempts + 1,
            started_at=func.coalesce(predictions.c.started_at, func.clock_timestamp()), progress=func.coalesce(predictions.c.progress, 0.0),
        )
        .returning(predictions)
    )  # fmt: skip
    row = (await conn.execute(change)).mappings().one_or_none()
    return Prediction(**row) if row else None


async def finish(
    conn: AsyncConnection,
    tenant: str,
    id: str,
    run: str,
    *,
    status: Literal["completed", "failed"],
    response: str | None = None,
    usage: str | None = None,
    error: str | None = None,
    credits: int = 0,
    request: str | None = None,
) -> Prediction | None:
    """Write the result and add its credits to the month's, once: None when `run` is not the token that may, or the prediction was
    cancelled or is gone. `request`: what is kept of it from now on, where that is less."""
    values: dict[str, Any] = {"status": status, "response": response, "usage": usage, "error": error, "credits": credits, "run": None}
    values["step"] = None
    if request is not None:
        values["request"] = request
    change = (
        update(predictions)
        .where(*_run(tenant, id, run), predictions.c.cancelled.is_(False))
        .values(values | {"completed_at": func.clock_timestamp()})
        .returning(predictions)
    )
    row = (await conn.execute(change)).mappings().one_or_none()
    if row and credits > 0:
        await spent.add(conn, tenant, credits, at=row["completed_at"])
    return Prediction(**row) if row else None


async def progressed(conn: AsyncConnection, tenant: str, id: str, run: str, *, progress: float, step: str) -> None:
    """Note how far `run` is, 0 to 1, and at which step; without effect where it does not hold the prediction. It never goes backward."""
    farther = func.greatest(func.coalesce(predictions.c.progress, 0.0), progress)
    await conn.execute(update(predictions).where(*_run(tenant, id, run)).values(progress=farther, step=step))


async def held(conn: AsyncConnection, tenant: str, id: str, run: str) -> bool:
    """Whether `run` still holds the prediction, and its result is wanted."""
    query = select(predictions.c.id).where(*_run(tenant, id, run), predictions.c.cancelled.is_(False))
    return (await conn.execute(query)).first() is not None


async def holding(conn: AsyncConnection, tenant: str, id: str, run: str) -> bool:
    """As `held`; and nobody else claims, cancels or finishes it before this transaction ends."""
    query = select(predictions.c.id).where(*_run(tenant, id, run), predictions.c.cancelled.is_(False)).with_for_update(read=True)
    return (await conn.execute(query)).first() is not None


async def abandon(conn: AsyncConnection, tenant: str, id: str, *, after: float) -> bool:
    """Cancel a completion whose last listener left so many seconds ago; whether that was so. One that nobody ever listened to goes on."""
    left = predictions.c.listened_at < func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, after)
    change = (
        update(predictions)
        .where(*_this(tenant, id), predictions.c.kind == "completion", predictions.c.status.in_(UNFINISHED), left)
        .values(cancelled=True)
    )
    return (await conn.execute(change)).rowcount > 0


async def pause(conn: AsyncConnection, tenant: str, id: str, run: str, *, usage: str) -> bool:
    """Lay a run aside that waits for something outside (a model); the attempt does not count. Whether `run` still held it."""
    change = (
        update(predictions)
        .where(*_run(tenant, id, run), predictions.c.cancelled.is_(False))
        .values(status="paused", run=None, usage=usage, attempts=func.greatest(predictions.c.attempts - 1, 0))
        .returning(predictions.c.id)
    )
    return (await conn.execute(change)).first() is not None


async def resume(conn: AsyncConnection, tenant: str, id: str) -> bool:
    """Let what was laid aside by `pause` wait for its next run; whether it was."""
    change = update(predictions).where(*_this(tenant, id), predictions.c.status == "paused").values(status="enqueued")
    return (await conn.execute(change.returning(predictions.c.id))).first() is not None


# -- changes from outside -------------------------------------------------------------------------------------------


async def fail(conn: AsyncConnection, tenant: str, id: str, *, error: str, usage: str | None = None) -> Prediction | None:
    """End an unfinished prediction as failed whoever runs it; None when it was finished already."""
    change = (
        update(predictions)
        .where(*_this(tenant, id), predictions.c.status.in_(UNFINISHED))
        .values(status="failed", error=error, usage=usage, run=None, completed_at=func.clock_timestamp())
        .returning(predictions)
    )
    row = (await conn.execute(change)).mappings().one_or_none()
    return Prediction(**row) if row else None


async def cancel(conn: AsyncConnection, tenant: str, id: str) -> Prediction | None:
    """Say that nobody wants the result any more: a running one stops at its next step, a waiting one never starts. None: no such."""
    change = (
        update(predictions)
        .where(*_this(tenant, id))
        .values(cancelled=or_(predictions.c.cancelled, predictions.c.status.in_(UNFINISHED)))
        .returning(predictions)
    )
    row = (await conn.execute(change)).mappings().one_or_none()
    return Prediction(**row) if row else None


async def listened(conn: AsyncConnection, keys: Sequence[tuple[str, str]], *, unless_within: float = 0.0) -> None:
    """Note that somebody still waits for these, as (tenant, id), but for those of which that was noted so few seconds ago."""
    mine = tuple_(predictions.c.tenant, predictions.c.id).in_(keys)
    lately = func.clock_timestamp() - timedelta(seconds=unless_within)
    due = or_(predictions.c.listened_at.is_(None), predictions.c.listened_at < lately)
    unfinished = predictions.c.status.in_(UNFINISHED)
    await conn.execute(update(predictions).where(mine, unfinished, due).values(listened_at=func.clock_timestamp()))


async def delivered(conn: AsyncConnection, tenant: str, id: str) -> None:
    """Note that the caller has the result: it was answered, or its webhook acknowledged. The first time counts."""
    await conn.execute(
        update(predictions).where(*_this(tenant, id)).values(delivered_at=func.coalesce(predictions.c.delivered_at, func.clock_timestamp()))
    )


async def delete(conn: AsyncConnection, tenant: str, id: str) -> Prediction | None:
    """Remove the prediction and every row that belongs to it; None when there is none. Its blobs are the caller's to delete, afterwards."""
    row = (await conn.execute(delete_from(predictions).where(*_this(tenant, id)).returning(predictions))).mappings().one_or_none()
    for table in (inputs, steps, deliveries, idempotency, events):
        await conn.execute(delete_from(table).where(table.c.tenant == tenant, table.c.prediction == id))
    return Prediction(**row) if row else None


# -- sums and sweeps ------------------------------------------------------------------------------------------------


async def by_status(conn: AsyncConnection) -> dict[str, int]:
    """How many predictions of all tenants are in each unfinished status: for metrics and `jobs list`."""
    query = select(predictions.c.status, func.count()).where(predictions.c.status.in_(UNFINISHED)).group_by(predictions.c.status)
    return dict((await conn.execute(query)).tuples().all())


async def due_for_removal(
    conn: AsyncConnection,
    *,
    completed_before: datetime | None,
    unretained_completed_before: datetime,
    unretained_delivered_before: datetime,
    limit: int = 100,
) -> list[tuple[str, str]]:
    """`(tenant, id)` of finished predictions of all tenants that are to be removed.

    Those older than `completed_before` (None: kept for ever); those with `retain` false that are older than
    `unretained_completed_before` or were delivered before `unretained_delivered_before`.
    """
    due = and_(
        predictions.c.retain.is_(False),
        or_(predictions.c.completed_at < unretained_completed_before, predictions.c.delivered_at < unretained_delivered_before),
    )
    if completed_before is not None:
        due = or_(due, predictions.c.completed_at < completed_before)
    query = select(predictions.c.tenant, predictions.c.id).where(predictions.c.status.in_(FINISHED), due)
    return [(row.tenant, row.id) for row in await conn.execute(query.order_by(predictions.c.completed_at).limit(limit))]


def _this(tenant: str, id: str) -> tuple[Any, ...]:
    return predictions.c.tenant == tenant, predictions.c.id == id


def _run(tenant: str, id: str, run: str) -> tuple[Any, ...]:
    return *_this(tenant, id), predictions.c.status == "running", predictions.c.run == run
