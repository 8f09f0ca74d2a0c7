"""Calls of tools, each a step of the run's journal: what was called once is never called again, and what failed fails in the same words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import msgspec
from rapidfuzz.process import extract

from heliograph.agents.context import Context
from heliograph.agents.telling import within
from heliograph.agents.tools import Tool
from heliograph.errors import HeliographError, InvalidRequest, NotConfigured

Json = Any


class ToolFailed(HeliographError):
    """A tool could not do what it was asked to. `kind`: the type of the error that it met."""

    status = 422
    type = "tool_failed"

    def __init__(self, message: str, *, kind: str = type, param: str | None = None) -> None:
        super().__init__(message, param=param)
        self.kind = kind


class Interrupted(ToolFailed):
    """A worker died while a tool acted outside; whether it did is not known, so it is not done again."""

    type = "tool_interrupted"


class _Failure(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    message: str
    param: str | None = None


class _Record(msgspec.Struct, frozen=True):
    """What the journal keeps of a call."""

    answer: Json = None
    failure: _Failure | None = None

    @classmethod
    def of(cls, error: HeliographError) -> Self:
        return cls(failure=_Failure(type=error.type, message=error.message, param=error.param))


class Caller:
    """Calls the tools of one run. `calls` counts them by name, those of an earlier run too."""

    def __init__(self, at: Context, tools: Iterable[Tool]) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self.calls: dict[str, int] = {}
        self._at = at

    async def call(self, step: str, name: str, arguments: dict[str, Json]) -> Json:
        """The answer of a tool, as JSON. `step`: its name in the journal, such as `tool:3:0`.

        Raises ToolFailed with a sentence that says why there is none, Interrupted when that is not known.
        """
        self.calls[name] = self.calls.get(name, 0) + 1
        workspace = self._at.workspace
        known = await workspace.known(step)
        if known.state == "done" and known.output is not None:
            record = msgspec.json.decode(known.output, type=_Record)
        else:
            tool = self._tool(name)
            if known.state == "begun":
                raise Interrupted(f"{name} was called when a worker died; whether it was done is not known, so it is not called again.")
            if not tool.idempotent:
                await workspace.begin(step)
            async with workspace.step(step):
                record = await _record(tool, within(self._at, step), arguments)
            await workspace.keep(step, msgspec.json.encode(record))
        if record.failure is not None:
            raise ToolFailed(record.failure.message, kind=record.failure.type, param=record.failure.param)
        return record.answer

    def _tool(self, name: str) -> Tool:
        tool = self.tools.get(name)
        if tool is None:
            near = [found for found, score, _ in extract(name, list(self.tools), limit=3) if score > 60]
            hint = f"did you mean {', '.join(near)}?" if near else "call one of those listed."
            raise InvalidRequest(f"There is no tool {name[:100]!r} here; {hint}")
        lacking = tool.needs(self._at.settings)
        if lacking is not None:
            raise NotConfigured(lacking)
        return tool


async def _record(tool: Tool, at: Context, arguments: dict[str, Json]) -> _Record:
    try:
        return _Record(await tool.call(at, arguments))
    except HeliographError as error:
        if error.status >= 500:
            raise
        return _Record.of(error)
