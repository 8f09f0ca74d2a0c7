"""A skill's `pipeline.py`, run as it is: no model plans, the program calls the tools.

It finds the files of the run's skills under `skills/<name>/`, what the caller brought under `inputs/`, and the caller's object as `inputs`,
in which each file is the path to it. Where it defines `main`, `run` or `pipeline`, that function is called with the inputs; else its
value is `result`, or its last line's. Its files become artifacts under their names.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path, PurePosixPath
from typing import Any, cast

import msgspec

from heliograph.agents import aliases, tools
from heliograph.agents.artifacts import Artifact
from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.outcome import Outcome, Spent
from heliograph.agents.programs import Offer, perform
from heliograph.agents.sandbox.script import Ran, Script
from heliograph.agents.task import MEDIA, Task, Toolset
from heliograph.agents.tools import Tool
from heliograph.errors import HeliographError, InvalidRequest
from heliograph.extraction.schema import METADATA_SUFFIX, compile_schema
from heliograph.extraction.shortcomings import shortcomings
from heliograph.skills.package import PROGRAM

Json = Any
STEP = "program"
USUAL: tuple[Toolset, ...] = ("core", "document", "image", "viz")
"""The toolsets of a program whose skill names none."""
OWN = frozenset({"read_file", "write_file", "execute_code"})
"""Tools that programs do not need: they have files of their own, and are code."""
LONGEST_ERROR = 6_000
_ENTRY = re.compile(r"^(?:async[ \t]+)?def[ \t]+(main|run|pipeline)[ \t]*\(", re.MULTILINE)
_RESULT = re.compile(r"^result[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


class ProgramFailed(HeliographError):
    """The skill's program failed."""

    status = 422
    type = "program_failed"


class _Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal keeps of a program that came to its end."""

    value: Json
    calls: dict[str, int]
    read: int
    """Pages."""
    warnings: list[str]


async def run(at: Context) -> Outcome:
    """Run the program. Raises ProgramFailed with its traceback, and NotConfigured where programs cannot be run."""
    known = await at.workspace.known(f"{STEP}:end")
    if known.output is not None:
        done = msgspec.json.decode(known.output, type=_Finished)
    else:
        done = await _performed(at)
        await at.workspace.keep(f"{STEP}:end", msgspec.json.encode(done))
    value = done.value
    warnings = [*done.warnings, *await asyncio.to_thread(_misfits, at.task, value)]
    return Outcome(
        text=msgspec.json.encode(value).decode(), value=value, mode="program", answered_by="embedded", warnings=warnings,
        spent=Spent(steps=1 + sum(done.calls.values()), tools=done.calls, read=done.read),
    )  # fmt: skip


async def _performed(at: Context) -> _Finished:
    code, files = await _skills(at)
    given, refs, brought = await _inputs(at)
    script = Script(code=code, arguments=given, files=files | brought, entry=_entry(code), name=PROGRAM)
    usable = {tool.name: tool for tool in _tools(at.task)}
    caller = Caller(at, usable.values())
    async with at.workspace.step(STEP):
        ran, made = await perform(at, script, caller, _offers(usable), key=STEP, refs=refs)
    if ran.error is not None:
        raise ProgramFailed(f"{PROGRAM} failed: {_shortened(ran.error)}")
    value = _object(ran, [each.filename or each.id for each in made])
    return _Finished(value=value, calls=caller.calls, read=at.readings.anew, warnings=list(ran.left))


def _tools(task: Task) -> list[Tool]:
    """What the program may call. Tools that reach outside are there only where their toolset is named: by the request, or by the skill."""
    named = set(task.toolsets or ())
    found = tools.of(("core", *named) if task.toolsets is not None else USUAL)
    return [tool for tool in found if tool.name not in OWN and (tool.effect == "none" or tool.toolset in named)]


def _offers(usable: dict[str, Tool]) -> list[Offer]:
    return [*(Offer.of(tool) for tool in usable.values()), *aliases.offers(usable)]


async def _skills(at: Context) -> tuple[str, dict[str, bytes | Path]]:
    """The program, and the files of all skills by their paths. Raises InvalidRequest where there is no program."""
    code: str | None = None
    files: dict[str, bytes | Path] = {}
    for ref in at.task.skills:
        folder = await at.workspace.folder(ref)
        found = await asyncio.to_thread(_files, folder)
        files |= {f"skills/{_named(ref.name)}/{name}": path for name, path in found.items()}
        if code is None and PROGRAM in found:
            code = await asyncio.to_thread(_text, found[PROGRAM])
    if code is None:
        raise InvalidRequest(f"None of the skills has a {PROGRAM}.", param="config.skills")
    return code, files


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{PROGRAM} of the skill is not UTF-8 text.", param="config.skills") from None


def _entry(code: str) -> str | None:
    """The function that does the work, unless the program says its result itself."""
    found = _ENTRY.search(code)
    return found[1] if found and not _RESULT.search(code) else None


async def _inputs(at: Context) -> tuple[dict[str, Json], dict[str, str], dict[str, bytes | Path]]:
    """The caller's object with paths in the places of files; which artifact each path is; and the files that fit, by path."""
    refs: dict[str, str] = {}
    files: dict[str, bytes | Path] = {}
    room = at.settings.sandbox_disk // 4

    async def placed(value: Json) -> Json:
        nonlocal room
        if isinstance(value, list):
            return [await placed(inner) for inner in cast("list[Json]", value)]
        if not isinstance(value, dict):
            return value
        table = cast("dict[str, Json]", value)
        if MEDIA not in table:
            return {name: await placed(inner) for name, inner in table.items()}
        artifact = await at.workspace.bring(table[MEDIA])
        path = _path(artifact, refs)
        if path not in files and artifact.bytes <= room:
            files[path] = await at.artifacts.read(artifact.ref)
            room -= artifact.bytes
        refs[path] = artifact.ref
        return path

    given = cast("dict[str, Json]", await placed(at.task.inputs or {}))
    if at.task.prompt and "prompt" not in given:
        given["prompt"] = at.task.prompt
    return given, refs, files


