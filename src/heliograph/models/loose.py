"""JSON that another's server sent: whatever it is, it is walked without surprise."""

from __future__ import annotations

from typing import Any, cast

Json = Any


def table(value: Json) -> dict[str, Json]:
    """The object that it is, or an empty one."""
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def entries(value: Json) -> list[Json]:
    """The list that it is, or an empty one."""
    return cast("list[Json]", value) if isinstance(value, list) else []


def tables(value: Json) -> list[dict[str, Json]]:
    """The objects in the list that it is."""
    return [cast("dict[str, Json]", entry) for entry in entries(value) if isinstance(entry, dict)]


def string(value: Json) -> str:
    """The string that it is, or an empty one."""
    return value if isinstance(value, str) else ""


def count(value: Json) -> int:
    """The whole number above zero that it is, or zero."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
