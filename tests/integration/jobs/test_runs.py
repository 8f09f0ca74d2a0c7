"""Runs of agents: what they keep, tell and make, and how they end."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import suppress
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from sqlalchemy import text

from heliograph.agents.events import Said, Thought
from heliograph.agents.outcome import Outcome, Spent
from heliograph.agents.task import Media, Message, Task, ToolCall
from heliograph.agents.workspace import Workspace
from heliograph.config import ModelSettings, Settings
from heliograph.errors import InvalidRequest, MediaLimitExceeded, NotFound
from heliograph.jobs.queue import RUNS
from heliograph.models.errors import ModelUnavailable
from heliograph.store import artifacts, completions, events, predictions, server, sessions, steps
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import Input
from heliograph.store.signing import artifact_at, verify

from .asking import queued, usage
from .conftest import Settled, Working
from .running import EXECUTION, ask, chat, runs

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


async def _hello(_task: Task, workspace: Workspace) -> Outcome:
    await workspace.emit(Thought("looks\n"), key="model:0:thought:0")
    for number, piece in enumerate(("Hel", "lo")):
        await workspace.emit(Said(piece), key=f"model:0:said:{number}")
    return Outcome(text="Hello", spent=Spent(steps=1), answered_by="embedded")


async def _told(database: Database, id: str) -> list[tuple[int, str]]:
    async with database.begin() as conn:
        return [(entry.seq, entry.key) for entry in await events.under(conn, "default", id, "")]


async def test_an_answer_its_events_its_turn_and_its_log_are_there_together(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async with working(handlers={RUNS: runs(settings, database, _hello).run}):
        async with database.begin() as conn:
            await ask(conn, "c", chat("Say hello"), session="s")
        row = await settled("c")
    assert row.status == "completed", row.error
    assert msgspec.json.decode(row.response or "", type=Outcome).text == "Hello"
    assert usage(row) | {"duration_seconds": 0} == {
        "elements_processed": None, "element_type": None, "credits_used": 0, "steps": 1, "message": None, "duration_seconds": 0,
    }  # fmt: skip
    assert await _told(database, "c") == [(1, "model:0:thought:0"), (2, "model:0:said:0"), (3, "model:0:said:1")]
    async with database.begin() as conn:
        turns = [msgspec.json.decode(turn.message, type=Message) for turn in await sessions.history(conn, "s")]
        session = await sessions.get(conn, "default", "s")
        entry = await completions.get(conn, "default", "c")
    assert [(turn.role, turn.text) for turn in turns] == [("user", "Say hello"), ("assistant", "Hello")]
    assert session
    assert (session.title, session.writer) == ("Say hello", None)
    assert entry
    assert (entry.status, entry.answered_by, entry.response) == ("completed", "embedded", "Hello")
    assert json.loads(entry.request)["messages"] == [{"role": "user", "content": "Say hello"}]
    assert await queued(database) == []


async def test_the_response_of_an_execution_is_its_json_and_its_webhook_is_on_its_way(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async def answer(_task: Task, _workspace: Workspace) -> Outcome:
        return Outcome(text="{}", value={"total": 3}, warnings=["One page\nwas empty."], spent=Spent(steps=2))

    async with working(handlers={RUNS: runs(settings, database, answer).run}):
        async with database.begin() as conn:
            await ask(conn, "e", EXECUTION, callback_url="http://127.0.0.1:9/")
        row = await settled("e")
    assert (row.status, row.response) == ("completed", '{"total":3}')
    assert (usage(row)["steps"], usage(row)["message"]) == (2, "One page was empty.")
    assert [(name, id) for name, id, _ in await queued(database)] == [("webhooks", "e")]


async def test_a_run_that_is_done_again_repeats_no_step_no_event_and_no_artifact(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    done: list[str] = []
    seen: list[str] = []

    async def agent(_task: Task, workspace: Workspace) -> Outcome:
        for number in range(3):
            name = f"tool:{number}"
            known = await workspace.known(name)
            if known.state != "done":
                async with workspace.step(name):
                    made = await workspace.artifacts.put(PNG + bytes([number]), kind="img", media_type="image/png")
                    await workspace.emit(Said(made.ref), key=f"{name}:said")
                    done.append(name)
                    if done == ["tool:0", "tool:1"]:
                        raise ConnectionError("a fall between making and keeping")
                await workspace.keep(name, made.ref.encode())
            else:
                seen.append((known.output or b"").decode())
        return Outcome(text=await workspace.said("tool:"))

    async def twice(task: Task, workspace: Workspace) -> Outcome:
        try:
            return await agent(task, workspace)
        except ConnectionError:
            raise ModelUnavailable("away") from None  # laid aside, and run again

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("heliograph.jobs.attempts.WAIT", 0.1)
        async with working(handlers={RUNS: runs(settings, database, twice).run}):
            async with database.begin() as conn:
                await ask(conn, "c", chat("Draw"), session="s")
            row = await settled("c")
    assert row.status == "completed", row.error
    assert done == ["tool:0", "tool:1", "tool:1", "tool:2"]
    async with database.begin() as conn:
        made = [each.ref for each in await artifacts.list_(conn, "default", "s")]
        kept = await steps.list_(conn, "default", "c")
    assert len(made) == len(set(made)) == 3
    assert seen == made[:1]
    assert msgspec.json.decode(row.response or "", type=Outcome).text == "".join(made)
    assert [key for _, key in await _told(database, "c")] == ["tool:0:said", "tool:1:said", "tool:2:said"]
    assert kept == [], "the journal goes with the run"
    stored = [key async for key in Blobs(settings).walk() if "/artifacts/" in key]
    assert len(stored) == 3, "what was written anew replaced what was there"


async def test_what_was_brought_is_an_artifact_and_the_turn_refers_to_it(
    settings: Settings, database: Database, blobs: Blobs, working: Working, settled: Settled
) -> None:
    refs: list[str] = []

    async def agent(task: Task, workspace: Workspace) -> Outcome:
        refs.append((await workspace.bring(0)).ref)
        assert await workspace.artifacts.read("face.png") == PNG
        async with workspace.artifacts.local(refs[0]) as path:
            assert path.read_bytes() == PNG
        return Outcome(text="Seen")

    await blobs.put("default/inputs/c/0", PNG)
    read = Input(position=0, source="data", blob="default/inputs/c/0", bytes=len(PNG), sha256=hashlib.sha256(PNG).hexdigest())
    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        for id in ("c", "d"):
            async with database.begin() as conn:
                await ask(conn, id, chat("Look", Media(position=0, kind="image"), names={0: "face.png"}), session=f"s{id}", reads=[read])
            assert (await settled(id)).status == "completed"
    async with database.begin() as conn:
        said = msgspec.json.decode((await sessions.history(conn, "sc"))[0].message, type=Message)
        kept = await artifacts.list_(conn, "default", "sc")
    assert said.parts[1] == Media(ref=refs[0], kind="image")
    assert [(each.ref, each.filename, each.source, each.media_type) for each in kept] == [(refs[0], "face.png", "manifest", "image/png")]
    await blobs.delete("default/inputs/c/0")
    assert await blobs.get(kept[0].blob) == PNG, "a session keeps its own copy"


@pytest.mark.parametrize(
    ("problem", "type"), [(InvalidRequest("No such tool."), "invalid_request"), (RuntimeError("boom"), "internal_error")]
)
async def test_a_run_that_fails_says_so_tells_what_was_said_and_lets_others_write(
    settings: Settings, database: Database, working: Working, settled: Settled, problem: Exception, type: str
) -> None:
    async def agent(_task: Task, workspace: Workspace) -> Outcome:
        await workspace.emit(Said("half"), key="a")
        raise problem

    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        async with database.begin() as conn:
            await ask(conn, "c", chat("Say"), session="s")
        row = await settled("c")
    assert (row.status, json.loads(row.error or "")["type"], row.credits) == ("failed", type, 0)
    assert await _told(database, "c") == [(1, "a")]
    async with database.begin() as conn:
        assert await sessions.history(conn, "s") == []
        assert await sessions.hold(conn, "default", "s", "another", lease=timedelta(seconds=1)), "the session is free"
        entry = await completions.get(conn, "default", "c")
    assert entry
    assert (entry.status, json.loads(entry.error or "")["type"]) == ("failed", type)


async def test_a_chat_ends_soon_after_its_last_listener_left_and_one_that_nobody_waits_for_goes_on(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    impatient = settings.model_copy(update={"agent_listeners": 1.0})
    ended: list[str] = []

    async def agent(task: Task, _workspace: Workspace) -> Outcome:
        try:
            await asyncio.sleep(2.5)
        except asyncio.CancelledError:
            ended.append(task.messages[0].text)
            raise
        return Outcome(text="Done")

    async with working(handlers={RUNS: runs(impatient, database, agent).run}):
        async with database.begin() as conn:
            await ask(conn, "left", chat("left"), session="s1", listened=True)
            await ask(conn, "kept", chat("kept"), session="s2", listened=True)
            await ask(conn, "batch", chat("batch"), session="s3")
        for _ in range(12):
            async with database.begin() as conn:
                await predictions.listened(conn, [("default", "kept")])
            await asyncio.sleep(0.3)
        rows = [await settled(id) for id in ("left", "kept", "batch")]
    assert [(row.id, row.status) for row in rows] == [("left", "failed"), ("kept", "completed"), ("batch", "completed")]
    assert json.loads(rows[0].error or "")["type"] == "cancelled"
    assert ended == ["left"]
    async with database.begin() as conn:
        entries = [await completions.get(conn, "default", id) for id in ("left", "kept", "batch")]
    assert [entry and entry.status for entry in entries] == ["cancelled", "completed", "completed"]


async def test_a_chat_that_was_left_in_the_queue_never_begins(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    begun: list[str] = []

    async def agent(task: Task, _workspace: Workspace) -> Outcome:
        begun.append(task.messages[0].text)
        return Outcome(text="Done")

    async with database.begin() as conn:
        await ask(conn, "c", chat("c"), session="s", listened=True)
        await conn.execute(text("UPDATE predictions SET listened_at = now() - interval '31 seconds'"))
    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        row = await settled("c")
    assert (row.status, begun) == ("failed", [])
    assert await queued(database) == []


async def test_a_run_that_was_cancelled_while_it_waited_ends_without_beginning(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    begun: list[str] = []

    async def agent(task: Task, _workspace: Workspace) -> Outcome:
        begun.append(task.prompt)
        return Outcome(text="Done")

    async with database.begin() as conn:
        await ask(conn, "e", EXECUTION)
        await predictions.cancel(conn, "default", "e")
    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        row = await settled("e")
    assert (row.status, json.loads(row.error or "")["type"], begun) == ("failed", "cancelled", [])


async def test_a_cancelled_run_stops_within_a_second_and_what_it_makes_then_is_not_kept(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    stubborn = asyncio.Event()

    async def agent(_task: Task, workspace: Workspace) -> Outcome:
        stubborn.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(30)
        await workspace.artifacts.put(PNG, kind="img", media_type="image/png")
        return Outcome(text="Too late")

    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        async with database.begin() as conn:
            await ask(conn, "e", EXECUTION)
        await stubborn.wait()
        async with database.begin() as conn:
            await predictions.cancel(conn, "default", "e")
        row = await settled("e", 3)
    assert (row.status, json.loads(row.error or "")["type"]) == ("failed", "cancelled")
    async with database.begin() as conn:
        assert await artifacts.list_(conn, "default", "e") == []
    assert [key async for key in Blobs(settings).walk() if "/artifacts/" in key] == []


async def test_a_run_may_not_make_more_than_its_budget_of_bytes(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async def agent(_task: Task, workspace: Workspace) -> Outcome:
        await workspace.artifacts.put(bytes(60), kind="arr", media_type="application/octet-stream")
        with pytest.raises(MediaLimitExceeded, match="HELIOGRAPH_AGENT_ARTIFACTS"):
            await workspace.artifacts.put(bytes(60), kind="arr", media_type="application/octet-stream")
        return Outcome(text="Done")

    async with working(handlers={RUNS: runs(settings.model_copy(update={"agent_artifacts": 100}), database, agent).run}):
        async with database.begin() as conn:
            await ask(conn, "e", EXECUTION)
        assert (await settled("e")).status == "completed"


async def test_a_missing_artifact_is_answered_with_those_there_are(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    said: list[str] = []

    async def agent(_task: Task, workspace: Workspace) -> Outcome:
        made = await workspace.artifacts.put(PNG, kind="img", media_type="image/png", filename="a.png", source="workspace")
        for name in ("img_ffffff", "b.png"):
            with pytest.raises(NotFound, match=rf"{made.ref} \(a\.png\)") as caught:
                await workspace.artifacts.get(name)
            said.append(caught.value.message)
        return Outcome(text="Done")

    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        async with database.begin() as conn:
            await ask(conn, "e", EXECUTION)
        assert (await settled("e")).status == "completed"
    assert len(said) == 2


async def test_a_run_that_asked_for_the_clients_tools_leaves_its_journal_to_the_one_that_brings_their_results(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async def agent(task: Task, workspace: Workspace) -> Outcome:
        known = await workspace.known("tool:0:0")
        if known.state == "done":
            return Outcome(text=(known.output or b"").decode())
        await workspace.keep("tool:0:0", b"found before")
        return Outcome(text="", finish="tool_calls", calls=[ToolCall("1", "mine", "{}")])

    async with working(handlers={RUNS: runs(settings, database, agent).run}):
        async with database.begin() as conn:
            await ask(conn, "c", chat("Find"), session="s")
        assert msgspec.json.decode((await settled("c")).response or "", type=Outcome).finish == "tool_calls"
        async with database.begin() as conn:
            await ask(conn, "d", chat("done", resumes="c"), session="s")
        row = await settled("d")
    assert msgspec.json.decode(row.response or "", type=Outcome).text == "found before"


async def test_pages_and_tokens_are_what_a_run_is_charged_for(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    priced = settings.model_copy(update={"models": {"m": ModelSettings(url="http://127.0.0.1:1", price_input=1.0, price_output=10.0)}})

    async def agent(_task: Task, _workspace: Workspace) -> Outcome:
        return Outcome(text="", answered_by="m", spent=Spent(steps=1, input_tokens=10_000, output_tokens=2_000, read=3))

    async with working(handlers={RUNS: runs(priced, database, agent).run}):
        for tier in ("standard", "flex", "priority"):
            async with database.begin() as conn:
                await ask(conn, tier, EXECUTION, tier=tier)
        credits = {tier: (await settled(tier)).credits for tier in ("standard", "flex", "priority")}
    # 3 pages at 2, and 10,000 tokens at 1 and 2,000 at 10 a million: 3 cents
    assert credits == {"standard": 9, "flex": 5, "priority": 17}


async def test_a_backlog_of_documents_does_not_stand_before_a_chat(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    from .asking import submit

    async with database.begin() as conn:
        for number in range(20):
            await submit(conn, f"p{number}", reads=[Input(position=0, source="data", blob="default/inputs/none/0", sha256="0")])
        await ask(conn, "c", chat("Hi"), session="s")
        await ask(conn, "other", chat("Hi"), session="t", tier="priority")
        first, second = [
            priority
            for (priority,) in await conn.execute(text("SELECT priority FROM procrastinate_jobs WHERE queue_name = 'runs' ORDER BY id"))
        ]
    assert (first, second) == (1_000_000_000, 2_000_000_000)


async def test_a_link_to_an_artifact_is_signed_for_it_in_its_namespace(
    settings: Settings, database: Database, working: Working, settled: Settled
) -> None:
    async def links(_task: Task, workspace: Workspace) -> Outcome:
        made = await workspace.artifacts.put(PNG, kind="img", media_type="image/png")
        return Outcome(text=f"{made.ref} {await workspace.link(made.ref)}")

    public = settings.model_copy(update={"public_url": "https://docs.example/"})
    async with working(handlers={RUNS: runs(public, database, links).run}):
        async with database.begin() as conn:
            await ask(conn, "c", chat("Link it"), session="s")
        row = await settled("c")
    ref, url = msgspec.json.decode(row.response or "", type=Outcome).text.split()
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (parts.scheme, parts.netloc) == ("https", "docs.example")
    assert artifact_at(parts.path.rpartition("/")[2]) == ("default", "s", ref)
    async with database.begin() as conn:
        assert verify(await server.url_secret(conn), parts.path, int(query["expires"]), query["signature"])
