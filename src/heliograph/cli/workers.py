"""Worker processes on this machine: started, watched, started again when they die, and drained at the end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

log = logging.getLogger(__name__)

SHORTEST, LONGEST = 0.2, 30.0
"""Seconds before a dead worker is replaced: the first time, and at most; doubled each time it dies young."""
GROWN_UP = 30.0
"""Seconds after which a worker that dies did not die young."""


class Workers:
    """`count` processes of `command`, each told by the end of its standard input that this process is gone.

    `patience`: seconds that a worker may take to stop before it is killed.
    """

    def __init__(self, count: int, command: list[str], environment: Mapping[str, str], *, patience: float) -> None:
        self._count = count
        self._command = command
        self._environment = dict(environment)
        self._patience = patience
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run."""
        return [process.pid for process in self._running.values()]

    def start(self) -> None:
        """Start the workers; they are kept running until `stop`."""
        self._keepers = [asyncio.create_task(self._keep(number)) for number in range(self._count)]

    def drain(self) -> None:
        """Ask the workers to stop; they hand back what they cannot finish in time."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the workers at once; what they did is rescued by others."""
        self._stopping.set()
        self._signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Drain the workers, and kill those that have not stopped in time."""
        self.drain()
        if not self._keepers:
            return
        _, late = await asyncio.wait(self._keepers, timeout=self._patience)
        if late:
            log.warning("%d workers did not stop within %.0f s and are killed", len(late), self._patience)
            self.kill()
            await asyncio.wait(late)

    def _signal(self, what: signal.Signals) -> None:
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.send_signal(what)

    async def _keep(self, number: int) -> None:
        pause = SHORTEST
        while not self._stopping.is_set():
            began = time.monotonic()
            # a session of its own: Ctrl-C in the terminal goes to this process, which decides
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, env=self._environment, start_new_session=True
            )
            self._running[number] = process
            if self._stopping.is_set():  # while it was being started
                process.terminate()
            code = await process.wait()
            del self._running[number]
            if self._stopping.is_set():
                return
            pause = SHORTEST if time.monotonic() - began > GROWN_UP else min(pause * 2, LONGEST)
            log.warning("worker %d (pid %d) %s; the next starts in %.1f s", number + 1, process.pid, _ended(code), pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)


def stop_signals() -> list[signal.Signals]:
    """What asks a process to stop: Ctrl-C, a service manager, and the terminal that closes unless `nohup` says to mind it not."""
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]


def command() -> list[str]:
    """The command line of a worker process."""
    return [sys.executable, "-m", "heliograph.cli.worker"]


def environment(url: str, data_dir: os.PathLike[str]) -> dict[str, str]:
    """This process's environment, with the database and the data folder that its workers shall use."""
    return dict(os.environ) | {"HELIOGRAPH_DATABASE_URL": url, "HELIOGRAPH_DATA_DIR": os.fspath(data_dir)}


def _ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
