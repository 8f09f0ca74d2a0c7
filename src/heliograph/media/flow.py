"""Pages for formats that have none: text, headings, lists, tables and pictures flow onto A4 pages, and slides onto theirs.

A reader (DOCX, HTML, mail, ...) makes a `Flow`; `FlowFile` lays it out once, so every word has a tight box where the drawn page shows it,
and blocks and tables come with it. One font is used, DejaVu Sans (bundled; Latin, Greek, Cyrillic, Arabic, Hebrew, symbols): the layout is
the same on every machine. Characters that it lacks, such as Chinese, keep their text and boxes and are drawn as empty frames.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from PIL import Image, ImageDraw, ImageFont

from heliograph.media.content import Inspection, Limits, PageContent
from heliograph.media.document import Block, BlockKind, Cell, Line, Page, PageImage, Table, Word
from heliograph.media.geometry import Box
from heliograph.media.images import DAMAGE, upright_rgb

A4 = (595.0, 842.0)
MARGIN = 54.0
WIDEST = 4000.0
"""Points; a page grows to this width for a table that needs it."""
TEXT_SIZE = 10.0
HEADING_SIZES = (20.0, 16.0, 13.5, 12.0, 11.0, 10.5)
LEADING = 1.35
PADDING = 4.0
SPACE_EM = 0.32
"""Width of a space in font sizes."""
CELL_EM = 0.68
"""Width of a column of preformatted text in font sizes: wide enough for upper case words of a proportional font not to meet."""
MEASURE = 48.0
"""Pixel size at which words are measured."""
FONTS = Path(__file__).parent / "fonts"
PICTURE_DPI = 96.0
PICTURES = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")
LONGEST_WORD = 180.0
WORD_LENGTH = 120
"""Characters after which a word is cut: nobody's word, and a picture of it would be as wide as it is long."""
SLACK = 0.01
"""Points by which a word may be too wide: what adding widths up rounds away."""


class Run(msgspec.Struct):
    """A stretch of text in one style. A newline in it breaks the line."""

    text: str
    bold: bool = False
    size: float | None = None


class Paragraph(msgspec.Struct):
    """Runs that fill lines. `marker` stands before the first line of a list item; `columns`: preformatted text on a grid of characters."""

    runs: list[Run]
    kind: BlockKind = "text"
    level: int = 0
    indent: float = 0.0
    marker: str = ""
    columns: bool = False
    align: Literal["left", "center", "right"] = "left"

    @property
    def text(self) -> str:
        """All runs' text."""
        return "".join(run.text for run in self.runs)


class GridCell(msgspec.Struct):
    """A table cell: paragraphs, and how many rows and columns it spans."""

    content: list[Paragraph]
    row_span: int = 1
    column_span: int = 1


class Grid(msgspec.Struct):
    """A table: rows of cells; positions that a span covers are left out."""

    rows: list[list[GridCell]]
    header_rows: int = 0


class Picture(msgspec.Struct):
    """An encoded picture; `width` and `height` in points when the format says so."""

    data: bytes
    width: float | None = None
    height: float | None = None


class PageBreak(msgspec.Struct):
    """A new page begins."""


Element = Paragraph | Grid | Picture | PageBreak


class Frame(msgspec.Struct):
    """A place on a slide, in points, with what stands in it."""

    x: float
    y: float
    width: float
    height: float
    content: list[Element]


class Slide(msgspec.Struct):
    """A page of fixed places."""

    width: float
    height: float
    frames: list[Frame]


class Flow(msgspec.Struct):
    """What a reader made of a file. `header` and `footer` come on every page. `slides` instead of `elements` for fixed pages."""

    elements: list[Element] = []
    slides: list[Slide] = []
    header: list[Paragraph] = []
    footer: list[Paragraph] = []
    size: tuple[float, float] = A4
    structured: bool = True
    warnings: list[str] = []


class _Token(msgspec.Struct):
    text: str
    bold: bool
    size: float
    width: float
    column: int = 0


