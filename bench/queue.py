"""The queue: from submit to start, another tenant behind a large backlog, and 2,000 submits as fast as they go.

On an embedded PostgreSQL of its own, fsync on, with a worker's real loop in this process; its jobs only claim, wait and finish.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bench import Row
from heliograph.ids import new_id
from heliograph.jobs import queue
from heliograph.jobs.loop import Draining, Loop
from heliograph.store import predictions, tenants
from heliograph.store.database import Database
from heliograph.store.migrations import migrate
from heliograph.store.postgres import EmbeddedPostgres

BACKLOG = 10_000
SUBMITS = 2_000
CLIENTS = 32


class Jobs:
    """Jobs that take `seconds`. `started`: when each began, for every time that it did."""

    def __init__(self, database: Database, seconds: float) -> None:
        self.started: list[tuple[str, float]] = []
        self._begun: dict[str, asyncio.Future[float]] = {}
        self._database, self._seconds = database, seconds

    async def run(self, job: queue.Job, _: Draining) -> None:
        self.started.append((job.prediction, time.perf_counter()))
        if not (begun := self._begin(job.prediction)).done():
            begun.set_result(time.perf_counter())
        run = new_id()
        async with self._database.begin() as conn:
            await predictions.claim(conn, job.tenant, job.prediction, run)
        await asyncio.sleep(self._seconds)
        async with self._database.begin() as conn:
            await predictions.finish(conn, job.tenant, job.prediction, run, status="completed", response="{}")
            await queue.done(conn, job)

    async def start_of(self, id: str) -> float:
        """When the job first began; waits for it."""
        return await self._begin(id)

    def _begin(self, id: str) -> asyncio.Future[float]:
        return self._begun.setdefault(id, asyncio.get_running_loop().create_future())


@asynccontextmanager
async def working(database: Database, jobs: Jobs, slots: int) -> AsyncIterator[None]:
    """A worker runs while this is open."""
    stop = asyncio.Event()
    loop = Loop(database, {"predictions": jobs.run}, {"predictions": slots}, heartbeat=2.0, stalled_after=8.0, drain_timeout=20.0)
    task = asyncio.create_task(loop.run(stop))
    await asyncio.sleep(0.5)
    try:
        yield
    finally:
        stop.set()
        await task


async def submit(database: Database, id: str, tenant: str = tenants.DEFAULT) -> None:
    """A prediction and its job, in one transaction, as the API writes them."""
    async with database.begin() as conn:
        await write(conn, id, tenant)


async def write(conn: AsyncConnection, id: str, tenant: str) -> None:
    """A prediction and its job."""
    about = {"kind": "document", "operation": "generate", "domain": None, "model": "vlm-1", "request": "{}", "digest": id}
    await predictions.create(conn, tenant, id=id, **about)
    await queue.enqueue(conn, tenant, id, "standard")


async def submit_to_start(url: str) -> Iterator[Row]:
    """One job at a time, a worker idle."""
    database = Database(url)
    jobs = Jobs(database, 0.0)
    waits: list[float] = []
    async with working(database, jobs, 2):
        for number in range(200):
            begun = time.perf_counter()
            await submit(database, f"single{number}")
            waits.append((await jobs.start_of(f"single{number}") - begun) * 1000)
            await asyncio.sleep(0.01)
    await database.close()
    p95 = quantiles(waits, n=20)[-1]
    return iter([Row("submit to start, an idle worker, p50", median(waits), "ms", "<= 30", f"200 jobs, p95 {p95:.1f} ms, commit included")])


async def fairness(url: str) -> Iterator[Row]:
    """A tenant with 10,000 waiting jobs of 50 ms in 4 slots; ten others come with one each."""
    database = Database(url)
    async with database.begin() as conn:
        big = (await tenants.create(conn, "big")).id
        others = [(await tenants.create(conn, f"other{number}")).id for number in range(10)]
    begun = time.perf_counter()
    for first in range(0, BACKLOG, 500):
        async with database.begin() as conn:
            for number in range(first, first + 500):
                await predictions.create(
                    conn,
                    big,
                    id=f"big{number}",
                    kind="document",
                    operation="generate",
                    domain=None,
                    model="vlm-1",
                    request="{}",
                    digest="0",
                )
                await queue.enqueue(conn, big, f"big{number}", "standard")
    each = (time.perf_counter() - begun) / BACKLOG * 1000
    jobs = Jobs(database, 0.05)
    waits: list[float] = []
    async with working(database, jobs, 4):
        await asyncio.sleep(1.0)
        for tenant in others:
            begun = time.perf_counter()
            await submit(database, f"first of {tenant}", tenant)
            waits.append((await jobs.start_of(f"first of {tenant}") - begun) * 1000)
    async with database.begin() as conn:
        left = await conn.scalar(text("SELECT count(*) FROM procrastinate_jobs"))
        await conn.execute(text("TRUNCATE procrastinate_jobs CASCADE"))
    await database.close()
    note = f"worst of 10 {max(waits):.0f} ms; {left} still waited; jobs of 50 ms, 4 at a time; writing the backlog took {each:.2f} ms a job"
    return iter([Row("first job of another tenant behind 10,000, median", median(waits), "ms", "<= 1,000", note)])


async def burst(url: str) -> Iterator[Row]:
    """2,000 submits by 32 clients at once while a worker works."""
    database = Database(url, size=16, overflow=0, wait=60)
    worker_side = Database(url)
    jobs = Jobs(worker_side, 0.0)
    ids = [f"burst{number}" for number in range(SUBMITS)]
    waiting = iter(ids)
    async with working(worker_side, jobs, 8):
        begun = time.perf_counter()

        async def client() -> None:
            for id in waiting:
                await submit(database, id)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        accepted = time.perf_counter() - begun
        await asyncio.gather(*map(jobs.start_of, ids))
        finished = time.perf_counter() - begun
        await asyncio.sleep(0.5)
    async with database.begin() as conn:
        left = await conn.scalar(text("SELECT count(*) FROM predictions WHERE status <> 'completed' AND id LIKE 'burst%'"))
    twice = sum(count > 1 for count in Counter(id for id, _ in jobs.started).values())
    await database.close()
    await worker_side.close()
    note = f"all finished after {finished:.1f} s; {left} unfinished, {twice} run twice; submits and worker share one Python process"
    return iter([Row("2,000 submits by 32 clients", SUBMITS / accepted, "a second", "all, once", note)])


def measure() -> Iterator[Row]:
    """The rows of this bench."""
    folder = Path(tempfile.mkdtemp(prefix="heliograph-bench-"))
    folder.chmod(0o711)  # root's PostgreSQL runs as another user
    server = EmbeddedPostgres(folder)
    url = server.start()
    try:
        migrate(url)
        for part in (submit_to_start, fairness, burst):
            yield from asyncio.run(part(url))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
