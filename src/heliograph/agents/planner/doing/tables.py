"""Tables of a document, as rows of text with a heading for each column."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from heliograph.agents.artifacts import Artifact
from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.hand import Hand
from heliograph.agents.planner.slots import number

_FIGURE = re.compile(r"^[^\w-]*(-?\(?\d[\d.,\s]*\)?)\s*(?:%|[A-Z]{3}|[^\w\s])?$")


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """A table. `rows`: as many texts as `heads`; `page` counts from 0; `label`: the column that names the rows."""

    page: int
    heads: list[str]
    rows: list[list[str]]
    label: int = 0

    def number(self, text: str) -> float | None:
        """The number that a cell is; None for other text."""
        found = _FIGURE.match(text.strip())
        if found is None:
            return None
        digits = found[1].replace(" ", "")
        try:
            value = number(digits.strip("()-"))
        except ValueError:
            return None
        return -value if digits.startswith(("-", "(")) else value


async def tables_of(hand: Hand, document: Artifact, clause: Clause) -> list[Grid]:
    """The tables on the pages that a clause names, or all; those with one row or column are none."""
    answer = await hand.call("parse_document_markdown", document=document.ref, pages=clause.slots.pages or None)
    return [grid for page in answer["pages"] for rows in page["tables"] if (grid := _grid(page["page"], rows)) is not None]


def numeric(grid: Grid) -> list[int]:
    """The columns of a table that hold numbers but for a cell here and there."""
    found: list[int] = []
    for column in range(len(grid.heads)):
        cells = [row[column] for row in grid.rows if row[column].strip()]
        if len(cells) >= 2 and sum(grid.number(cell) is not None for cell in cells) >= 0.8 * len(cells) and column != grid.label:
            found.append(column)
    return found


def column_of(grids: list[Grid], about: list[str]) -> tuple[Grid, int] | None:
    """The column that is meant: the one whose heading has a word of the request, else the only one with numbers."""
    named = [(grid, place) for grid in grids for place in numeric(grid) if any(word in grid.heads[place].lower() for word in about)]
    if len(named) == 1:
        return named[0]
    every = [(grid, place) for grid in grids for place in numeric(grid)]
    return every[0] if len(every) == 1 else None


def _grid(page: int, rows: list[dict[str, Any]]) -> Grid | None:
    keys = list(rows[0]) if rows else []
    heads = [re.sub(r"_\d+$", "", key).replace("_", " ") for key in keys]  # names of columns end with their number
    if not rows or len(heads) < 2:
        return None
    cells = [["" if row.get(key) is None else str(row.get(key)) for key in keys] for row in rows]
    bare = Grid(page=page, heads=heads, rows=cells, label=-1)
    figures = numeric(bare)
    label = next((column for column in range(len(heads)) if column not in figures), 0)
    return msgspec.structs.replace(bare, label=label)
