"""The queue: which job runs next, said in one integer when the job is written.

A job's priority is a *band* for its tier and, inside the band, a *round*. A tenant's first waiting job takes the round that
is being served now, its next one the round after, and so on; within a round it is first come, first served. So ten
thousand jobs of one tenant never stand before the first of another, and a tenant's own jobs stay in order. (This is
start-time fair queueing: Goyal, Vin and Cheng, SIGCOMM 1996, with jobs of equal cost.) Jobs that waited too long move up
a band (`age`), so flex is late but never starves.

Everything here runs in the caller's transaction, so a prediction and its job are written together or not at all.
Payloads are ids; content stands in tables and blobs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Literal, cast

import msgspec
from procrastinate.jobs import Job as _Row
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store import predictions

Tier = Literal["priority", "standard", "flex"]
Queue = Literal["predictions", "runs", "webhooks"]

PREDICTIONS: Queue = "predictions"
RUNS: Queue = "runs"
"""What agents do: they mostly wait for models, so they have slots of their own, and no backlog of documents stands before a chat."""
WEBHOOKS: Queue = "webhooks"
WORK: tuple[Queue, ...] = (PREDICTIONS, RUNS)
"""The queues with bands and rounds; each has its own."""

_TOP: dict[Tier, int] = {"priority": 2_000_000_000, "standard": 1_000_000_000, "flex": 0}
_ROUNDS = 999_999_999  # in a band; the count starts again whenever nothing waits in it
_WEBHOOK = 2_100_000_000  # their own workers' slots take them; above the bands so that a backlog does not hide them
HELD = -2_100_000_000
"""The priority of a job that an operator holds: outside the bands, so that it does not count as waiting."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When a held job would run."""
_UP: dict[Tier, Tier] = {"flex": "standard", "standard": "priority"}

PATIENCE: dict[Tier, timedelta] = {"flex": timedelta(minutes=10), "standard": timedelta(minutes=30)}
"""How long a job of a tier waits before it is served as if it were of the next better one."""

_defer = JobManager(PsycopgConnector())  # only ever used with the caller's connection


_BAND = "queue_name = :queue AND status = 'todo' AND priority BETWEEN :low AND :top"
_PLACE = text(
    "SELECT EXISTS (SELECT FROM server WHERE name = ANY(:holds)), "  # noqa: S608 - constants only, here and below
    f"(SELECT max(priority) FROM procrastinate_jobs WHERE {_BAND}), "
    f"(SELECT min(priority) FROM procrastinate_jobs WHERE {_BAND} AND args->>'tenant' = :tenant)"
)
_LINK = text(
    "UPDATE predictions SET job_id = :job, status = CASE WHEN :paused THEN 'paused' ELSE status END WHERE tenant = :tenant AND id = :id"
)
_CANCEL = text("DELETE FROM procrastinate_jobs WHERE status = 'todo' AND args->>'tenant' = :tenant AND args->>'prediction' = :id")
_AGE = text(
    "WITH late AS (SELECT job.id, job.priority, p.tenant FROM procrastinate_jobs AS job "
    "    JOIN predictions AS p ON p.tenant = job.args->>'tenant' AND p.id = job.args->>'prediction' "
    "    WHERE job.queue_name = :queue AND job.status = 'todo' AND job.priority BETWEEN :low AND :top "
    "    AND p.created_at < clock_timestamp() - make_interval(secs => :seconds) "
    "    ORDER BY job.priority DESC, job.id LIMIT :most FOR UPDATE OF job SKIP LOCKED), "
    "turns AS (SELECT id, row_number() OVER (PARTITION BY tenant ORDER BY priority DESC, id) - 1 AS turn FROM late), "
    "head AS (SELECT coalesce(max(priority), :better) AS priority FROM procrastinate_jobs "
    "    WHERE queue_name = :queue AND status = 'todo' AND priority BETWEEN :better_low AND :better) "
    "UPDATE procrastinate_jobs SET priority = greatest(head.priority - turns.turn, :better_low) "
    "FROM turns, head WHERE procrastinate_jobs.id = turns.id"
)

_MINE = "id = :id AND worker_id = :worker AND attempts = :attempt AND status = 'doing'"
_DONE = text(f"DELETE FROM procrastinate_jobs WHERE {_MINE}")  # noqa: S608
_AGAIN = text(
    "UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, attempts = attempts + 1, scheduled_at = :at "  # noqa: S608
    f"WHERE {_MINE}"
)
_NOTIFY = text("SELECT pg_notify(:channel, CAST(json_build_object('type', 'job_inserted', 'job_id', CAST(:id AS bigint)) AS text))")

_TAKEN_BACK = text(
    "UPDATE predictions SET status = 'enqueued', run = NULL, attempts = greatest(attempts - :attempts, 0) "
    "WHERE tenant = :tenant AND id = :id AND status = 'running'"
)


def hold_name(tenant: str | None) -> str:
    """The name of the row that says that a tenant's work, or everybody's, is held."""
    return "hold" if tenant is None else f"hold:{tenant}"


