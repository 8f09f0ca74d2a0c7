"""One attempt at a prediction or a run, from its claim to its end: what is the same for both.

Whatever the files and the models do, the row ends: `completed` with an answer, or `failed` with a machine-readable type and a
sentence. What ends the worker instead (a kill, the memory) is noticed by its silence; another worker goes on from the journal.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.config import Settings
from heliograph.errors import HeliographError, NotFound, Unavailable
from heliograph.ids import new_id
from heliograph.jobs import queue
from heliograph.jobs.journal import Journal
from heliograph.jobs.loop import Draining, Lost
from heliograph.jobs.queue import Job
from heliograph.jobs.usage import Usage
from heliograph.media.fetch import fetch
from heliograph.models.errors import ModelUnavailable
from heliograph.store import events, files, predictions
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.predictions import Input, Prediction

log = logging.getLogger(__name__)
T = TypeVar("T")

WAIT, LONGEST_WAIT = 15.0, 300.0
"""Seconds until a model that was away is asked again: the first time, doubled each time up to the longest."""
LONGEST_ASKED = 3600.0
"""Seconds that a model's server may ask to be left alone for (`Retry-After`); it is asked again then at the latest."""
Ended = Callable[[AsyncConnection, Prediction], Awaitable[None]]
"""What else is done in the transaction that ends a row."""
TAKEN = "cancelled, deleted, or run by another"
"""Why a run may not go on."""


class GivenUp(HeliographError):
    """The job was given up: each worker that ran it died."""

    type = "worker_lost"


class Cancelled(HeliographError):
    """The request was cancelled."""

    type = "cancelled"


class InternalError(HeliographError):
    """Something went wrong inside Heliograph."""

    type = "internal_error"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in `predictions.error`. `id` finds the failure in the worker's log."""

    type: str
    message: str
    pages_read: int
    param: str | None = None
    id: str | None = None

    def text(self) -> str:
        """JSON text for the row."""
        return msgspec.json.encode(self).decode()


CANCELLED = Failure(type=Cancelled.type, message=str(Cancelled()), pages_read=0)


