"""The body of a passed-through chat: what the client asked for, as OpenAI's dialect has it, without what is ours."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import TypeAdapter

from heliograph.agents.task import Message as Turn
from heliograph.agents.task import Text
from heliograph.config import ModelSettings
from heliograph.jobs.chatlog import shown
from heliograph.models.loose import tables
from heliograph.wire.chat import (
    AgentChatCompletionsRequest,
    JSONSchemaResponseFormatStrict,
    Message,
    MessageContent,
    NamedToolChoice,
)

Json = Any

AS_THEY_ARE = ("temperature", "top_p", "top_k", "seed", "stop", "parallel_tool_calls")
OURS = frozenset({"session_token", "store", "stream_options"})
"""Of the fields that the contract does not name: what a chat UI sends to us, and what would have the provider keep the chat."""


UNLOGGED = frozenset({"messages", "id", "session_id", "metadata", "skills"})
_PLAIN = TypeAdapter[Any](Any)


def body(chat: AgentChatCompletionsRequest, messages: list[dict[str, Json]], model: ModelSettings) -> dict[str, Json]:
    """The request but for the model's id. Limits are clamped to the route's, never refused; what was not sent is left to the model."""
    sent = chat.model_fields_set
    made: dict[str, Json] = {"messages": messages if model.dialect == "openai" else [_plain(message) for message in messages]}
    made |= {name: getattr(chat, name) for name in AS_THEY_ARE if name in sent}
    if (chat.n or 1) > 1:
        made["n"] = chat.n
    for name in ("max_tokens", "max_completion_tokens"):
        if name in sent:
            asked = max(1, int(getattr(chat, name)))
            made[name] = asked if model.max_output is None else min(asked, model.max_output)
    made |= _logprobs(chat)
    if chat.response_format is not None:
        made["response_format"] = _format(chat)
    if chat.tools:
        made["tools"] = [tool.model_dump(exclude_unset=True) | {"type": "function"} for tool in chat.tools]
        if isinstance(chat.tool_choice, NamedToolChoice):
            made["tool_choice"] = {"type": "function", "function": {"name": chat.tool_choice.function.name}}
        elif chat.tool_choice is not None:
            made["tool_choice"] = chat.tool_choice
    made |= {name: value for name, value in (chat.model_extra or {}).items() if name not in OURS}
    if chat.stream:
        made |= {"stream": True, "stream_options": {"include_usage": True}}
    return made


def message(given: Message, parts: list[dict[str, Json]] | None) -> dict[str, Json]:
    """A message. `parts`: its content, where that came as parts."""
    made: dict[str, Json] = dict(given.model_extra or {})
    made["role"] = given.role
    made["content"] = given.content if parts is None else parts
    if given.name is not None:
        made["name"] = given.name
    if given.tool_call_id is not None:
        made["tool_call_id"] = given.tool_call_id
    if given.tool_calls:
        made["tool_calls"] = [call.model_dump() for call in given.tool_calls]
    return made


def remembered(turn: Turn, parts: list[dict[str, Json]]) -> dict[str, Json]:
    """A message of the session's history. `parts`: its content, in order."""
    text = all(isinstance(part, Text) for part in turn.parts)
    made: dict[str, Json] = {"role": turn.role, "content": turn.text if text else parts}
    if turn.name is not None:
        made["name"] = turn.name
    if turn.call_id is not None:
        made["tool_call_id"] = turn.call_id
    if turn.calls:
        made["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in turn.calls
        ]
        made["content"] = made["content"] or None
    return made


def size(messages: list[dict[str, Json]]) -> int:
    """About how many tokens these messages take, at three characters each; something to look at counts as a thousand."""
    made = 0
    for given in messages:
        content = given.get("content")
        made += len(content) // 3 if isinstance(content, str) else 0
        made += sum(len(part["text"]) // 3 if part["type"] == "text" else 1000 for part in tables(content)) + 8
    return made


def halved(messages: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The chat without the older half of its earlier turns. A turn is what the user said with all that answered it; the instructions that
    the chat begins with stay, as does the last turn."""
    head = next((place for place, each in enumerate(messages) if each["role"] not in ("system", "developer")), len(messages))
    starts = [place for place, each in enumerate(messages) if each["role"] == "user" and place > head]
    return messages[:head] + messages[starts[len(starts) // 2] :] if starts else messages


def noted(messages: list[dict[str, Json]], left_out: int) -> list[dict[str, Json]]:
    """The chat, which says so where something was left out."""
    if not left_out:
        return messages
    head = next((place for place, each in enumerate(messages) if each["role"] not in ("system", "developer")), len(messages))
    note = {"role": "system", "content": f"[{left_out} earlier messages of this chat are left out here, for want of room.]"}
    return [*messages[:head], note, *messages[head:]]


def words(part: MessageContent) -> str | None:
    """The text of a part of text."""
    if part.type in ("text", "input_text", "output_text"):
        return part.text or ""
    return part.refusal or part.text or "" if part.type == "refusal" else None


def logged(chat: AgentChatCompletionsRequest, messages: list[Turn], left_out: int = 0) -> str:
    """What the log keeps of a request: the messages, media by reference, and the options, as JSON."""
    options: dict[str, Json] = dict(chat.model_extra or {}) | ({"left_out": left_out} if left_out else {})
    for name in chat.model_fields_set - UNLOGGED:
        value = getattr(chat, name)
        if value is not None:
            options[name] = value if isinstance(value, str | int | float) else _PLAIN.dump_python(value, mode="json", exclude_unset=True)
    return msgspec.json.encode(options | {"messages": [shown(message) for message in messages]}).decode()


def _plain(given: dict[str, Json]) -> dict[str, Json]:
    """Most servers know no role `developer`."""
    return given | {"role": "system"} if given["role"] == "developer" else given


def _logprobs(chat: AgentChatCompletionsRequest) -> dict[str, Json]:
    if chat.logprobs is None or chat.logprobs is False:
        return {}
    most = chat.top_logprobs if chat.logprobs is True else chat.logprobs
    return {"logprobs": True} | ({"top_logprobs": most} if most else {})


def _format(chat: AgentChatCompletionsRequest) -> dict[str, Json]:
    asked = chat.response_format
    if not isinstance(asked, JSONSchemaResponseFormatStrict):
        return {"type": "json_object"} if asked is None or asked.type == "json_object" else _schema("answer", asked.schema_, strict=True)
    return _schema(asked.name, asked.json_schema, strict=asked.strict)


def _schema(name: str, schema: dict[str, Json], *, strict: bool) -> dict[str, Json]:
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": strict}}
