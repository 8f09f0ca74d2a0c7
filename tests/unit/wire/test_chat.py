from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from heliograph.wire.chat import AgentChatCompletionsRequest, JSONModeResponseFormat, JSONSchemaResponseFormatStrict, MessageContentImageUrl

SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}}
HELLO = [{"role": "user", "content": "hello"}]


def read(**fields: Any) -> AgentChatCompletionsRequest:
    return AgentChatCompletionsRequest.model_validate({"messages": HELLO} | fields)


@pytest.mark.parametrize(
    ("given", "name", "strict"),
    [
        ({"type": "json_schema", "schema": SCHEMA}, "answer", True),
        ({"type": "json_schema", "json_schema": SCHEMA, "name": "Invoice", "strict": False}, "Invoice", False),
        ({"type": "json_schema", "json_schema": SCHEMA}, "answer", True),
        ({"type": "json_schema", "json_schema": {"name": "Invoice", "schema": SCHEMA, "strict": False}}, "Invoice", False),
        ({"json_schema": SCHEMA, "strict": None}, "answer", True),
    ],
)
def test_every_shape_of_a_schema_is_the_same_format(given: dict[str, Any], name: str, strict: bool) -> None:
    format = read(response_format=given).response_format
    assert isinstance(format, JSONSchemaResponseFormatStrict)
    assert (format.json_schema, format.name, format.strict) == (SCHEMA, name, strict)


def test_json_mode_and_plain_text_are_formats_too() -> None:
    assert isinstance(read(response_format={"type": "json_object"}).response_format, JSONModeResponseFormat)
    assert read(response_format={"type": "text"}).response_format is None
    assert read(response_format=None).response_format is None


def test_nulls_are_as_good_as_absent_and_unknown_fields_are_kept() -> None:
    body = read(
        n=None, max_tokens=None, temperature=None, top_k=None, session_id=None, preview=None, toolsets=None, models=None, tools=None,
        service_tier=None, metadata=None, model=None, safety_level=3,
    )  # fmt: skip
    assert (body.n, body.max_tokens, body.temperature) == (1, 32768, 0)
    assert body.model_extra == {"safety_level": 3}
    assert "max_tokens" not in body.model_fields_set


def test_a_bare_string_is_a_url_and_underscores_are_hyphens() -> None:
    body = read(
        messages=[{"content": [{"type": "image_url", "image_url": "https://a/b.png"}]}],
        toolsets=["world_gen", "image_gen", "code_execution"],
    )
    assert isinstance(body.messages[0].content, list)
    assert body.messages[0].content[0].image_url == MessageContentImageUrl(url="https://a/b.png")
    assert body.toolsets == ["world-gen", "image-gen", "code-execution"]


BAD: list[tuple[dict[str, Any], tuple[str | int, ...], str]] = [
    ({"messages": []}, ("messages",), "at least 1"),
    ({"messages": "hi"}, ("messages",), "valid list"),
    ({"messages": [{"role": "robot", "content": "x"}]}, ("messages", 0, "role"), "'user', 'assistant', 'system', 'developer' or 'tool'"),
    ({"messages": [{"content": 5}]}, ("messages", 0, "content"), "a string or a list of parts"),
    ({"messages": [{"content": [{"type": "hologram"}]}]}, ("messages", 0, "content", 0, "type"), "'input_file'"),
    ({"messages": [{"content": [{"type": "image_url", "image_url": {}}]}]}, ("messages", 0, "content", 0, "image_url", "url"), "required"),
    ({"messages": [{"content": [{"type": "image_url", "image_url": {"url": "x", "detail": "hi"}}]}]},
     ("messages", 0, "content", 0, "image_url", "detail"), "'auto', 'low' or 'high'"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "type": "function"}]}]},
     ("messages", 0, "tool_calls", 0, "function"), "required"),
    ({"n": 5}, ("n",), "less than or equal to 4"),
    ({"n": 0}, ("n",), "greater than or equal to 1"),
    ({"temperature": "hot"}, ("temperature",), "valid number"),
    ({"max_tokens": "many"}, ("max_tokens",), "valid integer"),
    ({"preview": ["preview.hologram"]}, ("preview",), "There is no card 'preview.hologram'; there are preview.image"),
    ({"preview": "yes"}, ("preview",), "preview.image"),
    ({"toolsets": ["telepathy"]}, ("toolsets", 0), "There is no toolset 'telepathy'; there are core"),
    ({"models": ["meta-sam9"]}, ("models", 0), "meta-sam3"),
    ({"response_format": {"type": "xml"}}, ("response_format",), "text, json_object, json_schema"),
    ({"response_format": {"type": "json_schema"}}, ("response_format",), "needs its schema"),
    ({"response_format": "json"}, ("response_format",), "an object with a type"),
    ({"service_tier": "first"}, ("service_tier",), "'flex'"),
    ({"session_id": ""}, ("session_id",), "at least 1"),
    ({"session_id": "a\nb"}, ("session_id",), "pattern"),
    ({"id": ""}, ("id",), "at least 1"),
    ({"metadata": []}, ("metadata",), "valid dictionary"),
    ({"stream": "perhaps"}, ("stream",), "valid boolean"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, ("tools", 0, "function", "name"), "pattern"),
    ({"tools": [{"type": "retrieval", "function": {"name": "a"}}]}, ("tools", 0, "type"), "'function'"),
    ({"tool_choice": "maybe"}, ("tool_choice",), "none, auto, required"),
    ({"stop": ["x"] * 17}, ("stop", "list[str]"), "at most 16"),
    ({"skills": [{"type": "inline", "source": {"media_type": "application/zip"}}]}, ("skills", 0, "source", "data"), "required"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "where", "sentence"), BAD, ids=[".".join(map(str, where)) for _, where, _ in BAD])
def test_a_bad_field_is_refused_where_it_stands_with_what_there_is(
    fields: dict[str, Any], where: tuple[str | int, ...], sentence: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        read(**fields)
    errors = {error["loc"]: error["msg"] for error in refused.value.errors()}
    assert sentence in errors[where]
