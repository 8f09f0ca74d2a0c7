"""A whole worker, with the real reader and the real answer: a URL comes in, a signed webhook goes out."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from heliograph.config import Settings
from heliograph.errors import NotConfigured
from heliograph.extraction.plan import resolve
from heliograph.jobs import connection
from heliograph.jobs import worker as worker_module
from heliograph.jobs.loop import POLL
from heliograph.jobs.worker import run_worker
from heliograph.store import deliveries, predictions, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import Input

from .asking import look, submit, usage
from .conftest import Settled, Stored, Working
from .working import Reading, Script, answer

SCHEMA = {"type": "object", "properties": {"invoice_number": {"type": "string"}, "total": {"type": "number"}}}


class Outside:
    """Somebody's web server on loopback: an invoice to fetch, and a place for webhooks."""

    def __init__(self) -> None:
        self.fetched = 0
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def invoice(self, _: web.Request) -> web.Response:
        self.fetched += 1
        return web.Response(body=(resources("heliograph.samples") / "invoice.pdf").read_bytes(), content_type="application/pdf")

    async def hook(self, request: web.Request) -> web.Response:
        self.received.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response()


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    made = Outside()
    app = web.Application()
    app.router.add_get("/invoice.pdf", made.invoice)
    app.router.add_post("/hook", made.hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def worker(settings: Settings, database_url: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    changed = settings.model_copy(update={"fetch_allow": ["127.0.0.1"]})
    task = asyncio.create_task(run_worker(changed, database_url, stop))
    yield
    stop.set()
    await asyncio.wait_for(task, 30)


async def test_a_url_becomes_grounded_json_and_a_signed_webhook(
    worker: None, database: Database, blobs: Blobs, settled: Settled, outside: Outside
) -> None:
    plan = resolve("document", "generate", None, {"json_schema": SCHEMA, "grounding": True})
    async with database.begin() as conn:
        secret = await tenants.webhook_secret(conn, tenants.DEFAULT)
        await submit(
            conn, "p", plan=plan, callback_url=f"{outside.url}/hook",
            reads=[Input(position=0, source="url", url=f"{outside.url}/invoice.pdf")],
        )  # fmt: skip
    row = await settled("p", within=90)
    assert row.status == "completed", row.error
    answer = json.loads(row.response or "")
    assert list(answer) == ["invoice_number", "total", "invoice_number_metadata", "total_metadata"]
    assert answer["total_metadata"]["bboxes"]
    assert (usage(row)["element_type"], outside.fetched) == ("page", 1)
    assert row.credits == 4 * usage(row)["elements_processed"]
    async with asyncio.timeout(20):
        while not (await look(database, "p")).delivered_at:
            await asyncio.sleep(0.05)
    [(headers, body)] = outside.received
    Webhook(secret).verify(body, headers)
    assert json.loads(body)["response"] == answer
    async with database.begin() as conn:
        assert [attempt.status_code for attempt in await deliveries.list_(conn, tenants.DEFAULT, "p")] == [200]
        [read] = await predictions.reads(conn, tenants.DEFAULT, "p")
    assert read.blob
    assert await blobs.exists(read.blob)


async def test_a_url_that_may_not_be_reached_fails_and_its_webhook_is_refused_too(
    worker: None, database: Database, settled: Settled
) -> None:
    async with database.begin() as conn:
        await submit(
            conn, "p", callback_url="http://169.254.169.254/hook",
            reads=[Input(position=0, source="url", url="http://169.254.169.254/latest/meta-data")],
        )  # fmt: skip
    row = await settled("p", within=30)
    assert (row.status, json.loads(row.error or "")["type"]) == ("failed", "fetch_failed")
    async with asyncio.timeout(20):
        while True:
            async with database.begin() as conn:
                attempts = await deliveries.list_(conn, tenants.DEFAULT, "p")
            if attempts and attempts[0].finished_at:
                break
            await asyncio.sleep(0.05)
    assert attempts[0].status_code is None
    assert "169.254.169.254" in (attempts[0].error or "")
    assert "not public" in (attempts[0].error or "")


class Warming:
    """A reader that only warms up, or cannot."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem
        self.warmed = asyncio.Event()

    async def warm(self) -> None:
        self.warmed.set()
        if self.problem:
            raise self.problem

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("problem", [None, NotConfigured("Weights are missing.")])
async def test_a_worker_warms_its_engine_at_the_start_and_lives_without_one(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception | None
) -> None:
    reader = Warming(problem)
    monkeypatch.setattr("heliograph.perception.reader.Reader", lambda _: reader)
    stop = asyncio.Event()
    running = asyncio.create_task(run_worker(settings, database_url, stop))
    await asyncio.wait_for(reader.warmed.wait(), 10)
    await asyncio.sleep(0.1)
    assert not running.done()
    assert ("Weights are missing." in caplog.text) == (problem is not None)
    stop.set()
    assert await running is False


async def test_a_worker_that_has_grown_hands_back_and_asks_to_be_started_anew(
    settings: Settings, database: Database, database_url: str, stored: Stored, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LOOK", 0.5)
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(pages=40, delay=0.1))])
    small = settings.model_copy(update={"worker_memory": 1})
    reader = cast("Any", Reading(log))
    assert await asyncio.wait_for(run_worker(small, database_url, asyncio.Event(), reader=reader, answer=cast("Any", answer)), 20) is True
    row = await look(database, "p")
    assert (row.status, row.attempts) == ("enqueued", 0)
    assert 0 < len(log.read_text().splitlines()) < 40


def test_a_grown_worker_process_starts_anew_under_its_number(settings: Settings, database_url: str) -> None:
    script = "import heliograph.jobs.worker as w; w.LOOK = 0.2; from heliograph.cli import worker; worker._attended()"
    environment = os.environ | {
        "HELIOGRAPH_DATABASE_URL": database_url, "HELIOGRAPH_DATA_DIR": str(settings.data_dir), "HELIOGRAPH_WORKER_MEMORY": "1",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr
    try:
        lives = 0
        for line in process.stderr:
            lives += "starts anew" in line
            if lives == 2:
                break
        assert lives == 2, "the second life spoke under the first one's number"
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


async def test_a_job_that_comes_while_the_worker_begins_to_listen_does_not_wait_for_the_next_look(
    database: Database, working: Working, stored: Stored, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    connecting = asyncio.Event()
    real = connection._Connector._get_standalone_connection

    @asynccontextmanager
    async def slowly(self: Any) -> AsyncIterator[Any]:
        connecting.set()
        await asyncio.sleep(0.5)
        async with real(self) as raw:
            yield raw

    monkeypatch.setattr(connection._Connector, "_get_standalone_connection", slowly)
    async with working():
        await asyncio.wait_for(connecting.wait(), 10)
        await asyncio.sleep(0.2)
        async with database.begin() as conn:
            await submit(conn, "p", reads=[await stored(Script())])
        assert (await settled("p", within=POLL / 2)).status == "completed"
