"""The child's side of `children.py`: a loop that runs one function of one module per request. Run as `python -m heliograph._child`.

Light on purpose: what is imported here is paid at every start of a child.
"""

from __future__ import annotations

import ctypes
import importlib
import math
import os
import resource
import signal
import socket
import struct
import sys
import traceback
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from heliograph.errors import HeliographError, MediaLimitExceeded

HEADER = struct.Struct("<BQQ")
"""Every answer's head: its kind, the child's resident memory in bytes, the length of the body."""
RESULT, ERROR, FAILURE = range(3)
"""A result; an error of the tree as `[type, message, param]`; any other exception as `[type, message, traceback]`."""

PR_SET_PDEATHSIG = 1
MiB = 1 << 20
PROGRAM_MEMORY = 2048 * MiB
"""Address space that a program started by a child (LibreOffice) may have beyond the child's own limit."""


class Request(msgspec.Struct, array_like=True):
    """One call. `cpu`: seconds of processor time it may use; arguments stay raw until the function's hints say what they are."""

    function: str
    args: list[msgspec.Raw]
    cpu: float


def encode(value: object) -> bytes:
    """MessagePack; paths travel as strings."""
    return msgspec.msgpack.encode(value, enc_hook=_encode_path)


def _encode_path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot cross to a child")


def _decode_path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(f"{kind.__name__} cannot cross to a child")


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when the thread that started it ends; exits at once if `parent` is gone already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def _limit(memory: int) -> None:
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_FSIZE, 1024 * MiB),
    ):
        resource.setrlimit(limit, (value, value))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory + PROGRAM_MEMORY))


def leave_limits() -> None:
    """In a program that a child is about to become: it dies with the child, and has `PROGRAM_MEMORY` more than it."""
    die_with_parent()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _resident() -> int:
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def _receive(sock: socket.socket, size: int) -> bytearray | None:
    buffer = bytearray(size)
    view, filled = memoryview(buffer), 0
    while filled < size:
        count = sock.recv_into(view[filled:])
        if not count:
            return None
        filled += count
    return buffer


def _send(sock: socket.socket, kind: int, body: bytes) -> None:
    sock.sendall(HEADER.pack(kind, _resident(), len(body)))
    sock.sendall(body)


def _failure(error: Exception) -> tuple[int, bytes]:
    if isinstance(error, MemoryError):
        error = MediaLimitExceeded("Reading the file needs more memory than this server allows.")
    if isinstance(error, HeliographError):
        return ERROR, encode([type(error).__name__, error.message, error.param])
    return FAILURE, encode([type(error).__name__, str(error), "".join(traceback.format_exception(error))])


class _Functions:
    """The module's functions with the types of their parameters, looked up once each."""

    def __init__(self, module: object) -> None:
        self._module = module
        self._known: dict[str, tuple[Callable[..., Any], list[Any]]] = {}

    def run(self, request: Request) -> bytes:
        if request.function not in self._known:
            function = getattr(self._module, request.function)
            hints = typing.get_type_hints(function)
            names = function.__code__.co_varnames[: function.__code__.co_argcount]
            self._known[request.function] = function, [hints.get(name, Any) for name in names]
        function, types = self._known[request.function]
        if len(request.args) > len(types):
            raise TypeError(f"{request.function} takes {len(types)} arguments, not {len(request.args)}")
        args = [msgspec.msgpack.decode(raw, type=kind, dec_hook=_decode_path) for raw, kind in zip(request.args, types, strict=False)]
        return encode(function(*args))


def main(module: str, descriptor: int, parent: int, memory: int) -> None:
    """Serve calls of `module`'s functions on a socket until it closes. `memory`: address space in bytes."""
    die_with_parent(parent)
    sock = socket.socket(fileno=descriptor)
    try:
        _limit(memory)
        functions = _Functions(importlib.import_module(module))
        _send(sock, RESULT, b"")
    except Exception as error:
        _send(sock, *_failure(error))
        return
    decode = msgspec.msgpack.Decoder(Request).decode
    while head := _receive(sock, 8):
        body = _receive(sock, int.from_bytes(head, "little"))
        if body is None:
            return
        request = decode(body)
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = math.ceil(used.ru_utime + used.ru_stime + request.cpu) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        try:
            kind, answer = RESULT, functions.run(request)
        except Exception as error:
            kind, answer = _failure(error)
        _send(sock, kind, answer)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
