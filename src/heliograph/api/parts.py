"""The messages of a chat as a run reads them: words, and places where something to look at was brought.

Every dialect's way to bring a file becomes a `Source`, as requests have them, so that what follows knows files and URLs alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from heliograph.agents.artifacts import REF
from heliograph.agents.task import Media, Message, Part, Role, Text, ToolCall
from heliograph.api import calls
from heliograph.api.intake import Source
from heliograph.errors import InvalidRequest
from heliograph.wire import chat as wire

MOST_BROUGHT = 1000
"""Files and URLs of one request."""

Kind = Literal["image", "video", "audio", "file"]
_WORDS = ("text", "input_text", "output_text", "refusal")
_KINDS: dict[str, Kind] = {
    "image_url": "image", "input_image": "image", "video_url": "video", "audio_url": "audio", "input_audio": "audio",
    "file_url": "file", "document_url": "file", "input_file": "file", "file": "file",
}  # fmt: skip


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a message brings, and the file's name where the message says it."""

    source: Source
    name: str | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was said, and what was brought with it, in order: the position of a `Media` is its place there.

    `asked_by`: the completion that asked for the calls that the last message answers, where it is ours.
    """

    messages: list[Message]
    brought: list[Brought]
    asked_by: str | None = None


def read(messages: Sequence[wire.Message]) -> Heard:
    """Read the messages of a body. Raises InvalidRequest."""
    brought: list[Brought] = []
    made = [_message(message, f"messages.{index}", brought) for index, message in enumerate(messages)]
    if len(brought) > MOST_BROUGHT:
        raise InvalidRequest(f"The messages bring more than {MOST_BROUGHT} files.", param="messages")
    last = messages[-1].tool_call_id if made[-1].role == "tool" else None
    return Heard(messages=made, brought=brought, asked_by=calls.heard(last)[1] if last else None)


def _message(message: wire.Message, param: str, brought: list[Brought]) -> Message:
    role: Role = "system" if message.role == "developer" else message.role
    if role == "tool" and not message.tool_call_id:
        raise InvalidRequest("A tool message says in tool_call_id which call it answers.", param=f"{param}.tool_call_id")
    content = message.content
    parts: list[Part] = []
    if isinstance(content, str):
        parts = [Text(content)] if content else []
    elif content is not None:
        parts = [part(each, f"{param}.content.{index}", brought) for index, each in enumerate(content)]
    asked = message.tool_calls if role == "assistant" else None
    return Message(
        role=role,
        parts=parts,
        name=message.name,
        call_id=calls.heard(message.tool_call_id)[0] if message.tool_call_id else None,
        calls=[ToolCall(calls.heard(call.id)[0], call.function.name, call.function.arguments) for call in asked or []],
    )


def part(part: wire.MessageContent, param: str, brought: list[Brought]) -> Part:
    """Read a part of a message, or of an execution's inputs; what it brings is appended to `brought`. Raises InvalidRequest."""
    if part.type in _WORDS:
        words = part.refusal if part.type == "refusal" and part.refusal is not None else part.text
        if words is None:
            raise InvalidRequest(f"A part of type {part.type} has its words in `text`.", param=f"{param}.text")
        return Text(words)
    where, reference, is_file, name = _place(part)
    if not reference:
        raise InvalidRequest(f"A part of type {part.type} needs {_NEEDS[part.type]}.", param=f"{param}.{where}")
    image = part.image_url
    detail = image.detail if isinstance(image, wire.MessageContentImageUrl) else part.detail or "auto"
    kind = _KINDS[part.type]
    if REF.fullmatch(reference):
        return Media(ref=reference, kind=kind, name=name, detail=detail)
    brought.append(Brought(source=Source(f"{param}.{where}", "file" if is_file else "url", reference), name=name))
    return Media(position=len(brought) - 1, kind=kind, name=name, detail=detail)


_NEEDS = {
    "image_url": "image_url: {url}", "video_url": "video_url: {url}", "audio_url": "audio_url: {url}", "file_url": "file_url: {url}",
    "document_url": "document_url: {url}", "input_image": "image_url or file_id", "input_audio": "input_audio: {data, format}",
    "input_file": "file_id, file_url or file_data", "file": "file: {file_id} or file: {file_data}",
}  # fmt: skip


def _place(part: wire.MessageContent) -> tuple[str, str | None, bool, str | None]:
    """Which field brings it, the reference there, whether that is a file's id, and the file's name."""
    match part.type:
        case "image_url" | "video_url" | "audio_url" | "file_url" | "document_url" as field:
            return field, _url(getattr(part, field)), False, part.filename
        case "input_audio":
            given = part.input_audio
            return "input_audio", given and _inline(given.data, f"audio/{given.format}"), False, part.filename
        case "file" if part.file is not None:
            held = part.file
            return _of_file("file.", held.file_id, held.file_data, None, held.filename)
        case "file":
            return "file", None, False, None
        case "input_image":
            return _of_file("", part.file_id, None, _url(part.image_url), part.filename, field="image_url")
        case _:
            return _of_file("", part.file_id, part.file_data, _url(part.file_url), part.filename)


def _of_file(
    under: str, file_id: str | None, data: str | None, url: str | None, name: str | None, field: str = "file_url"
) -> tuple[str, str | None, bool, str | None]:
    if data:
        return f"{under}file_data", _inline(data, "application/octet-stream"), False, name
    if url:
        return f"{under}{field}", url, False, name
    return f"{under}file_id", file_id, True, name


def _url(given: wire.MessageContentUrl | str | None) -> str | None:
    return given.url if isinstance(given, wire.MessageContentUrl) else given


def _inline(data: str, media_type: str) -> str:
    return data if data[:5].lower() == "data:" else f"data:{media_type};base64,{data}"
