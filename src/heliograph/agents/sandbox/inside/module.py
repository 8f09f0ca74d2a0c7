"""The module `vlmrun` that a program finds: tools by group as async functions, and `vlmrun.io` and `vlmrun.log`."""

from __future__ import annotations

import asyncio
import builtins
import io
import os
import sys
import threading
import types
from collections.abc import Awaitable, Callable
from typing import Any

from . import frames, values


class ToolError(Exception):
    """A tool refused a call, or failed; the message says why."""


class Channel:
    """The program's end of the channel to the worker. Any thread and any event loop may call."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._sending = threading.Lock()
        self._waiting: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[Any]]] = {}
        self._calls = 0
        self._reader: threading.Thread | None = None
        self.keep: Callable[[str, bytes], None] = lambda _name, _data: None
        """Puts a file that came with an answer into the working folder."""

    def send(self, message: dict[str, Any]) -> None:
        """Send a frame; waits until the worker has taken it."""
        rest = memoryview(frames.pack(message))
        with self._sending:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def receive(self) -> Any:
        """The next frame. Raises EOFError when there is none any more."""
        head = self._exactly(frames.HEAD.size)
        text, blob = frames.HEAD.unpack(head)
        return frames.unpack(self._exactly(text), self._exactly(blob))

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = os.read(self._descriptor, min(size - len(data), 1 << 20))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        """Call a tool and wait for its answer. Raises ToolError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        given = values.plain(arguments, attach=True, where=tool)
        with self._sending:
            self._calls += 1
            number = self._calls
            self._waiting[number] = loop, future
            if self._reader is None:
                self._reader = threading.Thread(target=self._deliver, daemon=True)
                self._reader.start()
        self.send({"call": number, "tool": tool, "arguments": given})
        return await future

    def _deliver(self) -> None:
        while True:
            try:
                answer = self.receive()
            except (EOFError, OSError):
                return
            number: int = answer["id"]
            try:
                for name, data in answer.get("files", {}).items():
                    self.keep(name, data)
            except (OSError, MemoryError) as error:
                answer = {"error": f"The files of the answer do not fit into the working folder: {error}"}
            loop, future = self._waiting.pop(number)
            loop.call_soon_threadsafe(_settle, future, answer)


def _settle(future: asyncio.Future[Any], answer: dict[str, Any]) -> None:
    if future.done():
        return
    if "error" in answer:
        future.set_exception(ToolError(answer["error"]))
    else:
        future.set_result(answer["value"])


def build(channel: Channel, tools: list[dict[str, Any]]) -> types.ModuleType:
    """Makes `vlmrun` and its groups importable."""
    root = _module("vlmrun", "Heliograph's tools, by group.")
    root.ToolError = ToolError  # pyright: ignore[reportAttributeAccessIssue]
    groups: dict[str, types.ModuleType] = {"io": _io(), "log": _log(channel)}
    for tool in tools:
        group = groups.setdefault(tool["group"], _module(f"vlmrun.{tool['group']}", "Tools."))
        setattr(group, tool["name"], _function(channel, tool))
    for name, group in groups.items():
        setattr(root, name, group)
        _explain(group)
    _explain(root)
    return root


def _explain(made: types.ModuleType) -> None:
    """Have an unknown name answered with those there are."""
    known = sorted(name for name in vars(made) if not name.startswith("_"))

    def missing(name: str) -> Any:
        raise AttributeError(f"{made.__name__} has no {name}; it has {', '.join(known)}")

    made.__getattr__ = missing


def _module(name: str, doc: str) -> types.ModuleType:
    made = types.ModuleType(name, doc)
    made.__path__ = []
    sys.modules[name] = made
    return made


def _function(channel: Channel, tool: dict[str, Any]) -> Callable[..., Awaitable[Any]]:
    name = f"{tool['group']}.{tool['name']}"
    parameters: list[str] = tool["parameters"]

    async def call(*given: Any, **named: Any) -> Any:
        if len(given) > len(parameters):
            raise TypeError(f"vlmrun.{name} takes at most {len(parameters)} arguments: {', '.join(parameters)}")
        arguments = dict(zip(parameters, given, strict=False))
        for key, value in named.items():
            if key in arguments:
                raise TypeError(f"vlmrun.{name} got two values for {key}")
            if key not in parameters:
                raise TypeError(f"vlmrun.{name} has no argument {key}; it takes {', '.join(parameters) or 'none'}")
            arguments[key] = value
        return await channel.call(name, arguments)

    call.__name__ = tool["name"]
    call.__qualname__ = name
    call.__doc__ = tool["doc"]
    return call


def _io() -> types.ModuleType:
    made = _module("vlmrun.io", "Files in the working folder.")

    def read_file(path: str | os.PathLike[str]) -> str | bytes:
        "The text of a file, or its bytes when it is not UTF-8."
        with open(path, "rb") as file:
            return values.text_or_bytes(file.read())

    def write_file(path: str | os.PathLike[str], data: str | bytes) -> str:
        "Write a file, making its folder; it is kept when the program ends. Returns its path."
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return os.fspath(path)

    made.read_file, made.write_file = read_file, write_file  # pyright: ignore[reportAttributeAccessIssue]
    return made


def _log(channel: Channel) -> types.ModuleType:
    made = _module("vlmrun.log", "Lines and cards that are shown while the program runs.")

    def show(*things: Any, sep: str = " ", end: str = "\n") -> None:
        "As the built-in print, shown at once."
        held = io.StringIO()
        builtins.print(*things, sep=sep, end=end, file=held)
        channel.send({"print": values.plain(held.getvalue())})

    def preview(card: dict[str, Any]) -> None:
        "Show a preview card."
        channel.send({"preview": values.plain(card, where="the card")})

    made.print, made.preview = show, preview  # pyright: ignore[reportAttributeAccessIssue]
    return made
