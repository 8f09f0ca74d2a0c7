"""HTML as a flow: text, headings, lists, tables, form values and embedded pictures. Nothing is fetched and no script runs."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from selectolax.lexbor import LexborHTMLParser

from heliograph.errors import MediaLimitExceeded
from heliograph.media.content import Limits
from heliograph.media.document import BlockKind
from heliograph.media.flow import Element, Flow, Grid, GridCell, Paragraph, Picture, Run
from heliograph.media.plaintext import MAX_CELLS, read_text_file
from heliograph.media.sniff import text_of

SKIPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "head",
        "iframe",
        "object",
        "embed",
        "svg",
        "canvas",
        "audio",
        "video",
        "datalist",
        "dialog",
    ]
)
BLOCKS = frozenset(
    [
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
        "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "legend", "li", "main", "nav", "ol", "p",
        "pre", "section", "summary", "table", "ul", "caption", "option", "tr", "td", "th", "tbody", "thead", "tfoot",
    ]
)  # fmt: skip
BOLD = frozenset(["b", "strong", "th"])
DEPTH = 200
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


def read_html(path: Path, limits: Limits) -> Flow:
    """An HTML file as a flow."""
    return Flow(flow_html(text_of_html(path, limits)))


def text_of_html(path: Path, limits: Limits) -> str:
    """An HTML file as it is written; its encoding by byte order mark, `<meta charset>`, then content."""
    with path.open("rb") as file:
        data = file.read(1 << 16)
    declared = CHARSET.search(data[:2048])
    text = None
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            text = path.read_bytes().decode(declared.group(1).decode("ascii"), "replace") if path.stat().st_size <= 32 << 20 else None
        except LookupError:
            text = None
    return text if text is not None else read_text_file(path, limits)


def flow_html(text: str, pictures: Mapping[str, bytes] | None = None) -> list[Element]:
    """Elements of an HTML page. `pictures`: bytes by `src`, for the inline pictures of a mail."""
    walk = _Walk(pictures or {})
    body = LexborHTMLParser(text).body
    if body is not None:
        walk.children(body, bold=False, depth=0)
    walk.end()
    return walk.elements


class _Walk:
    """Collects elements; `_runs` is the paragraph being filled."""

    def __init__(self, pictures: Mapping[str, bytes]) -> None:
        self.elements: list[Element] = []
        self._pictures = pictures
        self._runs: list[Run] = []
        self._kind: BlockKind = "text"
        self._level = 0
        self._indent = 0.0
        self._marker = ""
        self._pre = False
        self._cells = 0
        self._deep = False

    def end(self) -> None:
        """Close the paragraph being filled."""
        runs, self._runs = self._runs, []
        if self._pre:
            text = "".join(run.text for run in runs).strip("\n")
            runs = [Run(text)] if text.strip() else []
        if any(run.text.strip() for run in runs) or self._marker:
            self.elements.append(Paragraph(runs, self._kind, self._level, self._indent, self._marker, columns=self._pre))
            self._marker = ""

    def children(self, node: Any, *, bold: bool, depth: int) -> None:
        """Walk over what is in a node. Past `DEPTH` only the text is kept."""
        if depth > DEPTH:
            if not self._deep:
                self._say(node.text(deep=True), bold)
                self._deep = True
            return
        child = node.child
        while child is not None:
            self._node(child, bold=bold, depth=depth + 1)
            child = child.next

    def _say(self, text: str | None, bold: bool) -> None:
        if text:
            self._runs.append(Run(text if self._pre else re.sub(r"\s+", " ", text), bold))

    def _node(self, node: Any, *, bold: bool, depth: int) -> None:
        tag = node.tag
        if tag == "-text":
            self._say(node.text_content, bold)
            return
        if tag in SKIPPED or tag.startswith(("-", "!")):
            return
        attributes: dict[str, str | None] = node.attributes
        if "hidden" in attributes or HIDDEN.search(attributes.get("style") or ""):
            return
        bold = bold or tag in BOLD
        if tag == "br":
            self._runs.append(Run("\n"))
        elif tag == "img":
            self._image(attributes)
        elif tag in ("input", "select", "textarea"):
            self._control(tag, attributes, node)
        elif tag == "table":
            self.end()
            self._table(node, depth)
        elif tag in ("ul", "ol"):
            self._list(node, tag == "ol", depth)
        elif tag[0] == "h" and tag[1:] in ("1", "2", "3", "4", "5", "6"):
            self._block(node, "title" if tag == "h1" else "section-header", int(tag[1]), bold=bold, depth=depth)
        elif tag == "pre":
            self.end()
            self._pre = True
            self.children(node, bold=bold, depth=depth)
            self.end()
            self._pre = False
        elif tag in ("figcaption", "caption"):
            self._block(node, "caption", 0, bold=bold, depth=depth)
        elif tag in BLOCKS:
            self.end()
            shift = 18.0 if tag in ("blockquote", "dd") else 0.0
            self._indent += shift
            self.children(node, bold=bold or tag == "dt", depth=depth)
            self.end()
            self._indent -= shift
        else:
            self.children(node, bold=bold, depth=depth)

    def _block(self, node: Any, kind: BlockKind, level: int, *, bold: bool, depth: int) -> None:
        self.end()
        kept = self._kind, self._level
        self._kind, self._level = kind, level
        self.children(node, bold=bold, depth=depth)
        self.end()
        self._kind, self._level = kept

    def _list(self, node: Any, numbered: bool, depth: int) -> None:
        self.end()
        kept = self._kind, self._level
        self._indent += 18.0
        number = 1
        child = node.child
        while child is not None:
            if child.tag == "li":
                self.end()
                self._kind, self._level, self._marker = "list-item", 0, f"{number}." if numbered else "•"
                number += 1
                self.children(child, bold=False, depth=depth + 1)
                self.end()
                self._marker = ""
            else:
                self._node(child, bold=False, depth=depth + 1)
            child = child.next
        self._kind, self._level = kept
        self._indent -= 18.0

    def _table(self, node: Any, depth: int) -> None:
        rows: list[list[GridCell]] = []
        header_rows = 0
        caption = node.css_first("caption")
        if caption is not None and caption.parent.mem_id == node.mem_id:
            self._block(caption, "caption", 0, bold=False, depth=depth)
        for row in self._rows_of(node):
            cells: list[GridCell] = []
            heads = 0
            child = row.child
            while child is not None:
                if child.tag in ("td", "th") and "hidden" not in child.attributes:
                    heads += child.tag == "th"
                    cells.append(self._cell(child, depth))
                child = child.next
            if cells:
                if header_rows == len(rows) and (heads == len(cells) or row.parent.tag == "thead"):
                    header_rows += 1
                rows.append(cells)
        if len(rows) == 1 and len(rows[0]) == 1:  # a frame, not a table
            self.elements += rows[0][0].content
        elif rows:
            self.elements.append(Grid(rows, header_rows))

    @staticmethod
    def _rows_of(table: Any) -> list[Any]:
        rows: list[Any] = []
        child = table.child
        while child is not None:
            if child.tag == "tr":
                rows.append(child)
            elif child.tag in ("thead", "tbody", "tfoot"):
                inner = child.child
                while inner is not None:
                    if inner.tag == "tr":
                        rows.append(inner)
                    inner = inner.next
            child = child.next
        return rows

    def _cell(self, node: Any, depth: int) -> GridCell:
        self._cells += 1
        if self._cells > MAX_CELLS:
            raise MediaLimitExceeded(f"The page's tables have more than {MAX_CELLS:,} cells.")
        inner = _Walk(self._pictures)
        inner._cells = self._cells
        inner.children(node, bold=node.tag == "th", depth=depth + 1)
        inner.end()
        self._cells = inner._cells
        return GridCell(_paragraphs(inner.elements), _span(node, "rowspan"), _span(node, "colspan"))

    def _image(self, attributes: Mapping[str, str | None]) -> None:
        source = attributes.get("src") or ""
        data = self._pictures.get(source) or _data_uri(source)
        if data:
            self.end()
            self.elements.append(Picture(data))
        elif attributes.get("alt"):
            self._say(f" {attributes['alt']} ", bold=False)

    def _control(self, tag: str, attributes: Mapping[str, str | None], node: Any) -> None:
        kind = (attributes.get("type") or "text").lower()
        if tag == "textarea":
            self._say(node.text(deep=True), bold=False)
        elif tag == "select":
            chosen = node.css_first("option[selected]") or node.css_first("option")
            self._say(f" {chosen.text(deep=True)} " if chosen is not None else "", bold=False)
        elif kind in ("checkbox", "radio"):
            self._say(" ☑ " if "checked" in attributes else " ☐ ", bold=False)
        elif kind not in ("hidden", "password"):
            self._say(f" {attributes.get('value') or ''} ", bold=False)


def _paragraphs(elements: list[Element]) -> list[Paragraph]:
    """What stands in a cell, as paragraphs; a table within a table becomes lines of its cells."""
    found: list[Paragraph] = []
    for element in elements:
        if isinstance(element, Paragraph):
            element.level = 0
            found.append(element)
        elif isinstance(element, Grid):
            for row in element.rows:
                runs = [run for cell in row for paragraph in cell.content for run in [*paragraph.runs, Run("  ")]]
                found.append(Paragraph(runs))
    return found or [Paragraph([])]


def _span(node: Any, name: str) -> int:
    value = (node.attributes.get(name) or "1").strip()
    return min(max(int(value), 1), 1000) if value.isdecimal() and len(value) < 6 else 1


def _data_uri(source: str) -> bytes | None:
    if not source.startswith("data:image/") or len(source) > 32 << 20:
        return None
    head, _, body = source.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(body)
    except (binascii.Error, ValueError):
        return None


def decode_html(data: bytes, charset: str | None) -> str:
    """Text of an HTML part of a mail: its declared charset, else by content."""
    try:
        return data.decode(charset, "replace") if charset else text_of(data)[0]
    except LookupError:
        return text_of(data)[0]
