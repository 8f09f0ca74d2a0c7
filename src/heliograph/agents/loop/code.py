"""Orion-2's one tool: programs that call the others, each of their calls a step of the journal.

A program that was under way when a worker died is run again from its beginning. Its calls are known by what they are called with rather
than by when, since calls side by side come in any order: those that were done are answered from the journal.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, cast

import msgspec
from pydantic import BaseModel, Field

from heliograph.agents.artifacts import REF, Artifact, Kind, Source
from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.sandbox.script import Answer, Attachment, Ran, Script, ToolSpec
from heliograph.agents.sandbox.shared import shared
from heliograph.agents.task import CARDS
from heliograph.agents.telling import within
from heliograph.agents.tools import Made, Tool
from heliograph.errors import NotFound
from heliograph.media.sniff import sniff

Json = Any
EXECUTE_CODE = "execute_code"
MOST_GIVEN = 64 << 20
"""Bytes of artifacts that a program finds as files."""
MOST_ANSWERED = 16 << 20
"""Bytes of artifacts that come to it with the answer of a tool."""
LONGEST_OUTPUT = 20_000
"""Characters of what a program printed that a model is shown."""


class Executed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a program. `error`: its traceback, to mend it by."""

    value: Json = None
    printed: str = ""
    error: str | None = None
    files: list[Made] = []
    notes: list[str] = []


class _Arguments(BaseModel):
    code: Annotated[str, Field(description="The program: async Python.")]


def tool(caller: Caller, tools: Sequence[Tool]) -> Tool:
    """`execute_code` over these tools, which are called through `caller`, with all that it allows and forbids."""
    schema = _Arguments.model_json_schema()
    schema.pop("title", None)

    async def run(at: Context, code: str) -> Executed:
        return await execute(at, code, caller, tools)

    return Tool(
        name=EXECUTE_CODE, toolset="code-execution", group="code_execution", doc="Run a program and see what comes of it.",
        parameters=schema, run=run, arguments=_Arguments,
    )  # fmt: skip


async def execute(at: Context, code: str, caller: Caller, tools: Sequence[Tool]) -> Executed:
    """Run a program with the rights of the run, and keep what it wrote. Raises NotConfigured where programs cannot be run."""
    named = {f"{tool.group}.{tool.name}": tool.name for tool in tools}
    program = hashlib.sha256(code.encode()).hexdigest()[:16]
    alike: Counter[str] = Counter()
    files = await _files(at)
    known = set(files)

    async def call(path: str, arguments: dict[str, Json]) -> Json:
        given = await _kept(at, arguments)
        content = hashlib.sha256(path.encode() + msgspec.json.encode(given, order="sorted")).hexdigest()[:16]
        alike[content] += 1
        value = await caller.call(f"code:{program}:{content}:{alike[content]}", named[path], given)
        return Answer(value, await _new_files(at, value, known))

    lines = within(at, f"code:{program}")

    async def preview(card: dict[str, Json]) -> None:
        kind = card.get("type")
        if kind in CARDS:
            await lines.show(kind, {name: value for name, value in card.items() if name != "type"})

    specs = [ToolSpec(group=tool.group, name=tool.name, doc=tool.doc, parameters=tool.parameters) for tool in tools]
    script = Script(code=code, files=files)
    ran = await shared(at.settings).run(script, call, specs, on_print=lines.say, on_preview=preview)
    return await _executed(at, ran)


async def _kept(at: Context, value: Json) -> Json:
    """Arguments with a reference in the place of each picture and file that the program handed over."""
    if isinstance(value, Attachment):
        async with at.workspace.step(f"given:{hashlib.sha256(value.data).hexdigest()[:16]}"):
            return (await _put(at, value.name, value.data, "store")).ref
    if isinstance(value, dict):
        return {name: await _kept(at, inner) for name, inner in cast("dict[str, Json]", value).items()}
    if isinstance(value, list):
        return [await _kept(at, inner) for inner in cast("list[Json]", value)]
    return value


async def _files(at: Context) -> dict[str, bytes]:
    """The artifacts as files called by their references, the newest first, as far as they fit."""
    made: dict[str, bytes] = {}
    room = min(MOST_GIVEN, at.settings.sandbox_disk // 4)
    for artifact in reversed(await at.artifacts.list()):
        if artifact.bytes <= room:
            made[artifact.ref] = await at.artifacts.read(artifact.ref)
            room -= artifact.bytes
    return made


async def _new_files(at: Context, value: Json, known: set[str]) -> dict[str, bytes]:
    """The artifacts that an answer names and that the program does not have yet, called by their references, as far as they fit."""
    made: dict[str, bytes] = {}
    room = MOST_ANSWERED
    for ref in dict.fromkeys(REF.findall(msgspec.json.encode(value).decode())):
        if ref not in known:
            with suppress(NotFound):
                artifact = await at.artifacts.get(ref)
                if artifact.bytes <= room:
                    made[ref] = await at.artifacts.read(ref)
                    room -= artifact.bytes
                    known.add(ref)
    return made


async def _put(at: Context, name: str, data: bytes, source: Source) -> Artifact:
    media_type = sniff(data).media_type if data else "text/plain"
    return await at.artifacts.put(data, kind=_kind(media_type), media_type=media_type, filename=name, source=source)


async def _executed(at: Context, ran: Ran) -> Executed:
    made: list[Made] = []
    for name, data in ran.files.items():
        made.append(Made(id=(await _put(at, name, data, "workspace")).ref, filename=name))
    printed = (ran.stdout + ran.stderr).strip()
    if len(printed) > LONGEST_OUTPUT:
        printed = f"{printed[:LONGEST_OUTPUT]}\n[cut here: {len(printed) - LONGEST_OUTPUT} more characters]"
    return Executed(value=ran.value, printed=printed, error=ran.error, files=made, notes=list(ran.left))


def _kind(media_type: str) -> Kind:
    match media_type.partition("/")[0]:
        case "image":
            return "img"
        case "video":
            return "vid"
        case "audio":
            return "aud"
        case _:
            return "doc"
