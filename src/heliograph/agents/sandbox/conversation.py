"""The worker's end of the channel to a program. Whatever comes from there was written by somebody unknown, and is judged so."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, cast

import msgspec

from heliograph.agents.sandbox.inside import frames
from heliograph.agents.sandbox.script import Answer, Attachment, Json, Limits, ToolSpec, file_name
from heliograph.errors import HeliographError

Call = Callable[[str, dict[str, Json]], Awaitable[Json]]
"""Calls a tool, `<group>.<name>`, with its arguments, and returns its answer: JSON, bytes or an `Answer`. A HeliographError is told to the
program as it is; any other exception ends the run."""

LARGEST_TEXT = 16 << 20
MOST_CARDS, LARGEST_CARD = 200, 1 << 20
SPARE_MESSAGES = 10_000
"""Frames that a program may send beside its calls."""


class Misbehaved(Exception):
    """The program broke the rules of the channel; the message says which."""


class Ended(Exception):
    """The channel was closed at the program's end."""


class Conversation:
    """What passes between one program and its run: calls of tools, lines and cards, and at last the outcome."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        tools: Mapping[str, ToolSpec],
        call: Call,
        limits: Limits,
        *,
        on_print: Callable[[str], Awaitable[None]] | None,
        on_preview: Callable[[dict[str, Json]], Awaitable[None]] | None,
    ) -> None:
        self._reader, self._writer = streams
        self._tools = tools
        self._call = call
        self._limits = limits
        self._on_print = on_print
        self._on_preview = on_preview
        self._slots = asyncio.Semaphore(limits.calls_at_once)
        self._answering: set[asyncio.Task[None]] = set()
        self._printed = 0
        self._shown = 0
        self.calls = 0
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails with what a tool raised that is no HeliographError."""

    async def hold(self, first: dict[str, Json], files: Iterator[dict[str, Json]]) -> dict[str, Json]:
        """Send the script and serve the program until it says what came of it. Raises Misbehaved and Ended."""
        await self._send(first)
        while piece := await asyncio.to_thread(next, files, None):
            await self._send(piece)
        for _ in range(self._limits.calls * 4 + SPARE_MESSAGES):
            message, size = await self._receive()
            if "done" in message:
                return _object(message["done"])
            if "call" in message:
                await self._begin(message, size)
            elif "print" in message:
                await self._print(str(message["print"]))
            elif "preview" in message:
                await self._preview(_object(message["preview"]), size)
            else:
                raise Misbehaved("it sent a message of no known kind")
        raise Misbehaved("it sent too many messages")

    async def close(self) -> None:
        """Give up the calls still under way."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        self._writer.close()
        self.broken.cancel()

    async def _send(self, message: dict[str, Json]) -> None:
        try:
            self._writer.write(frames.pack(message))
            await self._writer.drain()
        except OSError:
            raise Ended from None

    async def _read(self, size: int) -> bytes:
        try:
            return await self._reader.readexactly(size)
        except (EOFError, OSError):
            raise Ended from None

    async def _receive(self) -> tuple[dict[str, Json], int]:
        """The next message and how many bytes it had."""
        head = await self._read(frames.HEAD.size)
        text, blob = cast("tuple[int, int]", frames.HEAD.unpack(head))
        if text > LARGEST_TEXT or text + blob > self._limits.frame:
            raise Misbehaved(f"it sent a message of {(text + blob) >> 20} MiB, more than {self._limits.frame >> 20} MiB")
        try:
            message = frames.unpack(await self._read(text), await self._read(blob), msgspec.json.decode)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise Misbehaved("it sent a message that is not JSON") from None
        if not isinstance(message, dict):
            raise Misbehaved("it sent a message that is no object")
        return cast("dict[str, Json]", message), text + blob

    async def _print(self, text: str) -> None:
        before, self._printed = self._printed, self._printed + len(text)
        if self._on_print is None or before >= self._limits.output:
            return
        if self._printed >= self._limits.output:
            text = text[: self._limits.output - before] + "\n[more was printed, and is not shown]\n"
        await self._on_print(text)

    async def _preview(self, card: dict[str, Json], size: int) -> None:
        self._shown += 1
        if size > LARGEST_CARD or self._shown > MOST_CARDS:
            raise Misbehaved(f"it showed more than {MOST_CARDS} cards, or one of more than {LARGEST_CARD >> 10} KiB")
        if self._on_preview is not None:
            await self._on_preview(card)

    async def _begin(self, message: dict[str, Json], size: int) -> None:
        number, tool, arguments = message["call"], str(message.get("tool")), _object(message.get("arguments"))
        if not isinstance(number, int):
            raise Misbehaved("it sent a call without a number")
        if tool not in self._tools:
            await self._send({"id": number, "error": f"There is no tool vlmrun.{tool[:100]} in this run."})
            return
        self.calls += 1
        if self.calls > self._limits.calls:
            await self._send({"id": number, "error": f"A run may call tools {self._limits.calls} times."})
            return
        if size > self._limits.frame // 4:
            await self._send({"id": number, "error": f"A call may carry {self._limits.frame >> 22} MiB."})
            return
        await self._slots.acquire()
        task = asyncio.create_task(self._answer(number, tool, arguments))
        self._answering.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._answering.discard(task)
        self._slots.release()

    async def _answer(self, number: int, tool: str, arguments: dict[str, Json]) -> None:
        try:
            value = await self._call(tool, cast("dict[str, Json]", _attachments(arguments)))
            answer = {"id": number, "value": value}
            if isinstance(value, Answer):
                answer = {"id": number, "value": value.value, "files": {file_name(name): data for name, data in value.files.items()}}
        except HeliographError as error:
            answer = {"id": number, "error": error.message}
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            if not self.broken.done():
                self.broken.set_exception(error)
            return
        try:
            packed = frames.pack(answer)
            if len(packed) > self._limits.frame:
                packed = frames.pack({"id": number, "error": f"The answer of {tool} is too large for a program."})
            self._writer.write(packed)
            await self._writer.drain()
        except OSError:
            return
        except (TypeError, ValueError, struct.error) as error:
            if not self.broken.done():
                self.broken.set_exception(error)


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Misbehaved("it sent a message without its object")
    return cast("dict[str, Json]", value)


def _attachments(value: Any) -> Any:
    match value:
        case {"name": str(name), "data": bytes(data), **others} if not others:
            return Attachment(name, data)
        case bytes():
            return Attachment("data", value)
        case dict():
            return {name: _attachments(inner) for name, inner in cast("dict[str, Any]", value).items()}
        case list():
            return [_attachments(inner) for inner in cast("list[Any]", value)]
        case _:
            return value
