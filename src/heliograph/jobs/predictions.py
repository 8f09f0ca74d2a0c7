"""One prediction, from claim to result: `Predictions.run` reads like the list of what happens."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

import msgspec

from heliograph.config import Settings
from heliograph.extraction.plan import Plan
from heliograph.jobs import bodies, copies, queue
from heliograph.jobs.attempts import TAKEN, Attempt, Failure, claim
from heliograph.jobs.bodies import asked
from heliograph.jobs.examples import Bookcase
from heliograph.jobs.journal import JournalledReader, JournalledSteps
from heliograph.jobs.loop import Draining, Lost
from heliograph.jobs.progress import Progress
from heliograph.jobs.queue import Job
from heliograph.jobs.usage import Usage, credits_for
from heliograph.models.errors import ModelUnavailable
from heliograph.skills.shelf import Shelf
from heliograph.store import predictions, steps
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import Input, Prediction

if TYPE_CHECKING:
    from heliograph.extraction.answer import Answer
    from heliograph.extraction.examples import Examples
    from heliograph.models.serving import Models
    from heliograph.perception.reader import Reader
    from heliograph.perception.steps import Steps

log = logging.getLogger(__name__)


class Answerer(Protocol):
    """`extraction.answer.answer`, or a lighter one in tests."""

    async def __call__(  # noqa: D102
        self,
        reader: Reader,
        paths: list[Path],
        plan: Plan,
        /,
        *,
        models: Models | None,
        steps: Steps | None,
        examples: Examples,
        progress: Progress,
    ) -> Answer: ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, as its row will say."""

    status: Literal["completed", "failed"]
    usage: Usage
    response: str | None = None
    error: str | None = None
    files: list[copies.Stored] = []


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
        row = await claim(self._database, job)
        if row is None:
            return
        plan = asked(row).plan
        attempt = Attempt(
            self._settings, self._database, self._blobs, job, row, draining, cache=plan.cache, patience=self._settings.model_patience
        )
        try:
            try:
                made = await attempt.tried(lambda: self._made(attempt, plan))
            except ModelUnavailable as problem:
                await attempt.lay_aside(problem)
                return
            outcome = _failed(attempt, made) if isinstance(made, Failure) else made
            await self._finish(attempt, outcome)
            answered = f"the route {plan.route}" if plan.route is not None else "the embedded engine"
            log.info("prediction %s is %s: %s was asked for, %s answered", row.id, outcome.status, plan.model, answered)
        except Lost:
            await attempt.let_go()
            raise
        await attempt.forget()

    async def _made(self, attempt: Attempt, plan: Plan) -> Outcome:
        async with self._inputs(attempt) as paths:
            reader = cast("Reader", JournalledReader(self._reader, attempt.journal, paths))
            answer = await self._answered(attempt, reader, list(paths), plan)
        return _completed(attempt, plan, answer, await self._filed(attempt.row, answer))

    async def _answered(self, attempt: Attempt, reader: Reader, paths: list[Path], plan: Plan) -> Answer:
        """The answer. Where a model gives it, or it is a recording's, which may take minutes or hours, it is watched."""
        examples = self._bookcase.of(plan.skills)
        progress = Progress(self._database, attempt.row, plan)
        if plan.route is None and plan.recorded is None:
            return await self._answer(reader, paths, plan, models=None, steps=None, examples=examples, progress=progress)
        steps = JournalledSteps(attempt.journal)

        async def answer() -> Answer:
            return await self._answer(reader, paths, plan, models=self._models, steps=steps, examples=examples, progress=progress)

        return await attempt.watched(answer())

    async def _filed(self, row: Prediction, answer: Answer) -> list[copies.Stored]:
        """The files that belong to the answer, stored."""
        try:
            if answer.made is not None:
                answer.response["redacted_uri"] = copies.MADE
                return [await copies.store(self._blobs, row, answer.made)]
            return await copies.store_all(self._blobs, row, answer.files.files) if answer.files is not None else []
        finally:
            answer.close()

    @asynccontextmanager
    async def _inputs(self, attempt: Attempt) -> AsyncGenerator[dict[Path, Input]]:
        """The local files to read, in order; URLs are fetched once and stored."""
        async with self._database.begin() as conn:
            reads = await predictions.reads(conn, attempt.row.tenant, attempt.row.id)
        async with AsyncExitStack() as stack:
            paths: dict[Path, Input] = {}
            for read in reads:
                attempt.journal.check()
                stored = await attempt.stored(read)
                path = await stack.enter_async_context(self._blobs.local(stored.blob or ""))
                paths[await stack.enter_async_context(_own_name(path, paths))] = stored
            yield paths

    async def _finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """Result, webhook and the end of the job, in one transaction or not at all."""
        row = attempt.row
        async with self._database.begin() as conn:
            written = await predictions.finish(
                conn, row.tenant, row.id, attempt.run, status=outcome.status, response=outcome.response, error=outcome.error,
                usage=outcome.usage.text(), credits=outcome.usage.credits_used or 0, request=bodies.without_inline_skills(row),
            )  # fmt: skip
            if written is None or not await queue.done(conn, attempt.job):
                raise Lost(TAKEN)
            await steps.clear(conn, row.tenant, row.id)
            for file in outcome.files:
                await copies.register(conn, self._settings, row, file)
            if row.callback_url:
                await queue.enqueue_webhook(conn, row.tenant, row.id)


def _completed(attempt: Attempt, plan: Plan, answer: Answer, files: list[copies.Stored]) -> Outcome:
    journal = attempt.journal
    read = journal.pages_billed if plan.recorded is None else answer.elements * journal.worked
    billed = min(read, answer.elements)
    usage = Usage(
        elements_processed=answer.elements,
        element_type=answer.element_type,
        credits_used=credits_for(plan, billed),
        message=answer.message,
        duration_seconds=attempt.seconds,
    )
    return Outcome(status="completed", usage=usage, response=msgspec.json.encode(answer.response).decode(), files=files)


def _failed(attempt: Attempt, failure: Failure) -> Outcome:
    return Outcome(status="failed", usage=attempt.failed(failure), error=failure.text())


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
