"""The skills of a run: SKILL.md in the instructions, and its other files when the model asks for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, Field

from heliograph.agents.context import Context
from heliograph.agents.task import Task
from heliograph.agents.tools import Tool
from heliograph.agents.workspace import Workspace
from heliograph.errors import InvalidRequest, NotFound
from heliograph.skills.package import Package

Json = Any
LONGEST = 60_000
"""Characters of SKILL.md in the instructions, and of a file at a time."""
MOST_LISTED = 60
READ_SKILL_FILE = "read_skill_file"


class _Arguments(BaseModel):
    skill: Annotated[str, Field(description="The skill's name.")]
    path: Annotated[str, Field(description="A file of the skill, such as resources/rates.csv.")]
    start: Annotated[int, Field(description="Letter to begin at, counted from 0.", ge=0)] = 0


@dataclass(frozen=True)
class Attached:
    """A skill as a run has it."""

    name: str
    package: Package
    folder: Path
    files: list[str]


async def attached(task: Task, workspace: Workspace) -> list[Attached]:
    """The skills of a task. Raises NotFound and InvalidRequest as resolving them does."""
    made: list[Attached] = []
    for skill in task.skills:
        package, folder = await workspace.package(skill), await workspace.folder(skill)
        files = await asyncio.to_thread(_files, folder)
        made.append(Attached(package.name or skill.name, package, folder, files))
    return made


def instructions(skills: list[Attached]) -> str:
    """What the skills say, in the order in which they were given."""
    told: list[str] = []
    for skill in skills:
        text = skill.package.text[:LONGEST].strip()
        others = [path for path in skill.files if path not in ("SKILL.md", "vlmrun.yaml")]
        files = f"\n\nIts files, for {READ_SKILL_FILE}: {', '.join(others[:MOST_LISTED])}" if others else ""
        schema = f"\n\nIts schema:\n{msgspec.json.encode(skill.package.schema).decode()}" if skill.package.schema else ""
        told.append(f'<skill name="{skill.name}">\n{text}{schema}{files}\n</skill>')
    return "\n\n".join(told)


def tool(skills: list[Attached]) -> Tool:
    """The tool that reads a skill's files."""

    async def read(_at: Context, skill: str, path: str, start: int) -> dict[str, Json]:
        found = next((each for each in skills if each.name == skill), None)
        if found is None:
            raise NotFound(f"There is no skill {skill[:100]!r} here; there are {', '.join(each.name for each in skills)}.")
        if path not in found.files:
            raise NotFound(f"{skill} has no file {path[:200]!r}; it has {', '.join(found.files[:MOST_LISTED])}.")
        data = await asyncio.to_thread((found.folder / path).read_bytes)
        if b"\0" in data[:8192]:
            raise InvalidRequest(f"{path} is no text.")
        text = data.decode("utf-8", "replace")
        end = start + LONGEST
        return {"text": text[start:end], "characters": len(text), "next": end if end < len(text) else None}

    schema = _Arguments.model_json_schema()
    schema.pop("title", None)
    return Tool(
        name=READ_SKILL_FILE, toolset="core", group="skills", doc="Read a text file of a skill.", parameters=schema, run=read,
        arguments=_Arguments,
    )  # fmt: skip


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
