"""What extraction hands on: values in the asked shape, and beside every leaf how it is known.

`Extraction.values` is the bare JSON answer. `Extraction.leaves` maps the path of each scalar leaf (object keys and list
indices, as in `("items", 0, "description")`) to its `Leaf`. `metadata.py` joins both into the wire's `<field>_metadata`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

import msgspec

from heliograph.media.geometry import Box

State = Literal["found", "absent", "unreadable", "not_reached", "refused"]
Match = Literal["exact", "fuzzy", "computed", "model", "none"]
Label = Literal["hi", "med", "lo"]
Path = tuple[str | int, ...]
FieldPath = tuple[str, ...]
"""A path in the schema, `[]` standing for each item of a list."""


class Evidence(msgspec.Struct, frozen=True):
    """Words on a page that carry a value: their raw text, a tight box, and the reader's score 0-1."""

    content: str
    box: Box
    score: float


class Leaf(msgspec.Struct):
    """How one scalar value is known. `probability` (0-1) is calibrated: the share of such values that are right."""

    value: Any
    state: State = "found"
    match: Match = "none"
    probability: float = 0.0
    evidence: list[Evidence] = []


class Extraction(msgspec.Struct):
    """An answer: `values` in the shape of the schema, `leaves` by path, and warnings for `usage.message`.

    `reasons`: by path, the traits that a probability was computed from, where a model was asked (`combining`); never part of a response.
    """

    values: Any
    leaves: dict[Path, Leaf]
    warnings: list[str] = []
    reasons: dict[Path, dict[str, float]] = {}


def field_path(path: Path) -> FieldPath:
    """The field that the leaf at `path` answers."""
    return tuple("[]" if isinstance(step, int) else step for step in path)


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every scalar of an answer, null too, with its path; `path` is that of `value` itself."""
    if isinstance(value, dict):
        for name, child in cast("dict[str, Any]", value).items():
            yield from walk(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(cast("list[Any]", value)):
            yield from walk(child, (*path, index))
    else:
        yield path, value
