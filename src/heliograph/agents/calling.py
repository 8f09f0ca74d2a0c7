"""Calls of tools, each a step of the run's journal: what was called once is never called again, and what failed fails in the same words."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

import msgspec
from rapidfuzz.process import extract

from heliograph.agents.context import Context
from heliograph.agents.telling import within
from heliograph.agents.tools import Tool
from heliograph.errors import HeliographError, InvalidRequest, NotConfigured

Json = Any
log = logging.getLogger(__name__)


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

    def __init__(
        self, at: Context, tools: Iterable[Tool], *, allow: Callable[[Tool, dict[str, Json]], Awaitable[None]] | None = None
    ) -> None:
        """`allow` raises what a call fails with that may not be made."""
        self.tools = {tool.name: tool for tool in tools}
        self.calls: dict[str, int] = {}
        self._at, self._allow = at, allow

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
                record = await self._record(step, tool, arguments)
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

    async def _record(self, step: str, tool: Tool, arguments: dict[str, Json]) -> _Record:
        try:
            if self._allow is not None:
                await self._allow(tool, arguments)
            return _Record(await tool.call(within(self._at, step), arguments))
        except HeliographError as error:
            if error.status >= 500:
                raise
            return _Record.of(error)
        except Exception:
            await self._at.workspace.known(step)  # raises when it is the run that may not go on
            log.exception("the tool %s failed", tool.name)
            return _Record(failure=_Failure(type="internal_error", message=f"{tool.name} failed; the fault is the server's own."))
