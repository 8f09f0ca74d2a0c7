"""The true values of a drawn document, with where each is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

Json = Any
Corners = tuple[float, float, float, float, float, float, float, float]
"""Upper left, upper right, lower right, lower left, each x and y, as fractions of the page."""


@dataclass
class Mark:
    """A value and the boxes of its lines, with the page (from 0) of each."""

    value: Json
    boxes: list[tuple[int, Corners]] = field(default_factory=list[tuple[int, Corners]])


@dataclass
class Truth:
    """Marks by dotted path; a number in a path is the position in a list."""

    marks: dict[str, Mark] = field(default_factory=dict[str, Mark])

    def add(self, path: str, value: Json, page: int, corners: Corners) -> None:
        """Another line of the value at `path`; what is drawn twice keeps its first place only."""
        mark = self.marks.setdefault(path, Mark(value))
        if mark.value == value:
            mark.boxes.append((page, corners))

    def fields(self, properties: dict[str, Json]) -> dict[str, Json]:
        """The tree that is written: marked leaves `{text, pages, boxes}` in objects and lists.

        What `properties` asks and is not drawn is null.
        """
        tree: dict[str, Json] = {}
        for path, mark in self.marks.items():
            steps = path.split(".")
            if steps[0] in properties:
                _put(tree, steps, _leaf(mark))
        return {name: _listed(tree.get(name)) for name in properties}


def _leaf(mark: Mark) -> Json:
    if not mark.boxes:
        return mark.value
    first = mark.boxes[0][0]
    boxes = [[round(part, 5) for part in corners] for page, corners in mark.boxes if page == first]
    return {"text": "selected" if mark.value is True else mark.value, "pages": [first + 1], "boxes": boxes}


def _put(tree: dict[str, Json], steps: list[str], leaf: Json) -> None:
    for step in steps[:-1]:
        tree = cast("dict[str, Json]", tree.setdefault(step, {}))
    tree[steps[-1]] = leaf


def _listed(node: Json) -> Json:
    """Objects whose keys are positions are lists."""
    if not isinstance(node, dict):
        return node
    table = cast("dict[str, Json]", node)
    if "boxes" in table:
        return table
    if table and all(key.isdigit() for key in table):
        return [_listed(table[key]) for key in sorted(table, key=int)]
    return {key: _listed(value) for key, value in table.items()}
