"""JSON of a shape that nobody vouches for."""

from __future__ import annotations

from typing import Any, TypeGuard

Node = dict[str, Any]


def is_object(value: object) -> TypeGuard[Node]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def mapping(value: object) -> Node:
    """A JSON object; what is none is empty."""
    return value if is_object(value) else {}


def sequence(value: object) -> list[Any]:
    """A JSON array; what is none is empty."""
    return value if is_array(value) else []
