"""The wire of `/v1/chat/completions`: what OpenAI, vLLM, SGLang, Ollama and llama.cpp's server read and write.

Sources: https://platform.openai.com/docs/api-reference/chat, vllm/entrypoints/openai/protocol.py (`structured_outputs`, `guided_json`,
`continue_final_message`), llama.cpp tools/server/README.md (`json_schema`, `response_format.schema`; a last message of the assistant's is
gone on from), Ollama's openai/openai.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from heliograph.models.contract import Dialect, JsonMode
from heliograph.models.scripted.faults import Fault
from heliograph.models.scripted.heard import Heard, Spoken
from heliograph.models.scripted.saying import Said
from heliograph.models.scripted.shapes import is_array, is_object, mapping, sequence

Body = dict[str, Any]
_CONTINUES: tuple[Dialect, ...] = ("llama.cpp", "ollama")
"""Servers that go on from a last message of the assistant's without being asked to."""


def hear(body: Body, dialect: Dialect) -> Heard:
    """The request of a body. Raises `Fault` when it is none."""
    messages = body.get("messages")
    if not is_array(messages) or not messages:
        raise Fault(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1.",
            param="messages",
        )
    spoken = [_spoken(message) for message in messages]
    _paired(spoken)
    schema, mode = _schema(body)
    tools = {tool["function"]["name"]: tool["function"].get("parameters") for tool in sequence(body.get("tools"))}
    forced = _forced(body, tools)
    if forced is not None and schema is None:
        schema, mode = tools[forced], "tool"
    continued = body.get("continue_final_message") or dialect in _CONTINUES
    return Heard(
        model=str(body.get("model") or ""),
        messages=spoken,
        schema=schema,
        mode=mode,
        tool=forced,
        tools=tuple(tools),
        stream=bool(body.get("stream")),
        usage=not body.get("stream") or bool(mapping(body.get("stream_options")).get("include_usage")),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        logprobs=bool(body.get("logprobs")),
        top_logprobs=int(body.get("top_logprobs") or 0),
        prefill=spoken[-1].text if continued and spoken[-1].role == "assistant" else None,
        body=body,
    )


