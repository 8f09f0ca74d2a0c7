"""`document.markdown`: every page as Markdown, its tables as data with cells and boxes, its figures with theirs.

The shape is that of the official client's `MarkdownDocument`: `<Table id="tb-0"/>` and `<Figure id="fg-0"/>` stand in `content`
where a page's tables and figures do, numbered anew on each page, and `markdown_content` has them written out. Page header,
footer and number are kept as HTML comments. Text is the document's own: nothing is rephrased, nothing left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from heliograph.extraction.grid import Grid, grid
from heliograph.extraction.prompted.described import Described
from heliograph.media.document import Block, Document, Line, Page, Table
from heliograph.media.geometry import Box, union

Json = dict[str, Any]

_PAGE_NUMBER = re.compile(
    r"(?:page|p\.|seite|página|pagina)?\s*[-–—]?\s*(\d{1,4})\s*(?:(?:of|/|von|de|di|sur)\s*\d{1,4})?\s*[-–—]?", re.IGNORECASE
)
_BULLET = re.compile(r"^\s*(?:[•●○◦▪■□‣∙·*o»➢✓–—-]|)\s+")
_NUMBERED = re.compile(r"^\s*\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]\s+")
_BROKEN_WORD = re.compile(r"(?P<start>[^\W\d_]{2,})(?P<hyphen>[-\u00ad])$")
_PREFIXES = frozenset({"all", "cross", "ex", "non", "quasi", "self", "well"})
FOUND_BY_MODEL = "Made out by a model, not by the table reader (match: model). Its words stand on the page."
_FULL_LINE = 0.8
"""A line that reaches this far through its block runs on in the next; a shorter one ends there."""


def markdown(document: Document, described: Mapping[int, Described] | None = None) -> Json:
    """`document` in the shape of the client's `MarkdownDocument`; pages in order, `page_number` 0-indexed in the file.

    `described`: what a model added to pages, by their index.
    """
    return {"pages": [_page(page, (described or {}).get(page.index) or Described()) for page in document.pages]}


def _page(page: Page, added: Described) -> Json:
    tables: list[Json] = []
    figures: list[Json] = []
    parts: list[str] = []
    previous = ""
    blocks = _blocks(page)
    for number, block in enumerate(blocks):
        text = paragraph(page, block)
        if block.kind == "table" and block.table is not None and block.table < len(page.tables):
            table = _table(page.tables[block.table], _caption(page, blocks, number), added.notes.get(block.table))
            title = table["metadata"]["title"]
            part = (f"{_plain(title)}\n\n" if title else "") + f'<Table id="tb-{len(tables)}"/>'
            tables.append(table)
        elif block.kind == "picture":
            part = f'<Figure id="fg-{len(figures)}"/>'
            caption = _caption(page, blocks, number)
            bbox = {"xywh": block.box.xywh()}
            said = "\n\n".join(part for part in (added.figure(len(figures)), text) if part)
            figures.append({"id": len(figures), "title": None, "caption": caption, "content": said or None, "bbox": bbox})
        else:
            part = _written(block, text)
        if part:
            # items of one list stand together, everything else is a paragraph of its own
            parts += ["\n" if block.kind == previous == "list-item" else "\n\n", part] if parts else [part]
            previous = block.kind
    for table in added.lost:
        parts += ["\n\n" if parts else "", f'<Table id="tb-{len(tables)}"/>']
        tables.append(_table(table, None, FOUND_BY_MODEL))
    content = "".join(parts)
    return {
        "content": content,
        "markdown_content": _rendered(content, tables, figures),
        "metadata": {"language": page.language, "page_number": page.index},
        "tables": tables,
        "figures": figures,
    }


def _blocks(page: Page) -> list[Block]:
    """The blocks of a page, and after them one of the lines that are in none."""
    inside = {line for block in page.blocks for line in block.lines}
    covered = [block.box for block in page.blocks if block.kind in ("table", "picture")]
    left = [
        number
        for number, line in enumerate(page.lines)
        if number not in inside and not any(box.intersection(line.box) > 0.5 * line.box.area for box in covered)
    ]
    return [*page.blocks, Block("text", union(page.lines[number].box for number in left), left)] if left else page.blocks


def paragraph(page: Page, block: Block) -> str:
    """A block's text: lines that fill it run together (words parted by a hyphen too), lines that end early stay lines."""
    lines = [page.lines[index] for index in block.lines if index < len(page.lines)]
    text = ""
    for number, line in enumerate(lines):
        text += line.text.strip()
        if number + 1 == len(lines):
            break
        following = lines[number + 1].text.lstrip()
        if _same_row(line, lines[number + 1]):
            text += " "
        elif not _runs_on(line, block.box, following):
            text += "\n"
        elif (broken := _BROKEN_WORD.search(text)) and following[:1].islower():
            if broken["hyphen"] == "\u00ad" or not _is_compound(broken["start"], following, page):
                text = text[:-1]
        else:
            text += " "
    return text


