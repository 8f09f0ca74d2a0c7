"""What runs in the child of `skills.py`; nothing else may import it but for `packed`."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import BinaryIO

import msgspec

from heliograph.errors import NotFound, PayloadTooLarge
from heliograph.skills import archive, package
from heliograph.skills.archive import Files
from heliograph.skills.validation import objections


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A skill that can be kept: `data` is its zip, `hash` that of its content, `size` the bytes of its `count` files unpacked. `name` and
    `description` are those of SKILL.md; `warnings` say what has no effect, and what the Agent Skills specification has against it."""

    data: bytes
    hash: str
    name: str | None
    description: str | None
    count: int
    size: int
    warnings: list[str]


def pack(path: Path) -> Packed:
    """The skill in the zip at `path`. Raises InvalidRequest."""
    with _opened(path) as file:
        data = file.read(archive.MAX_PACKED + 1)
    if len(data) > archive.MAX_PACKED:
        raise PayloadTooLarge(f"A skill's zip may have {archive.MAX_PACKED} bytes.")
    return judged(archive.unpack(data))


def judged(files: Files) -> Packed:
    """The skill of these files, with what the specification has against it. Raises InvalidRequest where it cannot work."""
    made = packed(files)
    return msgspec.structs.replace(made, warnings=[*made.warnings, *objections(files[archive.SKILL_MD].decode())])


def packed(files: Files) -> Packed:
    """The skill of these files, not held against the specification: its validator is slow to load. Raises InvalidRequest as `judged`."""
    hash = archive.content_hash(files)
    found = package.read(files, hash=hash)
    return Packed(
        data=archive.pack(files),
        hash=hash,
        name=found.name,
        description=found.description,
        count=len(files),
        size=sum(map(len, files.values())),
        warnings=found.warnings,
    )


def listing(path: Path) -> dict[str, int]:
    """The sizes of the files, by path, of the skill whose zip is at `path`."""
    with _opened(path) as file, zipfile.ZipFile(file) as kept:
        return {member.filename: member.file_size for member in kept.infolist()}


def content(path: Path, name: str) -> bytes:
    """The file called `name` of the skill whose zip is at `path`. Raises NotFound."""
    with _opened(path) as file, zipfile.ZipFile(file) as kept:
        if name not in kept.namelist():
            raise NotFound(f"The skill has no file {name[:200]!r}.")
        return kept.read(name)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound("Its content is gone: it was deleted a moment ago.") from None
