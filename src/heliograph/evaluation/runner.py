"""Runs labelled documents through the whole way from file to answer, in process, and counts.

The system under test is `extraction.answer.answer` with the schema of the set, grounding and confidence on: what a client gets.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import msgspec
from rapidfuzz import fuzz

from heliograph.evaluation.metrics import (
    auroc,
    calibration_error,
    day,
    f1,
    inside,
    money,
    plain_text,
    rows_right,
    same,
    similar,
    words_right,
)
from heliograph.evaluation.sets import Item
from heliograph.extraction.answer import answer
from heliograph.extraction.plan import resolve
from heliograph.media.document import Document, Page
from heliograph.media.geometry import Box, union
from heliograph.perception.reader import Reader

Json = Any


class Judged(msgspec.Struct):
    """One field of one document: what was answered, whether it is right, and what its metadata claims."""

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
    under_box: bool | None = None


class Outcome(msgspec.Struct):
    """One document, judged."""

    item: str
    set: str
    fields: list[Judged]
    rows: dict[str, tuple[float, int, int]]
    """Per list field: rows right, answered, true."""
    words: tuple[int, int, int] | None = None
    error: str | None = None


async def run(reader: Reader, items: Iterable[Item], *, pages: Path | None = None) -> AsyncIterator[Outcome]:
    """Judge document after document. With `pages`, read pages are kept in that folder and not read again (by content)."""
    for item in items:
        yield await _one(reader, item, pages)


async def _one(reader: Reader, item: Item, pages: Path | None) -> Outcome:
    plan = resolve("document", config={"json_schema": item.schema, "grounding": True, "confidence": True})
    folder = pages / sha256(item.path.read_bytes()).hexdigest() if pages is not None else None

    async def known(index: int) -> Page | None:
        path = folder / str(index) if folder is not None else None
        return msgspec.msgpack.decode(path.read_bytes(), type=Page) if path is not None and path.exists() else None

    async def on_page(page: Page) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / str(page.index)).write_bytes(msgspec.msgpack.encode(page))

    try:
        made = await answer(reader, [item.path], plan, known=known, on_page=on_page)
    except Exception as error:  # an evaluation goes on, and says what failed
        return Outcome(item.id, item.set, [], {}, error=f"{type(error).__name__}: {error}")
    return judge(item, cast("dict[str, Json]", made.response), made.document)


def judge(item: Item, response: dict[str, Json], document: Document) -> Outcome:
    """Compare an answer (with metadata) to the truth."""
    outcome = Outcome(item.id, item.set, [], {})
    asked = cast("dict[str, Json]", item.schema["properties"])
    for name in item.absent:
        got = response.get(name)
        outcome.fields.append(
            Judged(
                item.id,
                item.set,
                name,
                "text",
                got,
                None,
                got is None,
                got is None,
                asked_absent=True,
                probability=_probability(response, name),
            )
        )
    for name, want in item.truth.items():
        got = response.get(name)
        if isinstance(want, list) or "array" in _types(asked[name]):
            true_rows = cast("list[dict[str, Json]]", want or [])
            answered = cast("list[dict[str, Json]]", got or [])
            outcome.rows[name] = (rows_right(answered, true_rows, row_score), len(answered), len(true_rows))
            continue
        kind = kind_of(asked[name])
        exact = same(got, want, kind, day_first=item.day_first)
        judged = Judged(
            item.id, item.set, name, kind, got, want, exact, exact or similar(got, want, kind, day_first=item.day_first),
            probability=_probability(response, name),
        )  # fmt: skip
        if got is not None:
            judged.under_box, judged.grounded = _grounding(item, name, kind, got, response)
        outcome.fields.append(judged)
    if item.lines:
        read = [word.text for page in document.pages for word in page.words]
        outcome.words = words_right(read, [word for line in item.lines for word in line.text.split()])
    return outcome


def _types(node: dict[str, Json]) -> list[str]:
    kinds = node.get("type", [])
    return cast("list[str]", kinds) if isinstance(kinds, list) else [cast("str", kinds)]


def kind_of(node: dict[str, Json]) -> str:
    """How a field of a flat schema is compared: `date`, `number`, `boolean` or `text`."""
    if node.get("format") == "date":
        return "date"
    kinds = _types(node)
    return "number" if {"number", "integer"} & set(kinds) else "boolean" if "boolean" in kinds else "text"


def row_score(got: dict[str, Json], want: dict[str, Json]) -> float:
    """Half for the name (at least 90 % alike, or all of a shorter one), half for the amount (exact)."""
    amount = same(got.get("line_total"), want.get("line_total"), "number") and want.get("line_total") is not None
    a, b = plain_text(got.get("name") or ""), plain_text(want.get("name") or "")
    named = bool(a and b) and (
        fuzz.ratio(a, b) >= 90 or (len(a) > 0.4 * len(b) and fuzz.partial_ratio(a, b) >= 90 and len(b) > 0.4 * len(a))
    )
    return (amount + named) / 2


def _probability(response: dict[str, Json], name: str) -> float | None:
    metadata = cast("dict[str, Json] | None", response.get(f"{name}_metadata"))
    return cast("float | None", metadata.get("probability")) if metadata is not None else None


def _grounding(item: Item, name: str, kind: str, got: Json, response: dict[str, Json]) -> tuple[bool, bool | None]:
    """Whether the text under the boxes equals the answer, and where truth has boxes, whether they are hit (80 % inside, or IoU >= .5)."""
    metadata = cast("dict[str, Json] | None", response.get(f"{name}_metadata"))
    found = cast("list[Json]", metadata.get("bboxes", [])) if metadata is not None else []
    content = " ".join(cast("str", part["content"]) for part in found)
    boxes = [_box(part) for part in found]
    under = _under(content, kind, got)
    if not boxes:
        return under, False if item.lines or name in item.boxes else None
    if name in item.boxes:
        true = item.boxes[name]
        on_page = [box for box in boxes if box.page == true.page]
        return under, bool(on_page) and union(on_page).iou(true) >= 0.5
    if item.lines:
        lines = _lines_of(item, content)
        return under, bool(lines) and under and all(inside(box, lines) >= 0.8 for box in boxes)
    return under, None


def _box(part: Json) -> Box:
    x, y, w, h = cast("list[float]", part["bbox"]["xywh"])
    return Box(x, y, w, h, cast("int", part["page"]))


def _lines_of(item: Item, content: str) -> list[Box]:
    """The true lines that hold words of `content`."""
    words = {word for word in re.split(r"\W+", plain_text(content)) if word}
    return [line.box for line in item.lines if words & set(re.split(r"\W+", plain_text(line.text)))]


def _under(content: str, kind: str, got: Json) -> bool:
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


def summary(outcomes: Iterable[Outcome]) -> dict[str, dict[str, dict[str, float]]]:
    """`{set: {field or "micro": {metric: number}}}`, plus `{"all": {"micro": ...}}` pooled over sets."""
    by_set: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_set.setdefault(outcome.set, []).append(outcome)
    made: dict[str, dict[str, dict[str, float]]] = {}
    for name, group in sorted(by_set.items()):
        table: dict[str, dict[str, float]] = {}
        fields = [judged for outcome in group for judged in outcome.fields]
        for field in dict.fromkeys(judged.field for judged in fields if not judged.asked_absent):
            table[field] = _measured([judged for judged in fields if judged.field == field])
        for field in dict.fromkeys(field for outcome in group for field in outcome.rows):
            parts = [outcome.rows[field] for outcome in group if field in outcome.rows]
            right, answered, true = (sum(part[i] for part in parts) for i in range(3))
            table[field] = {"f1": f1(right, answered, true), "answered": answered, "present": true}
        table["micro"] = _measured(fields)
        table["micro"]["documents"] = len(group)
        table["micro"]["errors"] = sum(outcome.error is not None for outcome in group)
        counted = [outcome.words for outcome in group if outcome.words is not None]
        if counted:
            table["micro"]["ocr_word_f1"] = f1(*(sum(words[i] for words in counted) for i in range(3)))
        made[name] = table
    pooled = [judged for group in by_set.values() for outcome in group for judged in outcome.fields]
    made["all"] = {"micro": _measured(pooled)}
    return made


def _measured(fields: list[Judged]) -> dict[str, float]:
    present = [judged for judged in fields if judged.want is not None]
    absent = [judged for judged in fields if judged.want is None]
    answered = [judged for judged in fields if judged.got is not None]
    made: dict[str, float] = {
        "present": len(present),
        "answered": len(answered),
        "f1": f1(sum(judged.exact for judged in present), len(answered), len(present)),
        "f1_fuzzy": f1(sum(judged.fuzzy for judged in present), len(answered), len(present)),
        "accuracy": sum(judged.exact for judged in present) / len(present) if present else 1.0,
        "omission": sum(judged.got is None for judged in present) / len(present) if present else 0.0,
    }
    if absent:
        made["hallucination"] = sum(judged.got is not None for judged in absent) / len(absent)
    judged_boxes = [judged.grounded for judged in answered if judged.grounded is not None]
    if judged_boxes:
        made["grounding_hit"] = sum(judged_boxes) / len(judged_boxes)
    under = [judged.under_box for judged in answered if judged.under_box is not None]
    if under:
        made["text_under_box"] = sum(under) / len(under)
    sure = [(judged.probability, judged.exact) for judged in answered if judged.probability is not None]
    if sure:
        made["ece"] = calibration_error(sure)
        area = auroc(sure)
        if area is not None:
            made["auroc"] = area
    return made
