"""What a program computed, as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import inspect
import io
import math
import os
import pathlib
import stat
import sys
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, cast

DEEPEST = 64
LARGEST_ATTACHMENT = 64 << 20


def plain(value: Any, *, attach: bool = False, where: str = "the result", depth: int = 0) -> Any:
    """The value as JSON. Numbers that are no number become null, as pandas has it; paths, dates, enumerations and the like become strings.

    `attach`: bytes stay bytes, and pictures and files named by a `Path` become `{"name", "data"}`, for the arguments of a tool.
    Raises TypeError, which says where, for what has no form in JSON.
    """
    if depth > DEEPEST:
        raise TypeError(f"{where} is nested deeper than {DEEPEST} levels, or holds itself")
    match value:
        case None | bool():
            return value
        case enum.Enum():
            return plain(value.value, attach=attach, where=where, depth=depth + 1)
        case int():
            return int(value)
        case float():
            return float(value) if math.isfinite(value) else None
        case str():
            return str(value).encode("utf-8", "replace").decode()
        case bytes() | bytearray() | memoryview():
            if attach:
                return bytes(cast("bytes", value))
            raise TypeError(f"{where} holds bytes; write them to a file, or encode them as text")
        case pathlib.PurePath():
            return _attached(value) if attach else str(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return value.total_seconds()
        case decimal.Decimal() | fractions.Fraction():
            return plain(float(value), where=where)
        case uuid.UUID():
            return str(value)
        case Mapping():
            given = cast("Mapping[Any, Any]", value)
            return {
                _key(name, where): plain(inner, attach=attach, where=f"{where}[{name!r}]", depth=depth + 1) for name, inner in given.items()
            }
        case _:
            return _less_plain(value, attach=attach, where=where, depth=depth)


def _less_plain(value: Any, *, attach: bool, where: str, depth: int) -> Any:
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError(f"{where} is a call that was not awaited; put `await` before it")
    if _is_record(value):
        return plain(
            {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, attach=attach, where=where, depth=depth
        )
    if (numpy := sys.modules.get("numpy")) is not None:
        if isinstance(value, numpy.generic):
            return plain(value.item(), attach=attach, where=where, depth=depth + 1)
        if isinstance(value, numpy.ndarray):
            return plain(value.tolist(), attach=attach, where=where, depth=depth)
    if (pandas := sys.modules.get("pandas")) is not None:
        if isinstance(value, pandas.DataFrame):
            return plain(value.to_dict(orient="records"), attach=attach, where=where, depth=depth)
        if isinstance(value, (pandas.Series, pandas.Index)):
            return plain(value.tolist(), attach=attach, where=where, depth=depth)
        if value is pandas.NaT or value is pandas.NA:
            return None
    if (image := sys.modules.get("PIL.Image")) is not None and isinstance(value, image.Image):
        if not attach:
            raise TypeError(f"{where} holds a picture; save it to a file, which is kept, and return its name")
        held = io.BytesIO()
        value.save(held, "PNG")
        return {"name": "image.png", "data": held.getvalue()}
    if isinstance(value, Iterable) and not isinstance(value, type):
        several = cast("Iterable[Any]", value)
        return [plain(inner, attach=attach, where=f"{where}[{place}]", depth=depth + 1) for place, inner in enumerate(several)]
    raise TypeError(f"{where} holds {type(value).__name__}, which has no form in JSON")


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _key(name: object, where: str) -> str:
    match name:
        case str():
            return name.encode("utf-8", "replace").decode()
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[name]
        case _:
            return str(plain(name, where=f"a key of {where}"))


def _attached(path: pathlib.PurePath) -> Any:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return str(path)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_ATTACHMENT:
            return str(path)
        return {"name": path.name, "data": file.read()}


def made_files(folder: str, before: Mapping[str, tuple[int, int]], most: int, largest: int) -> tuple[dict[str, bytes], list[str]]:
    """Regular files below the folder that are new or changed, by relative name, and a sentence on each that was left.

    `most`: of them; `largest`: bytes of all. Links are not followed, and pipes and devices are not opened.
    """
    found: dict[str, bytes] = {}
    left: list[str] = []
    room = largest
    for name, path in _walk(folder):
        status = os.lstat(path)
        if before.get(name) == (status.st_mtime_ns, status.st_size):
            continue
        if not stat.S_ISREG(status.st_mode):
            left.append(f"{name}: not kept, because it is no regular file")
        elif len(found) >= most:
            left.append(f"{name}: not kept, because more than {most} files were made")
        elif status.st_size > room:
            left.append(f"{name}: not kept, because the files made exceed {largest >> 20} MiB")
        else:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                found[name] = file.read(room)
            room -= len(found[name])
    return found, left


def snapshot(folder: str) -> dict[str, tuple[int, int]]:
    """Modification time and size of each file below the folder, by relative name."""
    return {name: (status.st_mtime_ns, status.st_size) for name, path in _walk(folder) for status in [os.lstat(path)]}


def _walk(folder: str) -> Iterable[tuple[str, str]]:
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if name != "__pycache__" and not os.path.islink(os.path.join(place, name))]
        for name in sorted(files):
            path = os.path.join(place, name)
            yield os.path.relpath(path, folder).encode("utf-8", "replace").decode(), path


def text_or_bytes(data: bytes) -> str | bytes:
    """The text if this is UTF-8, else the bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
