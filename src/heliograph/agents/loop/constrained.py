"""Calls of tools by models whose native ones cannot be relied on: each turn is one JSON object, a call or the answer, held to a schema.

{"tool": "rotate_image", "arguments": {"image": "img_a1b2c3", "angle": 90}}
{"answer": "It is turned: img_d4e5f6."}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from pydantic_core import from_json

from heliograph.models.contract import Call, Function, Message, Text

Json = Any
ANSWER, TOOL, ARGUMENTS = "answer", "tool", "arguments"
_KEPT = frozenset({"type", "properties", "required", "items", "enum", "anyOf", "additionalProperties", "description", "const"})
"""What every decoder known holds a model to; bounds and patterns are checked when the tool is called."""

RULES = """You work in steps. Each of your turns is one JSON object and nothing else, of one of two forms:
{"tool": "<name>", "arguments": {...}} calls a tool; its result comes in the next turn.
{"answer": ...} is your answer to the user, and ends your work.
The tools:"""


def schema(tools: Sequence[Function], answer: Json | None, *, only: str | None = None) -> dict[str, Json]:
    """What a turn must fit: a call of one of `tools`, or an answer of the schema `answer`, text unless said.

    `only`: the tool that must be called, `ANSWER` when none may be, None to leave it to the model.
    """
    forms = [
        _closed({TOOL: {"type": "string", "enum": [tool.name]}, ARGUMENTS: _plain(tool.parameters, tool.parameters.get("$defs", {}))})
        for tool in tools
        if only in (None, "required", tool.name)
    ]
    if only in (None, ANSWER):
        forms.append(_closed({ANSWER: answer if answer is not None else {"type": "string"}}))
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def catalogue(tools: Sequence[Function]) -> str:
    """The tools in words, one a line: what a grammar cannot tell a model."""
    lines: list[str] = []
    for tool in tools:
        plain = cast("dict[str, Json]", _plain(tool.parameters, tool.parameters.get("$defs", {})))
        properties, required = plain.get("properties", {}), plain.get("required", [])
        told = [
            f"{name}{'' if name in required else '?'}: {_kind(about)}" + (f" ({about['description']})" if "description" in about else "")
            for name, about in properties.items()
        ]
        lines.append(f"- {tool.name}: {' '.join(tool.description.split())} Arguments: {'; '.join(told) or 'none'}")
    return "\n".join(lines)


def spoken(message: Message) -> Message:
    """A turn of a conversation with native calls, in words: a call as the JSON it would have been, a result as the user's."""
    if message.call is not None:
        return Message("user", [Text(f"The result of {message.call.name}:\n{_text(message)}")])
    if message.calls:
        calls = [json.dumps({TOOL: call.name, ARGUMENTS: _object(call.arguments)}, ensure_ascii=False) for call in message.calls]
        return Message("assistant", [Text("\n".join(calls))])
    return message


def heard(text: str, tools: Sequence[Function]) -> tuple[str | None, Json, Call | None]:
    """A turn, as (words, value, call): the answer's text, or its JSON where it is no text; or a call.

    What is no such JSON is an answer in plain words; a call cut off in the middle is none.
    """
    try:
        said = from_json(text.strip().removeprefix("```json").removesuffix("```"), allow_partial="trailing-strings")
    except ValueError:
        return text, None, None
    if isinstance(said, dict):
        turn = cast("dict[str, Json]", said)
        if isinstance(turn.get(TOOL), str) and turn[TOOL] in {tool.name for tool in tools}:
            return None, None, Call("", turn[TOOL], json.dumps(turn.get(ARGUMENTS) or {}, ensure_ascii=False))
        if ANSWER in turn:
            answer = turn[ANSWER]
            return (answer, None, None) if isinstance(answer, str) else (None, answer, None)
    return text, None, None


class AnswerReader:
    """The words of an answer while its JSON comes in."""

    def __init__(self) -> None:
        self._text, self._given = "", 0

    def feed(self, piece: str) -> str:
        """What this piece adds to the answer; nothing while it is a call, or might yet be one."""
        self._text += piece
        try:
            said = from_json(self._text, allow_partial="trailing-strings")
        except ValueError:
            return ""
        answer = cast("dict[str, Json]", said).get(ANSWER) if isinstance(said, dict) else None
        if not isinstance(answer, str):
            return ""
        fresh, self._given = answer[self._given :], len(answer)
        return fresh


def _closed(properties: dict[str, Json]) -> dict[str, Json]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _plain(node: Json, definitions: dict[str, Json], depth: int = 0) -> Json:
    """A schema without references and without what decoders differ in."""
    if not isinstance(node, dict) or depth > 12:
        return {}
    given = cast("dict[str, Json]", node)
    if "$ref" in given:
        return _plain(definitions.get(str(given["$ref"]).rpartition("/")[2], {}), definitions, depth + 1)
    made: dict[str, Json] = {}
    for key, value in given.items():
        if key == "properties":
            made[key] = {name: _plain(inner, definitions, depth + 1) for name, inner in value.items()}
        elif key in ("anyOf", "oneOf"):
            made["anyOf"] = [_plain(inner, definitions, depth + 1) for inner in value]
        elif key == "items":
            made[key] = _plain(value, definitions, depth + 1)
        elif key == "prefixItems":
            made["items"] = _plain(value[0], definitions, depth + 1) if value else {}
        elif key == "const":
            made["enum"] = [value]
        elif key in _KEPT and not (key == "additionalProperties" and isinstance(value, dict)):
            made[key] = value
    if made.get("type") == "object" and not made.get("properties"):
        made.pop("additionalProperties", None)
    return made


def _kind(about: dict[str, Json]) -> str:
    if "enum" in about:
        return "|".join(map(str, about["enum"]))
    if "anyOf" in about:
        return " or ".join(_kind(inner) for inner in about["anyOf"] if inner.get("type") != "null")
    if about.get("type") == "array":
        return f"list of {_kind(about.get('items') or {})}"
    if properties := about.get("properties"):
        required = about.get("required", [])
        return f"{{{', '.join(name if name in required else f'{name}?' for name in properties)}}}"
    return str(about.get("type", "any"))


def _object(arguments: str) -> Json:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _text(message: Message) -> str:
    return "\n\n".join(part.text for part in message.parts if isinstance(part, Text))