def pause(waits: int, asked: int | None) -> float:
    """Seconds to wait for a model that was waited for so often before, and whose server asked for so many; never the same for two, so that
    not all come back at once."""
    backoff = min(WAIT * 2**waits, LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311
    return max(backoff, min(asked or 0, LONGEST_ASKED) * random.uniform(1.0, 1.1))  # noqa: S311


async def claim(database: Database, job: Job, ended: Ended | None = None) -> Prediction | None:
    """The row of a job, ours to run now under its new token `run`; None when it is finished, cancelled or gone: then the job goes.

    What was cancelled while it waited ends here, and `ended` adds to that.
    """
    run = new_id()
    async with database.begin() as conn:
        row = await predictions.claim(conn, job.tenant, job.prediction, run)
        if row is None and await predictions.resume(conn, job.tenant, job.prediction):  # it waited for its model; held jobs never come
            row = await predictions.claim(conn, job.tenant, job.prediction, run)
        if row is None:
            await queue.done(conn, job)
            now = await predictions.get(conn, job.tenant, job.prediction)
            if now is not None and now.cancelled:
                await cancelled(conn, now, ended)
        return row


async def cancelled(conn: AsyncConnection, row: Prediction, ended: Ended | None = None) -> None:
    """Let an unfinished row end as cancelled, tell who listens, and have `ended` do what else is to be done then."""
    failed = await predictions.fail(conn, row.tenant, row.id, error=CANCELLED.text())
    if failed is not None:
        await events.tell(conn, row.tenant, row.id)
        if ended is not None:
            await ended(conn, failed)


class Attempt:
    """The attempt at `row`, which `claim` gave, for `job`. `cache`: share read pages with later requests of the tenant.

    `patience`: seconds that the row waits for a model that is away, before it fails. `listeners`: seconds after which a completion that
    nobody listens to any more is cancelled. `after`: the row whose journal this one goes on from.
    """

    def __init__(
        self, settings: Settings, database: Database, blobs: Blobs, job: Job, row: Prediction, draining: Draining, *, cache: bool,
        patience: float, listeners: float | None = None, after: str | None = None,
    ) -> None:  # fmt: skip
        self.job, self.row = job, row
        self.run = row.run or ""
        self.journal = Journal(database, blobs, row, self.run, draining, cache=cache, listeners=listeners)
        self._settings, self._database, self._blobs, self._patience, self._after = settings, database, blobs, patience, after

    async def tried(self, work: Callable[[], Awaitable[T]]) -> T | Failure:
        """What `work` makes, or how it failed. The journal is open meanwhile.

        Raises Unavailable (the job is put off), ModelUnavailable (it is to be laid aside), and Lost and HandBack, which end the attempt.
        """
        try:
            if self.row.attempts > self._settings.max_attempts:
                raise GivenUp(f"The job was given up: {self.row.attempts - 1} workers that ran it died or were lost.")
            await self.journal.open(after=self._after)
            return await work()
        except Unavailable:
            raise
        except ModelUnavailable as problem:
            if not self._gives_up():
                raise
            return self._failure(problem)
        except HeliographError as problem:
            return self._failure(problem, param=problem.param)
        except Exception as problem:
            if self.journal.stopped:
                raise self.journal.stopped from None
            return self._unforeseen(problem)

    async def watched(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` makes; it ends within a second of the run's losing its right to go on. For what may take minutes."""
        working = asyncio.ensure_future(work)
        watch = asyncio.create_task(self.journal.watch())
        try:
            await asyncio.wait((working, watch), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise self.journal.stopped or Lost(TAKEN)
        finally:
            for task in (working, watch):
                task.cancel()
            await asyncio.gather(working, watch, return_exceptions=True)

    async def stored(self, read: Input) -> Input:
        """An input with its bytes in a blob; a URL is fetched once. Raises NotFound, FetchError, PayloadTooLarge."""
        row = self.row
        if read.source == "file":
            async with self._database.begin() as conn:
                file = await files.get(conn, row.tenant, read.file_id or "")
            if file is None:
                raise NotFound(f"The file {read.file_id} was deleted before it was read.")
            return msgspec.structs.replace(read, blob=file.blob, bytes=file.bytes, sha256=file.sha256)
        if read.blob is not None:
            return read
        blob = key(row.tenant, "inputs", row.id, read.position)
        with tempfile.TemporaryDirectory(prefix="heliograph-fetch-") as folder:
            sink = Path(folder) / "body"
            fetched = await fetch(read.url or "", self._settings, sink)
            await self._blobs.put_file(blob, sink)
        async with self._database.begin() as conn:
            await predictions.fetched(conn, row.tenant, row.id, read.position, blob=blob, bytes=fetched.bytes, sha256=fetched.sha256)
        await self.journal.record(f"fetch:{read.position}", blob)
        return msgspec.structs.replace(read, blob=blob, bytes=fetched.bytes, sha256=fetched.sha256)

    async def lay_aside(self, problem: ModelUnavailable) -> None:
        """`paused` until the model may be back: what it answered stays, and the worker is free for others."""
        row, seconds = self.row, pause(len(self.journal.waits), problem.retry_after)
        usage = Usage(message=" ".join(f"Waits for its model: {problem.message}".split()), duration_seconds=self.seconds)
        async with self._database.begin() as conn:
            await self.journal.wait(conn)
            paused = await predictions.pause(conn, row.tenant, row.id, self.run, usage=usage.text())
            if not paused or not await queue.again(conn, self.job, at=datetime.now(UTC) + timedelta(seconds=seconds)):
                raise Lost(TAKEN)
        log.warning("%s %s waits %.0f s for its model: %s", row.kind, row.id, seconds, problem.message)

    async def let_go(self, ended: Ended | None = None) -> None:
        """The run may not go on. If that is so because somebody cancelled it, its row says so; `ended` adds to the transaction."""
        row = self.row
        async with self._database.begin() as conn:
            await queue.done(conn, self.job)
            now = await predictions.get(conn, row.tenant, row.id)
            if now is not None and now.cancelled and now.run == self.run:
                await cancelled(conn, now, ended)
        if now is None:  # what was written between the deletion and its discovery
            await self._blobs.delete_prefix(key(row.tenant, "inputs", row.id))
            await self._blobs.delete_prefix(key(row.tenant, "steps", row.id))

    async def forget(self, *, journal: bool = True) -> None:
        """Delete what the job needed and nobody else may have. A failure here is the garbage collector's business."""
        try:
            if journal:
                await self._blobs.delete_prefix(key(self.row.tenant, "steps", self.row.id))
            if not self.row.retain:
                await self._blobs.delete_prefix(key(self.row.tenant, "inputs", self.row.id))
        except HeliographError as problem:
            log.warning("left blobs of a finished job behind: %s", problem)

    @property
    def seconds(self) -> int:
        """How long the row has been worked on, in whole seconds."""
        return math.ceil((datetime.now(UTC) - self.row.started_at).total_seconds()) if self.row.started_at else 0

    def failed(self, failure: Failure) -> Usage:
        """The usage of a row that failed: nothing is charged."""
        return Usage(
            elements_processed=failure.pages_read, credits_used=0, message=" ".join(failure.message.split()), duration_seconds=self.seconds
        )

    def _gives_up(self) -> bool:
        """Whether the model has been away for as long as the row waits."""
        waits = self.journal.waits
        return bool(waits) and (datetime.now(UTC) - waits[0]).total_seconds() > self._patience

    def _failure(self, problem: HeliographError, *, param: str | None = None) -> Failure:
        return Failure(type=problem.type, message=problem.message, param=param, pages_read=self.journal.pages_read)

    def _unforeseen(self, problem: Exception) -> Failure:
        id = new_id()
        row = self.row
        if row.log:
            log.error("%s %s failed; error id %s", row.kind, row.id, id, exc_info=problem)
        else:  # a message may quote the document; where it happened does not
            places = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(traceback.extract_tb(problem.__traceback__)))
            log.error("%s %s failed; error id %s: %s at %s", row.kind, row.id, id, type(problem).__name__, places)
        message = f"Something went wrong inside Heliograph; its log says what, under {id}."
        return Failure(type=InternalError.type, message=message, pages_read=self.journal.pages_read, id=id)
