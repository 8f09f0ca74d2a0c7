"""The loop of a worker: takes jobs, runs them, says that it lives, and hands back what it cannot finish.

procrastinate keeps the jobs; the loop is ours, because three things must hold that its own worker does not promise
(3.10): heartbeats go on while a stopping worker finishes its step, the worker outlives a restart of the database, and
what a worker strikes out or hands back is still its own.

The database is the only judge. A worker that was cut off and rescued meanwhile finds each of its jobs taken from it at
the job's next step, and lets go.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Notification
from procrastinate.manager import JobManager
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.errors import Unavailable
from heliograph.jobs import queue
from heliograph.jobs.connection import job_manager
from heliograph.jobs.queue import Job, Queue
from heliograph.jobs.rescue import rescue
from heliograph.store.database import Database

log = logging.getLogger(__name__)

POLL = 5.0
"""Seconds after which an idle worker looks for jobs though nobody told it of one."""
GIVE_BACK = 5.0
"""Seconds that a stopping worker tries to hand back its jobs while the database does not answer; then others rescue them."""

_BEAT = text("UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = :id")
_STRAYS = text(
    "SELECT id, queue_name, args->>'tenant', args->>'prediction', attempts FROM procrastinate_jobs "
    "WHERE worker_id = :id AND status = 'doing'"
)


class HandBack(Exception):
    """The worker is stopping; the job goes on elsewhere from the step it has reached."""


class Lost(Exception):
    """The job is not this worker's any more: cancelled, deleted, or rescued by another."""


