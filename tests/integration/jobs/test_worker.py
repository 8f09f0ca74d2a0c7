"""A whole worker, with the real reader and the real answer: a URL comes in, a signed webhook goes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from importlib.resources import files as resources

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from heliograph.config import Settings
from heliograph.extraction.plan import resolve
from heliograph.jobs.worker import run_worker
from heliograph.store import deliveries, predictions, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import Input

from .asking import look, submit, usage
from .conftest import Settled

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