def _is_compound(start: str, following: str, page: Page) -> bool:
    """Whether a word broken at its hyphen has one of its own: `non-governmental`, or one that the page writes so elsewhere."""
    rest = re.match(r"[^\W\d_]*", following)
    return start.lower() in _PREFIXES or f"{start}-{rest[0] if rest else ''}".lower() in page.text.lower()


def _runs_on(line: Line, block: Box, following: str) -> bool:
    reach = (line.box.x1 - block.x) / block.w if block.w else 1.0
    return reach >= _FULL_LINE and not _BULLET.match(following) and not _NUMBERED.match(following)


def _same_row(line: Line, other: Line) -> bool:
    shared = min(line.box.y1, other.box.y1) - max(line.box.y, other.box.y)
    return shared > 0.6 * min(line.box.h, other.box.h)


def _written(block: Block, text: str) -> str:
    if not text:
        return ""
    match block.kind:
        case "title" | "section-header":
            level = block.level or (1 if block.kind == "title" else 2)
            return "#" * min(max(level, 1), 6) + " " + " ".join(text.split())
        case "page-header" | "page-footer":
            return _comment(block.kind, text)
        case "list-item":
            items = [re.sub(r"\s*\n\s*", "\n  ", item) for item in _items(text)]
            return "\n".join(item if _NUMBERED.match(item) else f"- {_plain(_BULLET.sub('', item, count=1))}" for item in items)
        case _:
            return "\n".join(_plain(line) for line in text.split("\n"))


def _items(text: str) -> list[str]:
    """The items of a block that the layout took for one: each line with a bullet or number of its own begins one."""
    items: list[str] = []
    for line in text.split("\n"):
        if items and not _BULLET.match(line) and not _NUMBERED.match(line):
            items[-1] += "\n" + line
        else:
            items.append(line)
    return items


def _comment(kind: str, text: str) -> str:
    number = _PAGE_NUMBER.fullmatch(text.strip())
    name = "PageNumber" if number else "PageHeader" if kind == "page-header" else "PageFooter"
    said = number[1] if number else " ".join(text.split())
    escaped = said.replace("&", "&amp;").replace('"', "&quot;").replace("--", "&#45;&#45;").replace(">", "&gt;")
    return f'<!-- {name}="{escaped}" -->'


def _plain(line: str) -> str:
    """`line` kept from meaning something in Markdown that it does not mean on the page."""
    line = re.sub(r"^(\s*)(#{1,6}\s|>|```|~~~|[-=]{3,}\s*$)", r"\1\\\2", line)
    return re.sub(r"<(?=(?:Table|Figure)\s+id=|!--)", "&lt;", line)


def _caption(page: Page, blocks: list[Block], number: int) -> str | None:
    """The caption above or below the block with this number, the nearer one."""
    block = blocks[number]
    near = [blocks[other] for other in (number - 1, number + 1) if 0 <= other < len(blocks)]
    captions = [other for other in near if other.kind == "caption" and _gap(other.box, block.box) < 0.08]
    nearest = min(captions, key=lambda caption: _gap(caption.box, block.box), default=None)
    return " ".join(paragraph(page, nearest).split()) or None if nearest else None


def _gap(one: Box, other: Box) -> float:
    return max(one.y - other.y1, other.y - one.y1, 0.0)


def _table(table: Table, caption: str | None, notes: str | None) -> Json:
    data = grid(table)
    return {
        "metadata": {"title": data.title, "caption": caption, "notes": notes},
        "content": _as_markdown(data),
        "headers": [
            {"id": column.id, "column": number, "name": column.name, "dtype": column.dtype} for number, column in enumerate(data.columns)
        ],
        "data": data.records(),
        "bbox": {"xywh": table.box.xywh()},
        "cells": [
            {
                "content": cell.text,
                "bbox": {"xywh": cell.box.xywh()},
                "index": [cell.row, cell.column],
                "span": [cell.row_span, cell.column_span],
            }
            for cell in table.cells
        ],
    }


def _as_markdown(data: Grid) -> str:
    rows = [[column.name for column in data.columns], ["---"] * len(data.columns), *data.rows]
    return "\n".join("| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in row) + " |" for row in rows)


def _rendered(content: str, tables: list[Json], figures: list[Json]) -> str:
    """As the client does it on its side."""
    for number, table in enumerate(tables):
        content = content.replace(f'<Table id="tb-{number}"/>', table["content"])
    for figure in figures:
        placeholder = f'<Figure id="fg-{figure["id"]}"/>'
        content = content.replace(placeholder, f"{placeholder}\n\n{figure['content'] or ''}")
    return content
