"""Labelled sets on disk: a folder with `manifest.jsonl`, files, truth and schemas.

`manifest.jsonl`: one object a line with `id`, `set`, `path`, `truth_path`. `schemas/<set>.json` (or `<set>.<kind>.json`) is the schema to
ask with; its `x-absent` names fields that the documents cannot hold and is taken off before anything sees it. A truth is an object in
the shape of the schema, under `fields` or as it is; any leaf of it may be marked with where it stands: `{"text": value, "pages": [1],
"boxes": [[x, y, ...]]}`, pages from 1, a polygon a line, in fractions of the page. Beside `fields` may stand `unscored`: names of fields of
which no truth is known. Nothing here reaches the system under test but the
file's bytes and the schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
from PIL import Image

from heliograph.media.geometry import Box, union

Json = Any
AMERICAN = frozenset({"forms_adbuy_deepform", "forms_fara_vrdu", "forms_azure_labelled"})
"""Sets whose truth writes the month first."""
IMAGES = "-images"
"""What the name of a set ends in when its PDFs are shown as page images."""


class TrueLine(msgspec.Struct, frozen=True):
    """A line of text with its box, as a person marked it."""

    text: str
    box: Box


class Item(msgspec.Struct):
    """A labelled document. `truth` maps asked fields to their values (None: not in the document); fields not in it are not scored."""

    id: str
    set: str
    path: Path
    schema: dict[str, Json]
    absent: list[str]
    truth: dict[str, Json]
    day_first: bool
    lines: list[TrueLine] = []
    boxes: dict[str, Box] = {}
    as_images: bool = False
    by_halves: bool = False
    """Whether rows with a name and an amount are judged by these two alone."""
    config: dict[str, Json] = {}
    """What is asked; empty to ask for `schema` and no more."""


def items(data: Path, names: list[str] | None = None, limit: int | None = None, *, descriptions: bool = True) -> Iterator[Item]:
    """The labelled documents of a data folder that have a schema, at most `limit` a set; without `descriptions` the schema has none."""
    counts: dict[str, int] = {}
    for row in (data / "manifest.jsonl").read_text().splitlines():
        entry = cast("dict[str, Json]", json.loads(row))
        name = cast("str", entry["set"])
        if (names and name not in names) or not entry.get("truth_path") or (limit is not None and counts.get(name, 0) >= limit):
            continue
        schema = _schema(data, entry)
        if schema is None:
            continue
        counts[name] = counts.get(name, 0) + 1
        absent = cast("list[str]", schema.pop("x-absent", []))
        if not descriptions:
            schema = cast("dict[str, Json]", _bare(schema))
        raw = cast("dict[str, Json]", json.loads((data / entry["truth_path"]).read_text()))
        item = Item(entry["id"], name, data / entry["path"], schema, absent, {}, name not in AMERICAN)
        item.by_halves = name == "invoices_zugferd"
        _read_truth(item, raw)
        yield item


def as_images(item: Item) -> Item | None:
    """The same document to be shown as page images, in a set of its own; None when it is no PDF."""
    with item.path.open("rb") as file:
        return msgspec.structs.replace(item, set=item.set + IMAGES, as_images=True) if b"%PDF" in file.read(1024) else None


def folder_items(folder: Path, schema: dict[str, Json], limit: int | None = None) -> Iterator[Item]:
    """A user's own labelled folder: each file with its truth, in the shape of the schema, in `<file>.json` or `<stem>.json` beside it.

    What a truth leaves out is not scored; null says that the document does not hold it. Dates are best written as ISO 8601.
    Raises ValueError naming a truth that is no JSON object.
    """
    schema = dict(schema)
    absent = cast("list[str]", schema.pop("x-absent", []))
    count = 0
    for path in sorted(folder.rglob("*")):
        beside = [path.with_name(path.name + ".json"), path.with_suffix(".json")]
        truth = next((name for name in beside if name.is_file()), None)
        if truth is None or not path.is_file() or path.suffix == ".json" or (limit is not None and count >= limit):
            continue
        count += 1
        try:
            raw: Json = json.loads(truth.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"{truth} is not JSON: {error}") from None
        if not isinstance(raw, dict):
            raise ValueError(f"{truth} is not a JSON object")
        yield Item(path.relative_to(folder).as_posix(), folder.resolve().name, path, schema, absent, cast("dict[str, Json]", raw), True)


def _schema(data: Path, entry: dict[str, Json]) -> dict[str, Json] | None:
    folder, name = data / "schemas", entry["set"]
    first = Path(entry["path"]).name.split("__")[0]
    for candidate in (f"{name}.json", f"{name}.{first.split('-')[0]}.json", f"{name}.{first.split('_')[0]}.json"):
        if (folder / candidate).exists():
            return cast("dict[str, Json]", json.loads((folder / candidate).read_text()))
    return None


def _bare(node: Json) -> Json:
    if isinstance(node, dict):
        return {
            key: _bare(value) for key, value in cast("dict[str, Json]", node).items() if key != "description" or isinstance(value, dict)
        }
    return [_bare(child) for child in cast("list[Json]", node)] if isinstance(node, list) else node


def _read_truth(item: Item, raw: dict[str, Json]) -> None:
    """Bring a set's own form of truth into `item`."""
    asked = cast("dict[str, Json]", item.schema["properties"])
    fields = cast("dict[str, Json]", raw.get("fields", raw))
    visible = cast("dict[str, bool] | None", raw.get("visible"))
    unscored = cast("list[str]", raw.get("unscored", []))
    for name, node in asked.items():
        if name in item.absent or name in unscored:
            continue
        value = _unmarked(item, name, fields.get(name, fields.get(f"{name}_from_filename")))
        if "boolean" in node.get("type", []) and isinstance(value, str):
            value = value == "selected"
        if visible is not None and name not in visible and not isinstance(value, list) and name != "currency":
            continue
        if visible is not None and (visible.get(name) is False or value == []):
            continue  # an e-invoice of a profile without lines (BASIC WL) says nothing of the lines on its page
        item.truth[name] = None if value == "" else value
    if "text_lines" in raw:
        item.lines = list(_lines(item.path, cast("list[dict[str, Json]]", raw["text_lines"])))


def _unmarked(item: Item, path: str, value: Json) -> Json:
    """A value without its marks; the boxes of a marked leaf (`{text, pages, boxes}`) go into `item` under its dotted path."""
    if isinstance(value, list):
        return [_unmarked(item, f"{path}.{position}", child) for position, child in enumerate(cast("list[Json]", value))]
    if not isinstance(value, dict):
        return value
    table = cast("dict[str, Json]", value)
    if "text" not in table or "boxes" not in table:
        return {name: _unmarked(item, f"{path}.{name}", child) for name, child in table.items()}
    if table["boxes"]:
        item.boxes[path] = union([_polygon(polygon, table["pages"][0] - 1) for polygon in table["boxes"]])
    return table["text"]


def _polygon(points: list[float], page: int) -> Box:
    xs, ys = points[::2], points[1::2]
    return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys), page)


def _lines(path: Path, raw: list[dict[str, Json]]) -> Iterator[TrueLine]:
    with Image.open(path) as image:
        width, height = image.size
    for line in raw:
        xs, ys = line["poly"][::2], line["poly"][1::2]
        yield TrueLine(line["text"], Box.from_xyxy(min(xs), min(ys), max(xs), max(ys), width=width, height=height))
