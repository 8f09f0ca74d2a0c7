"""How the processes that use a served GGUF file find each other: files and locks of one folder.

Locks are the kernel's (`flock`), so that a process that is killed holds none, and nothing has to be tidied up after it.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any, Self

POLL = 0.03
"""Seconds between two tries to take a lock."""


class Place:
    """The folder of one served file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.alive = folder / "alive"
        """Locked by the server for as long as it lives."""
        self.starting = folder / "starting"
        """Locked by whoever starts it."""
        self.users = folder / "users"
        """Shared by every process that may ask it."""
        self.busy = folder / "busy"
        """Shared by every request under way."""
        self.address = folder / "server.json"
        """Where it listens, and its key; there once it answers."""
        self.log = folder / "log"

    def announce(self, address: dict[str, Any]) -> None:
        """Write the address, readable by this user only, whole or not at all."""
        draft = self.folder / f".server.{os.getpid()}.json"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(address, file)
        draft.replace(self.address)

    def read(self) -> dict[str, Any] | None:
        """The address of the server, None when there is none alive."""
        if Lock(self.alive, shared=True).free():
            return None
        try:
            found: Any = json.loads(self.address.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and "url" in found else None  # pyright: ignore[reportUnknownVariableType]


class Lock:
    """A lock on a file, which is made when it is not there. `shared`: any number may hold it, but none beside one that is not shared."""

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self._path = path
        self._kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._file: int | None = None

    def take(self) -> bool:
        """Take it if it is free; whether it is held now."""
        if self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, self._kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def wait(self, seconds: float) -> bool:
        """Take it, waiting for it for a while; whether it is held now."""
        until = time.monotonic() + seconds
        while not self.take():
            if time.monotonic() > until:
                return False
            time.sleep(POLL)
        return True

    def free(self) -> bool:
        """Whether it could be taken."""
        if self._file is not None:
            return True
        taken = self.take()
        self.release()
        return taken

    def release(self) -> None:
        """Let go of it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def __aenter__(self) -> Self:
        while not self.take():  # noqa: ASYNC110 - other processes hold it
            await asyncio.sleep(POLL)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()
