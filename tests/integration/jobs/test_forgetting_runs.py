"""What goes with runs, sessions and guests, and what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import text

from heliograph.agents.events import Said
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Message, Task, ToolCall
from heliograph.agents.workspace import Workspace
from heliograph.config import Settings
from heliograph.jobs import retention
from heliograph.jobs.queue import RUNS
from heliograph.store import artifacts, completions, events, predictions, sessions, steps, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database

from .asking import queued
from .conftest import Settled, Working
from .running import EXECUTION, ask, chat, runs


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


async def _says_and_makes(_task: Task, workspace: Workspace) -> Outcome:
    await workspace.emit(Said("Done"), key="said")
    await workspace.artifacts.put(b"1", kind="arr", media_type="application/octet-stream")
    return Outcome(text="Done", value={})


async def _rows(database: Database, table: str) -> int:
    async with database.begin() as conn:
        return await conn.scalar(text(f"SELECT count(*) FROM {table}")) or 0


async def _collect(settings: Settings, database: Database, after: timedelta) -> retention.Collected:
    gone = await retention.collect(settings, database, Blobs(settings), now=datetime.now(UTC) + after, sweep=True)
    assert gone is not None
    return gone


async def test_what_an_execution_made_goes_with_it(settings: Settings, database: Database, working: Working, settled: Settled) -> None:
    async with working(handlers={RUNS: runs(settings, database, _says_and_makes).run}):
        async with database.begin() as conn:
            await ask(conn, "e", EXECUTION)
        await settled("e")
    blobs = Blobs(settings)
    row, _ = await retention.forget(database, blobs, "default", "e", kinds=predictions.REQUESTS)
    assert row is None, "it is no Request"
    await retention.forget(database, blobs, "default", "e")
    assert [await _rows(database, table) for table in ("predictions", "events", "artifacts", "steps")] == [0, 0, 0, 0]
    assert [key async for key in blobs.walk()] == []


async def test_deleting_a_session_ends_its_runs_and_leaves_nothing_of_it(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async with working(handlers={RUNS: runs(settings, database, _says_and_makes).run}):
        async with database.begin() as conn:
            await ask(conn, "a", chat("a"), session="s")
            await ask(conn, "other", chat("other"), session="t")
        await settled("a")
        await settled("other")
    async with database.begin() as conn:
        await ask(conn, "b", chat("b"), session="s")
    blobs = Blobs(settings)
    assert not await retention.forget_session(database, blobs, "another tenant", "s")
    assert await retention.forget_session(database, blobs, "default", "s")
    assert await queued(database) == []
    assert [await _rows(database, table) for table in ("predictions", "sessions", "turns", "events", "artifacts", "completions")] == [
        1, 1, 2, 1, 1, 1,
    ]  # fmt: skip
    assert len([key async for key in blobs.walk()]) == 1


async def test_sessions_go_when_nobody_has_written_in_them_for_long_and_guests_sooner(settings: Settings, database: Database) -> None:
    async with database.begin() as conn:
        await tenants.reserve_guests(conn)
        await sessions.hold(conn, "default", "kept", "c")
        await sessions.hold(conn, tenants.GUESTS, "guest", "c", guest="browser")
    assert (await _collect(settings, database, timedelta(days=6))).sessions == 0
    assert (await _collect(settings, database, timedelta(days=8))).sessions == 1
    async with database.begin() as conn:
        assert await sessions.get(conn, tenants.GUESTS, "guest", guest="browser") is None
        assert await sessions.get(conn, "default", "kept") is not None
    monthly = settings.model_copy(update={"session_ttl": 30 * 86400.0})
    assert (await _collect(monthly, database, timedelta(days=29))).sessions == 0
    assert (await _collect(monthly, database, timedelta(days=31))).sessions == 1


async def test_events_and_a_journal_that_waits_for_the_client_are_kept_for_a_day_and_the_answer_for_longer(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async def agent(_task: Task, workspace: Workspace) -> Outcome:
        await workspace.emit(Said("Wait"), key="said")
        await workspace.keep("tool:0:0", b"1")
        return Outcome(text="", finish="tool_calls", calls=[ToolCall("1", "mine", "{}")])

    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        async with database.begin() as conn:
            await ask(conn, "c", chat("c"), session="s")
        await settled("c")
    await _collect(settings, database, timedelta(hours=23))
    async with database.begin() as conn:
        assert len(await events.after(conn, "default", "c")) == len(await steps.list_(conn, "default", "c")) == 1
    await _collect(settings, database, timedelta(hours=25))
    async with database.begin() as conn:
        assert await events.after(conn, "default", "c") == []
        assert await steps.list_(conn, "default", "c") == []
        assert await predictions.get(conn, "default", "c") is not None
    assert [key async for key in Blobs(settings).walk() if "/steps/" in key] == []


async def test_the_log_of_chats_and_runs_go_with_predictions_but_sessions_and_their_artifacts_stay(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async with working(handlers={RUNS: runs(settings, database, _says_and_makes).run}):
        async with database.begin() as conn:
            await ask(conn, "c", chat("c"), session="s")
        await settled("c")
    gone = await _collect(settings.model_copy(update={"prediction_ttl": 86400.0}), database, timedelta(days=2))
    assert (gone.predictions, gone.chats, gone.sessions) == (1, 1, 0)
    assert [await _rows(database, table) for table in ("turns", "artifacts")] == [2, 1]


async def test_blobs_of_artifacts_that_no_row_names_are_collected(settings: Settings, database: Database) -> None:
    blobs = Blobs(settings)
    await blobs.put("default/artifacts/s/lost", b"1")
    assert (await _collect(settings, database, timedelta(hours=2))).orphans == 1
    assert [key async for key in blobs.walk()] == []