class _Laid(msgspec.Struct):
    """A page laid out: what is known of it (in points until `finish`), and what to draw."""

    width: float
    height: float
    words: list[Word] = []
    lines: list[Line] = []
    blocks: list[Block] = []
    tables: list[Table] = []
    texts: list[tuple[float, float, str, float, bool]] = []
    rules: list[tuple[float, float, float, float]] = []
    pictures: list[tuple[tuple[float, float, float, float], Picture]] = []


@lru_cache(maxsize=64)
def _font(size: float, bold: bool) -> Any:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(FONTS / name, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=50_000)
def _measure(text: str, bold: bool) -> tuple[float, float, float, float, float]:
    """Advance width and the ink's box around the baseline's start, in font sizes."""
    font = _font(MEASURE, bold)
    mask, (left, top) = font.getmask2(text, "L", anchor="ls")  # getbbox would count the empty space before the ink
    x0, y0, x1, y1 = mask.getbbox() or (0, 0, 1, 1)
    advance = font.getlength(text)
    return advance / MEASURE, (left + x0) / MEASURE, (top + y0) / MEASURE, (left + x1) / MEASURE, (top + y1) / MEASURE


def _on_grid(line: list[_Token]) -> Iterator[float]:
    """Where each word of preformatted text begins: words a single space apart stand together, and after more spaces in their column."""
    end, at = -1, 0.0
    for token in line:
        at = at + SPACE_EM * token.size if token.column == end + 1 and end >= 0 else token.column * CELL_EM * token.size
        yield at
        end, at = token.column + len(token.text), at + token.width


def _width(text: str, bold: bool, size: float) -> float:
    return _measure(text, bold)[0] * size


def _tokens(paragraph: Paragraph, scale: float) -> list[list[_Token]]:
    """The words of a paragraph, in lists between forced line breaks; a word may be written by several runs."""
    size = HEADING_SIZES[min(paragraph.level, 6) - 1] if paragraph.level else TEXT_SIZE
    lines: list[list[_Token]] = [[]]
    word, bold, word_size, column = "", False, size, 0

    def end() -> None:
        nonlocal word
        if word:
            lines[-1].append(_Token(word, bold, word_size * scale, 0.0, column - len(word)))
            word = ""

    for run in paragraph.runs:
        for character in run.text.expandtabs(8) if paragraph.columns else run.text:
            if character == "\n":
                end()
                lines.append([])
                column = 0
                continue
            if character.isspace():
                end()
            elif character.isprintable():
                if not word:
                    bold, word_size = run.bold or bool(paragraph.level), run.size or size
                word += character
                if len(word) == WORD_LENGTH:
                    end()
            column += 1
    end()
    for line in lines:
        for token in line:
            token.width = _width(token.text, token.bold, token.size)
    return lines


def _break(paragraph: Paragraph, width: float, scale: float) -> list[list[_Token]]:
    """The paragraph's lines within `width`; words wider than that are cut."""
    lines: list[list[_Token]] = []
    for forced in _tokens(paragraph, scale):
        line: list[_Token] = []
        used = 0.0
        for token in forced:
            space = SPACE_EM * token.size
            if paragraph.columns:
                line.append(token)
                continue
            if line and used + space + token.width > width + SLACK:
                lines.append(line)
                line, used = [], 0.0
            while token.width > width + SLACK and len(token.text) > 1:
                if line:
                    lines.append(line)
                fit = max(int(len(token.text) * width / token.width), 1)
                head, rest = token.text[:fit], token.text[fit:]
                lines.append([_Token(head, token.bold, token.size, _width(head, token.bold, token.size), token.column)])
                line, used = [], 0.0
                token = _Token(rest, token.bold, token.size, _width(rest, token.bold, token.size), token.column + fit)  # noqa: PLW2901
            used += (space if line else 0.0) + token.width
            line.append(token)
        lines.append(line)
    return lines


