"""How a run ended."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from heliograph.agents.task import ToolCall

Json = Any
Finish = Literal["stop", "length", "tool_calls", "content_filter"]


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a run used. `tools`: calls of tools by name; `read`: pages, images, 5-minute pieces of media that were read anew."""

    steps: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    read: int = 0
    tools: dict[str, int] = {}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a run. `text`: the whole answer as it was said; JSON text where a format was asked for. `value`: that JSON, parsed; an
    execution's
    response. `warnings`: sentences for a person, such as which budget ended it. `mode`: how an execution worked."""

    text: str
    value: Json = None
    finish: Finish = "stop"
    calls: list[ToolCall] = []
    spent: Spent = Spent()
    warnings: list[str] = []
    mode: Literal["agent", "program"] | None = None
    answered_by: str = ""
    """The route that answered, `embedded` where none did."""