class Job(msgspec.Struct, frozen=True):
    """A job that the worker `worker` took from the queue, for the time `attempt` (from 0) that it was taken or put back."""

    id: int
    queue: Queue
    tenant: str
    prediction: str
    worker: int
    attempt: int


def tier_of(service_tier: str | None) -> Tier:
    """The tier that a request's `service_tier` names: `auto`, `default` and nothing are `standard`."""
    return service_tier if service_tier in ("priority", "flex") else "standard"


def queue_of(kind: str) -> Queue:
    """The queue for rows of this kind."""
    return RUNS if kind in predictions.RUNS else PREDICTIONS


async def enqueue(conn: AsyncConnection, tenant: str, prediction_id: str, tier: str, *, to: Queue = PREDICTIONS) -> int:
    """Write the job of a prediction, or of a run, and return its id. The row must be in the same transaction or committed.

    While an operator holds the tenant's work (`holds.hold`), the job waits and the prediction is `paused`.
    """
    held, priority = await place(conn, tenant, tier_of(tier), to=to)
    priority = HELD if held else priority
    job_id = await _write(conn, to, tenant, prediction_id, priority=priority, at=NEVER if held else None)
    await conn.execute(_LINK, {"tenant": tenant, "id": prediction_id, "job": job_id, "paused": held})
    return job_id


async def enqueue_webhook(conn: AsyncConnection, tenant: str, prediction_id: str) -> int:
    """Write the job that delivers a finished prediction's webhook; in the transaction that finishes it."""
    return await _write(conn, WEBHOOKS, tenant, prediction_id, priority=_WEBHOOK, at=None)


async def cancel(conn: AsyncConnection, tenant: str, prediction_id: str) -> bool:
    """Take the waiting jobs of a prediction out of the queue; True when one was waiting.

    A running one is not touched: its worker sees between two steps that the prediction is cancelled or gone.
    """
    found = await conn.execute(_CANCEL, {"tenant": tenant, "id": prediction_id})
    return found.rowcount > 0


async def age(conn: AsyncConnection, patience: dict[Tier, timedelta] = PATIENCE, *, most: int = 500) -> int:
    """Move jobs that waited longer than `patience` up a band, the oldest of each tenant first; returns how many."""
    moved = 0
    for queue, (tier, limit) in product(WORK, patience.items()):
        better = _TOP[_UP[tier]]
        done = await conn.execute(
            _AGE,
            {"queue": queue, "top": _TOP[tier], "low": _TOP[tier] - _ROUNDS, "better": better, "better_low": better - _ROUNDS,
             "seconds": limit.total_seconds(), "most": most},
        )  # fmt: skip
        moved += done.rowcount
    return moved


# -- the worker's side ------------------------------------------------------------------------------------------------


async def done(conn: AsyncConnection, job: Job) -> bool:
    """Strike the job out; False when it has been taken from its worker meanwhile."""
    return (await conn.execute(_DONE, {"id": job.id, "worker": job.worker, "attempt": job.attempt})).rowcount > 0


async def again(conn: AsyncConnection, job: Job, *, at: datetime | None = None) -> bool:
    """Put the job back, to run at once or from `at` on; False when it has been taken from its worker meanwhile."""
    put_back = (await conn.execute(_AGAIN, {"id": job.id, "worker": job.worker, "attempt": job.attempt, "at": at})).rowcount > 0
    if put_back and at is None:
        await wake(conn, job.queue, job.id)
    return put_back


async def taken_back(conn: AsyncConnection, tenant: str, prediction_id: str, *, blame: bool = True) -> None:
    """Make a running prediction `enqueued`: nobody runs it now. `blame`: it may have brought its worker down, so the attempt counts."""
    await conn.execute(_TAKEN_BACK, {"tenant": tenant, "id": prediction_id, "attempts": 0 if blame else 1})


async def wake(conn: AsyncConnection, queue: Queue, job_id: int) -> None:
    """Tell idle workers of a job that is back in the queue; procrastinate itself tells only of new ones."""
    await conn.execute(_NOTIFY, {"channel": f"procrastinate_queue_v1#{queue}", "id": job_id})


async def place(conn: AsyncConnection, tenant: str, tier: Tier, *, to: Queue = PREDICTIONS) -> tuple[bool, int]:
    """Whether an operator holds the tenant's work, and the priority of a job that it queues now."""
    top, low = _TOP[tier], _TOP[tier] - _ROUNDS
    found = await conn.execute(
        _PLACE, {"holds": [hold_name(None), hold_name(tenant)], "queue": to, "top": top, "low": low, "tenant": tenant}
    )
    held, head, last = found.one()
    now = top if head is None else head
    return held, max(now if last is None else min(now, last - 1), low)


async def _write(conn: AsyncConnection, queue: Queue, tenant: str, prediction: str, *, priority: int, at: datetime | None) -> int:
    raw = (await conn.get_raw_connection()).driver_connection
    row = _Row(
        id=None, queue=queue, task_name=queue, priority=priority, lock=None, queueing_lock=None,
        task_kwargs={"tenant": tenant, "prediction": prediction}, scheduled_at=at,
    )  # fmt: skip
    written = await _defer.defer_job_async(row, connection=raw)
    return cast("int", written.id)
