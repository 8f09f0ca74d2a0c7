"""An answer beside the truth: which fields are right, which boxes hit, what was left out and what was made up.

Grounding, where truth has boxes: an answer's box is hit at an intersection over union of at least .5 with the union of the true words
(as Pascal VOC counts boxes, Everingham et al. 2010). Where truth has whole lines only, at least .8 of every box lies in the true lines
and its text is the answer. Text under the box equals the answer in any set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
from rapidfuzz import fuzz

from heliograph.evaluation.metrics import anls_star, assignment, day, inside, money, plain_text, rows_right, same, similar, words_right
from heliograph.evaluation.sets import Item
from heliograph.extraction.schema import METADATA_SUFFIX, Field, compile_schema
from heliograph.media.geometry import Box, union

Json = Any
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")
HALVES = ("name", "line_total")
"""The columns by which invoice lines are judged; their other columns are not always printed."""


class Judged(msgspec.Struct):
    """One field of one document: what was answered, whether it is right, and what its metadata claims. Boxes are found and true ones."""

    item: str
    set: str
    field: str
    kind: str
    got: Json
    want: Json
    exact: bool
    fuzzy: bool
    asked_absent: bool = False
    probability: float | None = None
    grounded: bool | None = None
    page_right: bool | None = None
    under_box: bool | None = None
    found: list[Box] = []
    true: list[Box] = []

    @property
    def verdict(self) -> str:
        """`right`, `similar`, `wrong`, `missing` (not answered), `invented` (answered though absent)."""
        if self.exact:
            return "right"
        if self.got is None:
            return "missing"
        return "invented" if self.want is None else "similar" if self.fuzzy else "wrong"


class Outcome(msgspec.Struct):
    """One document, judged."""

    item: str
    set: str
    fields: list[Judged]
    rows: dict[str, tuple[float, float, float]]
    """Per list field: right, answered, true; counted in rows for invoice lines, else in values."""
    words: tuple[int, int, int] | None = None
    anls: float | None = None
    error: str | None = None

    @property
    def failures(self) -> float:
        """How much is wrong, missing or invented, for putting the worst documents first; a document without an answer counts most."""
        lost = sum(max(answered, true) - right for right, answered, true in self.rows.values())
        return 1e6 if self.error else sum(not judged.exact for judged in self.fields) + lost


def judge(
    item: Item, response: dict[str, Json], read: Sequence[str] | None = None, *, absent: Mapping[str, float] | None = None
) -> Outcome:
    """Compare an answer (with metadata) to the truth; `read`: the words of the document as they were read, when that is known.

    `absent`: how sure the system is of each empty field, which the answer itself does not say.
    """
    outcome = Outcome(item.id, item.set, [], {})
    for name in item.absent:
        got = response.get(name)
        known = Judged(item.id, item.set, name, "text", got, None, got is None, got is None, asked_absent=True)
        known.probability = _probability(response, name)
        outcome.fields.append(known)
    root = compile_schema(item.schema).root
    for field in root.fields:
        if field.name in item.truth:
            _compare(outcome, item, field, field.name, response, item.truth[field.name])
    truth = {field.name: _canonical(item.truth[field.name], field, item) for field in root.fields if field.name in item.truth}
    outcome.anls = anls_star(
        {field.name: _canonical(bare(response.get(field.name)), field, item) for field in root.fields if field.name in truth}, truth
    )
    for known in outcome.fields:
        if known.got is None and absent is not None:
            known.probability = absent.get(known.field)
    if item.lines and read is not None:
        outcome.words = words_right(read, [word for line in item.lines for word in line.text.split()])
    return outcome


def _compare(outcome: Outcome, item: Item, field: Field, path: str, holder: dict[str, Json], want: Json) -> None:
    got = holder.get(field.name)
    if field.kind == "array" or isinstance(want, list):
        outcome.rows[path] = _list(item, field, cast("list[Json]", bare(got) or []), cast("list[Json]", want or []))
    elif field.kind == "object":
        inner = cast("dict[str, Json]", got if isinstance(got, dict) else {})
        true = cast("dict[str, Json]", want) if isinstance(want, dict) else None
        for child in field.fields:
            if true is None or child.name in true:
                _compare(outcome, item, child, f"{path}.{child.name}", inner, None if true is None else true[child.name])
    else:
        outcome.fields.append(_leaf(item, field, path, holder, got, want))


def _leaf(item: Item, field: Field, path: str, holder: dict[str, Json], got: Json, want: Json) -> Judged:
    kind = _kind(field)
    exact = same(got, want, kind, day_first=item.day_first)
    judged = Judged(item.id, item.set, path, kind, got, want, exact, exact or similar(got, want, kind, day_first=item.day_first))
    judged.probability = _probability(holder, field.name)
    judged.true = [item.boxes[path]] if path in item.boxes else _true_lines(item, want)
    if got is not None:
        _ground(judged, item, holder.get(field.name + METADATA_SUFFIX) or {})
    return judged


def _list(item: Item, field: Field, got: list[Json], want: list[Json]) -> tuple[float, float, float]:
    shape = field.item or field
    if shape.kind == "object" and set(HALVES) <= {column.name for column in shape.fields} and item.by_halves:
        return rows_right(got, want, row_score), len(got), len(want)
    kinds = {leaf.path[len(shape.path) :]: _kind(leaf) for leaf in shape.leaves()}
    true_rows = [dict(_values(row, ())) for row in want]
    columns = {column for row in true_rows for column in row}
    rows = [{column: value for column, value in _values(row, ()) if not true_rows or column in columns} for row in got]

    def right(a: dict[tuple[str, ...], Json], b: dict[tuple[str, ...], Json]) -> int:
        return sum(column in a and similar(a[column], b[column], kinds.get(column, "text"), day_first=item.day_first) for column in b)

    table = [[right(a, b) for b in true_rows] for a in rows]
    total = sum(table[r][c] for r, c in assignment(table))
    return total, sum(map(len, rows)), sum(map(len, true_rows))


def _values(tree: Json, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The values of a row by their path; lists inside a row by position."""
    if isinstance(tree, dict):
        for name, value in cast("dict[str, Json]", tree).items():
            yield from _values(value, (*path, name))
    elif isinstance(tree, list):
        for position, value in enumerate(cast("list[Json]", tree)):
            yield from _values(value, (*path, str(position)))
    elif tree is not None:
        yield path, tree


