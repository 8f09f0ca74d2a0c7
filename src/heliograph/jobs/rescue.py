"""What any worker does for all: give the jobs of dead workers to living ones, and let late jobs move up."""

from __future__ import annotations

import logging
from typing import cast

from procrastinate.manager import JobManager
from sqlalchemy import text

from heliograph.jobs import queue
from heliograph.jobs.queue import Queue
from heliograph.store.database import Database

log = logging.getLogger(__name__)

_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(:lock)")
_LOCK = 0x48454C4A  # "HELJ"
_DATABASE_AGE = text("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())")
_TAKE = text(
    "UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, attempts = attempts + 1, scheduled_at = NULL "
    "WHERE id = :id AND status = 'doing' AND worker_id IS NOT DISTINCT FROM :worker"
)
_FORGET = 20
"""Silences after which a dead worker's row goes."""


async def rescue(database: Database, manager: JobManager, silence: float) -> int:
    """Put the jobs of workers that were silent for `silence` seconds back into the queue; returns how many.

    Only one worker does this at a time. A database that has itself just started has heard from nobody yet, so it judges nobody.
    """
    async with database.begin() as conn:
        if not await conn.scalar(_ONE_AT_A_TIME, {"lock": _LOCK}):
            return 0
        if float(await conn.scalar(_DATABASE_AGE) or 0) < silence:
            return 0
        rescued = 0
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=silence):
            if (await conn.execute(_TAKE, {"id": job.id, "worker": job.worker_id})).rowcount:
                tenant, prediction = str(job.task_kwargs["tenant"]), str(job.task_kwargs["prediction"])
                await queue.taken_back(conn, tenant, prediction)
                await queue.wake(conn, cast("Queue", job.queue), job.id or 0)
                log.warning("rescued job %s of worker %s, which is silent", job.id, job.worker_id)
                rescued += 1
        await queue.age(conn)
    await manager.prune_stalled_workers(_FORGET * silence)
    return rescued
