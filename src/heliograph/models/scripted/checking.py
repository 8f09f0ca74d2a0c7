"""What a server refuses before its model is asked, by kind of server.

Sources beside those of `faults` and `rules`: OpenAI refuses fields that it does not know, `max_tokens` and `temperature` for reasoning
models (https://platform.openai.com/docs/guides/reasoning), and `json_object` without the word in the messages. vLLM refuses
`continue_final_message` beside `add_generation_prompt` (vllm/entrypoints/openai/protocol.py).
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from heliograph.models.contract import Dialect
from heliograph.models.scripted import faults
from heliograph.models.scripted.faults import Fault, Protocol
from heliograph.models.scripted.heard import Heard
from heliograph.models.scripted.rules import violations
from heliograph.models.scripted.shapes import mapping, sequence

Part = Literal["json_schema", "json_object", "tools", "logprobs", "prefill", "stream", "usage"]
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_OPENAI_FIELDS = frozenset({
    "model", "messages", "response_format", "tools", "tool_choice", "parallel_tool_calls", "temperature", "top_p", "n", "stream",
    "stream_options", "stop", "max_tokens", "max_completion_tokens", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs",
    "top_logprobs", "user", "seed", "service_tier", "store", "metadata", "reasoning_effort", "verbosity", "prompt_cache_key",
    "prompt_cache_retention", "safety_identifier", "modalities", "audio", "prediction", "web_search_options", "functions", "function_call",
})  # fmt: skip


class Abilities(msgspec.Struct, kw_only=True, frozen=True):
    """What the server can do. `without`: parts it refuses (`usage`, `prefill` and, on most, `logprobs` are left out silently instead).

    `context`: tokens of prompt and answer. `reasoning`: a model as OpenAI's reasoning ones. `checks`: whether schemas are checked.
    """

    models: tuple[str, ...] = ("scripted",)
    key: str | None = None
    context: int = 32_768
    max_pictures: int | None = None
    vision: bool = True
    without: frozenset[Part] = frozenset()
    reasoning: bool = False
    checks: bool = True


def check(heard: Heard, dialect: Dialect, protocol: Protocol, can: Abilities) -> None:
    """Raises `Fault` when a server of this kind would not take the request."""
    if heard.model.removeprefix("models/") not in can.models and dialect != "llama.cpp":
        raise faults.no_model(dialect, heard.model)
    if heard.stream and "stream" in can.without:
        raise Fault(400, "Streaming is not supported.", param="stream")
    if heard.tools and "tools" in can.without:
        raise (
            Fault(500, "tools param requires --jinja flag")
            if dialect == "llama.cpp"
            else Fault(400, "Tools are not supported by this model.")
        )
    if heard.mode in ("json_schema", "json_object") and heard.mode in can.without:
        raise Fault(400, "This response_format type is unavailable now", param="response_format")
    _pictures(heard, dialect, can)
    if protocol == "openai":
        _openai(heard, dialect, can)
    if heard.prefill is not None and "prefill" in can.without and dialect == "anthropic":
        raise Fault(400, "This model does not support assistant message prefill. The conversation must end with a user message.")
    if heard.schema is not None and can.checks:
        _schema(heard, dialect, protocol)
    if fault := faults.too_long(dialect, can.context, len(heard.prompt), heard.max_tokens):
        raise fault


def _pictures(heard: Heard, dialect: Dialect, can: Abilities) -> None:
    if heard.pictures and not can.vision:
        raise faults.no_pictures(dialect)
    most = can.max_pictures if can.max_pictures is not None else {"anthropic": 100, "openai": 500}.get(dialect)
    if most is not None and heard.pictures > most:
        raise faults.too_many_pictures(dialect, most)


def _schema(heard: Heard, dialect: Dialect, protocol: Protocol) -> None:
    body = heard.body
    name = heard.tool or "answer"
    if protocol == "openai":
        spec: dict[str, Any] = mapping(body.get("response_format")).get("json_schema") or {}
        name = spec.get("name") or name
        tools = {tool["function"]["name"]: tool["function"] for tool in sequence(body.get("tools"))}
        strict = tools[heard.tool].get("strict") if heard.tool else spec.get("strict")
        if dialect == "openai" and not strict:
            return
    elif protocol == "anthropic" and heard.tool:
        tool = next(tool for tool in body["tools"] if tool["name"] == heard.tool)
        if not tool.get("strict"):
            return
    found = violations(heard.schema or {}, dialect, "json_schema" if dialect == "anthropic" else heard.mode)
    if found:
        raise faults.bad_schema(dialect, name, found[0], protocol)


def _openai(heard: Heard, dialect: Dialect, can: Abilities) -> None:
    body = heard.body
    form = mapping(body.get("response_format"))
    if dialect in ("openai", "gemini") and (unknown := sorted(body.keys() - _OPENAI_FIELDS)):
        if dialect == "gemini":
            raise Fault(400, f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
        raise Fault(400, f"Unrecognized request argument supplied: {unknown[0]}", param=unknown[0])
    if "stream_options" in body and not heard.stream:
        raise Fault(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options")
    if dialect == "openai" and form.get("type") == "json_object" and "json" not in heard.text.lower():
        said = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        raise Fault(400, said, param="messages")
    if form.get("type") == "json_schema" and dialect == "openai" and not _NAME.fullmatch(str(form["json_schema"].get("name", ""))):
        said = "Invalid 'response_format.json_schema.name': string does not match pattern '^[a-zA-Z0-9_-]+$'."
        raise Fault(400, said, param="response_format.json_schema.name", code="invalid_value")
    if body.get("top_logprobs") is not None and not heard.logprobs:
        raise Fault(400, "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", param="top_logprobs")
    if body.get("continue_final_message") and body.get("add_generation_prompt", True):
        raise Fault(400, "Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
    if body.get("continue_final_message") and heard.prefill is None:
        raise Fault(400, "continue_final_message is set but the final message is not of the assistant.")
    if heard.logprobs and "logprobs" in can.without and dialect in ("openai", "gemini"):
        raise Fault(403, "You are not allowed to request logprobs from this model.")
    if dialect == "openai" and "reasoning_effort" in body and not can.reasoning:
        raise Fault(400, "Unrecognized request argument supplied: reasoning_effort", param="reasoning_effort")
    if can.reasoning and dialect == "openai":
        _reasoning(body)


def _reasoning(body: dict[str, Any]) -> None:
    if "max_tokens" in body:
        said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        raise Fault(400, said, param="max_tokens", code="unsupported_parameter")
    if body.get("temperature", 1) != 1:
        said = f"Unsupported value: 'temperature' does not support {body['temperature']} with this model, only the default (1)."
        raise Fault(400, said, param="temperature", code="unsupported_value")
    if body.get("logprobs"):
        said = "Unsupported parameter: 'logprobs' is not supported with this model."
        raise Fault(400, said, param="logprobs", code="unsupported_parameter")
