"""One prediction, from claim to result: `Predictions.run` reads like the list of what happens.

Whatever the files do, the prediction ends: `completed` with an answer, or `failed` with a machine-readable type and a
sentence. What ends the worker instead (a kill, the memory) is noticed by its silence; another worker goes on from
the last page in the journal.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import tempfile
import traceback
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

import msgspec

from heliograph.config import Settings
from heliograph.errors import HeliographError, NotFound, Unavailable
from heliograph.extraction.plan import Plan
from heliograph.ids import new_id
from heliograph.jobs import bodies, copies, queue
from heliograph.jobs.bodies import asked
from heliograph.jobs.examples import Bookcase
from heliograph.jobs.journal import Journal, JournalledReader, JournalledSteps
from heliograph.jobs.loop import Draining, Lost
from heliograph.jobs.queue import Job
from heliograph.jobs.usage import Usage, credits_for
from heliograph.media.fetch import fetch
from heliograph.models.errors import ModelUnavailable
from heliograph.skills.shelf import Shelf
from heliograph.store import files, predictions, steps
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.predictions import Input, Prediction

if TYPE_CHECKING:
    from heliograph.extraction.answer import Answer
    from heliograph.extraction.examples import Examples
    from heliograph.extraction.prompted.request import Steps
    from heliograph.models.serving import Models
    from heliograph.perception.reader import Reader

log = logging.getLogger(__name__)

WAIT, LONGEST_WAIT = 15.0, 300.0
"""Seconds until a model that was away is asked again: the first time, doubled each time up to the longest."""
LONGEST_ASKED = 3600.0
"""Seconds that a model's server may ask to be left alone for (`Retry-After`); it is asked again then at the latest."""


