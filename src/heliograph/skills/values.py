"""Values that YAML and JSON can write, and that no database takes or no other process can be told."""

from __future__ import annotations

from typing import Any, cast

MAX_DEPTH = 256
"""Levels of lists and objects within each other. Of a schema; each level of an answer takes two of them and more."""


def fault(value: Any, *, depth: int = MAX_DEPTH) -> str | None:
    """What is wrong with a string, a number or the nesting anywhere in `value`, to be read after "holds"; None when nothing is."""
    level = [value]
    for _ in range(depth + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if "\0" in item:
                    return "a NUL character (U+0000), which no text may hold"
                if not _encodes(item):
                    return "half of a character (a lone surrogate)"
            elif isinstance(item, int):
                if not -(1 << 63) <= item < 1 << 64:
                    return "a whole number of more than 64 bits"
            elif isinstance(item, dict):
                below += [part for pair in cast("dict[Any, Any]", item).items() for part in pair]
            elif isinstance(item, list | tuple | set):
                below += cast("list[Any]", item)
        if not below:
            return None
        level = below
    return f"more than {depth} levels within each other"


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
