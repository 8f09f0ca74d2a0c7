"""What earlier runs of an evaluation found out, kept on disk by everything that would change it."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

import heliograph
from heliograph.media.document import Page

T = TypeVar("T")


class Kept:
    """A folder of finished work, so that a run that was broken off goes on where it was."""

    def __init__(self, folder: Path | None, *, fresh: bool = False) -> None:
        """Without `folder` nothing is kept; `fresh` takes nothing from it, and keeps what is made anew."""
        self.folder, self.fresh = folder, fresh

    def find(self, kind: type[T], *key: Any) -> T | None:
        """What was kept under `key` (anything JSON can write), if it was."""
        path = self._path(key)
        return None if path is None or self.fresh or not path.exists() else msgspec.msgpack.decode(path.read_bytes(), type=kind)

    def keep(self, value: object, *key: Any) -> None:
        """Keep `value` (a msgspec struct) under `key`; whole or not at all."""
        path = self._path(key)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_bytes(msgspec.msgpack.encode(value))
            partial.replace(path)

    def _path(self, key: tuple[Any, ...]) -> Path | None:
        return self.folder / sha256(json.dumps(key).encode()).hexdigest()[:32] if self.folder is not None else None


class Pages:
    """The read pages of the file at `path`, kept in `folder` by its content, so that a document is read once whatever is asked of it."""

    def __init__(self, folder: Path, path: Path) -> None:
        self._folder = folder / digest(path)

    def find(self, index: int) -> Page | None:
        """A page that was read before."""
        kept = self._folder / str(index)
        return msgspec.msgpack.decode(kept.read_bytes(), type=Page) if kept.exists() else None

    def keep(self, page: Page) -> None:
        """Keep a page."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / str(page.index)).write_bytes(msgspec.msgpack.encode(page))

    def all(self) -> list[Page]:
        """Every page that was read before, in order."""
        indices = sorted(int(kept.name) for kept in self._folder.iterdir()) if self._folder.is_dir() else []
        return [page for index in indices if (page := self.find(index)) is not None]


def digest(path: Path) -> str:
    """A file by its content."""
    return sha256(path.read_bytes()).hexdigest()


@cache
def code(*rooms: str) -> str:
    """Changes with the code, vocabulary or models of these rooms, also between releases."""
    made = sha256()
    root = Path(heliograph.__file__).parent
    for room in rooms:
        for path in sorted((root / room).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                made.update(f"{path.relative_to(root)} ".encode() + path.read_bytes())
    return made.hexdigest()[:16]