def _path(artifact: Artifact, taken: dict[str, str]) -> str:
    """Where a file stands for the program: under its own name, which no other has."""
    name = PurePosixPath(_named(artifact.name))
    path = f"inputs/{name}"
    return path if taken.get(path, artifact.ref) == artifact.ref else f"inputs/{name.stem}-{artifact.ref}{name.suffix}"


def _named(name: str) -> str:
    """A name of a skill or file as a part of a path."""
    return "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name).strip(". ")[:100] or "file"


def _object(ran: Ran, made: list[str]) -> dict[str, Json]:
    """What the execution answers: the program's object; a list as `results`, anything else as `result`."""
    value = ran.value
    if isinstance(value, dict):
        return cast("dict[str, Json]", value)
    if isinstance(value, list):
        return {"results": value}
    if value is not None:
        return {"result": value}
    said = ran.stdout.strip()
    return ({"printed": said} if said else {}) | ({"files": made} if made else {})


def _misfits(task: Task, value: dict[str, Json]) -> list[str]:
    """What the response lacks of the schema that was asked for. Raises RequiredMissing where that is strict."""
    if task.format is None or task.format.schema is None:
        return []
    return shortcomings(_bare(value), compile_schema(task.format.schema), strict=task.format.strict)


def _bare(value: Json) -> Json:
    """A value without the citations beside its fields."""
    if isinstance(value, list):
        return [_bare(inner) for inner in cast("list[Json]", value)]
    if not isinstance(value, dict):
        return value
    table = cast("dict[str, Json]", value)
    beside = {f"{name}{METADATA_SUFFIX}" for name in table}
    return {name: _bare(inner) for name, inner in table.items() if name not in beside}


def _shortened(error: str) -> str:
    return error if len(error) <= LONGEST_ERROR else f"[...]{error[-LONGEST_ERROR:]}"
