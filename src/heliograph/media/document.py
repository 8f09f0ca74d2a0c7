"""What Heliograph knows of a file once it has read it: a `Document` of `Page`s of `Word`s, lines, blocks and tables.

These structures cross process borders as MessagePack (`msgspec.msgpack`), are cached as such, and are plain data:
`media` fills the text layer, `perception` fills the rest, `extraction` only reads.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from heliograph.media.geometry import Box

Source = Literal["text", "ocr", "mixed", "none", "speech"]
"""Where a page's words came from: its text layer, OCR, both, or there were none; of a transcript, they were heard."""

BlockKind = Literal[
    "caption", "footnote", "formula", "list-item", "page-footer", "page-header",
    "picture", "section-header", "table", "text", "title",
]  # fmt: skip
"""Layout categories, as the platform's layout results name them."""


class Word(msgspec.Struct, gc=False):
    """One word. `score` is the reader's confidence 0-1 (1.0 for a text layer); `size` its height in points; `line` indexes `Page.lines`."""

    text: str
    box: Box
    score: float = 1.0
    line: int = -1
    size: float = 0.0
    bold: bool = False


class Line(msgspec.Struct, gc=False):
    """Words that stand side by side, left to right. `words` are indices into `Page.words`; `block` into `Page.blocks`."""

    text: str
    box: Box
    words: list[int]
    block: int = -1


class Cell(msgspec.Struct, gc=False):
    """A table cell. `row`, `column` are 0-indexed; `words` are indices into `Page.words`."""

    text: str
    box: Box
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    words: list[int] = []


class Table(msgspec.Struct, gc=False):
    """A table. `header_rows` says how many of the first rows are headings."""

    box: Box
    rows: int
    columns: int
    cells: list[Cell]
    header_rows: int = 1
    score: float = 1.0


class Block(msgspec.Struct, gc=False):
    """A region of a page, in reading order. `lines` are indices into `Page.lines`; `table` into `Page.tables` when `kind` is `table`."""

    kind: BlockKind
    box: Box
    lines: list[int] = []
    score: float = 1.0
    table: int | None = None
    level: int = 0
    """Heading depth 1-6 for `title` and `section-header`, else 0."""


class Barcode(msgspec.Struct, gc=False):
    """A decoded barcode. `format` as zxing names it, such as `QRCode`."""

    text: str
    format: str
    box: Box


class Face(msgspec.Struct, frozen=True, gc=False):
    """A face. `score` 0-1. `marks`: the middles of the eyes, the tip of the nose and the corners of the mouth, as `(x, y)` fractions of the
    picture; of two, the one on the viewer's left first, when the face is upright."""

    box: Box
    score: float
    marks: list[tuple[float, float]]


class Unread(msgspec.Struct, gc=False):
    """A line of text that is there and was not read: its `script` (as Unicode names it, or `unknown`) is not one the reader knows."""

    script: str
    box: Box


class Page(msgspec.Struct):
    """One page, upright. `width`, `height` in points (1/72 inch); words and lines are in reading order.

    `rotation`: degrees clockwise by which the page was turned to be upright, after what the file itself says of its
    orientation (a scan that lies on its side). Sizes and boxes are those of the turned page.
    """

    index: int
    width: float
    height: float
    words: list[Word] = []
    lines: list[Line] = []
    blocks: list[Block] = []
    tables: list[Table] = []
    barcodes: list[Barcode] = []
    unread: list[Unread] = []
    source: Source = "none"
    language: str | None = None
    warnings: list[str] = []
    rotation: Literal[0, 90, 180, 270] = 0
    rules: list[Box] = []
    """Straight lines drawn on the page, as thin boxes: wider than tall are horizontal, the others vertical."""

    @property
    def text(self) -> str:
        """The lines of the page, in reading order, joined by newlines."""
        return "\n".join(line.text for line in self.lines)


class Document(msgspec.Struct):
    """A file, read. `page_count` counts the file's pages; `pages` holds only those asked for, by ascending index."""

    media_type: str
    page_count: int
    pages: list[Page]
    kind: Literal["image", "document"] = "document"
    warnings: list[str] = []

    def page(self, index: int) -> Page | None:
        """The page with this index in the original file, if it was read."""
        return next((page for page in self.pages if page.index == index), None)

    @property
    def text(self) -> str:
        """All pages' text, in order."""
        return "\n\n".join(page.text for page in self.pages)


class PageImage(msgspec.Struct, gc=False):
    """Pixels of an upright page: `height * width * 3` bytes of RGB, row by row; `dpi` it was rendered at."""

    width: int
    height: int
    data: bytes
    dpi: float = 72.0
