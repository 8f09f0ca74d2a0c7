"""Agents whose worker is killed in every step: one answer, and nothing lost or doubled on the way."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from heliograph.agents.events import Event, Said, Thought
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Message
from heliograph.config import Settings
from heliograph.jobs import retention
from heliograph.store import artifacts, completions, events, sessions
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.postgres import EmbeddedPostgres
from heliograph.store.predictions import FINISHED, Prediction
from tests.integration.jobs.asking import look, queued
from tests.integration.jobs.fivesteps import POINTS, STEPS, Falls
from tests.integration.jobs.running import ask, chat

from .conftest import Start

QUICK = {"HELIOGRAPH_HEARTBEAT": "0.2", "HELIOGRAPH_STALLED_AFTER": "1.5", "HELIOGRAPH_MAX_ATTEMPTS": "100"}


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Database]:
    """The database at `url`, connected."""
    made = Database(url)
    yield made
    await made.close()


async def _assert_whole(database: Database, data: Path, row: Prediction) -> None:
    """One answer; five artifacts that it names, with bytes; every event once and in order; one turn; one line in the log."""
    assert row.status == "completed", row.error
    text = msgspec.json.decode(row.response or "", type=Outcome).text
    async with database.begin() as conn:
        made = await artifacts.list_(conn, "default", "s")
        told = await events.under(conn, "default", "c", "")
        turns = [msgspec.json.decode(turn.message, type=Message) for turn in await sessions.history(conn, "s")]
        assert await completions.get(conn, "default", "c") is not None
    assert text == "".join(f"{step}:{each.ref} " for step, each in enumerate(made))
    assert len({each.ref for each in made}) == STEPS
    assert [entry.seq for entry in told] == list(range(1, len(told) + 1))
    said: list[Event] = [msgspec.json.decode(entry.data, type=Event) for entry in told]  # pyright: ignore[reportArgumentType]
    assert "".join(event.text for event in said if isinstance(event, Said)) == text
    assert [event.text for event in said if isinstance(event, Thought)] == [f"Makes {step}.\n" for step in range(STEPS)]
    assert [(turn.role, turn.text) for turn in turns] == [("user", "Make five"), ("assistant", text)]
    assert await queued(database) == []
    blobs = Blobs(Settings(data_dir=data))
    assert [await blobs.get(each.blob) for each in made] == [f"thing {step}".encode() for step in range(STEPS)]
    await retention.collect(Settings(data_dir=data), database, blobs, now=datetime.now(UTC) + timedelta(hours=2), sweep=True)
    assert {key async for key in blobs.walk()} == {each.blob for each in made}, "what a fall left is collected, and nothing else"


async def test_a_run_whose_worker_dies_again_and_again_in_each_of_five_steps_ends_once_with_everything_once(
    request: pytest.FixtureRequest, url: str, opened: Database, start_worker: Start, tmp_path: Path
) -> None:
    points = POINTS if "external" in request.node.name else ("made", "kept")
    falls = Falls(tmp_path / "falls")
    planned = falls.plan(points)
    async with opened.begin() as conn:
        await ask(conn, "c", chat("Make five"), session="s")
    workers = [start_worker(url, **QUICK), start_worker(url, **QUICK)]
    async with asyncio.timeout(300):
        while (row := await look(opened, "c")).status not in FINISHED:
            for place, worker in enumerate(workers):
                if worker.poll() is not None:
                    assert worker.returncode == -signal.SIGKILL
                    workers[place] = start_worker(url, **QUICK)
            await asyncio.sleep(0.05)
    assert row.attempts == planned + 1
    await _assert_whole(opened, tmp_path / "data", row)
    # a tool is called again only when its worker died before its step was kept
    calls = 1 + len({"called", "made"} & set(points))
    assert Counter(falls.calls.read_text().split()) == {str(step): calls for step in range(STEPS)}


async def test_a_frozen_worker_that_wakes_up_adds_nothing_to_a_run_that_another_took_over(
    database: Database, database_url: str, start_worker: Start, tmp_path: Path
) -> None:
    falls = Falls(tmp_path / "falls")
    falls.plan(())
    async with database.begin() as conn:
        await ask(conn, "c", chat("Make five"), session="s")
    slow = QUICK | {"STEP_PAUSE": "0.4"}
    frozen = start_worker(database_url, **slow)
    async with asyncio.timeout(60):
        while len(falls.calls.read_text().split()) < 2:
            await asyncio.sleep(0.01)
    frozen.send_signal(signal.SIGSTOP)
    start_worker(database_url, **slow)
    async with asyncio.timeout(60):
        while (await look(database, "c")).attempts < 2:
            await asyncio.sleep(0.05)
    frozen.send_signal(signal.SIGCONT)
    async with asyncio.timeout(60):
        while (row := await look(database, "c")).status not in FINISHED:
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)
    assert await look(database, "c") == row
    assert frozen.poll() is None
    await _assert_whole(database, tmp_path / "data", row)


async def test_a_stopping_worker_hands_its_run_back_after_the_step_it_is_in(
    database: Database, database_url: str, start_worker: Start, tmp_path: Path
) -> None:
    falls = Falls(tmp_path / "falls")
    falls.plan(())
    async with database.begin() as conn:
        await ask(conn, "c", chat("Make five"), session="s")
    first = start_worker(database_url, STEP_PAUSE="0.4")
    async with asyncio.timeout(60):
        while len(falls.calls.read_text().split()) < 2:
            await asyncio.sleep(0.01)
    first.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.wait, 10) == 0
    row = await look(database, "c")
    assert (row.status, row.attempts) == ("enqueued", 0)
    start_worker(database_url)
    async with asyncio.timeout(60):
        while (row := await look(database, "c")).status not in FINISHED:
            await asyncio.sleep(0.05)
    await _assert_whole(database, tmp_path / "data", row)
    assert Counter(falls.calls.read_text().split()) == {str(step): 1 for step in range(STEPS)}, "no step was done twice"


async def test_a_database_that_is_killed_under_a_run_costs_it_nothing(
    own_postgres: EmbeddedPostgres, start_worker: Start, tmp_path: Path
) -> None:
    falls = Falls(tmp_path / "falls")
    falls.plan(())
    database = Database(own_postgres.url())
    async with database.begin() as conn:
        await ask(conn, "c", chat("Make five"), session="s")
    worker = start_worker(own_postgres.url(), STEP_PAUSE="0.4")
    for calls in (2, 4):
        async with asyncio.timeout(60):
            while len(set(falls.calls.read_text().split())) < calls:
                await asyncio.sleep(0.01)
        os.kill(own_postgres.pid() or 0, signal.SIGKILL)
        await asyncio.sleep(0.5)
        own_postgres.start()
    async with asyncio.timeout(60):
        while (row := await look(database, "c")).status not in FINISHED:
            await asyncio.sleep(0.05)
    assert worker.poll() is None
    await _assert_whole(database, tmp_path / "data", row)
    await database.close()
