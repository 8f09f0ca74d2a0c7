"""Streams that are cut off, resumed, left and waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from heliograph.agents.events import Said
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Task
from heliograph.agents.workspace import Workspace
from heliograph.api import streaming as module
from heliograph.api import threads
from heliograph.config import Settings
from heliograph.store import predictions

from .chatting import CHAT, SPENT, Heard, asks, events, heard, said, streaming, worker
from .conftest import Api, serving

WORDS = [f"word{number} " for number in range(8)]
WHOLE = "".join(WORDS)


async def speak(task: Task, workspace: Workspace) -> Outcome:
    """Says eight words, one after the other; more slowly when it is asked to."""
    for number, word in enumerate(WORDS):
        await workspace.emit(Said(word), key=f"model:0:{number}")
        await asyncio.sleep(0.4 if "slowly" in task.messages[-1].text else 0.05)
    return Outcome(text=WHOLE, spent=SPENT)


async def status(api: Api, id: str) -> tuple[str, bool]:
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, id)
    assert row is not None
    return row.status, row.cancelled


async def test_who_comes_back_to_another_replica_hears_exactly_what_is_missing(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    async with serving(settings, database_url) as one, serving(settings, database_url) as other, worker(one, tmp_path, speak):
        told = await heard(one, asks("speak"))
        assert said(told) == WHOLE
        id = told[0].json["id"]
        every = await heard(one, path=f"{CHAT}/{id}/events", url=other.url)
        assert said(every) == WHOLE
        for cut, event in enumerate(told[:-1]):
            assert event.id is not None
            rest = await heard(one, path=f"{CHAT}/{id}/events", url=other.url, headers={"Last-Event-ID": event.id})
            assert said(told[: cut + 1]) + said(rest) == WHOLE
            assert [chunk.data for chunk in rest].count("[DONE]") == 1
            assert {chunk.json["session_id"] for chunk in rest[:-1]} == {told[0].json["session_id"]}


async def test_a_stream_that_is_cut_off_in_the_middle_goes_on_while_the_run_does(api: Api, tmp_path: Path) -> None:
    async with worker(api, tmp_path, speak):
        first: list[Heard] = []
        async with streaming(api, asks("speak slowly")) as answer:
            async for event in events(answer):
                first.append(event)
                if len(first) == 3:
                    break
        id, last = first[0].json["id"], first[-1].id
        assert (await status(api, id))[0] == "running"
        rest = await heard(api, path=f"{CHAT}/{id}/events", headers={"Last-Event-ID": last or ""})
    assert said(first) + said(rest) == WHOLE


async def test_several_choices_are_resumed_each_from_where_it_was(api: Api, tmp_path: Path) -> None:
    async with worker(api, tmp_path, speak):
        told = await heard(api, asks("speak", n=2))
        id = told[0].json["id"]
        for cut in (1, 5, len(told) - 2):
            rest = await heard(api, path=f"{CHAT}/{id}/events", headers={"Last-Event-ID": told[cut].id or ""})
            for choice in (0, 1):
                assert said(told[: cut + 1], choice) + said(rest, choice) == WHOLE
    for wrong in ("7", "a.b", "1.2.3", "-1.0"):
        answer = await api("GET", f"{CHAT}/{id}/events", headers={"Last-Event-ID": wrong})
        assert (answer.status, answer.json["error"]["param"]) == (422, "Last-Event-ID")


async def test_a_run_that_everybody_left_is_cancelled_and_one_that_somebody_waits_for_is_not(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    hasty = settings.model_copy(update={"agent_listeners": 1.0})
    async with serving(hasty, database_url) as api, worker(api, tmp_path, speak):
        async with streaming(api, asks("speak slowly")) as answer:
            left = (await anext(events(answer))).json["id"]
        waited = asyncio.create_task(api("POST", CHAT, json=asks("speak very slowly")))
        for _ in range(100):
            if (await status(api, left))[0] == "failed":
                break
            await asyncio.sleep(0.05)
        assert (await status(api, left))[0] == "failed"
        assert (await waited).json["choices"][0]["message"]["content"] == WHOLE, "3 s and more, with a listener all the time"
        late = await heard(api, path=f"{CHAT}/{left}/events")
    assert late[-1].json["error"]["type"] == "cancelled"
    assert said(late[:-1]) == WHOLE[: len(said(late[:-1]))]


async def test_who_comes_back_late_is_noted_at_once(api: Api) -> None:
    id = (await api("POST", CHAT, json=asks("speak", batch=True))).json["id"]
    age = text("SELECT extract(epoch FROM clock_timestamp() - listened_at) FROM predictions WHERE id = :id").bindparams(id=id)
    for before in ("NULL", "clock_timestamp() - interval '29 s'"):
        async with api.database.begin() as conn:
            await conn.execute(text(f"UPDATE predictions SET listened_at = {before} WHERE id = '{id}'"))
        async with streaming(api, path=f"{CHAT}/{id}/events") as answer:
            await anext(events(answer))
            old = None
            for _ in range(40):  # less than the interval at which those who listen are noted anyway
                async with api.database.begin() as conn:
                    old = await conn.scalar(age)
                if old is not None and old < 4.0:
                    break
                await asyncio.sleep(0.1)
            assert old is not None
            assert old < 4.0


async def test_quiet_times_are_filled_with_comments(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.1)
    async with streaming(api, asks("speak")) as answer:
        await anext(events(answer))
        lines = [await answer.content.readline() for _ in range(4)]
        async with worker(api, tmp_path, speak):
            rest = [event async for event in events(answer)]
    assert lines.count(b": heartbeat\n") == 2
    assert said(rest) == WHOLE


async def test_listeners_outlive_their_connection_to_the_database(api: Api, tmp_path: Path) -> None:
    async with worker(api, tmp_path, speak), streaming(api, asks("speak slowly")) as answer:
        told = events(answer)
        first = [await anext(told) for _ in range(3)]
        async with api.database.begin() as conn:
            killed = await conn.scalar(
                text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%heliograph_events%'")
            )
        rest = [event async for event in told]
    assert killed
    assert said(first + rest) == WHOLE


async def test_a_second_writer_waits_for_the_first_and_stands_behind_it(api: Api, tmp_path: Path) -> None:
    session = str(uuid4())
    async with worker(api, tmp_path, speak):
        first = asyncio.create_task(api("POST", CHAT, json=asks("one", session_id=session)))
        while not await api.count("predictions"):
            await asyncio.sleep(0.01)
        second = await api("POST", CHAT, json=asks("two", session_id=session))
    assert (await first).status == second.status == 201
    async with api.database.begin() as conn:
        told = (await conn.scalars(text("SELECT message FROM turns WHERE session = :id ORDER BY position").bindparams(id=session))).all()
    assert [word in message for word, message in zip(("one", "word0", "two", "word0"), told, strict=True)] == [True] * 4


async def test_a_second_writer_is_told_when_the_first_takes_too_long(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "PATIENCE", 0.3)
    session = str(uuid4())
    await api("POST", CHAT, json=asks("one", session_id=session, batch=True))
    refused = await api("POST", CHAT, json=asks("two", session_id=session))
    assert (refused.status, refused.json["error"]["param"]) == (409, "session_id")
    assert await api.count("predictions") == 1


async def test_a_request_that_is_refused_does_not_keep_its_session(api: Api, tmp_path: Path) -> None:
    session = str(uuid4())
    broken = {"messages": [{"content": [{"type": "input_file", "file_id": "none"}]}], "session_id": session}
    assert (await api("POST", CHAT, json=broken)).status == 404
    async with worker(api, tmp_path, speak):
        assert (await api("POST", CHAT, json=asks("one", session_id=session))).status == 201
