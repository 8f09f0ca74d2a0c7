"""Conversations as pydantic-ai keeps them, in the words of `models.contract`; and what fits into a model's context of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelResponse,
    RetryFeedbackPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)  # fmt: skip

from heliograph.extraction.prompted.windows import tokens
from heliograph.models.contract import Call, Message, Part, Picture, Text

PICTURE = 1_000
"""Tokens that a picture counts for, about."""
LONGEST_ID = 40
SHORT = 400
"""Characters that are left of a tool's result that had to make room."""


def worded(messages: Sequence[ModelMessage]) -> list[Message]:
    """The conversation, each result of a tool after the call that it answers."""
    made: list[Message] = []
    calls: dict[str, Call] = {}
    for message in messages:
        if isinstance(message, ModelResponse):
            words = "".join(part.content for part in message.parts if isinstance(part, TextPart))
            called = [
                Call(_id(part.tool_call_id), part.tool_name, part.args_as_json_str())
                for part in message.parts
                if isinstance(part, ToolCallPart)
            ]
            calls |= {call.id: call for call in called}
            if words or called:
                made.append(Message("assistant", [Text(words)] if words else [], called))
            continue
        said: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolReturnPart):
                call = calls.get(_id(part.tool_call_id)) or Call(_id(part.tool_call_id), part.tool_name, "{}")
                content: Any = part.content
                made.append(Message("tool", [Text(content if isinstance(content, str) else json.dumps(content, default=str))], call=call))
            elif isinstance(part, UserPromptPart):
                said += _parts(part.content)
            elif isinstance(part, RetryFeedbackPart):
                said.append(Text(str(cast("Any", part.content))))
        if said:
            made.append(Message("user", said))
    return made


def _id(id: str) -> str:
    """The id of a call as every provider takes it; OpenAI's may have 40 characters."""
    return id if len(id) <= LONGEST_ID else f"call_{hashlib.sha256(id.encode()).hexdigest()[:24]}"


def _parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Text(content)]
    return [_picture(part) if isinstance(part, BinaryContent) else Text(str(part)) for part in content]


def _picture(part: BinaryContent) -> Picture:
    about = part.vendor_metadata or {}
    return Picture(part.data, about.get("width", 0), about.get("height", 0), part.media_type)


def size(message: Message) -> int:
    """About how many tokens a turn takes."""
    words = sum(tokens(part.text) if isinstance(part, Text) else PICTURE for part in message.parts)
    return words + sum(tokens(call.arguments) + tokens(call.name) + 8 for call in message.calls) + 6


def fitted(messages: list[Message], room: int) -> tuple[list[Message], int]:
    """The conversation in `room` tokens, and how many of its messages were left out.

    First earlier turns go, whole ones and the oldest first: a user's words with all that answered them. Then results of tools are cut
    short, the oldest first. The user's last words always stay.
    """
    kept = list(messages)
    while sum(map(size, kept)) > room:
        starts = [place for place, message in enumerate(kept) if message.role == "user" and place]
        if not starts or starts[0] > _last_words(kept):
            break
        del kept[: starts[0]]
    for place, message in enumerate(kept):
        if sum(map(size, kept)) <= room:
            break
        if message.call is not None and place < len(kept) - 1:
            kept[place] = msgspec.structs.replace(message, parts=[_short(message)])
    return kept, len(messages) - len(kept)


def _last_words(messages: list[Message]) -> int:
    return max((place for place, message in enumerate(messages) if message.role == "user"), default=0)


def _short(message: Message) -> Text:
    words = "\n".join(part.text for part in message.parts if isinstance(part, Text))
    if len(words) <= SHORT:
        return Text(words)
    cut = f"[cut here to make room: {len(words) - SHORT} characters more; call the tool again if they are needed]"
    return Text(f"{words[:SHORT]}\n{cut}")