class Answerer(Protocol):
    """`extraction.answer.answer`, or a lighter one in tests."""

    async def __call__(  # noqa: D102
        self, reader: Reader, paths: list[Path], plan: Plan, /, *, models: Models | None, steps: Steps | None, examples: Examples
    ) -> Answer: ...


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


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, as its row will say."""

    status: Literal["completed", "failed"]
    usage: Usage
    response: str | None = None
    error: str | None = None
    copy: copies.Stored | None = None


def pause(waits: int, asked: int | None) -> float:
    """Seconds to wait for a model that was waited for so often before, and whose server asked for so many; never the same for two, so that
    not all come back at once."""
    backoff = min(WAIT * 2**waits, LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311
    return max(backoff, min(asked or 0, LONGEST_ASKED) * random.uniform(1.0, 1.1))  # noqa: S311


class Predictions:
    """Runs predictions with `reader`, `answer` and `models`; one for all jobs of a worker."""

    def __init__(
        self, settings: Settings, database: Database, blobs: Blobs, reader: Reader, answer: Answerer, models: Models | None = None
    ) -> None:
        self._settings, self._database, self._blobs = settings, database, blobs
        self._reader, self._answer, self._models = reader, answer, models
        self._bookcase = Bookcase(database, Shelf(blobs, settings.data_dir / "skills"), reader)

    async def run(self, job: Job, draining: Draining) -> None:
        """The handler of the queue `predictions`."""
        run = new_id()
        row = await self._claim(job, run)
        if row is None:
            return
        plan = asked(row).plan
        journal = Journal(self._database, self._blobs, row, run, draining, cache=plan.cache)
        try:
            try:
                outcome = await self._outcome(row, plan, journal)
            except ModelUnavailable as problem:
                if not self._gives_up(journal):
                    await self._lay_aside(job, row, run, journal, problem)
                    return
                outcome = _failed(row, Failure(type=problem.type, message=problem.message, pages_read=journal.pages_read))
            await self._finish(job, row, run, outcome)
            answered = f"the route {plan.route}" if plan.route is not None else "the embedded engine"
            log.info("prediction %s is %s: %s was asked for, %s answered", row.id, outcome.status, plan.model, answered)
        except Lost:
            await self._let_go(job, row, run)
            raise
        await self._forget(row)

    async def _claim(self, job: Job, run: str) -> Prediction | None:
        """The prediction, to be run by us now; None when it is finished, cancelled or gone, and the job with it."""
        async with self._database.begin() as conn:
            row = await predictions.claim(conn, job.tenant, job.prediction, run)
            if row is None and await predictions.resume(conn, job.tenant, job.prediction):  # it waited for its model; held jobs never come
                row = await predictions.claim(conn, job.tenant, job.prediction, run)
            if row is None:
                await queue.done(conn, job)
            return row

    async def _outcome(self, row: Prediction, plan: Plan, journal: Journal) -> Outcome:
        try:
            if row.attempts > self._settings.max_attempts:
                raise GivenUp(f"The job was given up: {row.attempts - 1} workers that ran it died or were lost.")
            await journal.open()
            async with self._inputs(row, journal) as paths:
                reader = cast("Reader", JournalledReader(self._reader, journal, paths))
                answer = await self._watched(journal, reader, list(paths), plan)
            return _completed(row, plan, answer, journal, await self._copied(row, answer))
        except (Unavailable, ModelUnavailable):
            raise
        except HeliographError as problem:
            return _failed(row, Failure(type=problem.type, message=problem.message, param=problem.param, pages_read=journal.pages_read))
        except Exception as problem:
            if journal.stopped:
                raise journal.stopped from None
            return _failed(row, self._unforeseen(row, problem, journal))

    async def _watched(self, journal: Journal, reader: Reader, paths: list[Path], plan: Plan) -> Answer:
        """The answer. Where a model gives it, which may take minutes, it ends within a second of the run's losing its right to go on."""
        examples = self._bookcase.of(plan.skills)
        if plan.route is None:
            return await self._answer(reader, paths, plan, models=None, steps=None, examples=examples)
        steps = JournalledSteps(journal)
        answer = asyncio.ensure_future(self._answer(reader, paths, plan, models=self._models, steps=steps, examples=examples))
        watch = asyncio.create_task(journal.watch())
        try:
            await asyncio.wait((answer, watch), return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            raise journal.stopped or Lost("cancelled, deleted, or run by another")
        finally:
            for task in (answer, watch):
                task.cancel()
            await asyncio.gather(answer, watch, return_exceptions=True)

    def _gives_up(self, journal: Journal) -> bool:
        """Whether the model has been away for as long as a prediction waits."""
        return bool(journal.waits) and (datetime.now(UTC) - journal.waits[0]).total_seconds() > self._settings.model_patience

    async def _lay_aside(self, job: Job, row: Prediction, run: str, journal: Journal, problem: ModelUnavailable) -> None:
        """`paused` until the model may be back: what it answered stays, and the worker is free for others."""
        seconds = pause(len(journal.waits), problem.retry_after)
        usage = Usage(message=" ".join(f"Waits for its model: {problem.message}".split()), duration_seconds=_seconds(row))
        async with self._database.begin() as conn:
            await journal.wait(conn)
            paused = await predictions.pause(conn, row.tenant, row.id, run, usage=usage.text())
            if not paused or not await queue.again(conn, job, at=datetime.now(UTC) + timedelta(seconds=seconds)):
                raise Lost("cancelled, deleted, or run by another")
        log.warning("prediction %s waits %.0f s for its model: %s", row.id, seconds, problem.message)

    async def _copied(self, row: Prediction, answer: Answer) -> copies.Stored | None:
        """The file that belongs to the answer, stored."""
        if answer.made is None:
            return None
        try:
            answer.response["redacted_uri"] = copies.MADE
            return await copies.store(self._blobs, row, answer.made)
        finally:
            answer.made.close()

    @asynccontextmanager
    async def _inputs(self, row: Prediction, journal: Journal) -> AsyncGenerator[dict[Path, Input]]:
        """The local files to read, in order; URLs are fetched once and stored."""
        async with self._database.begin() as conn:
            reads = await predictions.reads(conn, row.tenant, row.id)
        async with AsyncExitStack() as stack:
            paths: dict[Path, Input] = {}
            for read in reads:
                journal.check()
                stored = await self._stored(row, read, journal)
                path = await stack.enter_async_context(self._blobs.local(stored.blob or ""))
                paths[await stack.enter_async_context(_own_name(path, paths))] = stored
            yield paths

    async def _stored(self, row: Prediction, read: Input, journal: Journal) -> Input:
        if read.source == "file":
            async with self._database.begin() as conn:
                file = await files.get(conn, row.tenant, read.file_id or "")
            if file is None:
                raise NotFound(f"The file {read.file_id} was deleted before it was read.")
            return msgspec.structs.replace(read, blob=file.blob, sha256=file.sha256)
        if read.blob is not None:
            return read
        blob = key(row.tenant, "inputs", row.id, read.position)
        with tempfile.TemporaryDirectory(prefix="heliograph-fetch-") as folder:
            sink = Path(folder) / "body"
            fetched = await fetch(read.url or "", self._settings, sink)
            await self._blobs.put_file(blob, sink)
        async with self._database.begin() as conn:
            await predictions.fetched(conn, row.tenant, row.id, read.position, blob=blob, bytes=fetched.bytes, sha256=fetched.sha256)
        await journal.record(f"fetch:{read.position}", blob)
        return msgspec.structs.replace(read, blob=blob, sha256=fetched.sha256)

    async def _finish(self, job: Job, row: Prediction, run: str, outcome: Outcome) -> None:
        """Result, webhook and the end of the job, in one transaction or not at all."""
        async with self._database.begin() as conn:
            written = await predictions.finish(
                conn, row.tenant, row.id, run, status=outcome.status, response=outcome.response, error=outcome.error,
                usage=outcome.usage.text(), credits=outcome.usage.credits_used or 0, request=bodies.without_inline_skills(row),
            )  # fmt: skip
            if written is None or not await queue.done(conn, job):
                raise Lost("cancelled, deleted, or run by another")
            await steps.clear(conn, row.tenant, row.id)
            if outcome.copy:
                await copies.register(conn, self._settings, row, outcome.copy)
            if row.callback_url:
                await queue.enqueue_webhook(conn, row.tenant, row.id)

    async def _let_go(self, job: Job, row: Prediction, run: str) -> None:
        """The run may not go on. If that is so because somebody cancelled it, its row says so."""
        async with self._database.begin() as conn:
            await queue.done(conn, job)
            now = await predictions.get(conn, row.tenant, row.id)
            if now is not None and now.cancelled and now.run == run:
                error = msgspec.json.encode(Failure(type=Cancelled.type, message=str(Cancelled()), pages_read=0)).decode()
                await predictions.fail(conn, row.tenant, row.id, error=error)
        if now is None:  # what was written between the deletion and its discovery
            await self._blobs.delete_prefix(key(row.tenant, "inputs", row.id))
            await self._blobs.delete_prefix(key(row.tenant, "steps", row.id))

    async def _forget(self, row: Prediction) -> None:
        """Delete what the job needed and nobody else may have. A failure here is the garbage collector's business."""
        try:
            await self._blobs.delete_prefix(key(row.tenant, "steps", row.id))
            if not row.retain:
                await self._blobs.delete_prefix(key(row.tenant, "inputs", row.id))
        except HeliographError as problem:
            log.warning("left blobs of a finished job behind: %s", problem)

    def _unforeseen(self, row: Prediction, problem: Exception, journal: Journal) -> Failure:
        id = new_id()
        if row.log:
            log.error("prediction %s failed; error id %s", row.id, id, exc_info=problem)
        else:  # a message may quote the document; where it happened does not
            places = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(traceback.extract_tb(problem.__traceback__)))
            log.error("prediction %s failed; error id %s: %s at %s", row.id, id, type(problem).__name__, places)
        message = f"Something went wrong inside Heliograph; its log says what, under {id}."
        return Failure(type=InternalError.type, message=message, pages_read=journal.pages_read, id=id)