def _spoken(message: Body) -> Spoken:
    role = {"developer": "system", "tool": "user"}.get(message.get("role", ""), message.get("role"))
    if role not in ("system", "user", "assistant"):
        raise Fault(400, f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', and 'tool'.", param="messages")
    content = message.get("content") or ""
    result = str(message.get("tool_call_id")) if message.get("role") == "tool" else None
    calls = tuple(call["id"] for call in sequence(message.get("tool_calls")))
    if isinstance(content, str):
        return Spoken(role, content, result=result, calls=calls)
    texts, pictures = list[str](), list[int]()
    for part in content:
        match part.get("type"):
            case "text":
                texts.append(part["text"])
            case "image_url":
                pictures.append(_picture(part["image_url"]["url"]))
            case "video_url" if part["video_url"]["url"].startswith("data:video/mp4;base64,"):
                pictures.append(hash(part["video_url"]["url"]))
            case other:
                raise Fault(400, f"Invalid value: '{other}'. Supported values are: 'text', 'image_url'.", param="messages")
    return Spoken(role, "\n".join(texts), tuple(pictures), result=result, calls=calls)


def _paired(spoken: list[Spoken]) -> None:
    """Refuse a conversation in which calls and results do not belong together, as OpenAI does."""
    open_calls: set[str] = set()
    for message in spoken:
        if message.result is not None:
            if message.result not in open_calls:
                said = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise Fault(400, said, param="messages")
            open_calls.discard(message.result)
        elif open_calls:
            break
        else:
            open_calls = set(message.calls)
    if open_calls:
        said = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        raise Fault(400, said + f"The following tool_call_ids did not have response messages: {', '.join(sorted(open_calls))}")


def _picture(url: str) -> int:
    if not url.startswith("data:image/") or ";base64," not in url:
        raise Fault(400, "Failed to fetch the image: only data URLs with base64 are taken here.", param="messages")
    return hash(url)


def _schema(body: Body) -> tuple[Body | None, JsonMode]:
    given = mapping(body.get("response_format"))
    match given.get("type"):
        case "json_schema":
            spec = given.get("json_schema")
            if not is_object(spec) or "schema" not in spec:
                raise Fault(400, "Missing required parameter: 'response_format.json_schema'.", param="response_format.json_schema")
            return spec["schema"], "json_schema"
        case "json_object":
            return given.get("schema"), "json_schema" if "schema" in given else "json_object"
        case None | "text":
            pass
        case other:
            allowed = "'json_object', 'json_schema', and 'text'"
            raise Fault(400, f"Invalid value: '{other}'. Supported values are: {allowed}.", param="response_format.type")
    own = body.get("guided_json") or mapping(body.get("structured_outputs")).get("json") or body.get("json_schema")
    return (json.loads(own) if isinstance(own, str) else own), "json_schema" if own else "prompt"


def _forced(body: Body, tools: dict[str, Any]) -> str | None:
    choice = body.get("tool_choice")
    if choice in (None, "auto", "none"):
        return None
    if not tools:
        raise Fault(400, "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    name = next(iter(tools)) if choice == "required" else choice.get("function", {}).get("name")
    if name not in tools:
        raise Fault(400, f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice")
    return name


def whole(said: Said, heard: Heard) -> Body:
    """The body of an answer without a stream."""
    message: Body = {"role": "assistant", "content": said.text, "refusal": said.refusal}
    if said.reasoning:
        message["reasoning_content"] = said.reasoning
    if calls := _calls(said):
        message |= {"content": said.text if said.tool is None and said.text else None, "tool_calls": calls}
    elif said.refusal is not None:
        message["content"] = None
    choice = {"index": 0, "message": message, "logprobs": _logprobs(said, heard, 0, len(said.tokens)), "finish_reason": said.finish}
    return {**_head(heard, "chat.completion"), "choices": [choice], "usage": _usage(said)}


def events(said: Said, heard: Heard) -> Iterator[str]:
    """The data of each event of a stream, `[DONE]` last."""
    head = _head(heard, "chat.completion.chunk")

    def chunk(delta: Body, finish: str | None = None, logprobs: Body | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return json.dumps({**head, "choices": [choice]}, ensure_ascii=False)

    yield chunk({"role": "assistant", "content": ""})
    if said.reasoning:
        yield chunk({"reasoning_content": said.reasoning})
    if said.refusal is not None:
        yield chunk({"refusal": said.refusal})
    if said.tool is not None:
        call = {"index": 0, "id": "call_0", "type": "function", "function": {"name": said.tool, "arguments": ""}}
        yield chunk({"tool_calls": [call]})
    for place, token in enumerate(said.tokens):
        text = {"tool_calls": [{"index": 0, "function": {"arguments": token.text}}]} if said.tool is not None else {"content": token.text}
        yield chunk(text, logprobs=_logprobs(said, heard, place, place + 1))
    for index, (name, arguments) in enumerate(said.calls):
        yield chunk(
            {
                "tool_calls": [
                    {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
                ]
            }
        )
    yield chunk({}, said.finish)
    if heard.usage:
        yield json.dumps({**head, "choices": [], "usage": _usage(said)})
    yield "[DONE]"


def _head(heard: Heard, kind: str) -> Body:
    return {"id": "chatcmpl-scripted", "object": kind, "created": 1_767_225_600, "model": heard.model}


def _calls(said: Said) -> list[Body]:
    made = [(said.tool, said.text)] if said.tool is not None else said.calls
    return [
        {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for index, (name, arguments) in enumerate(made)
    ]


def _usage(said: Said) -> Body:
    return {
        "prompt_tokens": said.input,
        "completion_tokens": said.output,
        "total_tokens": said.input + said.output,
        "prompt_tokens_details": {"cached_tokens": said.cached},
    }


def _logprobs(said: Said, heard: Heard, start: int, end: int) -> Body | None:
    if not heard.logprobs or said.tool is not None:
        return None
    return {
        "content": [
            {
                "token": token.text,
                "logprob": token.logprob,
                "bytes": list(token.text.encode()),
                "top_logprobs": [{"token": token.text, "logprob": token.logprob, "bytes": list(token.text.encode())}][: heard.top_logprobs],
            }
            for token in said.tokens[start:end]
        ],
        "refusal": None,
    }
