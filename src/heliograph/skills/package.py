"""A skill's files, from a folder or a zip that nobody vouches for: SKILL.md with its frontmatter and text, schema.json, vlmrun.yaml."""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn, cast

import msgspec
import yaml

from heliograph.errors import InvalidRequest

MAX_ZIP = 8 << 20
MAX_UNPACKED = 64 << 20
MAX_FILES = 1000
MAX_SKILL_MD = 1 << 20
MAX_FRONTMATTER = 64 << 10
MAX_SCHEMA = 4 << 20

_FRONTMATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?(.*)\Z", re.DOTALL | re.MULTILINE)


class Package(msgspec.Struct, kw_only=True):
    """What SKILL.md, schema.json and vlmrun.yaml say. `text` is SKILL.md below its frontmatter: the instructions. `model`: the one that
    the skill was made for."""

    name: str | None = None
    description: str | None = None
    text: str
    schema: dict[str, Any] | None = None
    model: str | None = None


def read_zip(data: bytes) -> Package:
    """The skill in a zip: exactly one SKILL.md, at the root or in a folder, and schema.json and vlmrun.yaml beside it if they are there.

    Nothing is written to disk and nothing but these files is unpacked. Raises `InvalidRequest` for anything else, and for
    zips with paths that lead outside, links, encryption, or more files or bytes than a skill may have.
    """
    if len(data) > MAX_ZIP:
        raise InvalidRequest(f"The skill's zip is {len(data)} bytes; at most {MAX_ZIP} are taken.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)
            marked = [name for name in members if name.name.lower() == "skill.md"]
            if len(marked) != 1:
                raise InvalidRequest(f"A skill's zip holds exactly one SKILL.md; this one holds {len(marked)}.")
            schema, settings = (members.get(marked[0].parent / name) for name in ("schema.json", "vlmrun.yaml"))
            return _package(
                _unpack(archive, members[marked[0]], MAX_SKILL_MD),
                _unpack(archive, schema, MAX_SCHEMA) if schema else None,
                _unpack(archive, settings, MAX_FRONTMATTER) if settings else None,
            )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise InvalidRequest(f"The skill's bundle is not a zip that can be read: {error}.") from None


def read_folder(folder: Path) -> Package:
    """The skill in a folder. Raises `InvalidRequest` where SKILL.md is missing or a file cannot be read as what it is."""
    marked = next((path for path in sorted(folder.iterdir()) if path.name.lower() == "skill.md"), None) if folder.is_dir() else None
    if marked is None:
        raise InvalidRequest(f"There is no SKILL.md in {folder}.")
    schema, settings = folder / "schema.json", folder / "vlmrun.yaml"
    return _package(
        _load(marked, MAX_SKILL_MD),
        _load(schema, MAX_SCHEMA) if schema.is_file() else None,
        _load(settings, MAX_FRONTMATTER) if settings.is_file() else None,
    )


def _members(archive: zipfile.ZipFile) -> dict[PurePosixPath, zipfile.ZipInfo]:
    entries = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    if len(entries) > MAX_FILES:
        raise InvalidRequest(f"The skill's zip holds {len(entries)} files; at most {MAX_FILES} are taken.")
    if sum(info.file_size for info in entries) > MAX_UNPACKED:
        raise InvalidRequest(f"The skill's zip would unpack to more than {MAX_UNPACKED} bytes.")
    members: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in entries:
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
            raise InvalidRequest(f"The skill's zip holds a path that leads outside: {info.filename[:100]!r}.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InvalidRequest(f"The skill's zip holds a link: {info.filename[:100]!r}.")
        if info.flag_bits & 1:
            raise InvalidRequest("The skill's zip is encrypted.")
        if path in members:
            raise InvalidRequest(f"The skill's zip holds {info.filename[:100]!r} twice.")
        members[path] = info
    return members


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    with archive.open(info) as file:
        return _within(file.read, limit, info.filename)


def _load(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return _within(file.read, limit, path.name)


def _within(read: Callable[[int], bytes], limit: int, name: str) -> bytes:
    data = read(limit + 1)
    if len(data) > limit:
        raise InvalidRequest(f"{name[:100]} of the skill is larger than {limit} bytes.")
    return data


def _package(skill_md: bytes, schema: bytes | None, settings: bytes | None) -> Package:
    text = _text(skill_md, "SKILL.md")
    matter: dict[str, Any] = {}
    if found := _FRONTMATTER.match(text):
        matter, text = _yaml(found[1], "The frontmatter of SKILL.md"), found[2]
    return Package(
        name=_line(matter.get("name")),
        description=_line(matter.get("description")),
        text=text.strip(),
        schema=_schema(schema) if schema is not None else None,
        model=_line(_yaml(_text(settings, "vlmrun.yaml"), "vlmrun.yaml of the skill").get("model")) if settings is not None else None,
    )


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} of the skill is not UTF-8 text.") from None


def _yaml(text: str, what: str) -> dict[str, Any]:
    if len(text) > MAX_FRONTMATTER:
        raise InvalidRequest(f"{what} is longer than {MAX_FRONTMATTER} characters.")
    try:
        matter = cast(object, yaml.load(text, Loader=_PlainLoader))  # noqa: S506 (a SafeLoader without anchors)
    except RecursionError:
        raise InvalidRequest(f"{what} is nested too deeply.") from None
    except (yaml.YAMLError, ValueError) as error:
        problem = getattr(error, "problem", None) or str(error)
        raise InvalidRequest(f"{what} is not YAML: {problem}.") from None
    if matter is None:
        return {}
    if not isinstance(matter, dict):
        raise InvalidRequest(f"{what} is not a list of `key: value`.")
    return cast("dict[str, Any]", matter)


def _schema(data: bytes) -> dict[str, Any]:
    try:
        schema = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"schema.json of the skill is not JSON: {error}.") from None
    if not isinstance(schema, dict):
        raise InvalidRequest("schema.json of the skill is not a JSON Schema: it must be an object.")
    return cast("dict[str, Any]", schema)


def _line(value: object) -> str | None:
    return " ".join(str(value).split()) or None if isinstance(value, str | int | float) else None


class _PlainLoader(yaml.SafeLoader):
    """YAML without anchors and aliases, which frontmatter has no use for and with which a few bytes can mean gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = cast("yaml.Event", self.peek_event())  # pyright: ignore[reportUnknownMemberType]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _no_aliases()
        return super().compose_node(parent, index)


def _no_aliases() -> NoReturn:
    raise InvalidRequest("SKILL.md or vlmrun.yaml uses YAML anchors or aliases, which are not taken.")
