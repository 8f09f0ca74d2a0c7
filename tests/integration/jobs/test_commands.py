"""`heliograph jobs` and `heliograph gc`, as an operator runs them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from heliograph.cli.app import app
from heliograph.config import Settings
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database

from .asking import submit
from .running import EXECUTION, ask, chat


@pytest.fixture
def heliograph(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Runs commands on the test's database and data folder."""
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", database_url)
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(settings.data_dir))
    return CliRunner()


async def _run(runner: CliRunner, *words: str) -> str:
    result = await asyncio.to_thread(runner.invoke, app, list(words))
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


async def test_runs_of_agents_are_listed_by_their_kind_held_and_released(heliograph: CliRunner, database: Database) -> None:
    async with database.begin() as conn:
        await ask(conn, "c", chat("Hi"), session="s")
        await ask(conn, "e", EXECUTION)
    listed = (await _run(heliograph, "jobs", "list")).splitlines()
    assert [line.split()[:5] for line in listed[1:]] == [
        ["c", "default", "pending", "standard", "completion"], ["e", "default", "pending", "standard", "execution"],
    ]  # fmt: skip
    assert "2 jobs held" in await _run(heliograph, "jobs", "pause")
    assert "2 jobs released" in await _run(heliograph, "jobs", "resume")


async def test_jobs_are_listed_held_and_released(heliograph: CliRunner, database: Database) -> None:
    async with database.begin() as conn:
        await submit(conn, "second", tier="flex")
        await submit(conn, "first")
    listed = (await _run(heliograph, "jobs", "list")).splitlines()
    assert [line.split()[:4] for line in listed] == [
        ["ID", "TENANT", "STATUS", "TIER"], ["first", "default", "pending", "standard"], ["second", "default", "pending", "flex"],
    ]  # fmt: skip
    assert "1 job held" in await _run(heliograph, "jobs", "pause", "first")
    assert "1 job held" in await _run(heliograph, "jobs", "pause", "--tenant", "default")
    listed = await _run(heliograph, "jobs", "list")
    assert "paused" in listed
    assert "`heliograph jobs resume --tenant default` ends that" in listed, "a hold shows also when it holds nothing yet"
    assert "2 jobs released" in await _run(heliograph, "jobs", "resume")
    assert "held back" not in await _run(heliograph, "jobs", "list")
    assert "paused" not in await _run(heliograph, "jobs", "list")


async def test_a_prediction_that_does_not_wait_cannot_be_held_and_that_is_said(heliograph: CliRunner) -> None:
    for what in ("pause", "resume"):
        result = await asyncio.to_thread(heliograph.invoke, app, ["jobs", what, "nothing-like-it"])
        assert result.exit_code == 1
        assert "1 of the predictions named" in str(result.exception)


async def test_an_unknown_tenant_is_an_error(heliograph: CliRunner) -> None:
    result = await asyncio.to_thread(heliograph.invoke, app, ["jobs", "pause", "--tenant", "nobody"])
    assert result.exit_code == 1
    assert "no tenant nobody" in str(result.exception)


async def test_gc_says_what_it_deleted(heliograph: CliRunner, blobs: Blobs, settings: Settings) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    await blobs.put("default/files/orphan", b"x")
    os.utime(settings.data_dir / "blobs/default/files/orphan", (0, 0))
    assert "1 blobs without an owner" in await _run(heliograph, "gc")
    assert not await blobs.exists("default/files/orphan")


async def test_a_database_of_ones_own_is_saved_and_brought_back_into_an_empty_one(
    heliograph: CliRunner, database: Database, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with database.begin() as conn:
        await submit(conn, "kept")
    archive = str(tmp_path / "saved.tar")
    await _run(heliograph, "backup", archive)
    refused = await asyncio.to_thread(heliograph.invoke, app, ["restore", archive])
    assert "HELIOGRAPH_DATABASE_URL holds data already" in str(refused.exception)
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "not-there-yet"))
    await _run(heliograph, "restore", archive)
    assert "kept" in await _run(heliograph, "jobs", "list")
