"""A skill's files: out of a zip or a folder that nobody vouches for, into a zip that is the same on every machine, and their hash.

    files = unpack(data)        # {"SKILL.md": b"...", "schema.json": b"...", "resources/terms.md": b"..."}
    content_hash(files)         # names this content, whatever zip it came in
    unpack(pack(files)) == files

Nothing touches the disk but `from_folder`, which reads. What goes in and out of both is the same: paths are relative to the folder
of SKILL.md, which is spelt so however it was, and what operating systems and tools leave behind (`LITTER`) is no part of a skill.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from heliograph.errors import InvalidRequest

Files = dict[str, bytes]
"""Path (POSIX, relative to the folder of SKILL.md) -> content, sorted by path. `SKILL.md` is always there."""

SKILL_MD = "SKILL.md"
LITTER = frozenset({".git", "__pycache__", "__MACOSX", ".DS_Store"})
"""Names of files and folders that are left out."""

MAX_FILES = 500
MAX_UNPACKED = 50 << 20
"""Bytes of all files together."""
MAX_PACKED = MAX_UNPACKED + (1 << 20)
"""Bytes of a zip: all that is allowed, not compressed at all, and the zip's own directory."""
MAX_RATIO = 100
"""Bytes that a byte of a zip may unpack to, over the whole zip. Text compresses to a tenth, DEFLATE at best to a thousandth."""
MAX_PATH = 500
MAX_NAME = 250
"""Bytes (UTF-8) of a path and of one part of it, so that every file system takes it."""

