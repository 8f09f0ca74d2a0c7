"""One process serves a GGUF file to everybody on this machine: found, started and started anew here.

    server = LocalServer("local", spec)
    async with server.asking() as address: ...      # as long as a request takes
    server.leave()

Whoever asks first starts it (`_gguf`). It belongs to no worker, so it lives on when one dies.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from heliograph.children import INHERITED
from heliograph.config import ModelSettings
from heliograph.errors import NotConfigured
from heliograph.models.errors import ModelUnavailable
from heliograph.models.gguf_file import BadFile, Header, read_header
from heliograph.models.gguf_locks import Lock, Place

CONTEXT = 16_384
"""Tokens of context unless the setting says otherwise, at most what the model was trained for: memory grows with it."""
NICENESS = 10
"""How far the server steps back behind the machine's other engines (docs/design/models.md has the measurement)."""
GRACE = 10.0
"""Seconds that it stays after the last process that may ask it has gone."""
IDLE = 900.0
"""Seconds without a request after which it gives its memory back."""
DYING = 3.0
"""Seconds that are waited for a server that broke off to turn out dead."""
STARTING = 0.05
"""Seconds between two looks at a server that is loading."""
UNLOADABLE = "could not be loaded"
"""The last line of the log of a server whose files llama.cpp refused."""
_ERROR = re.compile(r" E [^:]*: (?:error loading model: )?(?!encountered an error while trying to fit)(.*)")
SPARE = 256 << 20
"""Bytes that a model needs beside its weights and context."""


