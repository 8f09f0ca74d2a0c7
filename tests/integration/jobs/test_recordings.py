"""Recordings as jobs: heard once, told how far, paid for by five minutes, and shared within the tenant alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heliograph.config import Settings
from heliograph.extraction.answered import Answer
from heliograph.extraction.made import MadeFiles
from heliograph.extraction.plan import Plan
from heliograph.jobs import copies, retention
from heliograph.jobs.bodies import prediction_body
from heliograph.media.document import Document
from heliograph.store import files, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import FINISHED

from .asking import HEAR, look, submit, usage
from .conftest import Settled, Stored, Working
from .working import Script

HOUR = Script(minutes=60)


@pytest.fixture
def heard(log: Path) -> Callable[[], int]:
    """How many minutes were really heard so far."""
    return lambda: len(log.read_text().splitlines())


async def test_an_hour_is_twelve_elements_and_every_minute_is_heard_once(
    database: Database, stored: Stored, working: Working, settled: Settled, heard: Callable[[], int]
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", plan=HEAR, reads=[await stored(HOUR)])
    async with working():
        row = await settled("p")
    response = json.loads(row.response or "")
    assert response["metadata"]["duration"] == 3600
    assert [segment["content"] for segment in response["segments"]] == [f"begin{n} end{n}" for n in range(60)]
    assert usage(row) | {"duration_seconds": 0} == {
        "elements_processed": 12, "element_type": "audio", "credits_used": 12, "steps": None, "message": None, "duration_seconds": 0,
    }  # fmt: skip
    assert (heard(), row.kind) == (60, "audio")
    body = json.loads(prediction_body(row))
    assert (body["progress"], body["step"]) == (1.0, None)


async def test_the_same_recording_again_is_answered_from_what_was_heard_and_costs_nothing(
    database: Database, stored: Stored, working: Working, settled: Settled, heard: Callable[[], int]
) -> None:
    read = await stored(Script(minutes=3))
    async with database.begin() as conn:
        other = (await tenants.create(conn, "another")).id
        await submit(conn, "first", plan=HEAR, reads=[read])
    async with working():
        first = await settled("first")
        async with database.begin() as conn:
            await submit(conn, "again", plan=HEAR, reads=[read])
            await submit(conn, "anew", plan=msgspec.structs.replace(HEAR, cache=False), reads=[read])
            await submit(conn, "german", plan=_in("de"), reads=[read])
        again, anew, german = [await settled(id) for id in ("again", "anew", "german")]
        async with database.begin() as conn:
            await submit(conn, "theirs", tenant=other, plan=HEAR, reads=[read])
        async with asyncio.timeout(15):
            while (theirs := await look(database, "theirs", other)).status not in FINISHED:
                await asyncio.sleep(0.02)
    assert [row.credits for row in (first, again, anew, german, theirs)] == [2, 0, 2, 2, 2], "under ten minutes count as ten"
    assert again.response == first.response == anew.response == theirs.response
    assert json.loads(german.response or "")["metadata"]["language"] == "de"
    assert heard() == 3 * 4


async def test_what_may_not_be_kept_is_not_shared_and_leaves_nothing(
    database: Database, settings: Settings, stored: Stored, working: Working, settled: Settled
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", plan=HEAR, reads=[await stored(Script(minutes=2))], retain=False)
    blobs = Blobs(settings)
    async with working():
        assert (await settled("p")).status == "completed"
    await retention.forget(database, blobs, tenants.DEFAULT, "p")
    assert [key async for key in blobs.walk() if "/pages/" in key or "/steps/" in key] == []


async def test_how_far_it_is_grows_while_it_is_heard(database: Database, stored: Stored, working: Working, settled: Settled) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", plan=HEAR, reads=[await stored(Script(minutes=30, delay=0.08))])
    told: list[tuple[float, str | None]] = []
    async with working():
        while (row := await look(database, "p")).status not in FINISHED:
            if row.progress is not None and (row.progress, row.step) not in told:
                told.append((row.progress, row.step))
            await asyncio.sleep(0.05)
    assert told[0] == (0.0, None)
    assert told == sorted(told, key=lambda each: each[0])
    assert {step for _, step in told[1:]} == {"Listening"}
    assert 2 <= len(told) <= 6, "once a second, and not for each minute"
    assert 0.2 < told[1][0] < 1


async def test_files_of_an_answer_are_linked_by_their_names_and_go_with_it(
    database: Database, settings: Settings, stored: Stored, working: Working, settled: Settled
) -> None:
    async def answers(reader: Any, paths: list[Path], plan: Plan, **_: Any) -> Answer:
        made = MadeFiles()
        response = {"keyframes": [{"url": made.keep(f"keyframe-{number}", "image/jpeg", b"%d" % number)} for number in range(2)]}
        response["segments"] = [{"url": "heliograph:made:of-somebody-else"}]
        return Answer(response=response, elements=2, element_type="video", warnings=[], document=Document("video/mp4", 0, []), files=made)

    video = msgspec.structs.replace(HEAR, kind="video")
    async with database.begin() as conn:
        await submit(conn, "p", plan=video, reads=[await stored(Script())])
    async with working(answers=answers):
        row = await settled("p")
    linked = json.loads(prediction_body(row, lambda id: f"https://here/{id}"))["response"]
    ids = [frame["url"].rpartition("/")[2] for frame in linked["keyframes"]]
    async with database.begin() as conn:
        found = [await files.get(conn, tenants.DEFAULT, id) for id in ids]
        assert await files.get(conn, tenants.DEFAULT, linked["segments"][0]["url"].rpartition("/")[2]) is None
    assert [(file.filename, file.media_type) for file in found if file] == [(f"keyframe-{n}.jpg", "image/jpeg") for n in range(2)]
    assert json.loads(prediction_body(row))["response"]["keyframes"][0]["url"] is None, "who cannot make links gives none"
    blobs = Blobs(settings)
    assert await blobs.get(found[1].blob if found[1] else "") == b"1"
    assert copies.copy_ids(row)[1:3] == ids
    _, removed = await retention.forget(database, blobs, tenants.DEFAULT, "p")
    assert removed == 2
    assert [key async for key in blobs.walk() if "/files/" in key] == []


def _in(language: str) -> Plan:
    assert HEAR.recorded is not None
    return msgspec.structs.replace(HEAR, recorded=msgspec.structs.replace(HEAR.recorded, language=language))