def _line_height(line: list[_Token], scale: float) -> float:
    return LEADING * max((token.size for token in line), default=TEXT_SIZE * scale * 0.7)


class _Layout:
    """Lays a flow out on pages."""

    def __init__(self, flow: Flow, limits: Limits) -> None:
        self._flow = flow
        self._limits = limits
        self.pages: list[_Laid] = []
        self.warnings = list(flow.warnings)
        needed = max((_grid_needs(element) for element in flow.elements if isinstance(element, Grid)), default=0.0)
        self._width = min(max(flow.size[0], needed + 2 * MARGIN), WIDEST)
        self._height = flow.size[1]
        self._page = _Laid(0, 0)
        self._y = math.inf
        self._full = False

    def run(self) -> None:
        for slide in self._flow.slides[: self._limits.max_pages]:
            self._slide(slide)
        for element in self._flow.elements:
            if self._full:
                break
            if isinstance(element, Paragraph):
                self._paragraph(element)
            elif isinstance(element, Grid):
                self._grid(element)
            elif isinstance(element, Picture):
                self._picture(element)
            elif self.pages:
                self._y = math.inf
        if not self.pages:
            self._new_page()
        if self._full or len(self._flow.slides) > self._limits.max_pages:
            self.warnings.append(f"Only the first {self._limits.max_pages} pages were laid out.")

    # one page after another

    def _new_page(self, height: float | None = None) -> bool:
        if len(self.pages) >= self._limits.max_pages:
            self._full = True
            return False
        self._page = _Laid(self._width, max(self._height, height or 0.0))
        self.pages.append(self._page)
        self._y = MARGIN
        placed: tuple[tuple[list[Paragraph], BlockKind], ...] = ((self._flow.header, "page-header"), (self._flow.footer, "page-footer"))
        for paragraphs, kind in placed:
            kept = self._y
            lines = [(paragraph, _break(paragraph, self._width - 2 * MARGIN, 0.85)) for paragraph in paragraphs]
            high = sum(_line_height(line, 0.85) for _, broken in lines for line in broken)
            if not high:
                continue
            y = 24.0 if kind == "page-header" else max(self._page.height - 24.0 - high, self._page.height / 2)
            for paragraph, broken in lines:
                y = self._place(paragraph, broken, MARGIN, y, self._width - 2 * MARGIN, 0.85, self._block(kind))
            self._y = max(kept, y + 8.0) if kind == "page-header" else kept
        return True

    def _room(self, high: float) -> bool:
        """Is there a page with this much left, after starting a new one if need be?"""
        if self._y + high <= self._page.height - MARGIN:
            return True
        return self._new_page(high + 2 * MARGIN + 60.0 if high > self._height - 2 * MARGIN - 60.0 else None)

    def _block(self, kind: BlockKind, level: int = 0) -> int:
        self._page.blocks.append(Block(kind, Box(0, 0, 0, 0), level=level))
        return len(self._page.blocks) - 1

    def _paragraph(self, paragraph: Paragraph) -> None:
        if not paragraph.text.strip() and not paragraph.marker:
            self._y += TEXT_SIZE * 0.4
            return
        x = MARGIN + paragraph.indent
        width = max(self._width - MARGIN - x, 80.0)
        lines = _break(paragraph, width, 1.0)
        if paragraph.level:
            self._y += 8.0
        if not self._room(sum(_line_height(line, 1.0) for line in lines[: 3 if paragraph.level else 1])):
            return
        while lines:
            fits, high = 0, 0.0
            while fits < len(lines) and self._y + high + _line_height(lines[fits], 1.0) <= self._page.height - MARGIN:
                high += _line_height(lines[fits], 1.0)
                fits += 1
            fits = max(fits, 1)
            block = self._block(paragraph.kind, paragraph.level)
            self._y = self._place(paragraph, lines[:fits], x, self._y, width, 1.0, block)
            lines = lines[fits:]
            paragraph = msgspec.structs.replace(paragraph, marker="")
            if lines and not self._new_page():
                return
        self._y += 5.0

    def _place(self, paragraph: Paragraph, lines: list[list[_Token]], x: float, y: float, width: float, scale: float, block: int) -> float:
        """Put broken lines at x, y; returns where they end."""
        page = self._page
        if paragraph.marker and lines:
            size = lines[0][0].size if lines[0] else TEXT_SIZE * scale
            marker = _Token(paragraph.marker, False, size, _width(paragraph.marker, False, size))
            lines = [[marker, *lines[0]], *lines[1:]]
        for number, line in enumerate(lines):
            high = _line_height(line, scale)
            baseline = y + high * 0.76
            left = x
            if paragraph.align != "left":
                rest = width - sum(token.width for token in line) - SPACE_EM * sum(token.size for token in line[1:])
                left += max(rest, 0.0) * (0.5 if paragraph.align == "center" else 1.0)
            words: list[int] = []
            marked = bool(paragraph.marker) and number == 0
            grid = _on_grid(line[marked:])
            for position, token in enumerate(line):
                is_marker = marked and position == 0
                if is_marker:
                    at = max(left - token.width - 4.0, 2.0)
                elif paragraph.columns:
                    at = left + next(grid)
                else:
                    at = left
                    left += token.width + SPACE_EM * token.size
                _, x0, y0, x1, y1 = _measure(token.text, token.bold)
                box = Box(
                    at + x0 * token.size, baseline + y0 * token.size, max((x1 - x0) * token.size, 0.5), max((y1 - y0) * token.size, 0.5)
                )
                words.append(len(page.words))
                page.words.append(Word(token.text, box, 1.0, len(page.lines), round(token.size, 2), token.bold))
                page.texts.append((at, baseline, token.text, token.size, token.bold))
            if words:
                page.lines.append(Line(" ".join(token.text for token in line), _around([page.words[i].box for i in words]), words, block))
                page.blocks[block].lines.append(len(page.lines) - 1)
            y += high
        return y

    # tables

    def _grid(self, grid: Grid) -> None:
        cells, rows, columns = _positions(grid)
        if not cells:
            return
        widths = _column_widths(cells, columns, self._width - 2 * MARGIN)
        self._place_grid(cells, rows, widths, grid.header_rows, MARGIN, 1.0)
        self._y += 8.0

    def _place_grid(
        self, cells: list[tuple[int, int, GridCell]], rows: int, widths: list[float], header_rows: int, x: float, scale: float
    ) -> None:
        edges = [x]
        for width in widths:
            edges.append(edges[-1] + width)
        broken: list[list[tuple[Paragraph, list[list[_Token]]]]] = []
        heights = [TEXT_SIZE * scale * LEADING + 2 * PADDING] * rows
        wanted: list[float] = []
        for row, column, cell in cells:
            inner = max(edges[min(column + cell.column_span, len(widths))] - edges[column] - 2 * PADDING, 8.0)
            content = [(paragraph, _break(paragraph, max(inner - paragraph.indent, 8.0), scale)) for paragraph in cell.content]
            broken.append(content)
            high = sum(_line_height(line, scale) for _, lines in content for line in lines) + 2 * PADDING
            wanted.append(high)
            if cell.row_span == 1:
                heights[row] = max(heights[row], high)
        for (row, _, cell), high in zip(cells, wanted, strict=True):
            last = min(row + cell.row_span, rows) - 1
            missing = high - sum(heights[row : last + 1])
            if missing > 0:
                heights[last] += missing
        # rows that a span ties together stay on one page
        tied = list(range(rows))
        for row, _, cell in cells:
            for other in range(row, min(row + cell.row_span, rows)):
                tied[other] = min(tied[other], tied[row])
        by_row: dict[int, list[int]] = {}
        for number, (row, _, _) in enumerate(cells):
            by_row.setdefault(row, []).append(number)
        first = 0
        while first < rows and not self._full:
            end = first + 1
            while end < rows and tied[end] < end:
                end += 1
            if not self._room(sum(heights[first:end])):
                return
            stop, y = first, self._y
            while stop < rows:
                end = stop + 1
                while end < rows and tied[end] < end:
                    end += 1
                high = sum(heights[stop:end])
                if stop > first and y + high > self._page.height - MARGIN:
                    break
                y += high
                stop = end
            self._part(cells, broken, by_row, (first, stop), heights, edges, max(min(header_rows, stop) - first, 0), scale)
            first = stop

    def _part(
        self,
        cells: list[tuple[int, int, GridCell]],
        broken: list[list[tuple[Paragraph, list[list[_Token]]]]],
        by_row: dict[int, list[int]],
        span: tuple[int, int],
        heights: list[float],
        edges: list[float],
        header_rows: int,
        scale: float,
    ) -> None:
        """Place rows `span[0]` to `span[1]` of a table on the current page, as a table of their own."""
        page, (first, stop) = self._page, span
        block = self._block("table")
        tops = [self._y]
        for row in range(first, stop):
            tops.append(tops[-1] + heights[row])
        table = Table(Box(edges[0], tops[0], edges[-1] - edges[0], tops[-1] - tops[0]), stop - first, len(edges) - 1, [], header_rows)
        for row in range(first, stop):
            for number in by_row.get(row, []):
                _, column, cell = cells[number]
                left, right = edges[column], edges[min(column + cell.column_span, len(edges) - 1)]
                top, bottom = tops[row - first], tops[min(row - first + cell.row_span, stop - first)]
                start, y = len(page.words), top + PADDING
                for paragraph, lines in broken[number]:
                    at = left + PADDING + paragraph.indent
                    y = self._place(paragraph, lines, at, y, right - PADDING - at, scale, block)
                text = "\n".join(paragraph.text.strip() for paragraph, _ in broken[number] if paragraph.text.strip())
                table.cells.append(
                    Cell(
                        text,
                        Box(left, top, right - left, bottom - top),
                        row - first,
                        column,
                        min(cell.row_span, stop - row),
                        min(cell.column_span, len(edges) - 1 - column),
                        list(range(start, len(page.words))),
                    )
                )
                page.rules += [
                    (left, top, right, top),
                    (left, bottom, right, bottom),
                    (left, top, left, bottom),
                    (right, top, right, bottom),
                ]
        page.blocks[block].table = len(page.tables)
        page.blocks[block].box = table.box
        page.tables.append(table)
        self._y = tops[-1]

    # pictures and slides

    def _picture(self, picture: Picture) -> None:
        size = _picture_size(picture, self._limits)
        if size is None:
            self.warnings.append("A picture in the file could not be decoded.")
            return
        width, height = picture.width or size[0], picture.height or size[1]
        shrink = min((self._width - 2 * MARGIN) / width, (self._height - 2 * MARGIN) / height, 1.0)
        width, height = width * shrink, height * shrink
        if width < 1 or height < 1 or not self._room(height):
            return
        self._put_picture(picture, (MARGIN, self._y, MARGIN + width, self._y + height))
        self._y += height + 6.0

    def _put_picture(self, picture: Picture, place: tuple[float, float, float, float]) -> None:
        x0, y0, x1, y1 = place
        self._page.pictures.append((place, picture))
        self._page.blocks.append(Block("picture", Box(x0, y0, x1 - x0, y1 - y0)))

    def _slide(self, slide: Slide) -> None:
        self._page = _Laid(slide.width, slide.height)
        self.pages.append(self._page)
        for frame in slide.frames:
            scale = 1.0
            while scale > 0.4 and self._height_of(frame, scale) > frame.height:
                scale *= 0.9
            y = frame.y
            for element in frame.content:
                if isinstance(element, Paragraph):
                    lines = _break(element, max(frame.width - element.indent, 20.0), scale)
                    block = self._block(element.kind, element.level)
                    y = self._place(element, lines, frame.x + element.indent, y, frame.width - element.indent, scale, block)
                elif isinstance(element, Grid):
                    cells, rows, columns = _positions(element)
                    self._y, self._page.height = y, math.inf
                    widths = _column_widths(cells, columns, frame.width)
                    stretch = frame.width / (sum(widths) or 1.0)
                    self._place_grid(cells, rows, [width * stretch for width in widths], element.header_rows, frame.x, scale)
                    y, self._page.height = self._y, max(slide.height, self._y)
                elif isinstance(element, Picture):
                    if _picture_size(element, self._limits) is None:
                        self.warnings.append("A picture in the file could not be decoded.")
                    else:
                        self._put_picture(element, (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height))
            self._page.height = max(self._page.height, min(y, 3 * slide.height))

    @staticmethod
    def _height_of(frame: Frame, scale: float) -> float:
        return sum(
            _line_height(line, scale)
            for element in frame.content
            if isinstance(element, Paragraph)
            for line in _break(element, max(frame.width - element.indent, 20.0), scale)
        )


