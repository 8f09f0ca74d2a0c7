"""What goes with runs, sessions and guests, and what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from heliograph.agents.events import Said
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Message, Task
from heliograph.agents.workspace import Workspace
from heliograph.config import Settings
from heliograph.jobs import retention
from heliograph.jobs.queue import RUNS
from heliograph.store import artifacts, completions, events, sessions
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database

from .conftest import Settled, Working
from .running import ask, chat, runs


async def test_a_chat_that_is_not_retained_leaves_its_session_without_a_gap(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async def agent(task: Task, workspace: Workspace) -> Outcome:
        await workspace.emit(Said(task.messages[-1].text), key="said")
        await workspace.artifacts.put(b"1", kind="arr", media_type="application/octet-stream")
        return Outcome(text="Done")

    said: list[Message] = []
    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        for number, id in enumerate(("a", "b", "c")):
            async with database.begin() as conn:
                await ask(conn, id, chat(id, messages=said), session="s", retain=number != 0)
            assert (await settled(id)).status == "completed"
            async with database.begin() as conn:
                said = [msgspec.json.decode(turn.message, type=Message) for turn in await sessions.history(conn, "s")]
    blobs = Blobs(settings)
    gone = await retention.collect(settings, database, blobs, now=datetime.now(UTC) + timedelta(hours=2))
    assert gone is not None
    assert gone.predictions == 1
    async with database.begin() as conn:
        turns = await sessions.history(conn, "s")
        assert [(turn.position, turn.completion) for turn in turns] == [(0, "b"), (1, "b"), (2, "c"), (3, "c")]
        assert [each.prediction for each in await artifacts.list_(conn, "default", "s")] == ["b", "c"]
        assert await events.after(conn, "default", "a") == []
        assert await completions.get(conn, "default", "a") is None
        assert await completions.get(conn, "default", "b") is not None
    assert len([key async for key in blobs.walk() if "/artifacts/" in key]) == 2
