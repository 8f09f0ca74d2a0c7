"""What a model adds to a page that was laid out and read here: what its figures show, and a second look at its tables.

The model replaces nothing. A figure's description stands before the words that were read in it. A table is read by the model from its
picture alone, without being told what was read; where the two have different numbers the words of the page stand, and the table says so.
A region that the layout takes for a table and the table reader could not part into cells becomes a table of the model's rows, marked so,
beside its text, when the page has the words that the model says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from heliograph.extraction.alignment.folding import fold
from heliograph.extraction.plan import Plan
from heliograph.extraction.prompted.conversation import together
from heliograph.extraction.prompted.described import Described
from heliograph.extraction.prompted.looking import Heard, Looker, Sight, entries
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Block, Cell, Document, Page, Table
from heliograph.media.geometry import Box, union
from heliograph.models.contract import Part, Text
from heliograph.models.errors import ModelLimit, ModelRefused

Json = dict[str, Any]

SMALLEST = 0.004
"""Share of the page below which a picture is a mark, such as a logo or a bullet, and is not described."""
SUPPORTED = 0.8
"""Share of the words of a model's table that the page must have for it to be taken."""
MOST_ROWS, MOST_COLUMNS = 500, 60
_NAMED = 5
"""Numbers that a note names."""
_NUMBER = re.compile(r"\d(?:[\d.,'’  ]*\d)?")
_FIGURES = compile_schema(
    {
        "type": "object",
        "properties": {
            "figures": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "number": {"type": "integer", "description": "The figure's number, as it stands before its picture"},
                        "description": {"type": ["string", "null"], "description": "What it shows"},
                    },
                    "required": ["number", "description"],
                },
            }
        },
        "required": ["figures"],
    }
)
_ROWS = compile_schema(
    {
        "type": "object",
        "properties": {
            "rows": {
                "type": "array",
                "description": "Every row from top to bottom, the row of headings first",
                "items": {
                    "type": "object",
                    "properties": {"cells": {"type": "array", "items": {"type": "string"}, "description": "Its cells, empty ones too"}},
                    "required": ["cells"],
                },
            }
        },
        "required": ["rows"],
    }
)
_DESCRIBE = (
    "Describe what each of these figures shows, so that somebody who cannot see it knows what it says: what kind of figure it is, what is "
    "in it, and of a chart its axes, series and values. Two to five sentences each, in the page's language. Answer with the JSON object."
)
_COPY = "Copy this table, row by row, every cell as it is printed. Answer with the JSON object."


async def describe(document: Document, plan: Plan, sight: Sight, *, tables: bool = True) -> tuple[dict[int, Described], list[str]]:
    """What a model adds to each page, by its index, and warnings. `tables`: look at tables too, not at figures alone.

    Raises `ModelUnavailable` where another try later may help; what the model refuses is a warning, and the page stays as it was read.
    """
    if not any(block.kind == "picture" or (tables and block.kind == "table") for page in document.pages for block in page.blocks):
        return {}, []
    profile = await sight.backend.profile()
    if not profile.vision or profile.max_pictures < 1:
        return {}, [
            f"not_described: the model of the route {sight.backend.name} takes no pictures; figures are not described, tables not checked"
        ]
    looker = Looker(plan, sight, profile)
    warnings: list[str] = []

    async def look(page: Page) -> tuple[int, Described]:
        made = Described()
        made.figures = await _figures(looker, page, warnings)
        for block in page.blocks if tables else []:
            if block.kind == "table":
                await _table(looker, page, block, made, warnings)
        return page.index, made

    found = dict(await together(look(page) for page in document.pages))
    return found, list(dict.fromkeys(warnings))


async def _figures(looker: Looker, page: Page, warnings: list[str]) -> list[str | None]:
    blocks = [block for block in page.blocks if block.kind == "picture"]
    found: dict[int, str] = {}
    shown = [number for number, block in enumerate(blocks) if block.box.area >= SMALLEST]
    for first in range(0, len(shown), looker.profile.max_pictures):
        parts: list[Part] = []
        some = shown[first : first + looker.profile.max_pictures]
        for number in some:
            parts += [Text(f"Figure {number + 1}:"), await looker.part(page, blocks[number].box)]
        heard = await _heard(looker, parts, _DESCRIBE, _FIGURES, f"the figures of page {page.index + 1}", warnings)
        for said in entries(heard and heard.value, "figures"):
            number, text = said.get("number"), str(said.get("description") or "").strip()
            if isinstance(number, int) and number - 1 in some and text:
                found.setdefault(number - 1, text)
    return [found.get(number) for number in range(len(blocks))]