def _around(boxes: list[Box]) -> Box:
    x0, y0 = min(box.x for box in boxes), min(box.y for box in boxes)
    return Box(x0, y0, max(box.x1 for box in boxes) - x0, max(box.y1 for box in boxes) - y0)


def _positions(grid: Grid) -> tuple[list[tuple[int, int, GridCell]], int, int]:
    """Cells with the row and column they begin at, and the table's size; spans push later cells aside as in HTML."""
    taken: set[tuple[int, int]] = set()
    cells: list[tuple[int, int, GridCell]] = []
    rows = len(grid.rows)
    columns = 0
    for row, line in enumerate(grid.rows):
        column = 0
        for cell in line:
            while (row, column) in taken:
                column += 1
            cell.row_span = max(min(cell.row_span, rows - row), 1)
            cell.column_span = max(min(cell.column_span, 1000), 1)
            if cell.row_span > 1 or cell.column_span > 1:
                taken.update((row + i, column + j) for i in range(cell.row_span) for j in range(cell.column_span))
            cells.append((row, column, cell))
            column += cell.column_span
            columns = max(columns, column)
    return cells, rows, columns


def _column_needs(cells: list[tuple[int, int, GridCell]], columns: int) -> tuple[list[float], list[float]]:
    """For each column the width of its longest word (bounded) and that of its longest line."""
    least, best = [10.0] * columns, [10.0] * columns
    for _, column, cell in cells:
        for paragraph in cell.content:
            for line in _tokens(paragraph, 1.0):
                if not line:
                    continue
                longest = min(max(token.width for token in line), LONGEST_WORD) + 2 * PADDING + paragraph.indent
                whole = sum(token.width + SPACE_EM * token.size for token in line) + 2 * PADDING + paragraph.indent
                for covered in range(column, min(column + cell.column_span, columns)):
                    least[covered] = max(least[covered], longest / cell.column_span)
                    best[covered] = max(best[covered], whole / cell.column_span)
    return least, best


