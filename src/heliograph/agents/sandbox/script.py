"""What a sandbox runs, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

from heliograph.config import Settings
from heliograph.errors import InvalidRequest

Json = Any
MiB = 1 << 20
Killed = Literal["time", "cpu", "output", "protocol", "crash"]
"""Why a program did not come to its own end: wall-clock time, processor time, too much output, a channel used wrongly, or a signal."""

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
LONGEST_NAME = 200
PIECE = 4 * MiB
DEEPEST = 128


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """A tool that a program may call, as `vlmrun.<group>.<name>`. `parameters`: JSON Schema of its arguments, in the order in which they
    may be given without their names."""

    group: str
    name: str
    doc: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def path(self) -> str:
        """`<group>.<name>`."""
        return f"{self.group}.{self.name}"


@dataclass(frozen=True)
class Attachment:
    """A picture or a file that a program handed to a tool: in the tool's arguments, where the program put a PIL image, bytes or a Path."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Answer:
    """What a tool answered, with files that the program finds in its working folder from then on, by name."""

    value: Json
    files: Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Script:
    """A program. It finds `arguments` as `inputs`, `files` in its working folder and `modules` (dotted name to source) to import.

    Its value is `result` if it assigns that name, else the value of its last line. With an `entry`, such as `main`, the value is what
    that function returns, which gets the arguments if it takes any and may be async.
    """

    code: str
    arguments: Json = None
    files: Mapping[str, bytes | Path] = field(default_factory=dict[str, "bytes | Path"])
    modules: Mapping[str, str] = field(default_factory=dict[str, str])
    entry: str | None = None
    name: str = "program.py"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one run may use. Bytes and seconds; `calls` of tools in all, `calls_at_once` at a time; `output` is kept of stdout and of
    stderr each, and as much again of lines printed while running."""

    memory: int = 1024 * MiB
    disk: int = 256 * MiB
    seconds: float = 300.0
    cpu: int = 60
    threads: int = 32
    open_files: int = 128
    output: int = 256 * 1024
    calls: int = 500
    calls_at_once: int = 8
    frame: int = 64 * MiB
    files: int = 200

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Those that the operator set."""
        return cls(memory=settings.sandbox_memory, disk=settings.sandbox_disk, seconds=settings.sandbox_timeout, cpu=settings.sandbox_cpu)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What came of a program. `error`: its traceback, or a sentence when it was `killed`. `left`: a sentence on each file not kept."""

    value: Json = None
    stdout: str = ""
    stderr: str = ""
    error: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    left: tuple[str, ...] = ()
    seconds: float = 0.0
    cpu: float = 0.0
    calls: int = 0
    killed: Killed | None = None


def opening(script: Script, tools: Mapping[str, ToolSpec], limits: Limits) -> dict[str, Json]:
    """The first message to the program. Raises InvalidRequest for a name that leads out of the working folder, or too much."""
    sizes = {file_name(name): len(given) if isinstance(given, bytes) else given.stat().st_size for name, given in script.files.items()}
    if sum(sizes.values()) > limits.disk:
        raise InvalidRequest(f"The files of a program may have {limits.disk // MiB} MiB together (HELIOGRAPH_SANDBOX_DISK).")
    for name in script.modules:
        if not _MODULE.fullmatch(name):
            raise InvalidRequest(f"{name!r} is no name of a module.")
    return {
        "code": script.code,
        "name": file_name(script.name),
        "entry": script.entry,
        "arguments": script.arguments,
        "modules": dict(script.modules),
        "tools": [
            {"group": tool.group, "name": tool.name, "doc": tool.doc, "parameters": list(tool.parameters.get("properties", {}))}
            for tool in tools.values()
        ],
        "most_files": limits.files,
        "most_bytes": min(limits.disk, limits.frame // 2),
    }


def pieces(script: Script) -> Iterator[dict[str, Json]]:
    """The messages after the first: the files, piece by piece, and an end."""
    for name, given in script.files.items():
        yield {"file": file_name(name), "data": b""}
        with BytesIO(given) if isinstance(given, bytes) else given.open("rb") as file:
            while data := file.read(PIECE):
                yield {"file": file_name(name), "data": data}
    yield {"file": None}


def file_name(name: str) -> str:
    """The name, if it is a plain relative path. Raises InvalidRequest."""
    path = PurePosixPath(name)
    if not name or len(name) > LONGEST_NAME or path.is_absolute() or ".." in path.parts or not name.isprintable() or not path.parts:
        raise InvalidRequest(f"{name[:LONGEST_NAME]!r} is no name of a file in the working folder.")
    return str(path)


def is_json(value: Any, depth: int = 0) -> bool:
    """Whether this is JSON of at most `DEEPEST` levels."""
    if depth > DEEPEST:
        return False
    match value:
        case None | bool() | int() | float() | str():
            return True
        case list():
            return all(is_json(inner, depth + 1) for inner in cast("list[Any]", value))
        case dict():
            return all(isinstance(name, str) and is_json(inner, depth + 1) for name, inner in cast("dict[Any, Any]", value).items())
        case _:
            return False
