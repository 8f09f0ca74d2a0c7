"""Pages written by hand: text at places, in points on a page of 600 x 800."""

from __future__ import annotations

from heliograph.media.document import Block, BlockKind, Cell, Document, Line, Page, Table, Word
from heliograph.media.geometry import Box, union

WIDTH, HEIGHT, SIZE = 600.0, 800.0, 10.0
ADVANCE = 5.0
"""Width of a character."""


class Sheet:
    """A page under construction."""

    def __init__(self, index: int = 0) -> None:
        self.page = Page(index=index, width=WIDTH, height=HEIGHT, source="text", language="en")

    def box(self, x: float, y: float, w: float, h: float = SIZE) -> Box:
        return Box(x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT, self.page.index)

    def line(self, text: str, x: float, y: float) -> int:
        """A line of words; gives its index."""
        indices: list[int] = []
        at = x
        for word in text.split():
            indices.append(len(self.page.words))
            self.page.words.append(Word(word, self.box(at, y, ADVANCE * len(word)), line=len(self.page.lines), size=SIZE))
            at += ADVANCE * (len(word) + 1)
        self.page.lines.append(Line(text, self.box(x, y, at - x - ADVANCE), indices))
        return len(self.page.lines) - 1

    def block(self, kind: BlockKind, *lines: str, x: float = 50, y: float = 50, w: float | None = None, level: int = 0) -> Block:
        """A block of lines under each other; `w` makes it wider than its text."""
        indices = [self.line(text, x, y + number * 12) for number, text in enumerate(lines)]
        box = union(self.page.lines[index].box for index in indices) if indices else self.box(x, y, 100, 50)
        if w is not None:
            box = Box(box.x, box.y, w / WIDTH, box.h, box.page)
        made = Block(kind, box, indices, score=0.9, level=level)
        self.page.blocks.append(made)
        return made

    def table(
        self, rows: list[list[str]], *, header_rows: int = 1, x: float = 50, y: float = 300, indent: dict[int, float] | None = None
    ) -> Table:
        """A table. `<` continues the cell on its left, `^` the one above; `indent` moves the first cells of rows to the right."""
        cells: dict[tuple[int, int], Cell] = {}
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                if text == "<":
                    start = max(c for r, c in cells if r == row and c < column)
                    cells[row, start].column_span = column - start + 1
                elif text == "^":
                    start = max(r for r, c in cells if c == column and r < row)
                    cells[start, column].row_span = row - start + 1
                elif text:
                    left = x + 110 * column + ((indent or {}).get(row, 0.0) if column == 0 else 0.0)
                    line = self.page.lines[self.line(text, left, y + 14 * row)]
                    cells[row, column] = Cell(text, line.box, row, column, words=line.words)
        box = self.box(x, y, 110 * len(rows[0]), 14 * len(rows))
        made = Table(box, len(rows), len(rows[0]), list(cells.values()), header_rows=header_rows)
        inside = [word.line for cell in cells.values() for word in (self.page.words[i] for i in cell.words)]
        self.page.blocks.append(Block("table", box, sorted(set(inside)), table=len(self.page.tables)))
        self.page.tables.append(made)
        return made


def document(*sheets: Sheet) -> Document:
    return Document("application/pdf", len(sheets), [sheet.page for sheet in sheets])


def invoice() -> Document:
    """An invoice on two pages: labels beside and below, a table that goes on, totals."""
    first, second = Sheet(0), Sheet(1)
    first.block("title", "INVOICE", x=250, y=30)
    first.block("text", "Invoice No: A-1001", x=50, y=80)
    first.block("text", "Invoice date:", x=50, y=95)
    first.block("text", "12/03/2024", x=160, y=95)
    first.block("text", "Customer ID", x=50, y=120)
    first.block("text", "C-77", x=50, y=132)
    first.block("text", "Please pay within thirty days of the date that is given above.", x=50, y=160)
    first.table([["Description", "Qty", "Unit Price", "Amount"], ["Bolt M8", "10", "1.50", "15.00"], ["Nut", "4", "2.25", "9.00"]])
    second.table([["Description", "Qty", "Unit Price", "Amount"], ["Washer", "2", "0.50", "1.00"]], y=60)
    second.block("text", "Total $ 25.00", x=380, y=120)
    return document(first, second)
