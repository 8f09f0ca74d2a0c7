"""Workers whose agent is a script that the test gives, and streams read event by event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from heliograph.agents.events import Said
from heliograph.agents.outcome import Outcome, Spent
from heliograph.agents.task import Media, Task
from heliograph.agents.workspace import Workspace
from heliograph.jobs.queue import RUNS
from heliograph.store.database import Database
from tests.integration.jobs.running import Agent, runs
from tests.integration.jobs.working import loop

from .conftest import Api

CHAT = "/v1/openai/chat/completions"
SPENT = Spent(steps=1, input_tokens=10, output_tokens=5)


async def echo(task: Task, workspace: Workspace) -> Outcome:
    """Says what it was told last, in two pieces, and what it can see."""
    seen = sum(isinstance(part, Media) for message in task.messages for part in message.parts)
    text = f"You said: {task.messages[-1].text} ({len(task.messages)} messages, {seen} seen)"
    await workspace.emit(Said(text[:5]), key="model:0:0")
    await asyncio.sleep(0.1)
    await workspace.emit(Said(text[5:]), key="model:0:1")
    return Outcome(text=text, spent=SPENT, answered_by="embedded")


@asynccontextmanager
async def worker(api: Api, folder: Path, agent: Agent = echo) -> AsyncGenerator[None]:
    """A worker of the server's queue, in this process."""
    database = Database(api.database.libpq_url, size=4)
    stop = asyncio.Event()
    handler = runs(api.settings, database, agent).run
    working = asyncio.create_task(loop(api.settings, database, folder / "log", handlers={RUNS: handler}).run(stop))
    try:
        yield
    finally:
        stop.set()
        await working
        await database.close()


@dataclass
class Heard:
    """One event of a stream: its id, and its data as it came."""

    id: str | None
    data: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[Heard]:
    """The events of a stream, comments left out."""
    id: str | None = None
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("id: "):
            id = line[4:]
        elif line.startswith("data: "):
            yield Heard(id, line[6:])
            id = None


@asynccontextmanager
async def streaming(
    api: Api, body: dict[str, Any] | None = None, *, path: str = CHAT, **options: Any
) -> AsyncGenerator[aiohttp.ClientResponse]:
    """An open stream: of a new completion (`body`), or of the events at `path`."""
    headers = {"Authorization": f"Bearer {options.pop('key', api.key)}"} | options.pop("headers", {})
    method = "GET" if body is None else "POST"
    json_body = None if body is None else body | {"stream": True}
    async with api.http.request(method, options.pop("url", api.url) + path, json=json_body, headers=headers) as answer:
        yield answer


async def heard(api: Api, body: dict[str, Any] | None = None, **options: Any) -> list[Heard]:
    """All events of a stream."""
    async with streaming(api, body, **options) as answer:
        assert answer.status in (200, 201), await answer.read()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        return [event async for event in events(answer)]


def said(told: list[Heard], choice: int = 0, field: str = "content") -> str:
    """The content that chunks add up to."""
    chunks = [event.json for event in told if event.data != "[DONE]"]
    found = [each for chunk in chunks for each in chunk.get("choices", []) if each["index"] == choice]
    return "".join(each["delta"].get(field) or "" for each in found)


def asks(text: str, **fields: Any) -> dict[str, Any]:
    """A body with one message."""
    return {"messages": [{"role": "user", "content": text}]} | fields
