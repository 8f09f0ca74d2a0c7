"""Orion-2's one tool: programs that call the others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, Field

from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.programs import Offer, perform
from heliograph.agents.sandbox.script import Script
from heliograph.agents.tools import Made, Tool

Json = Any
EXECUTE_CODE = "execute_code"
MOST_GIVEN = 64 << 20
"""Bytes of artifacts that a program finds as files."""
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
    key = f"code:{hashlib.sha256(code.encode()).hexdigest()[:16]}"
    ran, made = await perform(at, Script(code=code, files=await _files(at)), caller, [Offer.of(tool) for tool in tools], key=key)
    printed = (ran.stdout + ran.stderr).strip()
    if len(printed) > LONGEST_OUTPUT:
        printed = f"{printed[:LONGEST_OUTPUT]}\n[cut here: {len(printed) - LONGEST_OUTPUT} more characters]"
    return Executed(value=ran.value, printed=printed, error=ran.error, files=made, notes=list(ran.left))


async def _files(at: Context) -> dict[str, bytes]:
    """The artifacts as files called by their references, the newest first, as far as they fit."""
    made: dict[str, bytes] = {}
    room = min(MOST_GIVEN, at.settings.sandbox_disk // 4)
    for artifact in reversed(await at.artifacts.list()):
        if artifact.bytes <= room:
            made[artifact.ref] = await at.artifacts.read(artifact.ref)
            room -= artifact.bytes
    return made
