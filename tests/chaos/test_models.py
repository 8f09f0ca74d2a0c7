"""Workers that are killed while a model answers."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

from heliograph.config import Settings
from heliograph.models.scripted import Heard, Scripted, Turn
from heliograph.store import steps
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import FINISHED, Input
from tests.integration.jobs.asking import look, submit
from tests.integration.jobs.statements import ASKED, pages_shown, read_rows, statement

from .conftest import Start

PAGES = 48
QUICK = {"HELIOGRAPH_HEARTBEAT": "0.2", "HELIOGRAPH_STALLED_AFTER": "1.5"}


def _model(server: Scripted) -> dict[str, str]:
    table = {"url": server.url, "model": "scripted", "vision": False, "max_output": 4_000, "concurrency": 1}
    return {**QUICK, "HELIOGRAPH_MODELS": json.dumps({"default": table})}


async def _submit(database: Database, tmp_path: Path) -> None:
    body = statement(PAGES)
    await Blobs(Settings(data_dir=tmp_path / "data")).put("default/inputs/p/0", body)
    async with database.begin() as conn:
        await submit(
            conn, "p", plan=ASKED, reads=[Input(position=0, source="data", blob="default/inputs/p/0", bytes=len(body), sha256="p")]
        )


async def _windows(database: Database) -> int:
    async with database.begin() as conn:
        return len(await steps.list_(conn, "default", "p", prefix="window:"))


def _shown(server: Scripted) -> list[tuple[int, ...]]:
    return [tuple(pages_shown(request.heard)) for request in server.requests if request.heard is not None]


async def test_a_worker_killed_while_the_model_answers_costs_the_windows_in_its_hands_alone(
    database: Database, database_url: str, start_worker: Start, tmp_path: Path
) -> None:
    slow = True

    def answers(heard: Heard) -> Any:
        return Turn(answer=read_rows(heard), delay=1.0 if slow else 0.0)

    await _submit(database, tmp_path)
    with Scripted([Turn(answer=answers, times=0)], "vllm") as server:
        first = start_worker(database_url, real=True, **_model(server))
        async with asyncio.timeout(60):
            while await _windows(database) < 2 or len(server.requests) < 3:
                await asyncio.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.wait()
        slow = False
        finished, before = await _windows(database), _shown(server)
        start_worker(database_url, real=True, **_model(server))
        async with asyncio.timeout(60):
            while (row := await look(database, "p")).status not in FINISHED:
                await asyncio.sleep(0.05)
        after = _shown(server)[len(before) :]
    assert (row.status, row.attempts) == ("completed", 2), row.error
    texts = [entry["text"] for entry in json.loads(row.response or "")["entries"]]
    assert texts == [f"Transfer {page}-{n}" for page in range(PAGES) for n in range(12)]
    assert 2 <= finished < len(set(before + after)), "it was in the middle"
    assert not set(before[:finished]) & set(after), "what was in the journal was asked for again"
    assert len(before) + len(after) - len(set(before + after)) <= len(before) - finished, "only what was in its hands was asked twice"
