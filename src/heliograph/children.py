"""Killable child processes: whatever parses untrusted bytes runs in one, with memory, processor time and wall-clock limits.

A `ChildPool` runs functions of one module. Arguments and results are MessagePack (never pickle), decoded by the type hints
of the function and by `returns`. A child that takes too long, grows too large or crashes is killed and replaced; the caller gets an
error of `errors.py`, and the errors of that tree that a function raises arrive as themselves. Children are plain new
processes: a fork would carry threads, sockets and secrets over. They see none of the parent's environment but what locates Python.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, TypeVar, overload

import msgspec

from heliograph._child import ERROR, HEADER, RESULT, Request, encode
from heliograph.errors import CorruptMedia, HeliographError, MediaLimitExceeded, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
MiB = 1 << 20

START_TIMEOUT = 120.0
"""Seconds a child may take to import its module; OCR engines on a busy machine take tens of them."""
INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
GROWTH = 0.6
"""Share of its memory limit that a child may still hold between calls before it is replaced."""


class ChildFailed(HeliographError):
    """A reading process failed in a way that nobody foresaw.

    Its traceback is attached as a note.
    """


class ChildPool:
    """Up to `size` children that run functions of `module`, one call at a time each.

    `memory`: address space of a child in bytes. `recycle_after`: calls after which a child is replaced. `most_kept`: bytes
    that it may hold between calls before it is replaced, `GROWTH` of `memory` when not given. `env`: variables
    that its children get beside those that locate Python. Belongs to one event loop. Children start at the first call
    or at `start()`.
    """

    def __init__(
        self,
        module: str,
        *,
        size: int = 1,
        memory: int = 2048 * MiB,
        recycle_after: int = 200,
        most_kept: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._module = module
        self._size = size
        self._memory = memory
        self._recycle_after = recycle_after
        self._most_kept = most_kept or int(GROWTH * memory)
        self._env = {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(env or {})
        self._slots = asyncio.Semaphore(size)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._reaping: set[asyncio.Task[None]] = set()
        self._closed = False

    async def start(self) -> None:
        """Start all children now, so that the first calls need not wait for it."""
        while len(self._idle) + len(self._busy) < self._size:
            self._idle.append(self._spawn())
        await asyncio.gather(*(child.ready() for child in list(self._idle)))

    @overload
    async def call(self, function: str, *args: object, timeout: float = ..., returns: type[T]) -> T: ...  # noqa: ASYNC109
    @overload
    async def call(self, function: str, *args: object, timeout: float = ..., returns: Any = ...) -> Any: ...  # noqa: ASYNC109
    async def call(self, function: str, *args: object, timeout: float = 60.0, returns: Any = Any) -> Any:  # noqa: ASYNC109
        """Run `module.function(*args)` in a child and return its result, decoded as `returns`.

        `timeout`: seconds of wall clock, not counting the wait for a free child or its start.
        Cancelling the call kills the child. Raises MediaLimitExceeded (time, memory), CorruptMedia (the child crashed),
        the function's own error when it is of the tree, ChildFailed for any other, Unavailable when the pool is closed.
        """
        request = encode(Request(function, [msgspec.Raw(encode(arg)) for arg in args], timeout * (os.cpu_count() or 1)))
        async with self._slots:
            if self._closed:
                raise Unavailable("This process is shutting down.")
            child = self._take()
            self._busy.add(child)
            try:
                await child.ready()
                try:
                    async with asyncio.timeout(timeout):
                        kind, body = await child.exchange(request)
                except TimeoutError:
                    raise MediaLimitExceeded(f"Reading the file took longer than {timeout:g} seconds.") from None
            except _Gone:
                raise (Unavailable("This process is shutting down.") if self._closed else await child.cause_of_death()) from None
            finally:
                self._busy.discard(child)
                self._put_back(child)
        if kind == RESULT:
            return msgspec.msgpack.decode(body, type=returns)
        raise _error(kind, body)

    async def close(self) -> None:
        """Kill every child, also those at work; their calls raise Unavailable."""
        self._closed = True
        for child in [*self._idle, *self._busy]:
            self._kill(child)
        self._idle.clear()
        while self._reaping:
            await asyncio.gather(*self._reaping)

    async def __aenter__(self) -> ChildPool:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def pids(self) -> list[int]:
        """Process ids of the children alive, idle and busy."""
        return [child.pid for child in [*self._idle, *self._busy] if child.alive]

    def _spawn(self) -> _Child:
        return _Child(self._module, self._memory, self._env)

    def _take(self) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            self._kill(child)
        return self._spawn()

    def _put_back(self, child: _Child) -> None:
        """Keep a child that answered; replace one that did not (unfinished, dead, cancelled), is worn or has grown too large."""
        if child.fit and child.calls < self._recycle_after and child.resident < self._most_kept:
            self._idle.append(child)
            return
        self._kill(child)
        if not self._closed:
            self._idle.append(self._spawn())  # it imports its module while nobody waits

    def _kill(self, child: _Child) -> None:
        child.kill()
        task = asyncio.get_running_loop().create_task(child.reap())
        self._reaping.add(task)
        task.add_done_callback(self._reaping.discard)


class _Gone(Exception):
    """The child closed its end of the socket."""


class _Child:
    """One process and our end of its socket."""

    def __init__(self, module: str, memory: int, env: Mapping[str, str]) -> None:
        self._module = module
        self._sock, theirs = socket.socketpair()
        self._sock.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "heliograph._child", module, str(theirs.fileno()), str(os.getpid()), str(memory)],
                pass_fds=[theirs.fileno()],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if log.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is the parent's business, and what a child starts dies with it
            )
        self.pid = self._process.pid
        self.calls = 0
        self.resident = 0
        self.fit = False
        self._started: bool = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    async def ready(self) -> None:
        """Wait until the child has imported its module. Raises ChildFailed when it cannot."""
        if self._started:
            return
        try:
            async with asyncio.timeout(START_TIMEOUT):
                kind, body = await self._receive()
        except TimeoutError:
            raise ChildFailed(f"A process for {self._module} did not start within {START_TIMEOUT:g} seconds.") from None
        except _Gone:
            await self.reap()
            raise ChildFailed(f"A process for {self._module} ended while it started (exit status {self._process.returncode}).") from None
        if kind != RESULT:
            raise _error(kind, body)
        self._started = True
        self.fit = True

    async def exchange(self, request: bytes) -> tuple[int, bytearray]:
        """Send one request and await its answer."""
        loop = asyncio.get_running_loop()
        self.calls += 1
        self.fit = False  # until the answer is here in full; a cancelled call leaves it so
        try:
            await loop.sock_sendall(self._sock, len(request).to_bytes(8, "little"))
            await loop.sock_sendall(self._sock, request)
        except OSError:
            raise _Gone from None
        answer = await self._receive()
        self.fit = True
        return answer

    async def _receive(self) -> tuple[int, bytearray]:
        kind, self.resident, length = HEADER.unpack(await self._receive_exactly(HEADER.size))
        return kind, await self._receive_exactly(length)

    async def _receive_exactly(self, size: int) -> bytearray:
        loop = asyncio.get_running_loop()
        buffer = bytearray(size)
        view, filled = memoryview(buffer), 0
        while filled < size:
            try:
                count = await loop.sock_recv_into(self._sock, view[filled:])
            except OSError:
                count = 0
            if not count:
                raise _Gone
            filled += count
        return buffer

    def kill(self) -> None:
        """Kill it and all that it started. The socket closes with the reaping."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # gone, or not yet the leader of its own session
            self._process.kill()

    async def reap(self) -> None:
        """Wait for the end of the killed process, without blocking the loop."""
        for delay in (0.0, 0.001, 0.005, 0.02):
            await asyncio.sleep(delay)
            if self._process.poll() is not None:
                break
        else:
            await asyncio.to_thread(self._process.wait)
        self._sock.close()

    async def cause_of_death(self) -> MediaLimitExceeded | CorruptMedia:
        await asyncio.to_thread(self._process.wait)
        status = -(self._process.returncode or 0)
        log.warning("a process for %s ended with status %d", self._module, self._process.returncode)
        if status == signal.SIGXCPU:
            return MediaLimitExceeded("Reading the file took more processor time than this server allows.")
        if status == signal.SIGKILL:
            return MediaLimitExceeded("Reading the file was stopped by the system, most likely because it needed too much memory.")
        return CorruptMedia("The file crashed the process that read it; it is damaged or made to do that.")


def _error(kind: int, body: bytearray) -> HeliographError:
    name, message, detail = msgspec.msgpack.decode(body, type=tuple[str, str, str | None])
    if kind == ERROR:
        return _named(name)(message, param=detail)
    failure = ChildFailed(f"A reading process failed: {name}: {message}")
    failure.add_note(detail or "")
    return failure


def _named(name: str) -> type[HeliographError]:
    """The error of the tree with this name, in whichever room it stands; the root where this process has not met it."""
    level: list[type[HeliographError]] = [HeliographError]
    while level:
        found = next((kind for kind in level if kind.__name__ == name), None)
        if found is not None:
            return found
        level = [below for kind in level for below in kind.__subclasses__()]
    return HeliographError
