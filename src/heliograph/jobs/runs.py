"""One run of an agent, from claim to result: a chat's answer or an execution. `Runs.run` reads like the list of what happens.

What is the same for predictions is in `attempts`; what a run keeps on its way is in `workspace`.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Media, Message, Part, Task, Text
from heliograph.agents.workspace import Workspace
from heliograph.config import Settings
from heliograph.errors import HeliographError, Unavailable
from heliograph.jobs import queue
from heliograph.jobs.attempts import CANCELLED, TAKEN, Attempt, Failure, claim
from heliograph.jobs.chatlog import logged
from heliograph.jobs.journal import JournalledReader
from heliograph.jobs.loop import Draining, Lost
from heliograph.jobs.queue import Job
from heliograph.jobs.tasks import asked, request_text
from heliograph.jobs.usage import Usage, credits_for_run
from heliograph.jobs.workspace import StoredWorkspace
from heliograph.models.errors import ModelUnavailable
from heliograph.skills.shelf import Shelf
from heliograph.store import completions, events, predictions, sessions, steps
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import Input, Prediction

if TYPE_CHECKING:
    from heliograph.models.serving import Models
    from heliograph.perception.reader import Reader

log = logging.getLogger(__name__)

Answered = tuple[Outcome, list[Message]]
"""How a run ended, and what its session keeps of it."""
PATIENCE = 60.0
"""Seconds that a chat waits for a model that is away: somebody sits before it."""


class Runner(Protocol):
    """`agents.running.run`, or a scripted one in tests."""

    def __call__(  # noqa: D102
        self, task: Task, workspace: Workspace, /, *, settings: Settings, reader: Reader, models: Models
    ) -> Coroutine[Any, Any, Outcome]: ...


class Runs:
    """Runs agents with `run`, `reader` and `models`; one for all jobs of a worker."""

    def __init__(self, settings: Settings, database: Database, blobs: Blobs, reader: Reader, models: Models, run: Runner) -> None:
        self._settings, self._database, self._blobs = settings, database, blobs
        self._reader, self._models, self._run = reader, models, run
        self._shelf = Shelf(blobs, settings.data_dir / "skills")

    async def run(self, job: Job, draining: Draining) -> None:
        """The handler of the queue `runs`."""
        await self._leave(job)
        row = await claim(self._database, job, _cancelled)
        if row is None:
            return
        task, settings = asked(row).task, self._settings
        chat = task.kind == "completion"
        attempt = Attempt(
            settings, self._database, self._blobs, job, row, draining, cache=True,
            patience=min(settings.model_patience, PATIENCE) if chat else settings.model_patience,
            listeners=settings.agent_listeners if chat else None, after=task.resumes,
        )  # fmt: skip
        reads: dict[Path, Input] = {}
        reader = cast("Reader", JournalledReader(self._reader, attempt.journal, reads))
        workspace = StoredWorkspace(settings, self._database, self._blobs, self._shelf, attempt, task, reader=self._reader, reads=reads)

        async def answered() -> Answered:
            outcome = await self._run(task, workspace, settings=settings, reader=reader, models=self._models)
            return outcome, await self._turn(task, workspace, outcome)

        async def work() -> Answered:
            await workspace.open()
            return await attempt.watched(answered())

        try:
            try:
                made = await attempt.tried(work)
            except ModelUnavailable as problem:
                await attempt.lay_aside(problem)
                return
            made, turn = (made, []) if isinstance(made, Failure) else made
            await self._finish(attempt, task, workspace, made, turn)
            log.info("%s %s ended: %s was asked for", row.kind, row.id, task.model)
        except Lost:
            await attempt.let_go(_cancelled)
            raise
        finally:
            await workspace.close()
        await attempt.forget(journal=not _rests(made))

    async def _leave(self, job: Job) -> None:
        """Cancel a chat that everybody left while it waited for its turn; the claim then finds it so."""
        async with self._database.begin() as conn:
            await predictions.abandon(conn, job.tenant, job.prediction, after=self._settings.agent_listeners)

    async def _turn(self, task: Task, workspace: StoredWorkspace, outcome: Outcome) -> list[Message]:
        """What the session keeps of this run: what was new, and the answer. Only the first of several choices is kept."""
        if task.kind != "completion" or task.choice:
            return []
        said = Message(role="assistant", parts=[Text(outcome.text)] if outcome.text else [], calls=outcome.calls)
        return [await _referring(message, workspace) for message in task.messages[task.earlier :]] + [said]

    async def _finish(self, attempt: Attempt, task: Task, workspace: StoredWorkspace, made: Outcome | Failure, turn: list[Message]) -> None:
        """Result, the last events, the session's turn, the log, the webhook and the end of the job, in one transaction or not at all."""
        row = attempt.row
        failed = isinstance(made, Failure)
        usage = attempt.failed(made) if failed else _usage(attempt, task, made, self._settings)
        async with workspace.telling.transaction() as conn:
            written = await predictions.finish(
                conn, row.tenant, row.id, attempt.run, status="failed" if failed else "completed",
                response=None if failed else _response(task, made), error=made.text() if failed else None,
                usage=usage.text(), credits=usage.credits_used or 0, request=_kept(row, task, made),
            )  # fmt: skip
            if written is None or not await queue.done(conn, attempt.job):
                raise Lost(TAKEN)
            if not _rests(made):
                await steps.clear(conn, row.tenant, row.id)
            await _write_turn(conn, written, task, turn)
            await _write_log(conn, written, made)
            await events.tell(conn, row.tenant, row.id)
            if row.callback_url:
                await queue.enqueue_webhook(conn, row.tenant, row.id)


