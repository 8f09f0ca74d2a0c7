"""Frames between a program and the worker: a JSON message, and the byte strings in it beside it.

A frame is two lengths (big-endian, 32 bits), the JSON and the bytes. `{"$bytes": length}` in the JSON stands for the next `length` of them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any, cast

HEAD = struct.Struct(">II")
MARK = "$bytes"


def pack(message: dict[str, Any]) -> bytes:
    """A message as a frame. Raises TypeError and ValueError for what is neither JSON nor bytes."""
    blobs: list[bytes] = []

    def aside(value: object) -> dict[str, int]:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"{type(value).__name__} cannot cross the sandbox's wall")
        blobs.append(bytes(cast("bytes", value)))
        return {MARK: len(blobs[-1])}

    text = json.dumps(message, default=aside, allow_nan=False, separators=(",", ":")).encode()
    return b"".join((HEAD.pack(len(text), sum(map(len, blobs))), text, *blobs))


def unpack(text: bytes, blob: bytes, loads: Callable[[bytes], Any] = json.loads) -> Any:
    """The message, its byte strings back in place. Raises ValueError, or what `loads` raises, for what is no message."""
    message = loads(text)
    if MARK.encode() not in text:
        return message
    rest = memoryview(blob)

    def mend(value: Any) -> Any:
        nonlocal rest
        if isinstance(value, list):
            return [mend(inner) for inner in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        given = cast("dict[str, Any]", value)
        length = given.get(MARK)
        if len(given) != 1 or not isinstance(length, int):
            return {name: mend(inner) for name, inner in given.items()}
        if not 0 <= length <= len(rest):
            raise ValueError("a frame names more bytes than it has")
        piece, rest = bytes(rest[:length]), rest[length:]
        return piece

    return mend(message)
