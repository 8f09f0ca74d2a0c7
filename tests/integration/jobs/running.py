"""Runs of agents as the API makes them, and workers whose agent is a script."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Message, Part, Task, Text
from heliograph.agents.workspace import Workspace
from heliograph.config import Settings
from heliograph.errors import CorruptMedia
from heliograph.jobs import queue
from heliograph.jobs.runs import Runs
from heliograph.jobs.tasks import request_text
from heliograph.store import predictions, sessions, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import Input

Agent = Callable[[Task, Workspace], Coroutine[Any, Any, Outcome]]


def chat(*parts: Part | str, **options: Any) -> Task:
    """A chat that asks this, in one message after those of `messages`."""
    said = Message(role="user", parts=[Text(part) if isinstance(part, str) else part for part in parts])
    before: list[Message] = options.pop("messages", [])
    return Task(kind="completion", model="vlmrun-orion-1:auto", messages=[*before, said], earlier=len(before), **options)


EXECUTION = Task(kind="execution", model="vlmrun-orion-1:auto", prompt="Do it.")


async def ask(
    conn: AsyncConnection, id: str, task: Task, *, session: str | None = None, tenant: str = tenants.DEFAULT, reads: Sequence[Input] = (),
    tier: str = "standard", **row: Any,
) -> int:  # fmt: skip
    """A new run and its job; the job's id."""
    if session is not None:
        assert await sessions.hold(conn, tenant, session, id)
    created = await predictions.create(
        conn, tenant, id=id, kind=task.kind, operation="chat" if task.kind == "completion" else "execute", domain=None, model=task.model,
        request=request_text(task), digest="0", tier=tier, reads=reads, session=session, **row,
    )  # fmt: skip
    assert created
    return await queue.enqueue(conn, tenant, id, tier, to=queue.RUNS)


class Blind:
    """A `Reader` that opens nothing: what scripts bring is not looked into."""

    @property
    def player(self) -> Blind:
        return self

    async def inspect(self, path: Path) -> Any:
        raise CorruptMedia


def runs(settings: Settings, database: Database, agent: Agent) -> Runs:
    """The handler of the queue `runs`, with a script for an agent."""

    def run(task: Task, workspace: Workspace, **_: Any) -> Coroutine[Any, Any, Outcome]:
        return agent(task, workspace)

    return Runs(settings, database, Blobs(settings), cast("Any", Blind()), cast("Any", None), run)