def _grid_needs(grid: Grid) -> float:
    cells, _, columns = _positions(grid)
    return sum(_column_needs(cells, columns)[0])


def _column_widths(cells: list[tuple[int, int, GridCell]], columns: int, width: float) -> list[float]:
    least, best = _column_needs(cells, columns)
    if sum(best) <= width:
        return best
    if sum(least) >= width:
        return [one * width / sum(least) for one in least]
    share = (width - sum(least)) / (sum(best) - sum(least))
    return [low + (high - low) * share for low, high in zip(least, best, strict=True)]


def _picture_size(picture: Picture, limits: Limits) -> tuple[float, float] | None:
    """Width and height in points at 96 dpi, by its header; None when it is not a picture that can be decoded, or too large."""
    try:
        with Image.open(io.BytesIO(picture.data), formats=PICTURES) as image:
            width, height = image.size
    except DAMAGE:
        return None
    if width < 1 or height < 1 or width * height > min(limits.max_pixels, 50_000_000):
        return None
    return width * 72 / PICTURE_DPI, height * 72 / PICTURE_DPI


class FlowFile:
    """A flow, laid out; the open file that `opening.py` works with."""

    def __init__(self, flow: Flow, limits: Limits) -> None:
        layout = _Layout(flow, limits)
        layout.run()
        self._pages = layout.pages
        self._warnings = list(dict.fromkeys(layout.warnings))
        self._structured = flow.structured
        self._limits = limits
        self.page_count = len(self._pages)

    def close(self) -> None:
        """Forget it."""
        self._pages = []

    def inspect(self, media_type: str) -> Inspection:
        """Pages and their sizes in points."""
        return Inspection(media_type, "document", self.page_count, [(page.width, page.height) for page in self._pages], self._warnings)

    def open_page(self, index: int, dpi: float | None, want_text: bool) -> PageContent:
        """A page with words, lines, blocks and tables; pictures on it are regions to read."""
        laid = self._pages[index]
        page = Page(index, laid.width, laid.height)
        regions: list[Box] = []

        def on_page(box: Box) -> Box:
            return Box.from_xyxy(box.x, box.y, box.x1, box.y1, width=laid.width, height=laid.height, page=index)

        if want_text:
            place = msgspec.structs.replace
            page.words = [place(word, box=on_page(word.box)) for word in laid.words]
            page.source = "text" if page.words else "none"
            if self._structured:
                page.lines = [place(line, box=on_page(line.box)) for line in laid.lines]
                page.tables = [
                    place(table, box=on_page(table.box), cells=[place(cell, box=on_page(cell.box)) for cell in table.cells])
                    for table in laid.tables
                ]
                page.blocks = [
                    place(
                        block,
                        box=on_page(
                            block.box if block.box.area else _around([laid.lines[i].box for i in block.lines] or [Box(0, 0, 0, 0)])
                        ),
                    )
                    for block in laid.blocks
                ]
            else:
                for word in page.words:
                    word.line = -1
            regions = [on_page(Box(x0, y0, x1 - x0, y1 - y0)) for (x0, y0, x1, y1), _ in laid.pictures]
            regions = sorted((box for box in regions if box.area > 0.003), key=lambda box: -box.area)[:16]
        only_pictures = want_text and bool(laid.pictures) and not page.words
        content = PageContent(page, "missing" if only_pictures else "good", regions, structured=self._structured and not only_pictures)
        if dpi:
            content.image = self.render(index, dpi)
        return content

    def render(self, index: int, dpi: float) -> PageImage:
        """The page drawn in black on white with its table rules and pictures."""
        laid = self._pages[index]
        scale = dpi / 72
        scale *= min(math.sqrt(self._limits.max_pixels / (laid.width * laid.height * scale * scale)), 1.0)
        width, height = max(round(laid.width * scale), 1), max(round(laid.height * scale), 1)
        fx, fy = width / laid.width, height / laid.height
        canvas = Image.new("RGB", (width, height), "white")
        for (x0, y0, x1, y1), picture in laid.pictures:
            size = max(round((x1 - x0) * fx), 1), max(round((y1 - y0) * fy), 1)
            drawn = _draw(picture, size)
            if drawn is not None:
                canvas.paste(drawn, (round(x0 * fx), round(y0 * fy)))
        draw = ImageDraw.Draw(canvas)
        for x0, y0, x1, y1 in laid.rules:
            draw.line((x0 * fx, y0 * fy, x1 * fx, y1 * fy), fill=(120, 120, 120), width=max(round(0.5 * scale), 1))
        for x, y, text, size, bold in laid.texts:
            draw.text((x * fx, y * fy), text, fill="black", font=_font(round(size * scale, 1), bold), anchor="ls")
        return PageImage(width, height, canvas.tobytes(), scale * 72)


def _draw(picture: Picture, size: tuple[int, int]) -> Any:
    try:
        with Image.open(io.BytesIO(picture.data), formats=PICTURES) as image:
            image.draft("RGB", size)
            return upright_rgb(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    except DAMAGE:
        return None
