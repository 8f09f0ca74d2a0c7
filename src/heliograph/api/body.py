"""JSON bodies, read with limits: bytes while streaming, nesting, number of values, and what a database cannot hold.

Strings are checked here once for all routes: no NUL (PostgreSQL text has none) and no lone surrogates (no UTF-8 has them).
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.types import Receive, Scope

from heliograph.errors import InvalidRequest, PayloadTooLarge

MOST_VALUES = 500_000
"""Values in one body. A schema of 400 fields has some thousands; pictures are one string each."""

IN_A_THREAD = 256 * 1024
"""Bytes above which a body is parsed beside the event loop."""


class JsonRequest(Request):
    """A request whose JSON body was read and checked already."""

    def __init__(self, scope: Scope, receive: Receive, value: object, *, empty: bool) -> None:
        """`value`: the parsed body; `empty`: there was none."""
        super().__init__(scope, receive)
        self._value = value
        self._empty = empty

    async def body(self) -> bytes:
        """Not the bytes, which are gone, but whether there were any."""
        return b"" if self._empty else b"{}"

    async def json(self) -> Any:
        """The parsed body."""
        return self._value


async def read_json(request: Request, *, limit: int, depth: int) -> JsonRequest:
    """Read the body of `request`. Raises PayloadTooLarge over `limit` bytes and InvalidRequest for what is not acceptable JSON."""
    raw = await read_bytes(request, limit=limit)
    return JsonRequest(request.scope, request.receive, await decode(request, raw, depth), empty=not raw)


async def decode(request: Request, raw: bytearray, depth: int) -> Any:
    """The value of a body that was read; None of an empty one. Raises as `read_json`."""
    if not raw:
        return None
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise InvalidRequest(f"The body must be JSON with `Content-Type: application/json`, not {kind!r}.")
    return await asyncio.to_thread(parse, raw, depth) if len(raw) > IN_A_THREAD else parse(raw, depth)


async def read_bytes(request: Request, *, limit: int) -> bytearray:
    """The whole body. Raises PayloadTooLarge as soon as more than `limit` bytes are announced or have come."""
    too_large = PayloadTooLarge(f"The request body is larger than {limit} bytes; upload the file instead and send its `file_id`.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limit:
            raise too_large
    return raw


def parse(raw: bytes | bytearray, depth: int) -> Any:
    """Parse and check. Raises RequestValidationError (type `json_invalid`) for what is not JSON, InvalidRequest for what is refused."""
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > 4 * MOST_VALUES:
        raise InvalidRequest(f"The body has more than {MOST_VALUES} values.")
    try:
        value = msgspec.json.decode(raw)
    except RecursionError as error:
        raise InvalidRequest(f"The body is nested more than {depth} levels deep.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = str(error)
        detail = {"type": "json_invalid", "loc": ("body",), "msg": "JSON decode error", "ctx": {"error": message}}
        raise RequestValidationError([detail]) from error
    check(value, depth)
    return value


def check(value: Any, depth: int) -> None:
    """Raise InvalidRequest when `value` is nested deeper than `depth`, has too many values, or a string with NUL."""
    level: list[Any] = [value]
    count = 0
    for _ in range(depth + 1):
        below: list[Any] = []
        count += len(level)
        if count > MOST_VALUES:
            raise InvalidRequest(f"The body has more than {MOST_VALUES} values.")
        for item in level:
            if isinstance(item, str):
                if "\0" in item:
                    raise InvalidRequest("The body holds a NUL character (U+0000), which no text may hold.")
            elif isinstance(item, list):
                below.extend(cast("list[Any]", item))
            elif isinstance(item, dict):
                members = cast("dict[str, Any]", item)
                below.extend(members.values())
                if any("\0" in key for key in members):
                    raise InvalidRequest("The body holds a NUL character (U+0000), which no text may hold.")
            elif isinstance(item, int) and not -(1 << 63) <= item < 1 << 64:
                raise InvalidRequest("The body holds an integer that does not fit into 64 bits.")
        if not below:
            return
        level = below
    raise InvalidRequest(f"The body is nested more than {depth} levels deep.")
