"""Plain text and separated values as flows."""

from __future__ import annotations

import csv
from pathlib import Path

from heliograph.errors import MediaLimitExceeded
from heliograph.media.content import Limits
from heliograph.media.flow import A4, CELL_EM, MARGIN, Element, Flow, Grid, GridCell, PageBreak, Paragraph, Run
from heliograph.media.markdown import flow_markdown, is_markdown
from heliograph.media.sniff import delimiter_of, text_of

MAX_TEXT = 32 << 20
GRID_COLUMNS = 132
"""Longest line that is taken as laid out by its author, so that columns made of spaces stay columns."""
MAX_CELLS = 400_000
PIECE = 100_000
"""Characters of one paragraph; a longer one is laid out in pieces, of which those beyond the page cap are never touched."""


def read_text_file(path: Path, limits: Limits) -> str:
    """The decoded text of a file. Raises MediaLimitExceeded for more than 32 MiB."""
    size = path.stat().st_size
    if size > min(MAX_TEXT, limits.max_unpacked):
        raise MediaLimitExceeded(f"The text is {size >> 20} MiB long; this server reads up to {min(MAX_TEXT, limits.max_unpacked) >> 20}.")
    return text_of(path.read_bytes())[0]


def read_text(path: Path, limits: Limits) -> Flow:
    """A text file: Markdown as what it stands for, else on a grid of characters when its lines are short, else flowing."""
    text = read_text_file(path, limits).replace("\r\n", "\n").replace("\r", "\n")
    if is_markdown(text):
        return Flow(flow_markdown(text))
    return Flow(flow_text(text), structured=False)


def flow_text(text: str) -> list[Element]:
    """Elements of plain text: one paragraph between blank lines. A form feed begins a page."""
    longest = max((len(line.expandtabs(8).rstrip()) for line in text.split("\n")), default=0)
    on_grid = longest <= GRID_COLUMNS
    size = min(10.0, (A4[0] - 2 * MARGIN) / max(longest, 1) / CELL_EM) if on_grid else None
    elements: list[Element] = []
    for number, sheet in enumerate(text.split("\f")):
        if number:
            elements.append(PageBreak())
        for part in sheet.strip("\n").split("\n\n"):
            for at in range(0, max(len(part), 1), PIECE):
                elements.append(Paragraph([Run(part[at : at + PIECE], size=size)], columns=on_grid))
    return elements


def read_csv(path: Path, limits: Limits) -> Flow:
    """Separated values as one table; the first line is its header."""
    text = read_text_file(path, limits)
    delimiter = delimiter_of(text) or ","
    lines: list[list[str]] = []
    cells = 0
    for line in csv.reader(text.splitlines(), delimiter=delimiter):
        cells += len(line)
        if cells > MAX_CELLS:
            raise MediaLimitExceeded(f"The table has more than {MAX_CELLS:,} cells.")
        if line:
            lines.append(line)
    return Flow([grid_of(lines, 1)])


def grid_of(lines: list[list[str]], header_rows: int) -> Grid:
    """A table of plain strings; header rows bold."""
    rows = [[GridCell([Paragraph([Run(value, row < header_rows)])]) for value in line] for row, line in enumerate(lines)]
    return Grid(rows, header_rows)
