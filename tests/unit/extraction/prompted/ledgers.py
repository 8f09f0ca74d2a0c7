"""Pages with a table of entries, for tests: every cell a place of its own, its words on it."""

from __future__ import annotations

from collections.abc import Sequence

from heliograph.extraction.result import Evidence, Leaf, Path
from heliograph.media.document import Cell, Line, Page, Table, Word
from heliograph.media.geometry import Box, union


def ledger(
    rows: Sequence[Sequence[str]], *, index: int = 0, top: float = 0.1, height: float = 0.02, above: str = "", heads: int = 1
) -> Page:
    """A page with the line `above`, if any, over a table of `rows`, the first `heads` of them headings."""
    page = Page(index, 600.0, 800.0, source="text")
    if above:
        _line(page, above.split(), [Box(0.1 + 0.1 * at, 0.03, 0.08, 0.015, index) for at in range(len(above.split()))])
    columns = max(len(row) for row in rows)
    wide = 0.8 / columns
    cells: list[Cell] = []
    for number, row in enumerate(rows):
        y = top + number * height
        words: list[str] = []
        boxes: list[Box] = []
        for column, text in enumerate(row):
            first = len(page.words) + len(words)
            parts = text.split()
            for at, part in enumerate(parts):
                words.append(part)
                boxes.append(Box(0.1 + column * wide + at * wide / len(parts), y, wide / len(parts) * 0.9, height * 0.7, index))
            box = Box(0.1 + column * wide, y - height * 0.1, wide, height, index)
            cells.append(Cell(text, box, number, column, words=list(range(first, first + len(parts)))))
        _line(page, words, boxes)
    page.tables.append(Table(Box(0.1, top, 0.8, height * len(rows), index), len(rows), columns, cells, heads))
    return page


def plain(text: str, *, index: int = 0) -> Page:
    """A page of lines alone."""
    page = Page(index, 600.0, 800.0, source="text")
    for number, said in enumerate(text.strip("\n").split("\n")):
        words = said.split()
        _line(page, words, [Box(0.1 + at * 0.05, 0.05 + number * 0.02, 0.045, 0.014, index) for at in range(len(words))])
    return page


def cited(page: Page, row: int, column: int, value: object = None) -> Leaf:
    """A leaf that stands on a cell of the page's table, exactly; its value is the cell's text when none is given."""
    cell = next(cell for cell in page.tables[0].cells if (cell.row, cell.column) == (row, column))
    evidence = [Evidence(page.words[at].text, page.words[at].box, 1.0) for at in cell.words]
    return Leaf(cell.text if value is None else value, "found", "exact", 0.9, evidence)


def entries(page: Page, name: str, columns: Sequence[str], rows: Sequence[int]) -> tuple[dict[str, object], dict[Path, Leaf]]:
    """An answer whose list `name` has an entry for each of `rows`, with its leaves."""
    leaves: dict[Path, Leaf] = {}
    made: list[dict[str, object]] = []
    for at, row in enumerate(rows):
        for column, key in enumerate(columns):
            leaves[(name, at, key)] = cited(page, row, column)
        made.append({key: leaves[(name, at, key)].value for key in columns})
    return {name: made}, leaves


def _line(page: Page, words: Sequence[str], boxes: Sequence[Box]) -> None:
    if not words:
        return
    first = len(page.words)
    page.words += [Word(word, box, 1.0, len(page.lines), 9.0) for word, box in zip(words, boxes, strict=True)]
    page.lines.append(Line(" ".join(words), union(boxes), list(range(first, len(page.words)))))
