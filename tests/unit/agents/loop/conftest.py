"""Runs of the loop with a scripted model, over a workspace in memory that outlives them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
import pytest
from pydantic import Field

from heliograph.agents import running, tools, toolsets
from heliograph.agents.events import Said, Thought
from heliograph.agents.memory import Memory, MemoryWorkspace
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Message, Task, Text
from heliograph.agents.tools import AnyRef, Made, tool
from heliograph.config import ModelSettings, Settings
from heliograph.errors import InvalidRequest
from heliograph.models.scripted import Scripted
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader


@dataclass
class Done:
    """What tools did, by name, in every run of a test."""

    calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    def times(self, name: str) -> int:
        return sum(called == name for called, _ in self.calls)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Done:
    """Tools for tests alone, in the place of the real ones."""
    monkeypatch.setattr(tools, "REGISTRY", {})
    monkeypatch.setattr(toolsets, "load", lambda: None)
    did = Done()

    @tool("image")
    async def rotate_image(at: Any, image: AnyRef, angle: Annotated[float, Field(description="Degrees.", le=360)] = 90) -> Made:
        """Turn an image."""
        did.calls.append(("rotate_image", angle))
        await at.say(f"turning by {angle:g}")
        made = await at.artifacts.put(f"{image} turned by {angle}".encode(), kind="img", media_type="image/png")
        return Made(id=made.ref)

    @tool("document")
    async def read_page(at: Any, document: AnyRef) -> dict[str, Any]:
        """Read a page."""
        did.calls.append(("read_page", document))
        return {"text": (await at.artifacts.read(document)).decode()}

    @tool("web", effect="reads-outside")
    async def fetch_page(at: Any, url: str) -> dict[str, Any]:
        """Fetch a web page."""
        did.calls.append(("fetch_page", url))
        return {"text": "a page"}

    @tool("web", effect="reads-outside")
    async def search_web(at: Any, query: str) -> dict[str, Any]:
        """Search the web."""
        did.calls.append(("search_web", query))
        return {"results": [{"url": "https://found.example/a", "title": "A"}]}

    @tool("web", effect="acts-outside")
    async def post_webhook(at: Any, text: str) -> dict[str, Any]:
        """Send a text to the user's webhook."""
        did.calls.append(("post_webhook", text))
        return {"sent": True}

    @tool("core")
    async def fail(at: Any, how: str) -> dict[str, Any]:
        """Fail."""
        did.calls.append(("fail", how))
        if how == "bug":
            raise RuntimeError("a bug")
        raise InvalidRequest("That cannot be done so.")

    return did


class World:
    """A model, and what outlives the runs that ask it."""

    def __init__(self, server: Scripted, folder: Path, settings: dict[str, Any], model: dict[str, Any]) -> None:
        self.server, self.memory = server, Memory()
        route = ModelSettings(url=server.url, model="scripted", attempts=1, **model)
        self.settings = Settings(data_dir=folder, models={"default": route}, **settings)
        self.models = Models(self.settings)

    async def run(self, task: Task, workspace: MemoryWorkspace | None = None) -> Outcome:
        return await running.run(
            task, workspace or MemoryWorkspace(self.memory), settings=self.settings, reader=cast("Reader", None), models=self.models
        )

    @property
    def said(self) -> str:
        """What listeners have heard of the answer."""
        return "".join(event.text for event in self.memory.events.values() if isinstance(event, Said))

    @property
    def thought(self) -> str:
        return "".join(event.text for event in self.memory.events.values() if isinstance(event, Thought))


Worlds = Callable[..., Any]


@pytest.fixture
def world(tmp_path: Path, done: Done) -> Worlds:
    """`async with world([turns]) as at:`; `dialect="llama.cpp"` has no native calls that are relied on."""

    @asynccontextmanager
    async def made(
        turns: Any, dialect: Any = "vllm", *, model: dict[str, Any] | None = None, abilities: dict[str, Any] | None = None, **settings: Any
    ) -> AsyncGenerator[World]:
        able: dict[str, Any] = {"checks": False} | (abilities or {})
        async with Scripted(turns, dialect, **able) as server:
            at = World(server, tmp_path, settings, model or {})
            try:
                yield at
            finally:
                await at.models.close()

    return made


def asks(text: str = "Turn img_a1b2c3.", **fields: Any) -> Task:
    """A chat's task."""
    messages = fields.pop("messages", [Message(role="user", parts=[Text(text)])])
    toolsets = fields.pop("toolsets", ["core", "image", "document", "web"])
    return msgspec.convert(
        {"kind": "completion", "model": "vlmrun-orion-1:auto", "route": "default"}
        | {"messages": msgspec.to_builtins(messages), "toolsets": toolsets}
        | msgspec.to_builtins(fields),
        Task,
    )
