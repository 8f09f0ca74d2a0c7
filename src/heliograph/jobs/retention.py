"""What is forgotten, and when.

- Work with `allow_retention: false`: `unretained_ttl` after it was completed, or five minutes after it was delivered (answered to a
  call that waited, or its webhook acknowledged), whichever is first: its row, its journal, its inputs, and the files that
  nothing else uses.
- Predictions, files, read pages and idempotency keys when their own time has come, where the settings give them one.
- Chats when nobody has written in them for `session_ttl`, a guest's for `guest_ttl`: turns, artifacts, runs and log.
- The events of a run, and the journal of one that waits for its client's tools, a day after it ended.
- Uploads that never came, and blobs whose row is gone because a process died between the two; the files of deleted skills.

Rows go first, in transactions of their own; blobs after them. A collector that is killed half way leaves only blobs
without rows, which the next one finds.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.config import Settings
from heliograph.jobs import queue
from heliograph.jobs.copies import copy_ids
from heliograph.store import artifacts, completions, feedback, files, guests, idempotency, predictions, sessions, skills
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.predictions import Prediction

log = logging.getLogger(__name__)

AFTER_DELIVERY = timedelta(minutes=5)
"""How long unretained work can still be asked for after it was delivered."""
GRACE = timedelta(hours=1)
"""The age below which a blob without a row is not an orphan: its row may not be committed yet."""
AFTERLIFE = timedelta(hours=24)
"""How long a run's events can be listened to after its end, and the client's own tools may take."""
BATCH = 100
SWEEP_EVERY = timedelta(hours=1)
"""How often all blobs are looked at, by whichever worker is first."""

_LOCK = 0x48454C4B  # "HELK"
_TRY_LOCK = text("SELECT pg_try_advisory_lock(:lock)")
_UNLOCK = text("SELECT pg_advisory_unlock(:lock)")
_TURN = text(
    "INSERT INTO server (name, value) VALUES ('blobs_swept', clock_timestamp()) ON CONFLICT (name) DO UPDATE SET value = excluded.value "
    "WHERE CAST(server.value AS timestamptz) < :before RETURNING true"
)
_FILE_IN_USE = text("SELECT EXISTS (SELECT FROM inputs WHERE tenant = :tenant AND file_id = :file)")
_NAMED = text(
    "SELECT blob FROM files WHERE blob = ANY(:blobs) UNION ALL SELECT blob FROM inputs WHERE blob = ANY(:blobs) "
    "UNION ALL SELECT blob FROM steps WHERE blob = ANY(:blobs) "
    "UNION ALL SELECT blob FROM artifacts WHERE blob = ANY(:blobs) "
    "UNION ALL SELECT blob FROM skills WHERE blob = ANY(:blobs) AND deleted_at IS NULL"
)
_JOBLESS = text(
    "SELECT tenant, id, tier, kind FROM predictions AS p WHERE status IN ('pending', 'enqueued', 'running') AND NOT cancelled "
    "AND NOT EXISTS (SELECT FROM procrastinate_jobs AS job WHERE job.args->>'tenant' = p.tenant AND job.args->>'prediction' = p.id) "
    "LIMIT 100 FOR UPDATE OF p SKIP LOCKED"
)
_ENDED = "p.status IN ('completed', 'failed') AND p.completed_at < :before"
_OLD_EVENTS = text(
    f"DELETE FROM events AS e USING predictions AS p WHERE p.tenant = e.tenant AND p.id = e.prediction AND {_ENDED}"  # noqa: S608 - a constant
)
_OLD_JOURNALS = text(
    f"DELETE FROM steps AS s USING predictions AS p WHERE p.tenant = s.tenant AND p.id = s.prediction AND {_ENDED}"  # noqa: S608
)
_WAITS = text("UPDATE predictions SET status = 'enqueued', run = NULL WHERE tenant = :tenant AND id = :id")


class Collected(msgspec.Struct):
    """How much went: rows of predictions and runs, sessions, logged chats, files and idempotency keys, and blobs of pages and orphans.

    `requeued`: predictions that had lost their job and have one again.
    """

    predictions: int = 0
    sessions: int = 0
    chats: int = 0
    files: int = 0
    idempotency: int = 0
    pages: int = 0
    orphans: int = 0
    requeued: int = 0


async def collect(
    settings: Settings, database: Database, blobs: Blobs, *, now: datetime | None = None, sweep: bool = False
) -> Collected | None:
    """Forget what is to be forgotten; None when another process is at it. `sweep`: look at all blobs now, not only once in an hour."""
    now = now or datetime.now(UTC)
    async with _alone(database) as alone:
        if not alone:
            return None
        gone = Collected()
        gone.predictions = await _predictions(settings, database, blobs, now, gone)
        gone.files += await _files(settings, database, blobs, now)
        gone.sessions = await _sessions(settings, database, blobs, now)
        async with database.begin() as conn:
            if settings.prediction_ttl:
                gone.chats = await completions.forget(conn, before=now - timedelta(seconds=settings.prediction_ttl))
            await guests.forget(conn, now.date())
            await conn.execute(_OLD_EVENTS, {"before": now - AFTERLIFE})
            await conn.execute(_OLD_JOURNALS, {"before": now - AFTERLIFE})
            await feedback.forget(conn)
            gone.idempotency = await idempotency.forget(conn, before=now - timedelta(seconds=settings.idempotency_ttl))
            gone.requeued = await _requeue(conn)
            sweep = bool(await conn.scalar(_TURN, {"before": now - SWEEP_EVERY})) or sweep
        if sweep:
            gone.pages, gone.orphans = await _blobs(settings, database, blobs, now)
    if any(msgspec.structs.astuple(gone)):
        log.info("collected: %s", gone)
    return gone


@asynccontextmanager
async def _alone(database: Database) -> AsyncGenerator[bool]:
    """Whether nobody else collects; if so, nobody begins to as long as this is open and this process lives."""
    async with database.engine.connect() as connection:
        # not in a transaction: one that is idle for long would be ended
        guard = await connection.execution_options(isolation_level="AUTOCOMMIT")
        alone = bool(await guard.scalar(_TRY_LOCK, {"lock": _LOCK}))
        try:
            yield alone
        finally:
            if alone:
                await guard.execute(_UNLOCK, {"lock": _LOCK})


async def _predictions(settings: Settings, database: Database, blobs: Blobs, now: datetime, gone: Collected) -> int:
    count = 0
    while True:
        async with database.begin() as conn:
            due = await predictions.due_for_removal(
                conn,
                completed_before=now - timedelta(seconds=settings.prediction_ttl) if settings.prediction_ttl else None,
                unretained_completed_before=now - timedelta(seconds=settings.unretained_ttl),
                unretained_delivered_before=now - AFTER_DELIVERY,
                limit=BATCH,
            )
        for tenant, id in due:
            _, removed = await forget(database, blobs, tenant, id)
            gone.files += removed
        count += len(due)
        if len(due) < BATCH:
            return count


async def forget(
    database: Database, blobs: Blobs, tenant: str, id: str, *, kinds: Sequence[str] | None = None
) -> tuple[Prediction | None, int]:
    """Remove a prediction or a run with all that belongs to it, whoever waits for it or runs it: what it was, and how many files went with
    it. With `kinds`, only one of these.

    What an execution made goes with it; what was made in a chat belongs to the session, unless the run was not to be retained.

    The files that were made for it go with it; the files that it read go where it was not to be retained and nothing else reads them.
    """
    unused: list[str] = []
    async with database.begin() as conn:
        if kinds is not None and await predictions.get(conn, tenant, id, kinds=kinds) is None:
            return None, 0
        reads = await predictions.reads(conn, tenant, id)
        row = await predictions.delete(conn, tenant, id)
        await queue.cancel(conn, tenant, id)
        removed = 0
        for made in copy_ids(row) if row is not None else ():
            if deleted := await files.delete(conn, tenant, made):
                removed += 1
                unused += [deleted[1]] if deleted[1] else []
        if row is not None and row.kind == "execution":
            unused += await artifacts.delete(conn, tenant, namespace=id)
        elif row is not None and row.kind == "completion" and not row.retain:
            unused += await _forget_turn(conn, row)
        for file_id in {read.file_id for read in reads if read.file_id} if row is not None and not row.retain else ():
            if not await conn.scalar(_FILE_IN_USE, {"tenant": tenant, "file": file_id}):
                deleted = await files.delete(conn, tenant, file_id)
                removed += deleted is not None
                unused += [deleted[1]] if deleted and deleted[1] else []
    for kind in ("inputs", "steps"):
        await blobs.delete_prefix(key(tenant, kind, id))
    for blob in unused:
        await blobs.delete(blob)
        await blobs.delete(artifacts.shown(blob))
    return row, removed


async def _forget_turn(conn: AsyncConnection, row: Prediction) -> list[str]:
    """Remove what a chat's run left in its session and in the log; the blobs that are to go."""
    await completions.remove(conn, row.tenant, row.id)
    await sessions.forget_turn(conn, row.tenant, row.session or "", row.id)
    return await artifacts.delete(conn, row.tenant, prediction=row.id)