class Draining:
    """Asked by handlers between two steps."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()

    def check(self) -> None:
        """Raise HandBack when the worker is stopping."""
        if self.requested.is_set():
            raise HandBack


Handler = Callable[[Job, Draining], Awaitable[None]]
"""Runs one job. It strikes the job out (`queue.done`) or puts it off (`queue.again`) in the transaction that records the outcome."""


class Loop:
    """Runs jobs of each queue in `handlers`, at most `slots[queue]` at a time.

    `heartbeat`, `stalled_after`, `drain_timeout`: seconds, as in the settings of these names.
    `upkeep`: what else to do now and then, as (seconds between, coroutine function).
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[Queue, Handler],
        slots: Mapping[Queue, int],
        *,
        heartbeat: float,
        stalled_after: float,
        drain_timeout: float,
        upkeep: Mapping[float, Callable[[], Awaitable[object]]] | None = None,
    ) -> None:
        self.id = 0
        self._database = database
        self._manager: JobManager = job_manager(database, self._wake_all)
        self._handlers = handlers
        self._slots = slots
        self._heartbeat, self._stalled_after, self._drain_timeout = heartbeat, stalled_after, drain_timeout
        self._upkeep = upkeep or {}
        self._wake: dict[Queue, asyncio.Event] = {name: asyncio.Event() for name in handlers}
        self._running: dict[asyncio.Task[None], Job] = {}
        self._taking = asyncio.Lock()
        self._unsure = False  # an answer of the database was lost; it may think that we run a job that we never saw
        self._draining = Draining()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then let running jobs reach their next step, hand them back, and return."""
        await self._register()
        takers = [asyncio.create_task(self._take_jobs(name)) for name in self._handlers]
        keepers = [
            asyncio.create_task(each)
            for each in (
                self._forever(self._heartbeat, self._beat),
                self._forever(self._heartbeat, self._rescue),
                self._listen(),
                *(self._forever(seconds, act) for seconds, act in self._upkeep.items()),
            )
        ]
        try:
            await stop.wait()
        finally:
            await _end(takers)
            await self._drain()
            await _end(keepers)
            with suppress(Exception):  # then its silence tells
                await self._manager.unregister_worker(self.id)

    # -- taking jobs --------------------------------------------------------------------------------------------------

    async def _take_jobs(self, name: Queue) -> None:
        free = asyncio.Semaphore(self._slots[name])
        wake = self._wake[name]
        while True:
            await free.acquire()
            wake.clear()
            try:
                job = await self._fetch(name)
            except Exception as problem:
                _log_outage("cannot take jobs", problem)
                self._unsure = True
                await asyncio.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - so that workers do not come all at once
                job = None
            else:
                if job is None:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(wake.wait(), POLL)
            if job is None:
                free.release()
                continue
            task = asyncio.create_task(self._work(job), name=f"job {job.id}")
            self._running[task] = job
            task.add_done_callback(lambda ended: (self._running.pop(ended, None), free.release()))

    async def _fetch(self, name: Queue) -> Job | None:
        async with self._taking:
            if self._unsure:
                await self._put_back_strays()
                self._unsure = False
            row = await self._manager.fetch_job(queues=[name], worker_id=self.id)
            if row is None or row.id is None:
                return None
            return Job(row.id, name, str(row.task_kwargs["tenant"]), str(row.task_kwargs["prediction"]), self.id, row.attempts)

    async def _put_back_strays(self) -> None:
        mine = {(job.id, job.attempt) for job in self._running.values()}
        async with self._database.begin() as conn:
            for job_id, name, tenant, prediction, attempt in await conn.execute(_STRAYS, {"id": self.id}):
                if (job_id, attempt) not in mine:
                    await self._put_back(conn, Job(job_id, name, tenant, prediction, self.id, attempt))

    async def _work(self, job: Job) -> None:
        delay, blame = 0.0, False
        try:
            await self._handlers[job.queue](job, self._draining)
            return
        except Lost as lost:
            log.info("let go of job %s: %s", job.id, lost)
            return
        except (HandBack, asyncio.CancelledError):
            log.info("hand back job %s, for this worker is stopping", job.id)
        except (Unavailable, ConnectorException) as problem:
            log.warning("put off job %s: %s", job.id, problem)
            delay = 2.0
        except Exception:
            log.exception("job %s went wrong", job.id)
            delay, blame = 2.0, True
        await self._hand_back(job, delay, blame=blame)

    async def _hand_back(self, job: Job, delay: float, *, blame: bool) -> None:
        started = time.monotonic()
        while True:
            try:
                async with self._database.begin() as conn:
                    await self._put_back(conn, job, delay, blame=blame)
            except Exception as problem:
                _log_outage(f"cannot hand back job {job.id}", problem)
                if self._draining.requested.is_set() and time.monotonic() - started > GIVE_BACK:
                    return
                await asyncio.sleep(0.5)
            else:
                return

    async def _put_back(self, conn: AsyncConnection, job: Job, delay: float = 0.0, *, blame: bool = False) -> None:
        at = datetime.now(UTC) + timedelta(seconds=delay) if delay else None
        if await queue.again(conn, job, at=at):
            await queue.taken_back(conn, job.tenant, job.prediction, blame=blame)

    async def _drain(self) -> None:
        self._draining.requested.set()
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=self._drain_timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    # -- staying alive ------------------------------------------------------------------------------------------------

    async def _register(self) -> None:
        while True:
            try:
                self.id = await self._manager.register_worker()
            except Exception as problem:
                _log_outage("cannot register", problem)
                await asyncio.sleep(0.5)
            else:
                return

    async def _beat(self) -> None:
        async with self._database.begin() as conn:
            known = (await conn.execute(_BEAT, {"id": self.id})).rowcount
        if not known:  # taken for dead and forgotten; its jobs are others' now
            await self._register()

    async def _rescue(self) -> None:
        await rescue(self._database, self._manager, self._stalled_after)

    async def _listen(self) -> None:
        while True:
            try:
                await self._manager.listen_for_jobs(on_notification=self._told, queues=list(self._handlers))
            except Exception as problem:
                _log_outage("cannot listen", problem)
            await asyncio.sleep(random.uniform(0.2, 1.0))  # noqa: S311

    def _wake_all(self) -> None:
        for event in self._wake.values():
            event.set()

    async def _told(self, *, channel: str, notification: Notification) -> None:
        name = channel.rpartition("#")[2]
        for queue_name, event in self._wake.items():
            if queue_name == name and notification["type"] == "job_inserted":
                event.set()

    async def _forever(self, seconds: float, act: Callable[[], Awaitable[object]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await act()
            except Exception as problem:
                _log_outage("cannot look after the queue", problem)


def _log_outage(what: str, problem: Exception) -> None:
    """A database that is away is expected, and said in a line; anything else in full. Whatever it is, the worker goes on trying."""
    expected = isinstance(problem, (Unavailable, ConnectorException))
    log.log(
        logging.WARNING if expected else logging.ERROR,
        "%s: %s",
        what,
        " ".join(str(problem).split()),
        exc_info=None if expected else problem,
    )


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel the tasks until they have ended: `asyncio.wait_for` before Python 3.12 loses a cancel that meets its result."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.5)
    await asyncio.gather(*tasks, return_exceptions=True)
