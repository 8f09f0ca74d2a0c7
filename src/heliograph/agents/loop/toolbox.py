"""The tools of a run as pydantic-ai sees them: the server's own, each call a step of the journal, and the client's, which end the run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic_ai import CallDeferred, RunContext
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset
from pydantic_ai.toolsets.abstract import ToolsetTool
from pydantic_core import SchemaValidator, core_schema

from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.loop.code import EXECUTE_CODE
from heliograph.agents.loop.model import RouteModel, Stopped
from heliograph.agents.loop.permission import Permission
from heliograph.agents.task import ClientTool
from heliograph.agents.telling import within
from heliograph.agents.tools import Tool
from heliograph.errors import HeliographError

Json = Any
LONGEST_LINE = 160
MOST_FAILURES = 6
"""Calls in a row that may fail before a run is ended: a model that has not mended its call by then does not."""
SHARE = 4
"""The part of a model's context that one result may take: one in so many."""
_ANY = SchemaValidator(schema=core_schema.any_schema())


class Toolbox(AbstractToolset[None]):
    """One run's. `answers`: what the client's tools answered, by the id of the call."""

    def __init__(
        self, at: Context, tools: Iterable[Tool], client: Iterable[ClientTool], *, caller: Caller, permission: Permission,
        model: RouteModel, answers: Mapping[str, str], context: int,
    ) -> None:  # fmt: skip
        self._at, self._caller, self._permission, self._model, self._answers = at, caller, permission, model, answers
        self._longest = max(2_000, context * 3 // SHARE)
        self._tools = {tool.name: tool for tool in tools}
        self._client = {tool.name: tool for tool in client}
        self._failures = 0

    @property
    def id(self) -> str:
        """Of the only toolset that there is."""
        return "run"

    async def get_tools(self, ctx: RunContext[None]) -> dict[str, ToolsetTool[None]]:
        """Those of the server and the client's; the client's own win over the server's of the same name."""
        told = {name: (tool.doc, tool.parameters) for name, tool in self._tools.items()}
        told |= {name: (tool.description, tool.parameters or {"type": "object", "properties": {}}) for name, tool in self._client.items()}
        return {
            name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(name=name, description=doc, parameters_json_schema=parameters),
                max_retries=MOST_FAILURES,
                args_validator=_ANY,
            )
            for name, (doc, parameters) in told.items()
        }

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: RunContext[None], tool: ToolsetTool[None]) -> str:
        """The result as the model reads it. Raises CallDeferred for a tool that the client is to run."""
        id = ctx.tool_call_id or ""
        if name in self._client:
            if id not in self._answers:
                raise CallDeferred
            self._permission.seen = True
            return self._shown(name, self._answers[id])
        turn, place = self._model.places[id]
        step = f"tool:{turn}:{place}"
        given = cast("Json", tool_args)
        if turn >= self._model.told_until:
            await within(self._at, f"{step}:call").say(_line(name, given))
        try:
            if not isinstance(given, dict):
                return self._failed(name, "The arguments of a call are a JSON object.")
            answer = await self._caller.call(step, name, cast("dict[str, Json]", given))
        except HeliographError as error:
            if error.status >= 500:
                raise
            return self._failed(name, error.message)
        error = answer.get("error") if name == EXECUTE_CODE else None
        self._count(error)
        return self._shown(name, json.dumps(answer, ensure_ascii=False))

    def _failed(self, name: str, why: str) -> str:
        self._count(why)
        return self._shown(name, json.dumps({"error": why}, ensure_ascii=False))

    def _count(self, error: str | None) -> None:
        """Count the failures in a row, those of programs too. Raises Stopped when they are enough."""
        self._failures = 0 if error is None else self._failures + 1
        if error is not None and self._failures >= MOST_FAILURES:
            raise Stopped(f"{MOST_FAILURES} calls of tools in a row failed, the last one with: {error.strip().splitlines()[-1]}")

    def _shown(self, name: str, result: str) -> str:
        """A result between marks that its own text cannot close, cut where it would take too much of the context."""
        if len(result) > self._longest:
            cut = len(result) - self._longest
            result = f"{result[: self._longest]} [cut here: {cut} more characters; ask for a part of it, or search in it]"
        inside = result.replace("</data", "<\\/data")
        return f"<data from={json.dumps(name)}>\n{inside}\n</data>"


def _line(name: str, arguments: Json) -> str:
    """A call as listeners read it."""
    given = cast("dict[str, Json]", arguments) if isinstance(arguments, dict) else {}
    told = ", ".join(f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for key, value in given.items())
    return f"{name}({told if len(told) <= LONGEST_LINE else told[:LONGEST_LINE] + '…'})"
