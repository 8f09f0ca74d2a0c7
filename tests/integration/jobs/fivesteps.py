"""An agent of five steps, each of which calls a tool that makes an artifact; and places at which the whole worker dies, each once."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any, cast

from heliograph.agents import tools
from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.events import Said, Thought
from heliograph.agents.outcome import Outcome, Spent
from heliograph.agents.task import Task
from heliograph.agents.telling import within
from heliograph.agents.tools import Made, Tool, tool
from heliograph.agents.workspace import Workspace
from heliograph.config import Settings

STEPS = 5
POINTS = ("called", "made", "kept", "said")
"""Before a tool makes its artifact, after; after its step was kept; and after it was told of."""


class Falls:
    """A place to die at is a file in `folder`; it is taken away as the worker dies. Each call of the tool is a line in `calls`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls.log"

    def plan(self, points: tuple[str, ...] = POINTS) -> int:
        """Make places to die at in each step; how many."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.calls.touch()
        places = [f"{step}-{point}" for step in range(STEPS) for point in points]
        for place in places:
            (self.folder / place).touch()
        return len(places)

    async def here(self, place: str) -> None:
        """Die, if this is planned and has not happened."""
        await asyncio.sleep(0.05)  # for events to be on their way
        try:
            (self.folder / place).unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def called(self, step: int) -> None:
        with self.calls.open("a") as log:
            log.write(f"{step}\n")


class FiveSteps:
    """The agent. `pause`: seconds in each step."""

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        self._falls, self._pause = Falls(folder), pause

    async def __call__(self, task: Task, workspace: Workspace) -> Outcome:
        at = Context(
            task=task, workspace=workspace, settings=Settings(), reader=cast("Any", None), models=cast("Any", None), route=None,
            say=cast("Any", None), show=cast("Any", None),
        )  # fmt: skip
        for step in range(STEPS):
            name = f"tool:{step}:0"
            caller = Caller(within(at, name), [self._tool(step)])
            made = await caller.call(name, "make", {"step": step})
            await self._falls.here(f"{step}-kept")
            await workspace.emit(Said(f"{step}:{made['id']} "), key=f"model:{step}:said")
            await self._falls.here(f"{step}-said")
        return Outcome(text=await workspace.said("model:"), spent=Spent(steps=STEPS, tools={"make": STEPS}), answered_by="embedded")

    def _tool(self, step: int) -> Tool:
        falls, pause = self._falls, self._pause
        tools.REGISTRY.pop("make", None)

        @tool("core")
        async def make(at: Context, step: int) -> Made:
            """Make a thing."""
            falls.called(step)
            await at.workspace.emit(Thought(f"Makes {step}.\n"), key=f"tool:{step}:0:say:0")
            await asyncio.sleep(pause)
            await falls.here(f"{step}-called")
            made = await at.artifacts.put(f"thing {step}".encode(), kind="arr", media_type="application/octet-stream")
            await falls.here(f"{step}-made")
            return Made(id=made.ref)

        return tools.REGISTRY["make"]
