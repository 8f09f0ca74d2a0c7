"""What becomes of a prediction in a worker: results, failures, fencing, the journal, cancellation, drain."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from heliograph.config import Settings
from heliograph.jobs import queue
from heliograph.jobs.bodies import prediction_body
from heliograph.jobs.loop import Draining, Lost
from heliograph.jobs.predictions import Predictions
from heliograph.jobs.queue import Job
from heliograph.store import predictions, steps, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database

from .asking import PLAN, look, queued, submit, usage
from .conftest import Settled, Stored, Working
from .working import Reading, Script, answer, loop


async def _until(condition: object, within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_a_result_is_written_with_its_usage_and_the_job_is_gone(
    database: Database, stored: Stored, working: Working, settled: Settled
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(pages=3))])
    async with working():
        row = await settled("p")
    assert (row.status, row.response, row.credits, row.run) == ("completed", '{"pages":[0,1,2]}', 6, None)
    assert usage(row) == {
        "elements_processed": 3, "element_type": "page", "credits_used": 6, "steps": None, "message": None, "duration_seconds": 1,
    }  # fmt: skip
    assert row.attempts == 1
    assert await queued(database) == []
    async with database.begin() as conn:
        assert await steps.list_(conn, tenants.DEFAULT, "p") == []


async def test_the_body_is_the_contracts_with_the_response_as_it_was_written(
    database: Database, stored: Stored, working: Working, settled: Settled
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script())], metadata='{"environment":"prod","extra":{"b":1,"a":2}}')
    assert json.loads(prediction_body(await look(database, "p")))["status"] == "pending"
    async with working():
        row = await settled("p")
    body = prediction_body(row)
    assert list(json.loads(body)) == [
        "usage", "id", "created_at", "completed_at", "response", "status", "domain", "metadata", "message", "error", "skills",
        "progress", "step",
    ]  # fmt: skip
    assert b'"metadata":{"environment":"prod","extra":{"b":1,"a":2}}' in body
    assert json.loads(body)["completed_at"].endswith("Z")


async def test_a_file_that_cannot_be_read_fails_with_a_type_and_a_sentence_and_costs_nothing(
    database: Database, stored: Stored, working: Working, settled: Settled
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(pages=2, fail="corrupt"))])
    async with working():
        row = await settled("p")
    assert row.status == "failed"
    assert json.loads(row.error or "") == {
        "type": "corrupt_media", "message": "The file is damaged and cannot be opened.", "pages_read": 2, "param": None, "id": None,
    }  # fmt: skip
    assert usage(row)["message"] == "The file is damaged and cannot be opened."
    assert (usage(row)["credits_used"], row.credits) == (0, 0)
    assert json.loads(prediction_body(row))["message"] == "The file is damaged and cannot be opened."


@pytest.mark.parametrize("may_log", [True, False])
async def test_what_nobody_foresaw_fails_under_an_id_that_the_log_has(
    database: Database, stored: Stored, working: Working, settled: Settled, caplog: pytest.LogCaptureFixture, may_log: bool
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(fail="the patient's name"))], log=may_log)
    with caplog.at_level(logging.INFO):
        async with working():
            row = await settled("p")
    failure = json.loads(row.error or "")
    assert failure["type"] == "internal_error"
    assert "patient" not in failure["message"]
    assert failure["id"] in caplog.text
    assert ("patient" in caplog.text) is may_log


async def test_a_deleted_file_fails_the_prediction_that_wanted_to_read_it(database: Database, working: Working, settled: Settled) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[predictions.Input(position=0, source="file", file_id="gone")])
    async with working():
        row = await settled("p")
    assert (row.status, json.loads(row.error or "")["type"]) == ("failed", "not_found")


async def test_a_worker_that_was_overtaken_can_not_finish(
    settings: Settings, database: Database, blobs: Blobs, stored: Stored, log: Path
) -> None:
    async with database.begin() as conn:
        job = await submit(conn, "p", reads=[await stored(Script(pages=1, delay=0.3))])
    handler = Predictions(settings, database, blobs, Reading(log), answer)  # type: ignore[arg-type]
    slow = asyncio.create_task(handler.run(Job(job, "predictions", tenants.DEFAULT, "p", 0, 0), Draining()))
    await asyncio.sleep(0.15)
    async with database.begin() as conn:
        overtaking = await predictions.claim(conn, tenants.DEFAULT, "p", "overtaking")
        assert overtaking
        assert overtaking.attempts == 2
    with pytest.raises(Lost):
        await slow
    row = await look(database, "p")
    assert (row.status, row.run, row.response) == ("running", "overtaking", None)


async def test_a_page_that_was_read_is_not_read_again_by_the_next_run_and_is_paid_for_once(
    database: Database, stored: Stored, working: Working, settled: Settled, log: Path
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(pages=6, delay=0.1))])
    async with working() as stop:
        await _until(lambda: len(log.read_text().splitlines()) >= 2)
        stop.set()
    row = await look(database, "p")
    assert (row.status, row.attempts, row.run) == ("enqueued", 0, None)
    assert len(log.read_text().splitlines()) < 6
    async with working():
        row = await settled("p")
    assert len(log.read_text().splitlines()) == 6
    assert (row.response, row.credits) == ('{"pages":[0,1,2,3,4,5]}', 12)


async def test_pages_in_the_tenants_cache_are_neither_read_nor_paid_for(
    database: Database, stored: Stored, working: Working, settled: Settled, log: Path
) -> None:
    read = await stored(Script(pages=2))
    async with working():
        for id in ("first", "second"):
            async with database.begin() as conn:
                await submit(conn, id, reads=[read])
            await settled(id)
    assert len(log.read_text().splitlines()) == 2
    assert [(await look(database, id)).credits for id in ("first", "second")] == [4, 0]
    assert usage(await look(database, "second"))["elements_processed"] == 2


@pytest.mark.parametrize("options", [{"plan": msgspec.structs.replace(PLAN, cache=False)}, {"retain": False}], ids=["cache", "retention"])
async def test_without_cache_or_retention_pages_are_not_shared_and_do_not_stay(
    database: Database, blobs: Blobs, stored: Stored, working: Working, settled: Settled, log: Path, options: dict[str, object]
) -> None:
    read = await stored(Script(pages=2))
    async with working():
        for id in ("first", "second"):
            async with database.begin() as conn:
                await submit(conn, id, reads=[read], **options)
            await settled(id)
    assert len(log.read_text().splitlines()) == 4
    assert [key async for key in blobs.walk("default") if "/pages/" in key or "/steps/" in key] == []


async def test_cancelling_stops_between_two_pages(
    database: Database, stored: Stored, working: Working, settled: Settled, log: Path
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(pages=50, delay=0.05))])
    async with working():
        await _until(lambda: len(log.read_text().splitlines()) >= 2)
        async with database.begin() as conn:
            await predictions.cancel(conn, tenants.DEFAULT, "p")
        row = await settled("p")
        assert len(log.read_text().splitlines()) < 10
    assert (row.status, json.loads(row.error or "")["type"]) == ("failed", "cancelled")
    assert await queued(database) == []


async def test_deleting_a_running_prediction_leaves_no_blob_of_it_behind(
    database: Database, blobs: Blobs, stored: Stored, working: Working, log: Path
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(pages=50, delay=0.05))], retain=False)
    async with working():
        await _until(lambda: len(log.read_text().splitlines()) >= 2)
        async with database.begin() as conn:
            await predictions.delete(conn, tenants.DEFAULT, "p")
        await asyncio.sleep(0.3)
        assert [key async for key in blobs.walk("default") if "/steps/" in key] == []


async def test_a_job_that_brought_its_workers_down_is_given_up_with_that_said(
    settings: Settings, database: Database, blobs: Blobs, stored: Stored, working: Working, settled: Settled
) -> None:
    read = await stored(Script())
    async with database.begin() as conn:
        await submit(conn, "p", reads=[read])
        for number in range(settings.max_attempts):
            await predictions.claim(conn, tenants.DEFAULT, "p", f"dead{number}")
    async with working():
        row = await settled("p")
    failure = json.loads(row.error or "")
    assert (row.status, failure["type"]) == ("failed", "worker_lost")
    assert "3 workers" in failure["message"]
    assert await blobs.exists(read.blob or ""), "kept for inspection"


async def test_two_jobs_of_one_prediction_give_one_result(database: Database, stored: Stored, working: Working, settled: Settled) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(pages=2, delay=0.05))])
        await queue.enqueue(conn, tenants.DEFAULT, "p", "standard")
    async with working():
        row = await settled("p")
        await asyncio.sleep(0.3)
    assert row == await look(database, "p")
    assert row.status == "completed"
    assert await queued(database) == []


async def test_a_job_that_the_database_thinks_we_took_and_that_we_never_saw_is_run_all_the_same(
    settings: Settings, database: Database, stored: Stored, settled: Settled, log: Path
) -> None:
    read = await stored(Script())
    stop = asyncio.Event()
    worker = loop(settings, database, log)
    task = asyncio.create_task(worker.run(stop))
    await _until(lambda: worker.id)
    async with database.begin() as conn:
        await submit(conn, "unseen", reads=[read])
        await conn.execute(text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :id"), {"id": worker.id})
    worker._unsure = True  # pyright: ignore[reportPrivateUsage] - as after an answer that was lost
    async with database.begin() as conn:
        await submit(conn, "next", reads=[read])
    assert (await settled("unseen")).status == "completed"
    assert (await settled("next")).status == "completed"
    stop.set()
    await task
