"""The inputs of an execution: the caller's own object, and what in it is a thing to look at.

A thing to look at is a message part (`{"type": "input_file", "file_id": ...}`), an object with `url`, `urls`, `file_id` or `file_ids`, the
bare URL of a file under a key or in a list under one, and a `data:` URI anywhere. It gives its place to `{"$media": <position>}`; text
parts give theirs to their words; everything else stays as it came.
"""

from __future__ import annotations

import re
from typing import Any, cast, get_args

import msgspec
from pydantic import ValidationError

from heliograph.agents.task import MEDIA, Media
from heliograph.api.intake import Source
from heliograph.api.parts import MOST_BROUGHT, Brought, part
from heliograph.errors import InvalidRequest
from heliograph.wire.chat import MessageContent, PartType

Json = Any
_URL = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_DATA = re.compile(r"data:[\w.+-]+/[\w.+-]+(;[\w=.+-]+)*,", re.IGNORECASE)
_PUBLISHED = ("text", "image_url", "video_url", "audio_url", "file_url", "input_file")
_BESIDE = {"url", "file_id", "filename", "name", "detail"}
"""What an object says that is a file: one of the first two, and what the file is called."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """The object with places for what was brought, and that, in order. `keys`: where in the object each stands, such as `files.0`."""

    inputs: dict[str, Json]
    brought: list[Brought]
    keys: list[str]


def read(inputs: dict[str, Json]) -> Given:
    """Read the inputs of a body. Raises InvalidRequest with the parameter at fault."""
    reading = _Reading()
    made = {name: reading.value(value, name, near=True) for name, value in inputs.items()}
    return Given(inputs=made, brought=reading.brought, keys=reading.keys)


class _Reading:
    def __init__(self) -> None:
        self.brought: list[Brought] = []
        self.keys: list[str] = []

    def value(self, value: Json, key: str, *, near: bool) -> Json:
        """`key`: where the value stands, dotted. `near`: whether a bare URL here is a file's."""
        if isinstance(value, str):
            return self._text(value, key, near=near)
        if isinstance(value, list):
            return [self.value(item, f"{key}.{index}", near=near) for index, item in enumerate(cast("list[Json]", value))]
        if isinstance(value, dict):
            return self._object(cast("dict[str, Json]", value), key)
        return value

    def _text(self, text: str, key: str, *, near: bool) -> Json:
        last = key.rstrip("0123456789.").rpartition(".")[2]
        if near and text and last in ("file_id", "file_ids"):
            return self._bring(Source(f"inputs.{key}", "file", text), key)
        if _DATA.match(text) or (near and _URL.fullmatch(text)):
            return self._bring(Source(f"inputs.{key}", "url", text), key)
        return text

    def _object(self, value: dict[str, Json], key: str) -> Json:
        if MEDIA in value:
            raise InvalidRequest(f"inputs.{key}: {MEDIA} is a name of the server's own.", param=f"inputs.{key}")
        kind = value.get("type")
        if isinstance(kind, str) and kind in get_args(PartType) and (kind in _PUBLISHED or _carries(value, kind)):
            return self._part(value, key)
        named = value.keys() & {"url", "file_id"}
        if len(named) == 1 and value.keys() <= _BESIDE and isinstance(given := value[next(iter(named))], str):
            field = next(iter(named))
            name = value.get("filename") or value.get("name")
            if field == "file_id" or _URL.fullmatch(given) or _DATA.match(given):
                source = Source(f"inputs.{key}.{field}", "file" if field == "file_id" else "url", given)
                return self._bring(source, key, name if isinstance(name, str) else None)
        near = value.keys() <= {"urls", "file_ids"}
        return {name: self.value(inner, f"{key}.{name}", near=near) for name, inner in value.items()}

    def _part(self, value: dict[str, Json], key: str) -> Json:
        param = f"inputs.{key}"
        try:
            content = MessageContent.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise InvalidRequest(f"{param}.{where}: {first['msg']}", param=f"{param}.{where}") from None
        found = part(content, param, self.brought)
        if not isinstance(found, Media):
            return found.text
        if found.position is None:
            raise InvalidRequest(f"{param}: {found.ref} is nothing that an execution can know; send the file itself.", param=param)
        self._place(key)
        return {MEDIA: found.position}

    def _bring(self, source: Source, key: str, name: str | None = None) -> Json:
        self.brought.append(Brought(source=source, name=name))
        self._place(key)
        return {MEDIA: len(self.brought) - 1}

    def _place(self, key: str) -> None:
        if len(self.brought) > MOST_BROUGHT:
            raise InvalidRequest(f"The inputs bring more than {MOST_BROUGHT} files.", param="inputs")
        self.keys.append(key)


def _carries(value: dict[str, Json], kind: str) -> bool:
    """Whether an object whose `type` is one that others use too holds what a part of that type does."""
    fields = {
        "input_image": ("image_url", "file_id"),
        "file": ("file",),
        "input_audio": ("input_audio",),
        "document_url": ("document_url",),
    }
    return any(name in value for name in fields.get(kind, ("text",)))
