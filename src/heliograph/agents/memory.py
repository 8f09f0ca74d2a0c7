"""A workspace in memory: what tests of tools, of the loop and of the planner run on.

It survives what a test calls a crash: make another `MemoryWorkspace` over the same `Memory`, and it replays what the first one kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from heliograph.agents.artifacts import Artifact, Artifacts, Kind, Seeds, Source, named_among, new_ref
from heliograph.agents.events import Event, Said
from heliograph.agents.task import SkillRef
from heliograph.agents.workspace import Step
from heliograph.errors import FetchError, NotFound
from heliograph.skills import package
from heliograph.skills.package import Package


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the caller brought, or that stands at a URL or under a file's id."""

    content: bytes
    kind: Kind
    media_type: str
    filename: str | None = None
    facts: dict[str, int | float | str] = {}


@dataclass
class Memory:
    """What outlives a `MemoryWorkspace`. `inputs` by position, `web` by URL, `files` by id and `skills` (folders) by hash are a test's to
    fill."""

    inputs: dict[int, Brought] = field(default_factory=dict[int, Brought])
    web: dict[str, Brought] = field(default_factory=dict[str, Brought])
    files: dict[str, Brought] = field(default_factory=dict[str, Brought])
    skills: dict[str, Path] = field(default_factory=dict[str, Path])
    steps: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    """What was kept; None for a step that was only begun."""
    events: dict[str, Event] = field(default_factory=dict[str, Event])
    """By key, in the order in which they were emitted."""
    artifacts: dict[str, tuple[Artifact, bytes]] = field(default_factory=dict[str, tuple[Artifact, bytes]])
    """By seed: a step and a place in it."""


class MemoryArtifacts:
    """The `Artifacts` of a `Memory`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.seeds = Seeds()

    async def put(
        self,
        content: bytes | Path,
        *,
        kind: Kind,
        media_type: str,
        filename: str | None = None,
        source: Source = "store",
        facts: dict[str, int | float | str] | None = None,
    ) -> Artifact:
        """As `Artifacts.put`."""
        seed = self.seeds.next()
        data = await asyncio.to_thread(content.read_bytes) if isinstance(content, Path) else content
        return self.keep(seed, data, kind=kind, media_type=media_type, filename=filename, source=source, facts=facts or {})

    def keep(
        self, seed: str, data: bytes, *, kind: Kind, media_type: str, filename: str | None, source: Source,
        facts: dict[str, int | float | str],
    ) -> Artifact:  # fmt: skip
        """What `seed` made, under its reference."""
        made = Artifact(
            ref=new_ref(kind, seed), media_type=media_type, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), filename=filename,
            source=source, facts=facts,
        )  # fmt: skip
        self._memory.artifacts[seed] = made, data
        return made

    async def get(self, name: str) -> Artifact:
        """As `Artifacts.get`."""
        return self._find(name)[0]

    async def list(self) -> list[Artifact]:
        """As `Artifacts.list`."""
        return [made for made, _ in self._memory.artifacts.values()]

    async def read(self, name: str) -> bytes:
        """As `Artifacts.read`."""
        return self._find(name)[1]

    @asynccontextmanager
    async def local(self, name: str) -> AsyncGenerator[Path]:
        """As `Artifacts.local`."""
        data = self._find(name)[1]
        with tempfile.TemporaryDirectory(prefix="heliograph-artifact-") as folder:
            path = Path(folder) / "artifact"
            path.write_bytes(data)
            yield path

    def _find(self, name: str) -> tuple[Artifact, bytes]:
        all_ = list(self._memory.artifacts.values())
        found = named_among([made for made, _ in all_], name)
        return next(entry for entry in all_ if entry[0].ref == found.ref)


class MemoryWorkspace:
    """A `Workspace` over a `Memory`: one run, or one that goes on after a crash."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()
        self._artifacts = MemoryArtifacts(self.memory)
        self.artifacts: Artifacts = self._artifacts

    async def known(self, step: str) -> Step:
        """As `Workspace.known`."""
        if step not in self.memory.steps:
            return Step("new")
        output = self.memory.steps[step]
        return Step("begun") if output is None else Step("done", output)

    async def begin(self, step: str) -> None:
        """As `Workspace.begin`."""
        self.memory.steps.setdefault(step, None)

    def step(self, name: str) -> AbstractAsyncContextManager[None]:
        """As `Workspace.step`."""
        return self._artifacts.seeds.during(name)

    async def keep(self, step: str, output: bytes) -> None:
        """As `Workspace.keep`."""
        if self.memory.steps.get(step) is None:
            self.memory.steps[step] = output

    async def emit(self, event: Event, *, key: str) -> None:
        """As `Workspace.emit`."""
        self.memory.events.setdefault(key, event)

    async def said(self, prefix: str) -> str:
        """As `Workspace.said`."""
        return "".join(event.text for key, event in self.memory.events.items() if key.startswith(prefix) and isinstance(event, Said))

    async def bring(self, position: int) -> Artifact:
        """As `Workspace.bring`."""
        if position not in self.memory.inputs:
            raise NotFound(f"There is no input {position}.")
        return self._brought(self.memory.inputs[position], "manifest")

    async def fetch(self, url: str) -> Artifact:
        """As `Workspace.fetch`."""
        if url not in self.memory.web:
            raise FetchError(f"{url} could not be reached.")
        return self._brought(self.memory.web[url], "store")

    async def file(self, file_id: str) -> Artifact:
        """As `Workspace.file`."""
        if file_id not in self.memory.files:
            raise NotFound(f"There is no file {file_id}.")
        return self._brought(self.memory.files[file_id], "manifest")

    async def link(self, name: str) -> str:
        """As `Workspace.link`; nobody serves what is in memory."""
        return f"memory:{(await self.artifacts.get(name)).ref}"

    async def package(self, skill: SkillRef) -> Package:
        """As `Workspace.package`."""
        return package.read_folder(await self.folder(skill))

    async def folder(self, skill: SkillRef) -> Path:
        """As `Workspace.folder`."""
        if skill.hash not in self.memory.skills:
            raise NotFound(f"There is no skill {skill.name}.")
        return self.memory.skills[skill.hash]

    def _brought(self, brought: Brought, source: Source) -> Artifact:
        seed = f"content:{hashlib.sha256(brought.content).hexdigest()}:{brought.filename}"
        return self._artifacts.keep(
            seed, brought.content, kind=brought.kind, media_type=brought.media_type, filename=brought.filename, source=source,
            facts=brought.facts,
        )  # fmt: skip
