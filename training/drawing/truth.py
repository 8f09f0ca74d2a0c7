"""The true values of a drawn document, with where each is drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast

Json = Any
Corners = tuple[float, float, float, float, float, float, float, float]
"""Upper left, upper right, lower right, lower left, each x and y, as fractions of the page."""


_TICK = {True: "selected", False: "unselected"}
"""What is written of a box to tick."""


@dataclass
class Mark:
    """A value and the boxes of its lines, with the page (from 0) of each."""

    value: Json
    boxes: list[tuple[int, Corners]] = field(default_factory=list[tuple[int, Corners]])


@dataclass
class Element:
    """A block of the page: its category as layout detection names it, its text, the box of its ink; of a table its cells by rows."""

    category: str
    mark: Mark
    cells: list[list[str]] = field(default_factory=list[list[str]])


@dataclass
class Truth:
    """Marks by dotted path; a number in a path is the position in a list. And the blocks of the pages, in reading order."""

    marks: dict[str, Mark] = field(default_factory=dict[str, Mark])
    elements: list[Element] = field(default_factory=list[Element])

    def add(self, path: str, value: Json, page: int, corners: Corners) -> None:
        """Another line of the value at `path`; what is drawn twice keeps its first place only."""
        mark = self.marks.setdefault(path, Mark(value))
        if mark.value == value:
            mark.boxes.append((page, corners))

    def blocks(self) -> list[dict[str, Json]]:
        """The elements as they are written: category, text, page (from 0), box as `x, y, width, height`; tables with their cells."""
        made: list[dict[str, Json]] = []
        for element in self.elements:
            page, corners = element.mark.boxes[0]
            xs, ys = corners[::2], corners[1::2]
            box = [round(part, 5) for part in (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))]
            row: dict[str, Json] = {"category": element.category, "text": element.mark.value, "page": page, "xywh": box}
            made.append(row | ({"cells": element.cells} if element.cells else {}))
        return made

    def fields(self, schema: dict[str, Json], unscored: Collection[str] = ()) -> dict[str, Json]:
        """The tree that is written, in the shape of `schema`: marked leaves `{text, pages, boxes}` in objects and lists.

        What the schema asks and is not drawn is null, but for what its `x-absent` names and for the paths `unscored`: they are left out,
        as is what is drawn and not asked.
        """
        tree: dict[str, Json] = {}
        for path, mark in self.marks.items():
            _put(tree, path.split("."), _leaf(mark))
        left_out = {*unscored, *cast("list[str]", schema.get("x-absent", []))}
        return cast("dict[str, Json]", _shaped(tree, schema, schema, "", left_out))


def _shaped(node: Json, asked: dict[str, Json], schema: dict[str, Json], path: str, left_out: Collection[str]) -> Json:
    """`node` with what `asked` asks and nothing else; objects whose keys are positions become lists."""
    asked = _plain(asked, schema)
    table = cast("dict[str, Json]", node if isinstance(node, dict) else {})
    if "properties" in asked:
        properties = cast("dict[str, dict[str, Json]]", asked["properties"])
        inner = {name: f"{path}.{name}" if path else name for name in properties}
        return {
            name: _shaped(table.get(name), child, schema, inner[name], left_out)
            for name, child in properties.items()
            if inner[name] not in left_out
        }
    if "items" in asked:
        rows = [_row(table[key], asked["items"], schema) for key in sorted(table, key=int)]
        return [row for row in rows if row is not None] or None
    return cast("Json", node)


def _row(node: Json, asked: dict[str, Json], schema: dict[str, Json]) -> Json:
    """An entry of a list: only what is drawn of it, for no column of a list is called absent."""
    return _drawn(_shaped(node, asked, schema, "", ()))


def _drawn(node: Json) -> Json:
    if not isinstance(node, dict):
        return node
    table = cast("dict[str, Json]", node)
    if "boxes" in table:
        return table
    kept = {name: _drawn(child) for name, child in table.items()}
    return {name: child for name, child in kept.items() if child is not None} or None


def _plain(node: dict[str, Json], schema: dict[str, Json]) -> dict[str, Json]:
    """A node of a JSON Schema behind its reference and without its null."""
    while True:
        if "$ref" in node:
            name = cast("str", node["$ref"]).rsplit("/", 1)[-1]
            node = cast("dict[str, Json]", schema.get("$defs", schema.get("definitions", {}))[name])
        elif "anyOf" in node:
            node = next(part for part in cast("list[dict[str, Json]]", node["anyOf"]) if part.get("type") != "null")
        else:
            return node


def _leaf(mark: Mark) -> Json:
    if not mark.boxes:
        return mark.value
    first = mark.boxes[0][0]
    boxes = [[round(part, 5) for part in corners] for page, corners in mark.boxes if page == first]
    text = _TICK[mark.value] if isinstance(mark.value, bool) else mark.value
    return {"text": text, "pages": [first + 1], "boxes": boxes}


def _put(tree: dict[str, Json], steps: list[str], leaf: Json) -> None:
    for step in steps[:-1]:
        tree = cast("dict[str, Json]", tree.setdefault(step, {}))
    tree[steps[-1]] = leaf
