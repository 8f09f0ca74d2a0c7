"""Predictions that a model answers: windows in the journal, waiting for a model that is away, cancelling in the middle."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.extraction.answer import answer
from heliograph.jobs import holds
from heliograph.jobs.attempts import LONGEST_ASKED, pause
from heliograph.jobs.predictions import Predictions
from heliograph.jobs.queue import PREDICTIONS
from heliograph.models.scripted import Heard, Scripted, Turn
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from heliograph.store import predictions, steps
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import Input

from .asking import look, submit, usage
from .conftest import Settled, Working
from .statements import ASKED, amount, pages_shown, read_rows, statement

Asking = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def asking(settings: Settings, database: Database, blobs: Blobs, working: Working) -> Asking:
    """Runs a worker that reads files and asks the model at a scripted server, or at any address, while the block is open."""

    @asynccontextmanager
    async def run(server: Scripted | str, *, vision: bool = False, **other: Any) -> AsyncGenerator[None]:
        model = ModelSettings(url=server if isinstance(server, str) else server.url, model="scripted", vision=vision, attempts=1)
        mine = settings.model_copy(update={"models": {"default": model}, **other})
        models = Models(mine)
        async with Reader(mine) as reader:
            handlers = {PREDICTIONS: Predictions(mine, database, blobs, reader, answer, models).run}
            try:
                async with working(handlers=handlers):
                    yield
            finally:
                await models.close()

    return run


async def _asked(database: Database, blobs: Blobs, pages: int, **row: Any) -> None:
    body = statement(pages)
    await blobs.put("default/inputs/statement", body)
    read = Input(position=0, source="data", blob="default/inputs/statement", bytes=len(body), sha256=f"statement{pages}")
    async with database.begin() as conn:
        await submit(conn, "p", plan=row.pop("plan", ASKED), reads=[read], **row)


def _texts(response: str | None) -> list[str]:
    return [entry["text"] for entry in json.loads(response or "{}")["entries"]]


async def test_a_long_statement_is_answered_row_by_row_with_its_boxes(
    database: Database, blobs: Blobs, asking: Asking, settled: Settled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "heliograph.jobs.predictions")
    await _asked(database, blobs, 40)
    with Scripted([Turn(answer=read_rows, times=0)], "vllm") as server:
        async with asking(server):
            row = await settled("p", 60)
    assert row.status == "completed", row.error
    made = json.loads(row.response or "")
    assert _texts(row.response) == [f"Transfer {page}-{n}" for page in range(40) for n in range(12)]
    assert made["account"] == "4711-0815"
    last = made["entries"][-1]
    assert (last["amount"], last["amount_metadata"]["bboxes"][0]["page"]) == (float(amount(39, 11)), 39)
    assert last["amount_metadata"]["match"] == "exact"
    assert "prediction p is completed: vlm-1 was asked for, the route default answered" in caplog.messages
    assert sorted(page for heard in _heard(server) for page in set(pages_shown(heard))) == list(range(40))
    assert "rows_missing" not in (usage(row)["message"] or "")


def _heard(server: Scripted) -> list[Heard]:
    return [request.heard for request in server.requests if request.heard is not None]


async def test_a_prediction_waits_paused_for_a_model_that_is_away_and_goes_on_where_it_was(
    database: Database,
    blobs: Blobs,
    asking: Asking,
    settled: Settled,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("heliograph.jobs.attempts.WAIT", 0.5)
    away = True

    def comes_back(heard: Heard) -> Any:
        return Turn(status=503) if away and 30 in pages_shown(heard) else read_rows(heard)

    await _asked(database, blobs, 40)
    with Scripted([Turn(answer=comes_back, times=0)], "vllm") as server:
        async with asking(server):
            async with asyncio.timeout(40):
                while (row := await look(database, "p")).status != "paused":
                    await asyncio.sleep(0.02)
            assert "Waits for its model" in usage(row)["message"]
            assert (row.attempts, row.run) == (0, None)
            before = len(server.requests)
            away = False
            row = await settled("p", 40)
    assert row.status == "completed", row.error
    assert _texts(row.response) == [f"Transfer {page}-{n}" for page in range(40) for n in range(12)]
    assert all(30 in pages_shown(heard) or 39 in pages_shown(heard) for heard in _heard(server)[before:]), (
        "finished windows were asked again"
    )


def test_a_paused_prediction_comes_back_no_sooner_than_the_models_server_asked_for() -> None:
    assert 12 <= pause(0, None) <= 18
    assert all(120 <= pause(0, 120) <= 132 for _ in range(50))
    assert pause(0, 10**9) <= 1.1 * LONGEST_ASKED
    assert 240 <= pause(20, 5) <= 360


async def test_a_prediction_whose_model_stays_away_fails_saying_so(
    database: Database,
    blobs: Blobs,
    asking: Asking,
    settled: Settled,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("heliograph.jobs.attempts.WAIT", 0.1)
    await _asked(database, blobs, 1)
    async with asking("http://127.0.0.1:9/v1", model_patience=0.5):
        row = await settled("p", 40)
    assert (row.status, json.loads(row.error or "")["type"]) == ("failed", "model_unavailable")
    assert row.credits == 0


async def test_an_operator_may_hold_what_waits_for_its_model_and_let_it_try_at_once(
    database: Database, blobs: Blobs, asking: Asking, settled: Settled
) -> None:
    await _asked(database, blobs, 1)
    away = True

    def comes_back(heard: Heard) -> Any:
        return Turn(status=503) if away else read_rows(heard)

    with Scripted([Turn(answer=comes_back, times=0)], "vllm") as server:
        async with asking(server):
            async with asyncio.timeout(20):
                while (await look(database, "p")).status != "paused":
                    await asyncio.sleep(0.02)
            async with database.begin() as conn:
                assert await holds.hold(conn, ids=["p"]) == 1
                assert await holds.hold(conn, ids=["p"]) == 0, "it is held already"
            away = False
            async with database.begin() as conn:
                assert await holds.release(conn, ids=["p"]) == 1
            row = await settled("p", 10)  # the wait would have been fifteen seconds
    assert row.status == "completed"


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
async def test_cancelling_reaches_the_model_within_two_seconds(database: Database, blobs: Blobs, asking: Asking, how: str) -> None:
    await _asked(database, blobs, 1)
    with Scripted([Turn(answer={"account": "x", "entries": []}, delay=30)], "vllm") as server:
        async with asking(server):
            async with asyncio.timeout(20):
                while not server.requests:
                    await asyncio.sleep(0.02)
            async with database.begin() as conn:
                await (predictions.cancel if how == "cancelled" else predictions.delete)(conn, "default", "p")
            began = time.monotonic()
            async with asyncio.timeout(10):
                while server.requests[0].disconnected is None:
                    await asyncio.sleep(0.02)
            assert time.monotonic() - began < 2
            async with asyncio.timeout(5):
                while how == "cancelled" and (await look(database, "p")).status != "failed":
                    await asyncio.sleep(0.02)


async def test_a_request_that_the_model_refuses_outright_fails_with_its_words(
    database: Database, blobs: Blobs, asking: Asking, settled: Settled
) -> None:
    await _asked(database, blobs, 1)
    with Scripted([Turn(status=401, times=0)], "openai") as server:
        async with asking(server):
            row = await settled("p", 20)
    assert (row.status, json.loads(row.error or "")["type"]) == ("failed", "model_refused")


async def test_tiers_cost_with_a_model_what_they_cost_without(database: Database, blobs: Blobs, asking: Asking, settled: Settled) -> None:
    body = statement(3)
    await blobs.put("default/inputs/statement", body)
    with Scripted([Turn(answer=read_rows, times=0)], "vllm") as server:
        async with asking(server):
            for tier, credits in (("flex", 6), ("standard", 12), ("priority", 22)):
                plan = msgspec.structs.replace(ASKED, service_tier=tier)
                async with database.begin() as conn:
                    read = Input(position=0, source="data", blob="default/inputs/statement", sha256=f"of {tier}")
                    await submit(conn, tier, plan=plan, tier=tier, reads=[read])
                assert ((row := await settled(tier, 30)).status, row.credits) == ("completed", credits)


async def test_page_pictures_are_drawn_once_for_requests_that_share_pages(
    database: Database, blobs: Blobs, asking: Asking, settled: Settled
) -> None:
    with Scripted([Turn(answer=read_rows, times=0)], "vllm") as server:
        async with asking(server, vision=True):
            await _asked(database, blobs, 2)
            await settled("p", 30)
            drawn = [key async for key in blobs.walk("default/pages") if "picture" in key]
            read = Input(position=0, source="data", blob="default/inputs/statement", sha256="statement2")
            async with database.begin() as conn:
                await submit(conn, "again", plan=ASKED, reads=[read])
            row = await settled("again", 30)
    assert len(drawn) == 2
    assert [key async for key in blobs.walk("default/pages") if "picture" in key] == drawn
    assert row.credits == 0
    assert [heard.pictures for heard in _heard(server)] == [2, 2]
    assert _heard(server)[0].messages[0] == _heard(server)[1].messages[0]
    async with database.begin() as conn:
        assert await steps.list_(conn, "default", "p") == []
    assert [key async for key in blobs.walk("default/steps")] == []


async def test_which_schema_a_document_is_for_is_asked_once_however_often_the_prediction_waits(
    database: Database, blobs: Blobs, asking: Asking, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.jobs.attempts.WAIT", 0.2)
    chosen = away = 0

    def sorts(heard: Heard) -> Any:
        nonlocal chosen, away
        if "Which of these kinds" in heard.text:
            chosen += 1
            return {"rationale": "It lists transfers.", "kind": "statement"}
        away += 1
        return Turn(status=503) if away < 3 else read_rows(heard)

    other = {"type": "object", "properties": {"patient": {"type": "string"}}}
    plan = msgspec.structs.replace(ASKED, schema=None, schema_from="skill", choices={"referral": other, "statement": ASKED.schema or {}})
    await _asked(database, blobs, 3, plan=plan)
    with Scripted([Turn(answer=sorts, times=0)], "vllm") as server:
        async with asking(server):
            row = await settled("p", 30)
    assert row.status == "completed", row.error
    made = json.loads(row.response or "")
    assert (made["schemaUsed"], made["classificationRationale"]) == ("statement", "It lists transfers.")
    assert made["data"]["account"] == "4711-0815"
    assert len(made["data"]["entries"]) == 36
    assert (chosen, away) == (1, 3)
