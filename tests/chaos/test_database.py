"""The database is stopped and killed under running jobs: nothing is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from heliograph.config import Settings
from heliograph.errors import Unavailable
from heliograph.store import predictions, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.postgres import EmbeddedPostgres
from heliograph.store.predictions import Input
from tests.integration.jobs.asking import submit
from tests.integration.jobs.working import Script

from .conftest import Start

JOBS = 200


async def test_stopping_and_killing_the_database_under_200_jobs_loses_none_and_repeats_none(
    own_postgres: EmbeddedPostgres, start_worker: Start, pages: Callable[[], list[int]], tmp_path: Path
) -> None:
    url = own_postgres.url()
    database = Database(url)
    blobs = Blobs(Settings(data_dir=tmp_path / "data"))
    script = Script(pages=3, delay=0.05)
    await blobs.put("default/inputs/all/0", script.bytes())
    for first in range(0, JOBS, 50):
        async with database.begin() as conn:
            for number in range(first, first + 50):
                # a hash of its own, so that each job reads its own pages
                read = Input(position=0, source="data", blob="default/inputs/all/0", sha256=f"content{number}")
                await submit(conn, f"p{number}", reads=[read])
    workers = [start_worker(url, HELIOGRAPH_CONCURRENCY="8") for _ in range(2)]

    async def completed() -> int:
        try:
            async with database.begin() as conn:
                rows = await predictions.list_(conn, tenants.DEFAULT, limit=JOBS, statuses=["completed"])
        except Unavailable:
            return -1
        return len(rows)

    async def until(count: int, within: float) -> None:
        async with asyncio.timeout(within):
            while await completed() < count:
                await asyncio.sleep(0.1)

    await until(20, 30)
    assert own_postgres.stop()
    await asyncio.sleep(1.0)
    own_postgres.start()
    before = max(await completed(), 20)
    await until(before + 20, 30)
    os.kill(own_postgres.pid() or 0, signal.SIGKILL)
    await asyncio.sleep(1.0)
    own_postgres.start()
    await until(JOBS, 90)

    assert all(worker.poll() is None for worker in workers), "the workers outlived both"
    said = "".join(path.read_text() for path in tmp_path.glob("worker*.log"))
    assert "cannot be reached" in said
    assert "Traceback" not in said, said
    async with database.begin() as conn:
        rows = await predictions.list_(conn, tenants.DEFAULT, limit=JOBS + 1)
    assert len(rows) == JOBS
    assert {row.status for row in rows} == {"completed"}
    assert {json.dumps(json.loads(row.response or "")) for row in rows} == {'{"pages": [0, 1, 2]}'}
    assert max(row.attempts for row in rows) <= 2
    # a page may be read again only where its record was cut off: at most the 16 in hand, at each of the two falls
    assert sum(Counter(pages()).values()) <= JOBS * 3 + 32
    await database.close()