def bare(tree: Json) -> Json:
    """An answer without its metadata."""
    if isinstance(tree, dict):
        table = cast("dict[str, Json]", tree)
        return {name: bare(value) for name, value in table.items() if not _is_metadata(name, table)}
    return [bare(child) for child in cast("list[Json]", tree)] if isinstance(tree, list) else tree


def _is_metadata(name: str, table: dict[str, Json]) -> bool:
    return name.endswith(METADATA_SUFFIX) and name.removesuffix(METADATA_SUFFIX) in table


def _canonical(tree: Json, field: Field, item: Item) -> Json:
    """Dates as ISO and numbers without needless digits, so that only what differs is counted."""
    if isinstance(tree, dict):
        known = {child.name: child for child in field.fields}
        table = cast("dict[str, Json]", tree)
        return {name: _canonical(value, known[name], item) for name, value in table.items() if name in known}
    if isinstance(tree, list):
        return [_canonical(child, field.item or field, item) for child in cast("list[Json]", tree)]
    kind = _kind(field)
    if tree is None or kind in {"text", "boolean"}:
        return tree
    if kind == "date":
        return day(tree, day_first=item.day_first) or tree
    value = money(tree)
    return tree if value is None else f"{value.normalize():f}"


def _kind(field: Field) -> str:
    if field.format == "date":
        return "date"
    return "number" if field.kind in {"number", "integer"} else "boolean" if field.kind == "boolean" else "text"


def kind_of(node: dict[str, Json]) -> str:
    """How a field of a flat schema is compared: `date`, `number`, `boolean` or `text`."""
    if node.get("format") == "date":
        return "date"
    named = node.get("type", [])
    kinds = cast("list[str]", named) if isinstance(named, list) else [cast("str", named)]
    return "number" if {"number", "integer"} & set(kinds) else "boolean" if "boolean" in kinds else "text"


def row_score(got: dict[str, Json], want: dict[str, Json]) -> float:
    """Half for the name (at least 90 % alike, or all of a shorter one), half for the amount (exact)."""
    amount = same(got.get("line_total"), want.get("line_total"), "number") and want.get("line_total") is not None
    a, b = plain_text(got.get("name") or ""), plain_text(want.get("name") or "")
    named = bool(a and b) and (
        fuzz.ratio(a, b) >= 90 or (len(a) > 0.4 * len(b) and fuzz.partial_ratio(a, b) >= 90 and len(b) > 0.4 * len(a))
    )
    return (amount + named) / 2


def _probability(holder: dict[str, Json], name: str) -> float | None:
    metadata = cast("dict[str, Json] | None", holder.get(name + METADATA_SUFFIX))
    return cast("float | None", metadata.get("probability")) if metadata is not None else None


def _ground(judged: Judged, item: Item, metadata: dict[str, Json]) -> None:
    parts = cast("list[Json]", metadata.get("bboxes") or [])
    content = " ".join(cast("str", part["content"]) for part in parts)
    judged.found = [_box(part) for part in parts]
    judged.under_box = _under(content, judged.kind, judged.got)
    if judged.field in item.boxes:
        true = item.boxes[judged.field]
        on_page = [box for box in judged.found if box.page == true.page]
        judged.page_right = bool(on_page)
        judged.grounded = bool(on_page) and union(on_page).iou(true) >= 0.5
    elif item.lines:
        lines = _lines_of(item, content)
        within = bool(judged.found) and all(inside(box, lines) >= 0.8 for box in judged.found)
        judged.grounded = bool(lines) and judged.under_box and within


def _box(part: Json) -> Box:
    x, y, w, h = cast("list[float]", part["bbox"]["xywh"])
    return Box(x, y, w, h, cast("int", part["page"]))


def _lines_of(item: Item, content: str) -> list[Box]:
    """The true lines that hold words of `content`."""
    words = {word for word in re.split(r"\W+", plain_text(content)) if word}
    return [line.box for line in item.lines if words & set(re.split(r"\W+", plain_text(line.text)))]


def _true_lines(item: Item, want: Json) -> list[Box]:
    """The true lines of which a true value is made, as well as can be told from their text."""
    text = plain_text(want) if want is not None else ""
    parts = [(line, plain_text(line.text)) for line in item.lines]
    return [line.box for line, part in parts if text and (text in part or (len(part) >= 4 and fuzz.partial_ratio(part, text) >= 90))]


def _under(content: str, kind: str, got: Json) -> bool:
    if _MOMENT.fullmatch(str(got)) and day(content) is not None:
        return any(day(content, day_first=first) == str(got)[:10] for first in (True, False))
    if kind == "date":
        return any(day(content, day_first=first) == got for first in (True, False))
    if kind == "number":
        value = money(content)
        return value is not None and (same(got, abs(value), "number") or same(got, value, "number"))
    if kind == "boolean":
        return bool(content)
    return re.sub(r"\W", "", plain_text(content)) == re.sub(r"\W", "", plain_text(got)) or bool(
        content and len(str(got)) == 3 and str(got).isupper()
    )