def _kept(row: Prediction, task: Task, made: Outcome | Failure) -> str | None:
    """What is kept of the request, where that has changed: how an execution worked, if it was left open."""
    if isinstance(made, Failure) or made.mode in (None, task.mode):
        return None
    return request_text(msgspec.structs.replace(task, mode=made.mode), asked(row).body)


def _rests(made: Outcome | Failure) -> bool:
    """Whether the run waits for the client's own tools: what it did so far is gone on from when they have answered."""
    return isinstance(made, Outcome) and made.finish == "tool_calls"


def _response(task: Task, outcome: Outcome) -> str:
    return msgspec.json.encode(outcome.value if task.kind == "execution" else outcome).decode()


def _usage(attempt: Attempt, task: Task, outcome: Outcome, settings: Settings) -> Usage:
    spent = outcome.spent
    read = max(spent.read, attempt.journal.pages_billed)
    return Usage(
        elements_processed=read or None,
        element_type="page" if read else None,
        credits_used=credits_for_run(spent, read, settings.routes().get(outcome.answered_by), queue.tier_of(attempt.row.tier)),
        steps=spent.steps,
        message=" ".join(" ".join(outcome.warnings).split()) or None,
        duration_seconds=attempt.seconds,
    )


async def _referring(message: Message, workspace: StoredWorkspace) -> Message:
    """The message with what was brought under references that last, and what cannot be had said in words."""
    parts: list[Part] = []
    for part in message.parts:
        if isinstance(part, Media) and part.position is not None:
            try:
                brought = await workspace.bring(part.position)
            except Unavailable:
                raise
            except HeliographError as problem:
                parts.append(Text(f"[{part.kind} that could not be kept: {problem.message}]"))
            else:
                parts.append(msgspec.structs.replace(part, position=None, ref=brought.ref))
        else:
            parts.append(part)
    return msgspec.structs.replace(message, parts=parts)


async def _cancelled(conn: AsyncConnection, row: Prediction) -> None:
    await _write_turn(conn, row, asked(row).task, [])
    await _write_log(conn, row, CANCELLED)


async def _write_log(conn: AsyncConnection, row: Prediction, made: Outcome | Failure) -> None:
    """One line for a chat, however many choices it has; none for one in the chat UI."""
    request = asked(row)
    if row.kind == "completion" and row.log and not request.task.ui and not request.task.choice:
        await completions.record(conn, [logged(row, request.task, request.body, made)])


async def _write_turn(conn: AsyncConnection, row: Prediction, task: Task, turn: list[Message]) -> None:
    session = row.session
    if session is None or task.choice:
        return
    if not turn:
        await sessions.release(conn, row.tenant, session, row.id)
        return
    title = next((message.title for message in turn if message.role == "user" and message.title), None)
    texts = [msgspec.json.encode(message).decode() for message in turn]
    if not await sessions.append(conn, row.tenant, session, row.id, texts, at=task.earlier, title=title):
        log.warning("the session of completion %s is gone, or another completion writes in it", row.id)