def _completed(row: Prediction, plan: Plan, answer: Answer, journal: Journal, copy: copies.Stored | None) -> Outcome:
    usage = Usage(
        elements_processed=answer.elements,
        element_type=answer.element_type,
        credits_used=credits_for(plan, min(journal.pages_billed, answer.elements)),
        message=answer.message,
        duration_seconds=_seconds(row),
    )
    return Outcome(status="completed", usage=usage, response=msgspec.json.encode(answer.response).decode(), copy=copy)


def _failed(row: Prediction, failure: Failure) -> Outcome:
    usage = Usage(
        elements_processed=failure.pages_read, credits_used=0, message=" ".join(failure.message.split()), duration_seconds=_seconds(row)
    )
    return Outcome(status="failed", usage=usage, error=msgspec.json.encode(failure).decode())


def _seconds(row: Prediction) -> int:
    return math.ceil((datetime.now(UTC) - row.started_at).total_seconds()) if row.started_at else 0


@asynccontextmanager
async def _own_name(path: Path, taken: dict[Path, Input]) -> AsyncGenerator[Path]:
    """`path`, under another name when the same file is read twice in one request."""
    if path not in taken:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="heliograph-again-") as folder:
        link = Path(folder) / "file"
        link.symlink_to(path)
        yield link
