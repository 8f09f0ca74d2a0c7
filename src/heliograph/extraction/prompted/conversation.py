"""What is said to a model about one window, until its answer is had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic_core import from_json

from heliograph.extraction.prompted.request import Request
from heliograph.extraction.result import Path
from heliograph.extraction.schema import Schema
from heliograph.models.contract import Ask, Backend, Message, Spent


class Said(msgspec.Struct, kw_only=True):
    """An answer. `tokens`: the mean log-probability of each leaf's, as far as given. `refused`: the model's words, if it would not."""

    value: Any
    problems: list[str] = []
    warnings: list[str] = []
    tokens: dict[Path, float] = {}
    refused: str | None = None
    truncated: bool = False
    spent: Spent = Spent()


async def converse(backend: Backend, messages: Sequence[Message], schema: Schema, request: Request) -> Said:
    """Ask, and take the answer as far as it goes. Raises `ModelError`s."""
    profile = await backend.profile()
    tokens = min(request.max_tokens, profile.max_output)
    reply = await backend.ask(Ask(messages=list(messages), schema=schema.source, temperature=request.temperature, max_tokens=tokens))
    if reply.finish == "refusal":
        return Said(value=None, refused=reply.refusal or "without a word", spent=reply.spent)
    cut = reply.finish in ("length", "broken")
    try:
        value = from_json(reply.text, allow_partial=cut)
    except ValueError as error:
        return Said(value=None, problems=[f"the answer is not JSON: {error}"], truncated=cut, spent=reply.spent)
    return Said(value=value, truncated=cut, spent=reply.spent)