async def forget_session(database: Database, blobs: Blobs, tenant: str, id: str) -> bool:
    """Remove a chat with its turns, its runs (whoever listens to them), its log and its artifacts; whether it was there."""
    async with database.begin() as conn:
        found = await sessions.delete(conn, tenant, id)
        runs = await predictions.of_session(conn, tenant, id)
    for run in runs:
        await forget(database, blobs, tenant, run)
    async with database.begin() as conn:
        await completions.forget_session(conn, tenant, id)
        await artifacts.delete(conn, tenant, namespace=id)
    await blobs.delete_prefix(key(tenant, "artifacts", id))
    return found


async def _sessions(settings: Settings, database: Database, blobs: Blobs, now: datetime) -> int:
    count = 0
    while True:
        async with database.begin() as conn:
            due = await sessions.unused(
                conn,
                since=now - timedelta(seconds=settings.session_ttl) if settings.session_ttl else None,
                guests_since=now - timedelta(seconds=settings.guest_ttl) if settings.guest_ttl else None,
                limit=BATCH,
            )
        for tenant, id in due:
            await forget_session(database, blobs, tenant, id)
        count += len(due)
        if len(due) < BATCH:
            return count


async def _files(settings: Settings, database: Database, blobs: Blobs, now: datetime) -> int:
    count = 0
    while True:
        async with database.begin() as conn:
            before = now - timedelta(seconds=settings.file_ttl) if settings.file_ttl else None
            due = await files.expired(conn, now, uploaded_before=before, limit=BATCH)
        for tenant, id in due:
            async with database.begin() as conn:
                deleted = await files.delete(conn, tenant, id)
            if deleted and deleted[1]:
                await blobs.delete(deleted[1])
        count += len(due)
        if len(due) < BATCH:
            return count