async def _table(looker: Looker, page: Page, block: Block, made: Described, warnings: list[str]) -> None:
    read = page.tables[block.table] if block.table is not None and block.table < len(page.tables) else None
    what = f"a table of page {page.index + 1}"
    heard = await _heard(looker, [await looker.part(page, block.box)], _COPY, _ROWS, what, warnings)
    if heard is None:
        return
    rows = rows_of(entries(heard.value, "rows"))
    if read is not None and block.table is not None:
        note = differences(read, rows, whole=not heard.truncated)
        if note is not None:
            made.notes[block.table] = note
            warnings.append(f"table_differs: page {page.index + 1}, table {block.table + 1}: {note}")
    elif len(rows) > 1 and len(rows[0]) > 1:
        if supported(page, rows) >= SUPPORTED:
            made.lost.append(table_of(page, block.box, rows))
        else:
            warnings.append(f"table_dropped: a table that the model makes out on page {page.index + 1} has words that the page has not")


async def _heard(looker: Looker, parts: Sequence[Part], question: str, schema: Schema, what: str, warnings: list[str]) -> Heard | None:
    """The answer; None, and a warning, where the model will not or cannot give one."""
    try:
        heard = await looker.ask(parts, question, schema)
    except (ModelRefused, ModelLimit) as error:
        warnings.append(f"not_described: {what}: {error.message}")
        return None
    if heard.refused is not None:
        warnings.append(f"refused: the model would not answer about {what}: {heard.refused[:300]}")
        return None
    if heard.value is None:
        warnings.append(f"not_described: {what}: nothing could be made of the model's answer")
        return None
    return heard


def rows_of(said: Sequence[Json]) -> list[list[str]]:
    """A model's rows, all as long as the longest; empty ones are left out."""
    listed = [cast("list[Any]", row["cells"]) for row in said[:MOST_ROWS] if isinstance(row.get("cells"), list)]
    rows = [["" if cell is None else " ".join(str(cell).split()) for cell in cells[:MOST_COLUMNS]] for cells in listed]
    rows = [row for row in rows if any(row)]
    width = max((len(row) for row in rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def differences(table: Table, rows: Sequence[Sequence[str]], *, whole: bool) -> str | None:
    """Which numbers a model has otherwise than the words of `table`, in a sentence; None where it has the same.

    `whole`: the model's rows are all there, so that a number that is not among them is missing. Numbers are compared by their digits.
    """
    ours = _numbers(cell.text for cell in table.cells)
    theirs = _numbers(cell for row in rows for cell in row)
    other = [text for digits, text in theirs.items() if digits not in ours]
    unseen = [text for digits, text in ours.items() if digits not in theirs] if whole and theirs else []
    if len(other) == len(unseen) == 1:
        return f"A model reads {other[0]} where the words of the page say {unseen[0]}; the words stand."
    said = [f"{_listed(other)} that the words of the page do not say"] if other else []
    said += [f"not {_listed(unseen)}"] if unseen else []
    return f"A model reads {', and '.join(said)}; the words stand." if said else None


def supported(page: Page, rows: Sequence[Sequence[str]]) -> float:
    """The share of the words of `rows` that the page has."""
    words = {fold(word.text) for word in page.words}
    said = [folded for row in rows for cell in row for word in cell.split() if (folded := fold(word))]
    return sum(word in words for word in said) / len(said) if said else 0.0


def table_of(page: Page, box: Box, rows: Sequence[Sequence[str]]) -> Table:
    """A table of a model's rows in `box`. A cell stands where its words do, if they do once; else where the table does."""
    words = {number: fold(word.text) for number, word in enumerate(page.words) if box.intersection(word.box) > 0.5 * word.box.area}
    inside = [number for number, folded in words.items() if folded]
    cells: list[Cell] = []
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            if text:
                wanted = [folded for word in text.split() if (folded := fold(word))]
                at = [inside[number] for number in _run([words[number] for number in inside], wanted)]
                cells.append(Cell(text, union(page.words[number].box for number in at) if at else box, row, column, words=at))
    return Table(box, len(rows), len(rows[0]), cells, header_rows=1, score=0.0)


def _run(words: list[str], wanted: list[str]) -> range:
    """Where `wanted` stands among `words`, if in one place."""
    starts = [start for start in range(len(words) - len(wanted) + 1) if wanted and words[start : start + len(wanted)] == wanted]
    return range(starts[0], starts[0] + len(wanted)) if len(starts) == 1 else range(0)


def _numbers(texts: Any) -> dict[str, str]:
    """The numbers of `texts` as they are written, by their digits."""
    found = [match[0] for text in texts for match in _NUMBER.finditer(text)]
    return {re.sub(r"\D", "", number): number for number in reversed(found)}


def _listed(numbers: Sequence[str]) -> str:
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return ", ".join(numbers[:_NAMED]) + more
