"""What is forgotten, when, and what stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from heliograph.config import Settings
from heliograph.jobs import queue
from heliograph.jobs.retention import Collected, collect
from heliograph.store import files, idempotency, predictions, skills, tenants
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.files import File
from heliograph.store.predictions import Input, Prediction

from .asking import look, queued, submit

Collect = Callable[..., Awaitable[Collected]]
LATER = timedelta(hours=2)


@pytest.fixture
def collecting(settings: Settings, database: Database, blobs: Blobs) -> Collect:
    """Collects as if it were `after` later, looking at all blobs."""

    async def run(after: timedelta = timedelta(), **changes: Any) -> Collected:
        now = datetime.now(UTC) + after
        done = await collect(settings.model_copy(update=changes), database, blobs, now=now, sweep=True)
        assert done is not None
        return done

    return run


async def _get(database: Database, id: str) -> Prediction | None:
    async with database.begin() as conn:
        return await predictions.get(conn, tenants.DEFAULT, id)


async def _finished(database: Database, id: str, *, retain: bool, reads: list[Input] | None = None, delivered: bool = False) -> None:
    async with database.begin() as conn:
        await submit(conn, id, retain=retain, reads=reads or [])
        await queue.cancel(conn, tenants.DEFAULT, id)
        await predictions.claim(conn, tenants.DEFAULT, id, "run")
        await predictions.finish(conn, tenants.DEFAULT, id, "run", status="completed", response="{}")
        if delivered:
            await predictions.delivered(conn, tenants.DEFAULT, id)


async def _file(database: Database, blobs: Blobs, id: str, **row: Any) -> File:
    await blobs.put(f"default/files/{id}", id.encode())
    async with database.begin() as conn:
        return await files.create(
            conn, tenants.DEFAULT, id=id, filename="f.pdf", bytes=1, md5=id, sha256=id, purpose="assistants",
            media_type="application/pdf", blob=f"default/files/{id}", public=False, **row,
        )  # fmt: skip


def _reads(file: File) -> list[Input]:
    return [Input(position=0, source="file", file_id=file.id, blob=file.blob, sha256=file.sha256)]


async def test_unretained_work_goes_an_hour_after_completion_and_retained_work_stays(database: Database, collecting: Collect) -> None:
    await _finished(database, "secret", retain=False)
    await _finished(database, "kept", retain=True)
    assert (await collecting(timedelta(minutes=59))).predictions == 0
    assert (await collecting(timedelta(minutes=61))).predictions == 1
    assert await _get(database, "secret") is None
    assert await _get(database, "kept") is not None


async def test_delivered_unretained_work_goes_after_five_minutes(database: Database, collecting: Collect) -> None:
    await _finished(database, "secret", retain=False, delivered=True)
    assert (await collecting(timedelta(minutes=4))).predictions == 0
    assert (await collecting(timedelta(minutes=6))).predictions == 1


async def test_inputs_journal_and_files_of_unretained_work_go_with_it(database: Database, blobs: Blobs, collecting: Collect) -> None:
    file = await _file(database, blobs, "scan")
    await blobs.put("default/inputs/secret/1", b"data")
    await blobs.put("default/steps/secret/0/lo/0", b"page")
    await _finished(
        database, "secret", retain=False, reads=[*_reads(file), Input(position=1, source="data", blob="default/inputs/secret/1")]
    )
    done = await collecting(LATER)
    assert (done.predictions, done.files) == (1, 1)
    assert [blob async for blob in blobs.walk()] == []


async def test_a_file_that_other_work_reads_too_stays(database: Database, blobs: Blobs, collecting: Collect) -> None:
    file = await _file(database, blobs, "scan")
    await _finished(database, "secret", retain=False, reads=_reads(file))
    await _finished(database, "kept", retain=True, reads=_reads(file))
    assert (await collecting(LATER)).files == 0
    assert await blobs.exists(file.blob)


async def test_what_waits_or_runs_is_never_removed(database: Database, collecting: Collect) -> None:
    async with database.begin() as conn:
        await submit(conn, "waits", retain=False)
    assert (await collecting(timedelta(days=30), prediction_ttl=1.0)).predictions == 0
    assert await queued(database) == [("predictions", "waits", "todo")]


async def test_predictions_and_files_have_a_time_where_the_settings_give_them_one(
    database: Database, blobs: Blobs, collecting: Collect
) -> None:
    await _file(database, blobs, "old")
    await _file(database, blobs, "asked", expires_at=datetime.now(UTC) + timedelta(minutes=1))
    await _finished(database, "kept", retain=True)
    assert (await collecting(timedelta(days=400))).files == 1, "only the one whose own time is up"
    done = await collecting(timedelta(days=400), prediction_ttl=86400.0, file_ttl=86400.0)
    assert (done.predictions, done.files) == (1, 1)


async def test_idempotency_keys_are_forgotten_after_a_day(database: Database, collecting: Collect) -> None:
    async with database.begin() as conn:
        await idempotency.remember(conn, tenants.DEFAULT, "k", digest="d", prediction="p", forgotten_before=datetime.now(UTC) - LATER)
    assert (await collecting(timedelta(hours=23))).idempotency == 0
    assert (await collecting(timedelta(hours=25))).idempotency == 1


async def test_read_pages_go_when_their_time_is_up(blobs: Blobs, collecting: Collect) -> None:
    await blobs.put("default/pages/abc/lo/0", b"page")
    assert (await collecting(timedelta(days=6))).pages == 0
    assert (await collecting(timedelta(days=8))).pages == 1


async def test_blobs_that_no_row_names_go_after_an_hour_and_others_stay(database: Database, blobs: Blobs, collecting: Collect) -> None:
    file = await _file(database, blobs, "scan")
    await _finished(database, "kept", retain=True, reads=[Input(position=0, source="data", blob="default/inputs/kept/0")])
    for orphan in ("default/files/gone", "default/inputs/gone/0", "default/steps/gone/0/lo/3", "default/inputs/kept/0", "elsewhere"):
        await blobs.put(orphan, b"x")
    assert (await collecting(timedelta(minutes=30))).orphans == 0
    assert (await collecting(LATER)).orphans == 3
    assert {blob async for blob in blobs.walk()} == {"default/inputs/kept/0", file.blob, "elsewhere"}


async def test_only_one_process_collects_at_a_time(settings: Settings, database: Database, blobs: Blobs) -> None:
    async with database.begin() as other:
        await other.execute(text(f"SELECT pg_advisory_xact_lock({0x48454C4B})"))
        assert await collect(settings, database, blobs) is None
    assert await collect(settings, database, blobs) is not None


async def test_an_unfinished_prediction_without_a_job_gets_one_again(database: Database, collecting: Collect) -> None:
    async with database.begin() as conn:
        await submit(conn, "p")
        await conn.execute(text("DELETE FROM procrastinate_jobs"))
    assert (await collecting()).requeued == 1
    assert await queued(database) == [("predictions", "p", "todo")]
    assert (await look(database, "p")).status == "enqueued"
    assert (await collecting()).requeued == 0


async def test_the_files_of_a_skill_stay_while_a_version_has_them_and_no_longer(
    database: Database, blobs: Blobs, collecting: Collect
) -> None:
    kept, gone, orphan = (key("default", "skills", letter * 64) for letter in "abc")
    for blob in (kept, gone, orphan):
        await blobs.put(blob, b"zip")
    async with database.begin() as conn:
        for name, blob in (("kept", kept), ("gone", gone)):
            row = await skills.publish(conn, "default", name, hash=blob[-64:], blob=blob, bytes=3, files=1)
        await skills.delete(conn, "default", row.id)
    assert (await collecting()).orphans == 0, "what was just written may be about to be named"
    assert (await collecting(LATER)).orphans == 2
    assert [blob async for blob in blobs.walk()] == [kept]
