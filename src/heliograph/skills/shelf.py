"""Stored skills, at hand: read packages in memory, and folders of their files on this machine.

Both are copies of a blob that is named after its content, so they never grow stale; what is asked for often costs nothing but the
first time. A folder is written beside its place and moved there whole, so nobody sees half of one. Before a process uses a folder
for the first time, and whenever a file of it looks other than it did, the content is hashed: what a crash or a hand has
spoilt is written again. Any number of processes may share one.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

import msgspec

from heliograph.errors import HeliographError, InvalidRequest, Unavailable
from heliograph.ids import new_id
from heliograph.skills import archive, package
from heliograph.skills.archive import Files
from heliograph.skills.package import Package

if TYPE_CHECKING:
    from heliograph.store.blobs import Blobs

MEMORY = 64 << 20
"""Bytes of packages in memory."""
DISK = 1 << 30
"""Bytes of folders, more or less: those used last stay."""
SPARED = 3600.0
"""Seconds after its last use in which a folder is left alone: a job may be reading it."""
UNUSED = 7 * 86400.0
"""Seconds after which a folder that nobody uses goes."""
AT_ONCE = 2
"""Packages that are fetched at a time: each may be 50 MB."""

Read = Callable[[bytes, str], Awaitable[Package]]
"""Reads a package from its zip and the hash that its content must have."""

_HASH = re.compile(r"[0-9a-f]{64}")
_State = frozenset[tuple[str, int, int]]


class DamagedSkill(HeliographError):
    """The stored files of a skill are not those that were published; publish it again."""


class Shelf:
    """The packages in `blobs`, kept in `folder` and in this process. Belongs to one event loop.

    `read`: how a package is read, where not here in a thread.
    """

    def __init__(self, blobs: Blobs, folder: Path, *, read: Read | None = None, memory: int = MEMORY, disk: int = DISK) -> None:
        self._blobs, self._folder, self._read = blobs, folder, read or _read_here
        self._memory, self._disk = memory, disk
        self._packages: OrderedDict[tuple[str, str], tuple[Package, int]] = OrderedDict()
        self._held = 0
        self._seen: dict[str, _State] = {}
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._fetching = asyncio.Semaphore(AT_ONCE)

    async def package(self, hash: str, blob: str) -> Package:
        """What the skill says whose content has this hash and stands under `blob`. Raises NotFound, Unavailable or DamagedSkill."""
        known = self._packages.get((hash, blob))
        if known is None:
            async with self._lock("package", hash):
                known = self._packages.get((hash, blob)) or await self._load(hash, blob)
        with suppress(KeyError):
            self._packages.move_to_end((hash, blob))
        return known[0]

    async def folder(self, hash: str, blob: str) -> Path:
        """A read-only folder with the skill's files, good for an hour from now. Raises as `package`, and Unavailable without room."""
        if not _HASH.fullmatch(hash):
            raise ValueError(f"not a hash: {hash!r}")
        place = self._folder / hash
        async with self._lock("folder", hash):
            if not await asyncio.to_thread(self._sound, place, hash):
                async with self._fetching:
                    data = await self._blobs.get(blob)
                    await asyncio.to_thread(self._put, data, hash, place)
        return place

    async def _load(self, hash: str, blob: str) -> tuple[Package, int]:
        async with self._fetching:
            found = await self._read(await self._blobs.get(blob), hash)
        size = len(msgspec.msgpack.encode(found))
        self._packages[hash, blob] = found, size
        self._held += size
        while self._held > self._memory and len(self._packages) > 1:
            _, (_, gone) = self._packages.popitem(last=False)
            self._held -= gone
        return found, size

    def _lock(self, what: Literal["package", "folder"], hash: str) -> asyncio.Lock:
        return self._locks.setdefault((what, hash), asyncio.Lock())

    def _sound(self, place: Path, hash: str) -> bool:
        """Whether the folder is there and holds what it should; then it counts as used."""
        state = _state(place)
        if state is None:
            return False
        if self._seen.get(hash) != state:
            try:
                if archive.content_hash(archive.from_folder(place)) != hash:
                    return False
            except InvalidRequest:
                return False
            self._seen[hash] = state
        try:
            os.utime(place)
        except FileNotFoundError:
            return False
        except OSError:  # another user's
            pass
        return True

    def _put(self, data: bytes, hash: str, place: Path) -> None:
        files = _unpacked(data, hash)
        beside = place.with_name(f".{hash[:16]}.{new_id()}")
        try:
            _write(files, beside)
            while not _moved(beside, place):
                if self._sound(place, hash):  # another process was faster
                    break
                spoilt = place.with_name(f".{hash[:16]}.{new_id()}")
                with suppress(FileNotFoundError):
                    place.rename(spoilt)
                _remove(spoilt)
            self._seen[hash] = _state(place) or frozenset()
        except OSError as problem:
            raise Unavailable(f"The files of a skill cannot be kept in {self._folder}: {problem.strerror or problem}.") from problem
        finally:
            _remove(beside)
        self._tidy()

    def _tidy(self) -> None:
        """Let go of what nobody used for long, and of what was used longest ago where there is too much; and of what a crash left."""
        now = time.time()
        kept: list[tuple[float, Path]] = []
        for path in list(self._folder.iterdir()):
            with suppress(FileNotFoundError):
                age = now - path.stat().st_mtime
                if age > (SPARED if path.name.startswith(".") else UNUSED):
                    _remove(path)
                elif not path.name.startswith("."):
                    kept.append((age, path))
        sizes = {path: sum(size for _, size, _ in _state(path) or ()) for _, path in kept}
        left = sum(sizes.values())
        for age, path in sorted(kept, reverse=True):
            if left <= self._disk or age < SPARED:
                return
            left -= sizes[path]
            _remove(path)


async def _read_here(data: bytes, hash: str) -> Package:
    return await asyncio.to_thread(read, data, hash)


def read(data: bytes, hash: str) -> Package:
    """The package in a stored zip. Raises DamagedSkill where its content does not have this hash."""
    return package.read(_unpacked(data, hash), hash=hash)


def _unpacked(data: bytes, hash: str) -> Files:
    try:
        files = archive.unpack(data)
    except InvalidRequest as problem:
        raise DamagedSkill from problem
    if archive.content_hash(files) != hash:
        raise DamagedSkill
    return files


def _state(place: Path) -> _State | None:
    """Every file with its size and when it was written; None where there is no folder, or it goes away meanwhile."""
    found: set[tuple[str, int, int]] = set()
    try:
        todo = [os.fspath(place)]
        while todo:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    about = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        found.add((entry.path, about.st_size, about.st_mtime_ns))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return frozenset(found)


def _write(files: Files, place: Path) -> None:
    """The files in a folder of their own, which nobody may write to from then on."""
    place.mkdir(parents=True, mode=0o700)
    folders = {place}
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        folders |= {folder for folder in path.parents if folder.is_relative_to(place)}
        path.write_bytes(content)
        path.chmod(0o444)
    for folder in folders:
        folder.chmod(0o555)


def _moved(beside: Path, place: Path) -> bool:
    """Whether the folder is at its place now; False where something stands there."""
    try:
        beside.rename(place)
    except OSError:
        if not os.path.lexists(place):
            raise
        return False
    return True


def _remove(place: Path) -> None:
    """Remove a folder that may not be written to; one that is gone is fine."""
    if not place.is_dir() or place.is_symlink():
        place.unlink(missing_ok=True)
        return
    for folder, _, _ in os.walk(place):
        with suppress(FileNotFoundError):
            Path(folder).chmod(0o700)
    shutil.rmtree(place, ignore_errors=True)
