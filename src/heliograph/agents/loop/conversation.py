"""What was said before, and what is asked now, as the messages that a run begins with."""

from __future__ import annotations

import json
from typing import Any, cast

from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)  # fmt: skip

from heliograph.agents.artifacts import Artifact
from heliograph.agents.context import Context
from heliograph.agents.task import MEDIA, Media, Message, Task, Text
from heliograph.errors import NotFound
from heliograph.media.document import Page
from heliograph.models.contract import Profile

Json = Any
LONGEST_NAME = 80
MOST_PICTURES = 6
"""Pictures that a model is shown unasked; it looks at others with its tools."""


def resumed(task: Task) -> tuple[list[Message], dict[str, str]]:
    """The messages that the run which this one resumes began with, and what the client's tools answered since, by the id of the call."""
    last = max((place for place, message in enumerate(task.messages) if message.role == "user"), default=-1)
    since = task.messages[last + 1 :]
    return task.messages[: last + 1], {message.call_id: message.text for message in since if message.role == "tool" and message.call_id}


async def conversation(at: Context, messages: list[Message], profile: Profile) -> list[ModelMessage]:
    """The messages, with references for what was brought, and pictures of the user's last words where the model takes them."""
    made: list[ModelMessage] = []
    last = max((place for place, message in enumerate(messages) if message.role == "user"), default=-1)
    names: dict[str, str] = {}
    for place, message in enumerate(messages):
        if message.role == "assistant":
            parts: list[ModelResponsePart] = [TextPart(message.text)] if message.text else []
            parts += [ToolCallPart(call.name, call.arguments, tool_call_id=call.id) for call in message.calls]
            names |= {call.id: call.name for call in message.calls}
            made.append(ModelResponse(parts))
        elif message.role == "tool" and message.call_id:
            _add(made, ToolReturnPart(names.get(message.call_id, "tool"), message.text, tool_call_id=message.call_id))
        elif message.role in ("user", "tool"):
            _add(made, UserPromptPart(await _content(at, message, profile if place == last else None)))
    if at.task.kind == "execution":
        _add(made, UserPromptPart(await _inputs(at, profile)))
    return made


def _add(made: list[ModelMessage], part: ModelRequestPart) -> None:
    """A part of a request; what follows on another is of the same one."""
    if made and isinstance(made[-1], ModelRequest):
        made[-1] = ModelRequest([*made[-1].parts, part])
    else:
        made.append(ModelRequest([part]))


async def _content(at: Context, message: Message, profile: Profile | None) -> list[UserContent]:
    """The parts of a turn. `profile`: of the model that is to see its pictures, None when it is not."""
    made: list[UserContent] = []
    shown = 0
    for part in message.parts:
        if isinstance(part, Text):
            made.append(part.text)
            continue
        try:
            artifact = await _artifact(at, part)
        except NotFound:
            if profile is not None:
                raise
            made.append(f"[{part.ref or part.name or 'a file'}: no longer there]")  # an earlier turn's, forgotten since
            continue
        made.append(_label(artifact))
        if profile is not None and profile.vision and artifact.kind == "img" and shown < min(MOST_PICTURES, profile.max_pictures):
            made.append(await _picture(at, artifact, 768 if part.detail == "low" else profile.longest_side))
            shown += 1
    return made


async def _inputs(at: Context, profile: Profile) -> list[UserContent]:
    """What an execution is asked, and its inputs with a reference in the place of each thing to look at."""
    brought: list[Artifact] = []

    async def named(value: Json) -> Json:
        if isinstance(value, dict):
            table = cast("dict[str, Json]", value)
            if set(table) == {MEDIA}:
                brought.append(await at.workspace.bring(int(table[MEDIA])))
                return {"id": brought[-1].ref}
            return {key: await named(inner) for key, inner in table.items()}
        if isinstance(value, list):
            return [await named(inner) for inner in cast("list[Json]", value)]
        return value

    inputs = await named(at.task.inputs or {})
    made: list[UserContent] = [at.task.prompt or "Do what the skills say with these inputs."]
    if inputs:
        made.append(f"Inputs:\n{json.dumps(inputs, ensure_ascii=False)}")
    made += [_label(artifact) for artifact in brought]
    if profile.vision:
        pictures = [artifact for artifact in brought if artifact.kind == "img"][: min(MOST_PICTURES, profile.max_pictures)]
        made += [await _picture(at, artifact, profile.longest_side) for artifact in pictures]
    return made


async def _artifact(at: Context, part: Media) -> Artifact:
    if part.ref is not None:
        return await at.artifacts.get(part.ref)
    return await at.workspace.bring(part.position or 0)


def _label(artifact: Artifact) -> str:
    """An artifact in a line. Its name is the caller's, or whoever's the file is: short, and on one line."""
    facts = artifact.facts
    told = [artifact.media_type]
    told += [" ".join(artifact.filename.split())[:LONGEST_NAME]] if artifact.filename else []
    told += [f"{facts['width']}x{facts['height']} pixels"] if {"width", "height"} <= set(facts) else []
    told += [f"{facts[name]} {name}" for name in ("pages", "seconds", "rows") if name in facts]
    return f"[{artifact.ref}: {', '.join(told)}]"


async def _picture(at: Context, artifact: Artifact, longest_side: int) -> BinaryContent:
    async with at.artifacts.local(artifact.ref) as path:
        inspection = await at.reader.inspect(path)
        width, height = inspection.sizes[0] if inspection.sizes else (0.0, 0.0)
        drawn = await at.reader.picture(path, 0, Page(0, width, height), longest_side)
    return BinaryContent(drawn.data, media_type="image/jpeg", vendor_metadata={"width": drawn.width, "height": drawn.height})
