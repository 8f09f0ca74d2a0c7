"""Runs programs in a sandbox. For workers; one `Sandbox` serves one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, BinaryIO, Self, cast

from heliograph.agents.sandbox import jail
from heliograph.agents.sandbox.conversation import Call, Conversation, Ended, Misbehaved
from heliograph.agents.sandbox.script import Json, Killed, Limits, Ran, Script, ToolSpec, file_name, is_json, opening, pieces
from heliograph.config import Settings
from heliograph.errors import HeliographError, InvalidRequest, NotConfigured, Unavailable

log = logging.getLogger(__name__)

START_TIMEOUT = 60.0
"""Seconds a nursery may take to load its libraries."""
SILENCE = 1.0
"""Seconds after the end of its channel in which a program must have ended too."""
LAST_WORDS = 5.0
"""Seconds in which a killed program must be gone."""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
DISCARDED = 256
"""Times the kept output that a program may write before it is killed for it."""
LONGEST_SENTENCE = 300
LONGEST_ERROR = 20_000
INSIDE = "/tmp"  # noqa: S108
"""The folder of a run, as it sees it."""


class SandboxFailed(HeliographError):
    """The sandbox could not run the program."""


class Sandbox:
    """Runs programs, at most `settings.sandbox_runs` at a time.

    Behind it stands one nursery, an interpreter with the libraries loaded. It starts at the first run (or at `warm()`), is replaced when
    it died, and is let go after `settings.sandbox_idle` seconds without a run.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.sandbox_runs)
        self._starting = asyncio.Lock()
        self._nursery: _Nursery | None = None
        self._reaper: asyncio.TimerHandle | None = None
        self._running = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def warm(self) -> None:
        """Start the nursery now. Raises NotConfigured where programs cannot be run, with the setting that would change it."""
        await self._ready()

    async def close(self) -> None:
        """End the nursery, and with it every run."""
        if self._reaper is not None:
            self._reaper.cancel()
        if self._nursery is not None:
            await self._nursery.close()
            self._nursery = None

    async def run(
        self,
        script: Script,
        call: Call,
        tools: Sequence[ToolSpec] = (),
        *,
        limits: Limits | None = None,
        on_print: Callable[[str], Awaitable[None]] | None = None,
        on_preview: Callable[[dict[str, Json]], Awaitable[None]] | None = None,
    ) -> Ran:
        """Run a program to its end. `call` answers its calls of `tools`, and of these alone.

        What goes wrong in the program is in the answer. Raises NotConfigured where programs cannot be run, InvalidRequest for a script that
        cannot be laid out, SandboxFailed, and whatever `call` raises that is no HeliographError.
        """
        limits = limits or Limits.of(self._settings)
        known = {tool.path: tool for tool in tools}
        first = await asyncio.to_thread(opening, script, known, limits)
        async with self._slots:
            nursery = await self._ready()
            self._running += 1
            try:
                async with nursery.run(limits) as held:
                    return await _Run(held, limits).finish(first, pieces(script), known, call, on_print=on_print, on_preview=on_preview)
            finally:
                self._running -= 1
                self._let_go_later()

    async def _ready(self) -> _Nursery:
        async with self._starting:
            if self._nursery is None or not self._nursery.alive:
                if self._nursery is not None:
                    await self._nursery.close()
                self._nursery = await _Nursery.start(self._settings.sandbox)
            return self._nursery

    def _let_go_later(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
        self._reaper = asyncio.get_running_loop().call_later(self._settings.sandbox_idle, self._let_go)

    def _let_go(self) -> None:
        if self._running == 0 and self._nursery is not None:
            self._nursery.end()


class _Held:
    """The worker's ends of one run's descriptors."""

    def __init__(self, channel: socket.socket, leash: socket.socket, outputs: Sequence[BinaryIO]) -> None:
        self.channel = channel
        self.leash = leash
        self.outputs = outputs


class _Nursery:
    """The process that forks a process for each run, see `inside/nursery.py`."""

    def __init__(self, process: Process, wishes: socket.socket, *, isolated: bool) -> None:
        self._process = process
        self._wishes = wishes
        self._isolated = isolated

    @classmethod
    async def start(cls, mode: str) -> _Nursery:
        if mode == "off":
            raise NotConfigured("Programs are not run here: HELIOGRAPH_SANDBOX is off.")
        if mode == "subprocess":
            nursery, reason = await cls._try(await asyncio.to_thread(jail.bare), isolated=False)
            if nursery is None:
                raise NotConfigured(jail.BARE_UNAVAILABLE.format(reason=reason))
            return nursery
        nursery, reason = await cls._try(await asyncio.to_thread(jail.bubblewrap), isolated=True)
        if nursery is None:
            nursery, _ = await cls._try(jail.bubblewrap(own_proc=False), isolated=True)
        if nursery is None:
            raise NotConfigured(jail.UNAVAILABLE.format(reason=reason))
        return nursery

    @classmethod
    async def _try(cls, command: list[str], *, isolated: bool) -> tuple[_Nursery | None, str]:
        """A nursery that is ready, or why there is none."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=ENVIRONMENT | {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
                cwd="/",
                start_new_session=True,
            )
        nursery = cls(process, ours, isolated=isolated)
        try:
            async with asyncio.timeout(START_TIMEOUT):
                greeting = await asyncio.get_running_loop().sock_recv(ours, 100)
        except (OSError, TimeoutError):
            greeting = b""
        except BaseException:
            await nursery.close()
            raise
        if greeting == b"ready":
            return nursery, ""
        return None, await nursery.close() or "it ended without a word"

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and self._wishes.fileno() >= 0

    def end(self) -> None:
        """Ask it to end; runs under way are killed."""
        self._wishes.close()

    async def close(self) -> str:
        """End it, and return its last line."""
        self._wishes.close()
        with contextlib.suppress(ProcessLookupError):
            if self._isolated:
                self._process.kill()
        try:
            async with asyncio.timeout(LAST_WORDS):
                said = (await self._process.communicate())[1]
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            return ""
        return (said.decode(errors="replace").strip().splitlines() or [""])[-1][:300]

    @asynccontextmanager
    async def run(self, limits: Limits) -> AsyncGenerator[_Held]:
        """A process for one run; it is gone when the context is left."""
        with contextlib.ExitStack() as stack:
            channel, theirs = socket.socketpair()
            leash, keeper = socket.socketpair()
            pipes = os.pipe(), os.pipe()
            outputs = [stack.enter_context(open(end, "rb", 0)) for end, _ in pipes]  # noqa: ASYNC230
            for sock in (channel, leash):
                stack.enter_context(sock).setblocking(False)
            folder = INSIDE
            if not self._isolated:
                folder = tempfile.mkdtemp(prefix="heliograph-run-")
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
                if os.getuid() == 0:
                    os.chown(folder, jail.NOBODY, jail.NOBODY)
            wish = {
                "folder": folder,
                "limits": {
                    "memory": limits.memory,
                    "disk": limits.disk,
                    "cpu": limits.cpu,
                    "threads": limits.threads,
                    "open_files": limits.open_files,
                },
            }
            lent = [theirs.fileno(), pipes[0][1], pipes[1][1], keeper.fileno()]
            try:
                socket.send_fds(self._wishes, [json.dumps(wish).encode()], lent)
            except OSError:
                raise Unavailable("The sandbox's process just ended; try again.", retry_after=1) from None
            finally:
                theirs.close()
                keeper.close()
                for _, end in pipes:
                    os.close(end)
            yield _Held(channel, leash, outputs)


class _Run:
    """One run, from the script to what came of it."""

    def __init__(self, held: _Held, limits: Limits) -> None:
        self._held = held
        self._limits = limits
        self._started = time.monotonic()

    async def finish(
        self,
        first: dict[str, Json],
        files: Iterator[dict[str, Json]],
        tools: dict[str, ToolSpec],
        call: Call,
        *,
        on_print: Callable[[str], Awaitable[None]] | None,
        on_preview: Callable[[dict[str, Json]], Awaitable[None]] | None,
    ) -> Ran:
        streams = await asyncio.open_unix_connection(sock=self._held.channel)
        conversation = Conversation(streams, tools, call, self._limits, on_print=on_print, on_preview=on_preview)
        outputs = [asyncio.create_task(_read(pipe, self._limits.output)) for pipe in self._held.outputs]
        talk = asyncio.create_task(conversation.hold(first, files))
        outcome: dict[str, Json] | None = None
        killed: tuple[Killed, str] | None = None
        ended: dict[str, Any] = {}
        try:
            deadline = self._started + self._limits.seconds
            watched: set[asyncio.Future[Any]] = {talk, conversation.broken, *outputs}
            while not talk.done() and not conversation.broken.done() and killed is None:
                done, _ = await asyncio.wait(watched, timeout=max(0.0, deadline - time.monotonic()), return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    killed = "time", f"The program took longer than {self._limits.seconds:g} s (HELIOGRAPH_SANDBOX_TIMEOUT)."
                elif any(output.done() and output.result()[1] for output in outputs):
                    killed = "output", "The program wrote far more output than is kept."
                watched -= set(outputs) & done
            if conversation.broken.done():
                conversation.broken.result()
            if talk.done():
                try:
                    outcome = talk.result()
                except Misbehaved as error:
                    killed = "protocol", f"The program was ended: {error}."
                except Ended:
                    ended = await self._last_words(SILENCE)
                    if not ended:
                        killed = "protocol", "The program was ended: it closed its channel to the worker."
        finally:
            talk.cancel()
            await conversation.close()
            ended = ended or await self._end()
            await asyncio.wait(outputs, timeout=1.0)
            for output in outputs:
                output.cancel()
            await asyncio.gather(talk, *outputs, return_exceptions=True)
        if "failure" in ended:
            raise SandboxFailed(f"The sandbox could not run the program: {ended['failure']}")
        if "gone" in ended and outcome is None and killed is None:
            raise Unavailable("The sandbox's process ended while a program ran in it; try again.", retry_after=1)
        stdout, stderr = (output.result()[0] if output.done() and not output.cancelled() else "" for output in outputs)
        made = Ran(
            stdout=stdout, stderr=stderr, seconds=time.monotonic() - self._started, cpu=float(ended.get("cpu", 0)), calls=conversation.calls
        )
        if outcome is not None and killed is None:
            return self._judged(outcome, made)
        why, sentence = killed or self._cause(ended)
        return replace(made, error=sentence, killed=why)

    async def _end(self) -> dict[str, Any]:
        """Have the process killed if it still runs, and hear how it ended."""
        with contextlib.suppress(OSError):
            self._held.leash.shutdown(socket.SHUT_WR)
        return await self._last_words(LAST_WORDS)

    async def _last_words(self, patience: float) -> dict[str, Any]:
        """What the keeper says of how the process ended; nothing when it does not end in time, `gone` when the keeper did itself."""
        try:
            async with asyncio.timeout(patience):
                said = await asyncio.get_running_loop().sock_recv(self._held.leash, 4096)
        except TimeoutError:
            return {}
        except OSError:
            said = b""
        return json.loads(said) if said else {"gone": True}

    def _cause(self, ended: dict[str, Any]) -> tuple[Killed | None, str]:
        status = int(ended.get("status", signal.SIGKILL))
        if os.WIFSIGNALED(status):
            # The kernel keeps the limit by counting ticks, which on a busy machine are more than it measures. Nobody else sends SIGKILL.
            if os.WTERMSIG(status) == signal.SIGKILL and ended.get("cpu", 0) >= 0.5 * self._limits.cpu:
                return "cpu", f"The program used more than {self._limits.cpu} s of processor time (HELIOGRAPH_SANDBOX_CPU)."
            return "crash", f"The program was killed by {signal.Signals(os.WTERMSIG(status)).name}."
        return None, "The program ended its own process before it was done."

    def _judged(self, outcome: dict[str, Json], made: Ran) -> Ran:
        """The outcome as the program tells it, as far as it is one."""
        files: dict[str, bytes] = {}
        left = [str(sentence)[:LONGEST_SENTENCE] for sentence in _list(outcome.get("left"))[: self._limits.files]]
        for name, data in list(_dict(outcome.get("files")).items())[: self._limits.files]:
            try:
                if isinstance(data, bytes):
                    files[file_name(name)] = data
            except InvalidRequest:
                left.append(f"{name[:LONGEST_SENTENCE]!r}: not kept, because that is no name of a file here")
        error = outcome.get("error")
        value = outcome.get("value")
        if not is_json(value):
            value, error = None, "The program's value is no JSON."
        return replace(made, value=value, error=None if error is None else str(error)[:LONGEST_ERROR], files=files, left=tuple(left))


def _list(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else []


def _dict(value: Json) -> dict[str, Json]:
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


async def _read(pipe: BinaryIO, most: int) -> tuple[str, bool]:
    """What is written into a pipe until its end, the first `most` bytes of it, and whether it was far too much."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    kept, total = bytearray(), 0
    try:
        while piece := await reader.read(65536):
            kept += piece[: max(0, most - len(kept))]
            total += len(piece)
            if total > most * DISCARDED:
                break
    except asyncio.CancelledError:
        pass
    finally:
        transport.close()
    text = kept.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")  # which no database takes as text
    if total > most:
        text += f"\n[{total - most} more bytes were written, and are not kept]\n"
    return text, total > most * DISCARDED
