"""A run, whoever does it: a skill's program, a language model with tools, or what is embedded.

    outcome = await run(task, workspace, settings=settings, reader=reader, models=models)

Safe to call again with the same workspace after a crash: what is in its journal is not done a second time.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from heliograph.agents import toolsets
from heliograph.agents.context import Context
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Card, Task
from heliograph.agents.telling import within
from heliograph.agents.workspace import Workspace
from heliograph.config import Settings

if TYPE_CHECKING:
    from heliograph.models.serving import Models
    from heliograph.perception.reader import Reader

ORION = "vlmrun-orion-"
"""How the names begin that leave it to the tier which model answers."""


async def run(task: Task, workspace: Workspace, *, settings: Settings, reader: Reader, models: Models) -> Outcome:
    """Do what was asked. Raises what ends the run without an answer: `HeliographError`s with a sentence for the caller."""
    if not toolsets.loaded.is_set():
        await asyncio.to_thread(toolsets.load)
    route = route_of(task, settings)
    at = Context(task=task, workspace=workspace, settings=settings, reader=reader, models=models, route=route, say=_unsaid, show=_unshown)
    doer = import_module(f"heliograph.agents.{doer_of(task, route)}")  # only the one that is needed: pydantic-ai alone takes a second
    return await doer.run(within(at, "run"))


async def warm(settings: Settings) -> None:
    """Import what runs need while nobody waits for it: seconds, in which a first chat would see nothing."""
    await asyncio.to_thread(toolsets.load)
    if settings.routes():
        await asyncio.to_thread(import_module, "heliograph.agents.loop")


def route_of(task: Task, settings: Settings) -> str | None:
    """The model that answers: the one configured for the tier, where an orion model was asked for and has no route of its own."""
    if task.route == "default" and task.model.startswith(ORION) and task.tier in settings.routes():
        return task.tier
    return task.route


def doer_of(task: Task, route: str | None) -> str:
    """The module beside this one whose `run` does it."""
    if task.kind == "execution" and task.mode == "program":
        return "program"
    shaped = bool(task.skills or (task.format is not None and task.format.schema is not None))
    extracts = shaped and (task.kind == "execution" or bool(task.brought))
    if route is not None and not (extracts and _wants_evidence(task)):
        return "loop"
    return "packet" if extracts else "planner"


def _wants_evidence(task: Task) -> bool:
    """Whether values are to say where they stand, which extraction knows and no model that talks; unless other work is to be done too."""
    reads = task.toolsets is None or {"core", "document"}.issuperset(task.toolsets)
    return (task.grounding or task.confidence) and reads and bool(task.inputs)


async def _unsaid(_line: str) -> None:
    raise AssertionError("a tool tells within a step")


async def _unshown(_card: Card, _data: dict[str, Any]) -> None:
    raise AssertionError("a tool shows within a step")
