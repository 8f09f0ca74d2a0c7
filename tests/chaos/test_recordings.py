"""An hour of sound while workers die and the database falls: every word once, and what was heard is not heard again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from heliograph.config import Settings
from heliograph.errors import Unavailable
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.postgres import EmbeddedPostgres
from heliograph.store.predictions import FINISHED, Input, Prediction
from tests.integration.api.test_recordings import tone
from tests.integration.jobs.asking import HEAR, look, submit
from tests.integration.jobs.working import Script
from tests.live import Server, running_server

from .conftest import Start

QUICK = {"HELIOGRAPH_HEARTBEAT": "0.2", "HELIOGRAPH_STALLED_AFTER": "1.5"}
MINUTES = 60
Minutes = Callable[[], list[int]]


async def _begin(database: Database, tmp_path: Path) -> None:
    blob = "default/inputs/p/0"
    await Blobs(Settings(data_dir=tmp_path / "data")).put(blob, Script(minutes=MINUTES, delay=0.05).bytes())
    async with database.begin() as conn:
        await submit(conn, "p", plan=HEAR, reads=[Input(position=0, source="data", blob=blob, sha256="talk")])


async def _heard(minutes: Minutes, count: int) -> None:
    async with asyncio.timeout(30):
        while len(minutes()) < count:
            await asyncio.sleep(0.01)


async def _ended(database: Database, told: list[float]) -> Prediction:
    """The row once it is final; `told` gets how far it was, each time it was looked at."""
    async with asyncio.timeout(40):
        while True:
            try:
                row = await look(database, "p")
            except Unavailable:
                await asyncio.sleep(0.1)
                continue
            if row.status in FINISHED:
                return row
            if row.progress is not None:
                told.append(row.progress)
            await asyncio.sleep(0.05)


def _whole(row: Prediction) -> None:
    """Every word stands in the answer, once and in order."""
    assert row.status == "completed", row.error
    segments = json.loads(row.response or "")["segments"]
    words = [word["content"] for segment in segments for word in segment["words"]]
    assert words == [word for minute in range(MINUTES) for word in (f"begin{minute}", f"end{minute}")]
    assert row.credits == 12, "paid for once"


async def test_a_worker_killed_in_minute_40_of_60_costs_no_word_and_nothing_is_heard_twice(
    database: Database, database_url: str, start_worker: Start, pages: Minutes, tmp_path: Path
) -> None:
    await _begin(database, tmp_path)
    first = start_worker(database_url, **QUICK)
    await _heard(pages, 40)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before, told = (await look(database, "p")).progress, list[float]()
    start_worker(database_url, **QUICK)
    row = await _ended(database, told)
    _whole(row)
    assert row.attempts == 2
    assert before is not None
    assert told == sorted([before, *told])[1:], "it never goes back"
    # the minute in the listener's hands when it died is heard again, unless the kill came between its hearing and its record
    assert set(pages()) == set(range(MINUTES))
    assert sum(Counter(pages()).values()) <= MINUTES + 1


async def test_a_call_of_openais_whose_api_is_killed_asks_the_next_one_and_gets_all_of_it(
    database: Database, database_url: str, start_worker: Start, pages: Minutes, tmp_path: Path
) -> None:
    content = tone() + b"\n" + Script(minutes=MINUTES, delay=0.1).bytes()

    async def transcribed(server: Server) -> tuple[int, bytes]:
        form = aiohttp.FormData()
        form.add_field("file", content, filename="talk.wav")
        form.add_field("response_format", "text")
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.key}"}) as http:
            answer = await http.post(f"{server.url}/v1/openai/audio/transcriptions", data=form)
            return answer.status, await answer.read()

    start_worker(database_url, **QUICK)
    with running_server(tmp_path / "data", "--workers", "0", HELIOGRAPH_DATABASE_URL=database_url) as first:
        call = asyncio.create_task(transcribed(first))
        await _heard(pages, 10)
        os.killpg(first.process.pid, signal.SIGKILL)
        with pytest.raises(aiohttp.ClientError):
            await call
    with running_server(tmp_path / "data", "--workers", "0", HELIOGRAPH_DATABASE_URL=database_url) as second:
        status, text = await transcribed(second)
    assert (status, text.decode().split()) == (200, [word for minute in range(MINUTES) for word in (f"begin{minute}", f"end{minute}")])
    assert pages() == list(range(MINUTES)), "the second call waited for what the first had begun"


async def test_the_database_falls_while_a_recording_is_heard(
    own_postgres: EmbeddedPostgres, start_worker: Start, pages: Minutes, tmp_path: Path
) -> None:
    url = own_postgres.url()
    database = Database(url)
    await _begin(database, tmp_path)
    start_worker(url, **QUICK)
    await _heard(pages, 20)
    os.kill(own_postgres.pid() or 0, signal.SIGKILL)
    await asyncio.sleep(0.5)
    own_postgres.start()
    told: list[float] = []
    _whole(await _ended(database, told))
    assert told == sorted(told)
    assert sum(Counter(pages()).values()) <= MINUTES + 2
    await database.close()
