"""The wire of Anthropic's `/v1/messages`. Source: https://platform.claude.com/docs/en/api/messages and .../messages-streaming."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from heliograph.models.contract import JsonMode, Role
from heliograph.models.scripted.faults import Fault
from heliograph.models.scripted.heard import Heard, Spoken
from heliograph.models.scripted.saying import Said
from heliograph.models.scripted.shapes import is_object, mapping, sequence

Body = dict[str, Any]
_KNOWN = frozenset({
    "model", "messages", "max_tokens", "system", "temperature", "top_p", "top_k", "stop_sequences", "stream", "tools", "tool_choice",
    "metadata", "thinking", "output_config", "output_format", "service_tier", "cache_control", "container", "context_management",
    "mcp_servers", "betas", "inference_geo", "speed",
})  # fmt: skip
_ENDINGS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "tool_use"}


def hear(body: Body) -> Heard:
    """The request of a body. Raises `Fault` when it is none."""
    for field in ("model", "max_tokens", "messages"):
        if field not in body:
            raise Fault(400, f"{field}: Field required")
    if unknown := sorted(body.keys() - _KNOWN):
        raise Fault(400, f"{unknown[0]}: Extra inputs are not permitted")
    messages = body["messages"]
    if not messages:
        raise Fault(400, "messages: at least one message is required")
    if messages[0].get("role") != "user":
        raise Fault(400, 'messages: first message must use the "user" role')
    spoken = [_spoken(place, message) for place, message in enumerate(messages)]
    if system := body.get("system"):
        text = system if isinstance(system, str) else "\n".join(part["text"] for part in system)
        spoken.insert(0, Spoken("system", text))
    tools = {tool["name"]: _tool(place, tool) for place, tool in enumerate(sequence(body.get("tools")))}
    choice = mapping(body.get("tool_choice"))
    forced = {"tool": choice.get("name"), "any": next(iter(tools), None)}.get(choice.get("type", ""))
    form = mapping(body.get("output_config")).get("format") or mapping(body.get("output_format"))
    mode: JsonMode = "json_schema" if form else "tool" if forced else "prompt"
    if spoken[-1].role == "assistant" and form:
        raise Fault(400, "Prefilling assistant messages is not supported when using structured outputs.")
    if spoken[-1].text != spoken[-1].text.rstrip() and spoken[-1].role == "assistant":
        raise Fault(400, "messages: final assistant content cannot end with trailing whitespace")
    return Heard(
        model=body["model"],
        messages=spoken,
        schema=form.get("schema") or (tools.get(forced) if forced else None),
        mode=mode,
        tool=forced if not form else None,
        tools=tuple(tools),
        stream=bool(body.get("stream")),
        max_tokens=body["max_tokens"],
        prefill=spoken[-1].text if spoken[-1].role == "assistant" else None,
        body=body,
    )


def _tool(place: int, tool: Body) -> Body:
    schema = tool.get("input_schema")
    if not is_object(schema) or schema.get("type") != "object":
        raise Fault(400, f"tools.{place}.custom.input_schema.type: Field required")
    return schema


def _spoken(place: int, message: Body) -> Spoken:
    role = message.get("role")
    if role not in ("user", "assistant"):
        raise Fault(400, f"messages.{place}.role: Input should be 'user' or 'assistant'")
    content: Any = message.get("content")
    blocks: list[Any] = [{"type": "text", "text": content}] if isinstance(content, str) else sequence(content)
    texts, pictures = list[str](), list[int]()
    for index, part in enumerate(blocks):
        match part.get("type"):
            case "text":
                if not part["text"].strip():
                    raise Fault(400, "messages: text content blocks must be non-empty")
                texts.append(part["text"])
            case "image":
                if part["source"].get("type") != "base64":
                    raise Fault(400, f"messages.{place}.content.{index}.image.source: only base64 is taken here")
                pictures.append(hash(part["source"]["data"]))
            case "tool_use":
                texts.append(json.dumps(part["input"], ensure_ascii=False))
            case "tool_result":
                texts.append(str(part.get("content")))
            case _:
                pass
    return Spoken(cast(Role, role), "\n".join(texts), tuple(pictures))


def whole(said: Said, heard: Heard) -> Body:
    """The body of an answer without a stream."""
    return {**_head(said, heard), "content": list(_blocks(said)), "stop_reason": _ending(said), "usage": _usage(said, said.output)}


def events(said: Said, heard: Heard) -> Iterator[tuple[str, str]]:
    """The name and data of each event of a stream."""

    def event(kind: str, **fields: Any) -> tuple[str, str]:
        return kind, json.dumps({"type": kind, **fields}, ensure_ascii=False)

    yield event("message_start", message={**_head(said, heard), "content": [], "stop_reason": None, "usage": _usage(said, 1)})
    index = 0
    if said.tokens or said.tool is not None:
        block: Body = {"type": "text", "text": ""}
        if said.tool is not None:
            block = {"type": "tool_use", "id": "toolu_0", "name": said.tool, "input": {}}
        yield event("content_block_start", index=0, content_block=block)
        for token in said.tokens:
            piece = {"type": "text_delta", "text": token.text}
            if said.tool is not None:
                piece = {"type": "input_json_delta", "partial_json": token.text}
            yield event("content_block_delta", index=0, delta=piece)
        yield event("content_block_stop", index=0)
        index = 1
    for place, (name, arguments) in enumerate(said.calls, start=index):
        yield event(
            "content_block_start", index=place, content_block={"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": {}}
        )
        yield event("content_block_delta", index=place, delta={"type": "input_json_delta", "partial_json": arguments})
        yield event("content_block_stop", index=place)
    yield event("message_delta", delta={"stop_reason": _ending(said), "stop_sequence": None}, usage=_usage(said, said.output))
    yield event("message_stop")


def _ending(said: Said) -> str:
    if said.refusal is not None:
        return "refusal"
    return "tool_use" if said.tool is not None and said.finish == "stop" else _ENDINGS[said.finish]


def _head(said: Said, heard: Heard) -> Body:
    return {"id": "msg_scripted", "type": "message", "role": "assistant", "model": heard.model, "stop_sequence": None}


def _blocks(said: Said) -> Iterator[Body]:
    if said.tool is not None:
        yield {"type": "tool_use", "id": "toolu_0", "name": said.tool, "input": _value(said.text)}
    elif said.tokens:
        yield {"type": "text", "text": said.text}
    for place, (name, arguments) in enumerate(said.calls):
        yield {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": _value(arguments)}


def _value(text: str) -> Any:
    """A call's arguments: without a stream Anthropic sends a JSON object, and of one that was cut off what there is of it."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _usage(said: Said, output: int) -> Body:
    return {
        "input_tokens": said.input - said.cached,
        "cache_read_input_tokens": said.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": output,
    }