_MAX_ENTRIES = 20_000
"""Entries of a zip's directory, litter and folders with them: more is not even listed, since each takes memory."""
_ENTRY = b"PK\x01\x02"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def unpack(data: bytes) -> Files:
    """The files of a skill's zip, whose one SKILL.md is at the root or in a folder that holds everything else too.

    Raises `InvalidRequest` for anything else; for paths that lead outside, that no file system takes, or that are one on some;
    for links and devices; for encryption; and for more files or bytes, or a higher ratio, than a skill may have.
    """
    if len(data) > MAX_PACKED:
        raise InvalidRequest(f"The skill's zip is larger than {MAX_PACKED} bytes, which is the most that is taken.")
    if data.count(_ENTRY) > _MAX_ENTRIES:
        raise InvalidRequest(f"The skill's zip holds more than {_MAX_ENTRIES} entries; at most {MAX_FILES} files are taken.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive.infolist(), len(data))
            root = _root(members, "The skill's zip")
            return _readable({path.removeprefix(root): archive.read(info) for path, info in members.items()})
    except _BROKEN as error:
        raise InvalidRequest(f"The skill's bundle is not a zip that can be read: {str(error) or 'it ends too early'}.") from None


def pack(files: Files) -> bytes:
    """A zip of `files`, SKILL.md at its root: the same bytes for the same files."""
    packed = _pack(files, zipfile.ZIP_DEFLATED)
    return packed if sum(map(len, files.values())) <= MAX_RATIO * len(packed) else _pack(files, zipfile.ZIP_STORED)


def content_hash(files: Files) -> str:
    """SHA-256, hexadecimal, of each file in the order of its path: its path and its bytes, each after its length (8 bytes, big endian)."""
    digest = hashlib.sha256()
    for path in sorted(files):
        for part in (path.encode(), files[path]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def from_folder(folder: Path) -> Files:
    """The files of the skill in `folder`, SKILL.md at its top. Raises `InvalidRequest` as `unpack`, and for what is no plain file."""
    if not folder.is_dir():
        raise InvalidRequest(f"There is no SKILL.md in {folder}: it is no folder.")
    files: Files = {}
    left = MAX_UNPACKED
    try:
        for path in _walk(folder):
            name = _path(path.relative_to(folder).as_posix())
            if len(files) == MAX_FILES:
                raise InvalidRequest(f"{folder} holds more than {MAX_FILES} files, which is the most that a skill may have.")
            with path.open("rb") as file:
                files[name] = file.read(left + 1)
            left -= len(files[name])
            if left < 0:
                raise InvalidRequest(f"{folder} holds more than {MAX_UNPACKED} bytes, which is the most that a skill may have.")
    except OSError as error:
        raise InvalidRequest(f"{error.filename or folder} cannot be read: {error.strerror or error}.") from None
    _distinct(files)
    if not any(name.lower() == "skill.md" for name in files):
        raise InvalidRequest(f"There is no SKILL.md in {folder}.")
    _root(files, str(folder))
    return _readable(files)


def _members(entries: Iterable[zipfile.ZipInfo], packed: int) -> dict[str, zipfile.ZipInfo]:
    """What shall be unpacked, by path; all of it looked at before any of it is opened."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in entries:
        name = _name(info)
        if LITTER.intersection(name.split("/")):
            continue
        path = _path(name)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise InvalidRequest(f"The skill's zip holds a link: {name[:100]!r}.")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise InvalidRequest(f"The skill's zip holds a device or a pipe: {name[:100]!r}.")
        if name.endswith("/"):
            continue
        if info.flag_bits & 1:
            raise InvalidRequest("The skill's zip is encrypted.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InvalidRequest(f"The skill's zip holds {name[:100]!r} compressed by a method other than DEFLATE.")
        if path in members:
            raise InvalidRequest(f"The skill's zip holds {name[:100]!r} twice.")
        members[path] = info
    size = sum(info.file_size for info in members.values())
    if len(members) > MAX_FILES:
        raise InvalidRequest(f"The skill's zip holds {len(members)} files; at most {MAX_FILES} are taken.")
    if size > MAX_UNPACKED:
        raise InvalidRequest(f"The skill's zip would unpack to more than {MAX_UNPACKED} bytes.")
    if size > MAX_RATIO * packed:
        raise InvalidRequest(f"The skill's zip would unpack to more than {MAX_RATIO} times its size.")
    _distinct(members)
    return members


def _name(info: zipfile.ZipInfo) -> str:
    """The path as it stands in the zip. Many tools write UTF-8 without saying so."""
    try:
        return info.orig_filename if info.flag_bits & 0x800 else info.orig_filename.encode("cp437").decode()
    except UnicodeError:
        return info.orig_filename


def _path(name: str) -> str:
    """`name` as a path below the skill's folder, on every operating system."""
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"The skill holds a path that is not text: {name[:100]!r}.") from None
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise InvalidRequest(f"The skill holds a path with a control character: {name[:100]!r}.")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise InvalidRequest(f"The skill holds a path that leads outside: {name[:100]!r}.")
    if len(encoded) > MAX_PATH or any(len(part.encode()) > MAX_NAME for part in path.parts):
        raise InvalidRequest(f"The skill holds a path that is longer than {MAX_PATH} bytes, or {MAX_NAME} in one part: {name[:100]!r}.")
    return str(path)


def _distinct(paths: Iterable[str]) -> None:
    """Raise where two paths are one on a file system that minds neither case nor how accents are composed, or a file is a folder too."""
    kept: dict[str, str] = {}
    for path in paths:
        folded = _folded(path)
        if folded in kept:
            raise InvalidRequest(f"The skill holds {kept[folded][:100]!r} and {path[:100]!r}, which are one file on some systems.")
        kept[folded] = path
    for path in kept.values():
        for folder in PurePosixPath(path).parents:
            if (file := kept.get(_folded(str(folder)))) is not None:
                raise InvalidRequest(f"The skill holds {file[:100]!r} both as a file and as a folder.")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _root(paths: Iterable[str], what: str) -> str:
    """The folder of the only SKILL.md, as a prefix."""
    paths = list(paths)
    marked = [path for path in paths if PurePosixPath(path).name.lower() == "skill.md"]
    if len(marked) != 1:
        raise InvalidRequest(f"{what} holds {len(marked)} files called SKILL.md; a skill has exactly one.")
    root = marked[0][: -len(SKILL_MD)]
    outside = next((path for path in paths if not path.startswith(root)), None)
    if outside is not None:
        raise InvalidRequest(f"{what} holds {outside[:100]!r} outside the folder of SKILL.md, {root[:100]!r}.")
    return root


def _readable(files: Files) -> Files:
    """The files in their order, the one SKILL.md spelt so, and text."""
    files = {SKILL_MD if path.lower() == "skill.md" else path: content for path, content in files.items()}
    try:
        files[SKILL_MD].decode()
    except UnicodeDecodeError:
        raise InvalidRequest("SKILL.md of the skill is not UTF-8 text.") from None
    return dict(sorted(files.items()))


def _walk(folder: Path) -> Iterator[Path]:
    """Every file in and below `folder`, but litter."""

    def fail(error: OSError) -> None:
        raise error

    for base, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(set(folders) - LITTER)
        for path in (Path(base, name) for name in (*folders, *sorted(set(names) - LITTER))):
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise InvalidRequest(f"{path} is a link; a skill holds files only.")
            if stat.S_ISREG(mode):
                yield path
            elif not stat.S_ISDIR(mode):
                raise InvalidRequest(f"{path} is a device or a pipe; a skill holds files only.")


def _pack(files: Files, method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, _EPOCH)
            info.compress_type, info.create_system, info.external_attr = method, 3, (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, files[path], compresslevel=6)
    return buffer.getvalue()