async def _blobs(settings: Settings, database: Database, blobs: Blobs, now: datetime) -> tuple[int, int]:
    """Delete read pages past their time, and blobs that no row names."""
    pages = orphans = 0
    cached_before = now - timedelta(seconds=settings.cache_ttl)
    async for batch in blobs.older(cached_before):
        for blob in batch:
            if _kind(blob) == "pages":
                await blobs.delete(blob)
                pages += 1
    async for batch in blobs.older(now - GRACE):
        ours = [blob for blob in batch if _kind(blob) in ("files", "inputs", "steps", "skills", "artifacts")]
        async with database.begin() as conn:
            named = {str(row.blob) for row in await conn.execute(_NAMED, {"blobs": ours})}
        for blob in set(ours) - named:
            if _kind(blob) == "skills":  # the same content may come again under the same key
                async with database.begin() as conn:
                    orphans += await skills.drop(conn, blobs, blob)
                continue
            await blobs.delete(blob)
            orphans += 1
    return pages, orphans


async def _requeue(conn: AsyncConnection) -> int:
    """Give unfinished predictions without a job a new one. It does not happen, unless somebody empties the queue by hand."""
    lost = (await conn.execute(_JOBLESS)).all()
    for tenant, id, tier, kind in lost:
        log.warning("prediction %s had lost its job", id)
        await conn.execute(_WAITS, {"tenant": tenant, "id": id})
        await queue.enqueue(conn, tenant, id, tier, to=queue.queue_of(kind))
    return len(lost)


def _kind(blob: str) -> str:
    """The second segment of a key: what the blob is."""
    return blob.split("/", 2)[1] if blob.count("/") >= 2 else ""