class Address(msgspec.Struct, frozen=True):
    """Where a server listens, with its key, and its process."""

    url: str
    key: str
    pid: int


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What is served and how. `context`: tokens of one request. `slots`: requests answered side by side."""

    path: str
    folder: str
    context: int
    mmproj: str | None = None
    slots: int = 1
    threads: int = 1
    niceness: int = NICENESS
    grace: float = GRACE
    idle: float = IDLE


def specify(name: str, settings: ModelSettings, *, folder: Path, threads: int) -> Spec:
    """What the route `name` serves. Raises NotConfigured, with the setting at fault: a file missing, damaged or of the wrong kind."""
    path, header = _checked(name, "path", settings.path)
    if header.projector:
        raise NotConfigured(f"models.{name}.path: {path} is a vision projector; it belongs into models.{name}.mmproj.")
    mmproj = None
    if settings.mmproj is not None:
        mmproj, projector = _checked(name, "mmproj", settings.mmproj)
        if not projector.projector:
            raise NotConfigured(f"models.{name}.mmproj: {mmproj} is a language model ({projector.architecture}), not a vision projector.")
        if None not in (projector.width, header.width) and projector.width != header.width:
            raise NotConfigured(
                f"models.{name}.mmproj: {mmproj} belongs to another model: it makes {projector.width} numbers of a picture's part, "
                f"and {path.name} takes {header.width}."
            )
    try:
        engine = version("xllamacpp")
    except PackageNotFoundError:
        raise NotConfigured(f"The model route {name!r} needs a package: pip install 'heliograph[gguf]'.") from None
    context = settings.context or min(CONTEXT, header.context or CONTEXT)
    slots = settings.concurrency if "concurrency" in settings.model_fields_set else 1
    files = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in (path, mmproj) if file is not None]
    key = hashlib.sha256(json.dumps([engine, files, context, slots, threads]).encode()).hexdigest()[:16]
    return Spec(
        path=str(path), mmproj=str(mmproj) if mmproj else None, folder=str(folder / key), context=context, slots=slots, threads=threads
    )


class LocalServer:
    """The server of one file, as this process sees it. Belongs to one event loop."""

    def __init__(self, name: str, spec: Spec) -> None:
        self.spec = spec
        self._name = name
        self._place = Place(Path(spec.folder))
        self._user = Lock(self._place.users, shared=True)

    async def died(self) -> bool:
        """Whether it is dead, after a request that it did not answer. A process that is killed lets go of its memory before its locks."""
        until = time.monotonic() + DYING
        while not Lock(self._place.alive, shared=True).free():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(STARTING)
        return True

    @asynccontextmanager
    async def asking(self) -> AsyncGenerator[Address]:
        """Keep it from ending for the time of a request, starting it where there is none.

        Raises NotConfigured when it can never load, ModelUnavailable when it could not this time.
        """
        self._place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        await self._user.__aenter__()  # kept until `leave`
        async with Lock(self._place.busy, shared=True):
            yield self._found() or await self._start()

    def leave(self) -> None:
        """This process will not ask again."""
        self._user.release()

    def _found(self) -> Address | None:
        told = self._place.read()
        return msgspec.convert(told, Address) if told is not None else None

    async def _start(self) -> Address:
        async with Lock(self._place.starting):
            found = self._found()  # another process was quicker
            if found is not None:
                return found
            await asyncio.to_thread(_need_memory, self._name, self.spec)
            if Lock(self._place.alive, shared=True).free():
                self._place.address.unlink(missing_ok=True)
                await asyncio.to_thread(self._launch)
            while not Lock(self._place.alive, shared=True).free():
                found = self._found()
                if found is not None:
                    return found
                await asyncio.sleep(STARTING)
        raise self._failure()

    def _launch(self) -> None:
        """Start it, and wait until it has left us and holds its lock."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-m", "heliograph.models._gguf", json.dumps(msgspec.to_builtins(self.spec))],
            env={name: os.environ[name] for name in INHERITED if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
            raise ModelUnavailable(f"The process that serves the model route {self._name!r} could not be started: {words[-1]}.")

    def _failure(self) -> NotConfigured | ModelUnavailable:
        """Why a server that was started is not there, from its log."""
        said = last_words(self._place.log)
        if not said.endswith(UNLOADABLE):
            return ModelUnavailable(f"The process that serves the model route {self._name!r} died while it loaded ({said or 'no words'}).")
        files = self.spec.path if self.spec.mmproj is None else f"{self.spec.path} with {self.spec.mmproj}"
        return NotConfigured(f"models.{self._name}.path: {files} cannot be served: {said.removesuffix(UNLOADABLE).strip()}.")


def last_words(log: Path) -> str:
    """Why a server failed, as the end of its log says: the first error of llama.cpp's, and the last line."""
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    told = [found[1].strip() for line in lines if (found := _ERROR.search(line))]
    return " ".join([*told[:1], *lines[-1:]])[-600:]


def _checked(name: str, setting: str, path: Path | None) -> tuple[Path, Header]:
    if path is None:
        raise NotConfigured(f"The model route {name!r} of kind gguf needs models.{name}.{setting}, the file to serve.")
    path = path.expanduser().absolute()
    try:
        return path, read_header(path)
    except BadFile as error:
        raise NotConfigured(f"models.{name}.{setting}: {path} {error}.") from None
    except OSError as error:
        raise NotConfigured(f"models.{name}.{setting}: {path} cannot be read: {error.strerror}.") from None


def _need_memory(name: str, spec: Spec) -> None:
    """Raise NotConfigured when the file cannot fit: the machine would swap or kill for minutes before it says so itself."""
    files = [Path(file) for file in (spec.path, spec.mmproj) if file is not None]
    per_token = read_header(files[0]).bytes_per_token or 0
    needed = sum(file.stat().st_size for file in files) + per_token * spec.context * spec.slots + SPARE
    free = free_memory()
    if free is not None and needed > free:
        raise NotConfigured(
            f"The model route {name!r} needs about {needed / (1 << 30):.1f} GiB of memory, and {free / (1 << 30):.1f} GiB are free: "
            f"serve a smaller file, or lower models.{name}.context ({spec.context}) or models.{name}.concurrency ({spec.slots})."
        )


def free_memory() -> int | None:
    """Bytes that a new process may take: what the machine has, and this container; None where neither is told."""
    found: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError, IndexError):
        pass
    try:
        group = Path("/sys/fs/cgroup")
        most = (group / "memory.max").read_text().strip()
        if most.isdigit():
            held = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            found.append(int(most) - int(held["anon"]))
    except (OSError, ValueError, KeyError):
        pass
    return min(found, default=None)
