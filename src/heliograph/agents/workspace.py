"""Where a run keeps what must survive it: its steps, its events and its artifacts. `jobs` keeps them in the store, tests in memory."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from heliograph.agents.artifacts import Artifact, Artifacts
from heliograph.agents.events import Event
from heliograph.agents.task import SkillRef
from heliograph.skills.package import Package

State = Literal["new", "begun", "done"]


class Step(msgspec.Struct, frozen=True):
    """A step of the run as its journal knows it. `output`: of one that is done."""

    state: State
    output: bytes | None = None


class Workspace(Protocol):
    """The durable side of one run. Every method raises what ends the run (handed back, cancelled, run by another) when it may not go on.

    Steps have names that come out the same when the run is done again, such as `model:3` and `tool:3:0`. While a step is open (`step`),
    artifacts
    that are put belong to it.
    """

    artifacts: Artifacts

    async def known(self, step: str) -> Step:
        """What the journal knows of a step: `begun` is one that was started by an earlier run and never finished."""
        ...

    async def begin(self, step: str) -> None:
        """Note that a step with an effect outside starts, so that it is never done twice without anyone's knowing."""
        ...

    def step(self, name: str) -> AbstractAsyncContextManager[None]:
        """Names the step whose artifacts are put meanwhile."""
        ...

    async def keep(self, step: str, output: bytes) -> None:
        """Write a finished step down, before anything that follows from it is done."""
        ...

    async def emit(self, event: Event, *, key: str) -> None:
        """Append to the log of events. The same `key` again is the same event: it is not appended twice."""
        ...

    async def said(self, prefix: str) -> str:
        """The text that `Said` events whose keys begin with `prefix` have already told listeners, in an earlier run too."""
        ...

    async def bring(self, position: int) -> Artifact:
        """The caller's input at this place, as an artifact of the namespace; fetched once where it is a URL."""
        ...

    async def fetch(self, url: str) -> Artifact:
        """What stands at a URL, as an artifact, through the guarded fetcher. Raises FetchError."""
        ...

    async def file(self, file_id: str) -> Artifact:
        """A file that the caller's tenant uploaded, as an artifact. Raises NotFound."""
        ...

    async def link(self, name: str) -> str:
        """An address at which an artifact can be had without a key for some days. Raises NotFound."""
        ...

    async def package(self, skill: SkillRef) -> Package:
        """The package of a skill."""
        ...

    async def folder(self, skill: SkillRef) -> Path:
        """A read-only folder with a skill's files."""
        ...
