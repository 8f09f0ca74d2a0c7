"""The wire of Gemini's `generateContent` and `streamGenerateContent`. Source: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from heliograph.models.contract import JsonMode
from heliograph.models.scripted.faults import Fault
from heliograph.models.scripted.heard import Heard, Spoken
from heliograph.models.scripted.saying import Said
from heliograph.models.scripted.shapes import mapping, sequence

Body = dict[str, Any]
_ENDINGS = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY", "tool_calls": "STOP"}


def hear(body: Body, model: str, *, stream: bool) -> Heard:
    """The request of a body. Raises `Fault` when it is none."""
    contents = sequence(body.get("contents"))
    if not contents:
        raise Fault(400, "* GenerateContentRequest.contents: contents is not specified")
    spoken = [_spoken(content) for content in contents]
    if system := body.get("systemInstruction"):
        spoken.insert(0, Spoken("system", "\n".join(part.get("text", "") for part in sequence(system.get("parts")))))
    config = mapping(body.get("generationConfig"))
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    if schema is not None and config.get("responseMimeType") != "application/json":
        raise Fault(400, "* GenerateContentRequest.generation_config.response_schema: only allowed with mime type application/json")
    tools = {
        declared["name"]: declared.get("parametersJsonSchema") or declared.get("parameters_json_schema") or declared.get("parameters")
        for tool in sequence(body.get("tools"))
        for declared in sequence(tool.get("functionDeclarations"))
    }
    calling = mapping(mapping(body.get("toolConfig")).get("functionCallingConfig"))
    forced = next(iter(sequence(calling.get("allowedFunctionNames")) or tools), None) if calling.get("mode") == "ANY" else None
    mode: JsonMode = "prompt"
    if schema is not None:
        mode = "json_schema"
    elif forced is not None:
        schema, mode = tools.get(forced), "tool"
    elif config.get("responseMimeType") == "application/json":
        mode = "json_object"
    return Heard(
        model=model,
        messages=spoken,
        schema=schema,
        mode=mode,
        tool=forced,
        tools=tuple(tools),
        stream=stream,
        max_tokens=config.get("maxOutputTokens"),
        logprobs=bool(config.get("responseLogprobs")),
        prefill=spoken[-1].text if spoken[-1].role == "assistant" else None,
        body=body,
    )


def _spoken(content: Body) -> Spoken:
    role = content.get("role", "user")
    if role not in ("user", "model", "function"):
        raise Fault(400, "Please use a valid role: user, model.")
    texts, pictures = list[str](), list[int]()
    for part in sequence(content.get("parts")):
        if "text" in part:
            texts.append(part["text"])
        elif "inlineData" in part:
            pictures.append(hash(part["inlineData"]["data"]))
        elif "fileData" in part:
            raise Fault(400, "Cannot fetch content from the provided URL.")
        else:
            texts.append(json.dumps(part, ensure_ascii=False))
    return Spoken("assistant" if role == "model" else "user", "\n".join(texts), tuple(pictures))


def whole(said: Said, heard: Heard) -> Body:
    """The body of an answer without a stream."""
    return _body(said, heard, _parts(said, said.text), said.finish, start=0, end=len(said.tokens))


def events(said: Said, heard: Heard) -> Iterator[str]:
    """The data of each event of a stream: pieces of text; a call comes whole."""
    if said.tool is None and not said.calls and said.refusal is None:
        for place, token in enumerate(said.tokens[:-1]):
            yield json.dumps(_body(said, heard, [{"text": token.text}], None, start=place, end=place + 1), ensure_ascii=False)
        last = "".join(token.text for token in said.tokens[-1:])
        end = len(said.tokens)
        yield json.dumps(_body(said, heard, [{"text": last}], said.finish, start=max(0, end - 1), end=end), ensure_ascii=False)
    else:
        yield json.dumps(whole(said, heard), ensure_ascii=False)


def _parts(said: Said, text: str) -> list[Body]:
    calls = [(said.tool, text)] if said.tool is not None else said.calls
    if calls:
        return [{"functionCall": {"name": name, "args": _value(arguments)}} for name, arguments in calls]
    return [{"text": text}]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _body(said: Said, heard: Heard, parts: list[Body], finish: str | None, *, start: int, end: int) -> Body:
    usage = {
        "promptTokenCount": said.input,
        "cachedContentTokenCount": said.cached,
        "candidatesTokenCount": said.output,
        "totalTokenCount": said.input + said.output,
    }
    head = {"modelVersion": heard.model, "responseId": "scripted", "usageMetadata": usage}
    if said.refusal is not None:
        return {**head, "candidates": [{"index": 0, "finishReason": "SAFETY", "finishMessage": said.refusal, "safetyRatings": []}]}
    candidate: Body = {"index": 0, "content": {"role": "model", "parts": parts}}
    if finish is not None:
        unfinished = said.tool is not None and finish == "length"
        candidate["finishReason"] = "MALFORMED_FUNCTION_CALL" if unfinished else _ENDINGS[finish]
    if heard.logprobs:
        chosen = [{"token": token.text, "logProbability": token.logprob} for token in said.tokens[start:end]]
        candidate["logprobsResult"] = {"chosenCandidates": chosen}
    return {**head, "candidates": [candidate]}
